"""XML from strangers: refused where it could do harm, before it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.errors import InterchangeError
from cytorecon.interchange import xmlfile
from cytorecon.interchange.xmlfile import local_name, parse_number, read_xml

BOMB = b"".join(
    [
        b"<!DOCTYPE lolz [<!ENTITY a0 'lol'>",
        *(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)),
        b"]><lolz>&a9;</lolz>",
    ]
)

HOSTILE: dict[str, tuple[bytes, str]] = {
    "entity bomb": (BOMB, "DOCTYPE"),
    "bomb after a comment": (b"<?xml version='1.0'?>\n<!-- <a> --> <?x y?> " + BOMB, "DOCTYPE"),
    "bomb after a byte order mark": (b"\xef\xbb\xbf" + BOMB, "DOCTYPE"),
    "bomb in UTF-16": (BOMB.decode().encode("utf-16"), "DOCTYPE"),
    "bomb in UTF-16 without mark": (BOMB.decode().encode("utf-16-le"), "encoding is not accepted"),
    "bomb in UTF-32": (BOMB.decode().encode("utf-32"), "encoding is not accepted"),
    "bomb in UTF-7": (b"<?xml version='1.0' encoding='UTF-7'?>" + BOMB.replace(b"<", b"+ADw-"), "encoding is not"),
    "outside file": (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "DOCTYPE"),
    "outside schema": (b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>", "DOCTYPE"),
    "parameter entity": (b"<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><a/>", "DOCTYPE"),
    "undeclared entity": (b"<a>&x;</a>", "not well-formed"),
    "cut short": (b"<a><b>", "not well-formed"),
    "not XML": (b"FCS3.0    ", "not well-formed"),
    "empty": (b"", "not well-formed"),
    "too deep": (b"<a>" * 300 + b"</a>" * 300, "not well-formed"),
    "too many elements": (b"<a>" + b"<b/>" * 2_000_001 + b"</a>", "too many elements"),
    "too many attributes": (b"<a>" + b"<b c='1' d='2' e='3'/>" * 1_100_000 + b"</a>", "too many attributes"),
    "long comment first": (b"<!--" + b"x" * 70_000 + b"-->" + BOMB, "first element begins too late"),
    "blanks first": (b" " * 70_000 + BOMB, "first element begins too late"),
    "long attribute": (b"<a b='" + b"x" * 11_000_000 + b"'/>", "not well-formed"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_read_xml__refuses(kind: str, tmp_path: Path) -> None:
    """Nothing is expanded, fetched or read from disk; the error says which rule was broken."""
    data, message = HOSTILE[kind]
    path = tmp_path / "hostile.xml"
    path.write_bytes(data)
    with pytest.raises(InterchangeError, match=message):
        read_xml(path)


def test_read_xml__refuses_by_size_before_reading(tmp_path: Path) -> None:
    """A file of more than 100 MiB is refused by its size; the file is sparse, so reading it would fail."""
    path = tmp_path / "large.xml"
    with path.open("wb") as file:
        file.truncate(xmlfile.MAX_BYTES + 1)
    with pytest.raises(InterchangeError, match="at most 100 MiB"):
        read_xml(path)


def test_read_xml__missing_file(tmp_path: Path) -> None:
    """A file that is not there is an error of this package, naming it."""
    with pytest.raises(InterchangeError, match=r"nowhere\.xml: the file cannot be read"):
        read_xml(tmp_path / "nowhere.xml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_read_xml__plain_files(encoding: str, tmp_path: Path) -> None:
    """Plain XML is read in the encodings that instruments and FlowJo write, with a DOCTYPE in text left alone."""
    declared = encoding.removesuffix("-sig")
    path = tmp_path / "plain.xml"
    text = f"<?xml version='1.0' encoding='{declared}'?><!-- <!DOCTYPE --><a n='é'><![CDATA[<!DOCTYPE]]></a>"
    path.write_bytes(text.encode(encoding))
    root = read_xml(path)
    assert ("a", "é", "<!DOCTYPE") == (local_name(root), root.get("n"), root.text)


@pytest.mark.parametrize("text", ["", "x", "NaN", "1_000", "1,5", "0x10", "١", "1e999", "-INF"])
def test_parse_number__refuses(text: str) -> None:
    """Only what XML Schema writes as a finite number is one."""
    with pytest.raises(InterchangeError, match="not a usable number"):
        parse_number(text, "here")


def test_parse_number__infinite_where_allowed() -> None:
    """An open side may be spelled INF."""
    assert (float("inf"), -1.5e3) == (parse_number("INF", "here", infinite=True), parse_number(" -1.5e3 ", "here"))
