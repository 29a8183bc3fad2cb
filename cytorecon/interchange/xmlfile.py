"""Reading XML that a stranger wrote: small, flat, without a DOCTYPE, entities or network.

Gating-ML files and FlowJo workspaces come by mail from other laboratories. Nothing in them is followed, fetched
or expanded; what is too large or too deep is refused before it costs memory or time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from cytorecon.errors import InterchangeError

MAX_BYTES = 100 * 2**20
MAX_ELEMENTS = 2_000_000
MAX_ATTRIBUTES = 3_200_000
MAX_PROLOG = 65_536
MAX_GATES = 1_000
MAX_DEPTH = 64
MAX_VERTICES = 10_000

GATING = "http://www.isac-net.org/std/Gating-ML/v2.0/gating"
TRANSFORMS = "http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
DATA_TYPE = "http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"
# Names live in elements of this namespace, since an xs:ID can hold neither blanks nor signs.
CYTORECON = "urn:cytorecon:gating-ml:1"

# Comments, processing instructions and blanks may stand before a DOCTYPE; nothing else may.
_PROLOG = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_ENCODING = re.compile(r"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "utf-16"}

Element = etree._Element


def read_xml(path: Path) -> Element:
    """Read an XML file that may be hostile and return its root element.

    Parameters
    ----------
    path
        A file of at most 100 MiB in UTF-8, UTF-16, ASCII, Latin-1 or Windows-1252.

    Raises
    ------
    InterchangeError
        The file is missing, too large, not well-formed, in another encoding, or carries a DOCTYPE.
    """
    data = _read_bytes(path)
    _refuse_doctype(data, path)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, dtd_validation=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InterchangeError(
            str(path), "the file is not well-formed XML", got=str(error.msg), code="xml-syntax"
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype_error(path)
    return root


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InterchangeError(
                str(path), "the file is too large", expected="at most 100 MiB", got=f"{size:,} bytes", code="xml-size"
            )
        data = path.read_bytes()
    except OSError as error:
        raise InterchangeError(str(path), "the file cannot be read", got=error.strerror or "", code="io") from None
    # Counting signs is fast, and bounds what the parser will make of them.
    for sign, most, what in ((b"<", MAX_ELEMENTS, "elements"), (b"=", MAX_ATTRIBUTES, "attributes")):
        if data.count(sign) > most:
            raise InterchangeError(
                str(path), f"the file has too many {what}", expected=f"at most {most:,}", code="xml-size"
            )
    return data


def _refuse_doctype(data: bytes, path: Path) -> None:
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    head = data[:MAX_PROLOG]
    text = head.decode("utf-16" if utf16 else "latin-1", errors="replace").removeprefix("\xef\xbb\xbf")
    declared = _ENCODING.match(text)
    encoding = declared[1].lower() if declared else "utf-8"
    # An encoding that this scan cannot read could hide a DOCTYPE from it.
    if encoding not in _ENCODINGS or "\0" in text[:100]:
        raise InterchangeError(
            str(path), "the file's encoding is not accepted", expected="UTF-8", got=encoding, code="xml-encoding"
        )
    prolog = _PROLOG.match(text)
    end = prolog.end() if prolog else 0
    if len(data) > MAX_PROLOG and (end == len(text) or text.startswith(("<!--", "<?"), end)):
        raise InterchangeError(
            str(path), "the first element begins too late", expected=f"within {MAX_PROLOG:,} bytes", code="xml-size"
        )
    if text.startswith("<!", end):
        raise _doctype_error(path)


def _doctype_error(path: Path) -> InterchangeError:
    return InterchangeError(
        str(path),
        "the file carries a DOCTYPE, which can hold entities and outside references",
        expected="plain Gating-ML or FlowJo XML",
        remedy="Save the file again from the program that wrote it, or delete the DOCTYPE",
        code="xml-doctype",
    )


def local_name(element: Element) -> str:
    """The element's name without its namespace (``""`` for a comment)."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """The element's child elements, in order, of the given names without namespace (all if none is given)."""
    for child in element:
        if isinstance(child.tag, str) and (not names or etree.QName(child).localname in names):
            yield child


def child(element: Element, name: str, where: str) -> Element:
    """The only child of that name.

    Raises
    ------
    InterchangeError
        There is none, or more than one.
    """
    found = list(children(element, name))
    if len(found) != 1:
        raise InterchangeError(
            where, f"<{local_name(element)}> needs exactly one <{name}>", got=str(len(found)), code="xml-structure"
        )
    return found[0]


def attribute(element: Element, name: str) -> str | None:
    """An attribute's value by its name, whatever its namespace prefix; None if absent."""
    plain = element.get(name)
    if plain is not None:
        return plain
    for namespace in (GATING, DATA_TYPE, TRANSFORMS):
        value = element.get(f"{{{namespace}}}{name}")
        if value is not None:
            return value
    return None


def need(element: Element, name: str, where: str) -> str:
    """An attribute's value that must be there.

    Raises
    ------
    InterchangeError
        The attribute is absent.
    """
    value = attribute(element, name)
    if value is None:
        raise InterchangeError(
            where, f"<{local_name(element)}> on line {element.sourceline} lacks its {name}", code="xml-structure"
        )
    return value


def number(element: Element, name: str, where: str) -> float:
    """A finite number in an attribute that must be there.

    Raises
    ------
    InterchangeError
        The attribute is absent or no finite number.
    """
    return parse_number(need(element, name, where), f"{where}, {name} on line {element.sourceline}")


def optional_number(element: Element, name: str, where: str, default: float) -> float:
    """A number in an attribute, or `default` if the attribute is absent; ±INF is allowed here."""
    text = attribute(element, name)
    if text is None:
        return default
    return parse_number(text, f"{where}, {name} on line {element.sourceline}", infinite=True)


def parse_number(text: str, where: str, *, infinite: bool = False) -> float:
    """A number as XML Schema writes it: digits, point and exponent, no separators; ``INF`` where allowed.

    Raises
    ------
    InterchangeError
        The text is no number, is NaN, or is infinite where it may not be.
    """
    stripped = text.strip()
    try:
        value = math.nan if "_" in stripped or not stripped.isascii() else float(stripped)
    except ValueError:
        value = math.nan
    if math.isnan(value) or (math.isinf(value) and not infinite):
        raise InterchangeError(where, "not a usable number", got=repr(text[:40]), code="xml-number")
    return value
