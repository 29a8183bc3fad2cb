"""TEXT: keywords and values, in time linear in their size.

Runs of delimiters are counted, not searched for pairwise. Behind a **keyword** the first delimiter of a run ends the
keyword; inside a **value** two are one (an escape) and an odd one out ends the value. So an empty value, a value that
begins or ends with a delimiter, and one that is nothing but delimiters are told apart, and none swallows its neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cytorecon.errors import Finding
from cytorecon.fcs.findings import finding, refusal
from cytorecon.fcs.header import HEADER_SIZE, Header, Segment, Source
from cytorecon.fcs.keywords import PARAMETER, quoted, short, whole_number

PADDING = b" \0\t\r\n"
_LOOK_AHEAD = 4096

Pair = tuple[bytes, bytes]


def read_text(source: Source, header: Header, offset: int = 0) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """All keywords of a data set: TEXT and, where there is one, supplemental TEXT.

    Parameters
    ----------
    source, header, offset
        The open file, its parsed HEADER and where the data set begins.

    Returns
    -------
    keywords
        Upper-case keyword (``$`` kept, ``$P02N`` as ``$P2N``) to value.
    findings
        What was accepted.

    Raises
    ------
    FcsError
        If a keyword or value is cut, missing, or stated twice with different values.
    """
    findings: list[Finding] = []
    segment = header.text
    block = source.read(offset + segment.begin, segment.size)
    begins = [offset + other.begin for other in (header.data, header.analysis) if other]
    begins += _user_begins(source, header, offset)
    pairs = _pairs(source, block, offset + segment.begin, begins + _named_begins(block, offset), findings)
    keywords = _merge(source.name, pairs, {}, findings)
    supplement = _supplement(source, header, keywords, offset, findings)
    if supplement is not None:
        block = source.read(offset + supplement.begin, supplement.size)
        if block.startswith(b"PK\x03\x04"):
            return keywords, (*dict.fromkeys(findings), finding("stext-archive", "$BEGINSTEXT, $ENDSTEXT"))
        if block[:1] != source.read(offset + segment.begin, 1):
            raise refusal("text-delimiter", source.name, "supplemental TEXT", expected="the delimiter of TEXT")
        begins.append(offset + (whole_number(keywords.get("$BEGINDATA", "")) or 0))
        pairs = _pairs(source, block, offset + supplement.begin, begins, findings)
        keywords = _merge(source.name, pairs, keywords, findings)
    return keywords, tuple(dict.fromkeys(findings))


def _user_begins(source: Source, header: Header, offset: int) -> list[int]:
    """Where the user-defined segments are that may be listed between HEADER and TEXT."""
    size = min(header.text.begin - HEADER_SIZE, _LOOK_AHEAD)
    return [offset + int(begin) for begin in re.findall(rb"[0-9]{1,8}", source.read(offset + HEADER_SIZE, size))]


def _named_begins(block: bytes, offset: int) -> list[int]:
    """Where the segments begin that this TEXT names: they bound what may follow it."""
    pattern = rb"\$BEGIN(?:DATA|STEXT|ANALYSIS)" + re.escape(block[:1]) + rb" *([0-9]{1,30})"
    return [offset + int(begin) for begin in re.findall(pattern, block, re.IGNORECASE) if int(begin)]


def _pairs(source: Source, block: bytes, begin: int, others: list[int], findings: list[Finding]) -> list[Pair]:
    """Keywords and values of the segment at byte ``begin``; ``others`` is where other segments begin."""
    delimiter = block[:1]
    if delimiter in (b"\0", b"$"):
        raise refusal("text-delimiter", source.name, f"byte {begin}", expected="any byte but NUL and $")
    after = _following(source, begin, begin + len(block), others)
    padding = PADDING.replace(delimiter, b"")
    body = block.rstrip(padding)
    if not body.endswith(delimiter) or len(body) == 1:
        body, after = _mend_end(source, body, after, padding, findings)
    elif len(body) < len(block):
        findings.append(finding("text-padded", "TEXT"))
    if delimiter in after.strip(padding):
        raise refusal(
            "text-cut",
            source.name,
            f"byte {begin + len(block)}",
            expected="padding up to the next segment",
            got="more keywords",
            remedy="The end of TEXT in HEADER is wrong; export the file again.",
        )
    return split(source.name, body, delimiter, findings)


def _following(source: Source, begin: int, end: int, others: list[int]) -> bytes:
    """The first bytes between a TEXT and whatever comes next; none where that is not known."""
    if any(begin < other < end for other in others):
        return b""
    bound = min((other for other in others if other >= end), default=end + 1)
    return source.read(end, min(bound - end, _LOOK_AHEAD))


def _mend_end(
    source: Source, body: bytes, following: bytes, padding: bytes, findings: list[Finding]
) -> tuple[bytes, bytes]:
    """Close a TEXT whose last byte is not its delimiter, where there is one safe way to."""
    delimiter = body[:1]
    if following[:1] == delimiter:
        findings.append(finding("text-end-short", "TEXT"))
        return body + delimiter, following[1:]
    if not following.strip(padding) and body[-2:-1] == delimiter != body[-3:-2]:
        findings.append(finding("text-end-long", "TEXT"))
        return body[:-1], following
    if following.strip(padding):
        raise refusal(
            "text-cut",
            source.name,
            "the last value of TEXT",
            expected="the delimiter, or padding up to the next segment",
            remedy="The end of TEXT in HEADER is wrong; export the file again.",
        )
    findings.append(finding("text-unterminated", "TEXT"))
    return body + delimiter, following


def split(name: str, body: bytes, delimiter: bytes, findings: list[Finding]) -> list[Pair]:
    """Keyword and value, delimiters no longer doubled, of a TEXT that begins and ends with its delimiter."""
    pairs: list[Pair] = []
    keyword, begin, in_value = b"", 1, False
    for run in re.compile(re.escape(delimiter) + b"+").finditer(body, 1):
        start, end = run.span()
        count = end - start
        if not in_value:
            keyword, begin, in_value, count = body[begin:start], start + 1, True, count - 1
            if count > 1:
                findings.append(finding("text-value-delimiter", "TEXT"))
        if count % 2 or (count and end == len(body)):
            surplus = 2 - count % 2
            if surplus == 2:
                findings.append(finding("text-doubled-end", "TEXT"))
            pairs.append((keyword, body[begin : end - surplus].replace(delimiter * 2, delimiter)))
            begin, in_value = end, False
    if in_value or not all(keyword for keyword, _ in pairs):
        raise refusal(
            "text-keyword-without-value",
            name,
            "TEXT",
            expected="keywords and values in turn",
            remedy="TEXT may be cut off; export the file again.",
        )
    return pairs


def _merge(name: str, pairs: Iterable[Pair], known: dict[str, str], findings: list[Finding]) -> dict[str, str]:
    """Add pairs to known keywords; a keyword may be repeated, never contradicted."""
    keywords = dict(known)
    for raw_keyword, raw_value in pairs:
        keyword = _keyword(raw_keyword, findings)
        value = _decoded(raw_value, keyword, findings)
        if keyword in keywords and keywords[keyword] != value:
            raise refusal("keyword-conflict", name, quoted(keyword), remedy="Which value is meant cannot be known.")
        if keyword in keywords:
            findings.append(finding("keyword-repeated", quoted(keyword)))
        if not value:
            findings.append(finding("text-empty-value", quoted(keyword)))
        keywords[keyword] = value
    return keywords


def _keyword(raw: bytes, findings: list[Finding]) -> str:
    # bytes.upper() folds ASCII only: str.upper() would turn a Turkish dotless i into the I of a keyword.
    keyword = raw.upper().decode("utf-8", "replace")
    stripped = keyword.strip(PADDING.decode())
    if stripped != keyword and stripped.startswith("$"):
        findings.append(finding("keyword-blank", quoted(stripped)))
        keyword = stripped
    match = PARAMETER.fullmatch(keyword)
    if match and match[1].startswith("0") and len(match[1]) < 20:
        findings.append(finding("keyword-leading-zero", keyword))
        keyword = f"$P{int(match[1])}{match[2]}"
    return keyword


def _decoded(raw: bytes, keyword: str, findings: list[Finding]) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        findings.append(finding("text-latin-1", quoted(keyword)))
        return raw.decode("latin-1")


def _supplement(
    source: Source, header: Header, keywords: dict[str, str], offset: int, findings: list[Finding]
) -> Segment | None:
    """Where supplemental TEXT is; None where there is none or TEXT already holds it."""
    texts = [keywords.get(keyword) for keyword in ("$BEGINSTEXT", "$ENDSTEXT")]
    if texts[0] is None or texts[1] is None:
        if header.version in ("3.0", "3.1") or texts != [None, None]:
            findings.append(finding("stext-offsets-missing", "$BEGINSTEXT, $ENDSTEXT"))
        return None
    begin, end = (whole_number(text) for text in texts if text is not None)
    if begin is None or end is None:
        raise refusal(
            "keyword-not-a-number",
            source.name,
            "$BEGINSTEXT, $ENDSTEXT",
            expected="digits",
            got=", ".join(short(text) for text in texts if text is not None),
        )
    if end == 0 or begin > end:
        return None
    segment = Segment(begin, end)
    if header.text.begin <= begin and end <= header.text.end:
        findings.append(finding("stext-inside-text", "$BEGINSTEXT, $ENDSTEXT"))
        return None
    others = [other for other in (header.text, header.data) if other]
    if begin < HEADER_SIZE or offset + end >= source.size or any(map(segment.overlaps, others)):
        raise refusal(
            "stext-place",
            source.name,
            "$BEGINSTEXT, $ENDSTEXT",
            expected="a segment of its own",
            got=f"{begin} to {end}",
        )
    return segment
