"""One data set: its keywords, its channels, and where exactly its rows are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytorecon.errors import Finding
from cytorecon.fcs.decode import BIG, LITTLE, Layout, make_layout
from cytorecon.fcs.findings import finding, refusal
from cytorecon.fcs.header import HEADER_SIZE, Header, Segment, Source, read_header
from cytorecon.fcs.keywords import decimal_number, short, whole_number
from cytorecon.fcs.parameters import Channel, read_channels, required, required_number
from cytorecon.fcs.text import read_text

# $BYTEORD lists the significance (1: lowest) of each byte as it comes in the file.
BYTE_ORDERS: dict[str, tuple[int, ...]] = {
    "1,2,3,4": LITTLE,
    "4,3,2,1": BIG,
    "1,2": LITTLE,
    "2,1": BIG,
    "1,2,3,4,5,6,7,8": LITTLE,
    "8,7,6,5,4,3,2,1": BIG,
    "3,4,1,2": (2, 3, 0, 1),
    "2,1,4,3": (1, 0, 3, 2),
}
HEADER_LIMIT = 99_999_999  # the last byte that eight digits can name
SPILLOVER_KEYWORDS = ("$SPILLOVER", "$SPILL", "SPILL", "$COMP")


@dataclass(frozen=True)
class DataSet:
    """A data set that has been understood and not yet decoded.

    Parameters
    ----------
    number, offset
        Which data set of the file (from 1) and where it begins.
    version, keywords, channels
        As read.
    layout, begin, event_count
        How rows are stored, the byte of the file they begin at, and how many there are.
    end
        First byte behind the last segment: a CRC may stand there.
    findings
        What was accepted, in the order it was met.
    """

    number: int
    offset: int
    version: str
    keywords: Mapping[str, str]
    channels: tuple[Channel, ...]
    layout: Layout
    begin: int
    event_count: int
    end: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Entry:
    """HEADER and TEXT of one data set, enough to find the next."""

    number: int
    offset: int
    header: Header
    keywords: dict[str, str]
    findings: tuple[Finding, ...]


def read_entry(source: Source, number: int, offset: int) -> Entry:
    """Parse HEADER and TEXT of the data set that begins at ``offset``."""
    header = read_header(source, offset)
    keywords, findings = read_text(source, header, offset)
    return Entry(number, offset, header, keywords, header.findings + findings)


def next_offset(source: Source, entry: Entry) -> tuple[int | None, tuple[Finding, ...]]:
    """Where the following data set begins, or None at the last one.

    Raises
    ------
    FcsError
        If ``$NEXTDATA`` leads into this data set or to bytes that are no HEADER. Jumps go forward and past
        TEXT only, so that following them ends, in time linear in the file.
    """
    if "$NEXTDATA" not in entry.keywords:
        return None, (finding("nextdata-missing", "$NEXTDATA"),)
    jump = whole_number(entry.keywords["$NEXTDATA"])
    if jump == 0:
        return None, ()
    if jump is not None and entry.offset + jump >= source.size:
        return None, (finding("nextdata-beyond", "$NEXTDATA", f"byte {entry.offset + jump}"),)
    if jump is None or jump <= entry.header.text.end or source.read(entry.offset + jump, 3) != b"FCS":
        raise refusal(
            "nextdata-broken",
            source.name,
            "$NEXTDATA",
            expected="0, or the beginning of another data set",
            got=short(entry.keywords["$NEXTDATA"]),
        )
    return entry.offset + jump, ()


def interpret(source: Source, entry: Entry) -> DataSet:
    """Channels, layout and place of the rows of a data set.

    Raises
    ------
    FcsError
        If anything about its values would have to be guessed.
    """
    findings: list[Finding] = list(entry.findings)
    keywords = entry.keywords
    _require_list_mode(source.name, entry, findings)
    channels, about_channels = read_channels(source.name, entry.header.version, keywords)
    findings.extend(about_channels)
    layout = make_layout(channels, _byte_order(source.name, keywords, channels, findings))
    event_count, data = _place_data(source, entry, layout, findings)
    _prove_storage(source.name, channels, layout, event_count, findings)
    findings.extend(_disagreeing_spillovers(keywords))
    ends = [entry.header.text.end + 1, data.begin + event_count * layout.row_size, _end(keywords, "$ENDSTEXT")]
    ends.append(entry.header.analysis.end + 1 if entry.header.analysis else 0)
    return DataSet(
        number=entry.number,
        offset=entry.offset,
        version=entry.header.version,
        keywords=keywords,
        channels=channels,
        layout=layout,
        begin=entry.offset + data.begin,
        event_count=event_count,
        end=entry.offset + max(ends),
        findings=tuple(dict.fromkeys(findings)),
    )


def _end(keywords: Mapping[str, str], keyword: str) -> int:
    end = whole_number(keywords.get(keyword, ""))
    return end + 1 if end else 0


def _require_list_mode(name: str, entry: Entry, findings: list[Finding]) -> None:
    mode = entry.keywords.get("$MODE")
    if mode is None:
        if entry.header.version != "3.2":
            findings.append(finding("mode-missing", "$MODE"))
    elif mode.strip(" ").upper() != "L":
        raise refusal("mode-unsupported", name, "$MODE", expected="L", got=short(mode))


def _byte_order(
    name: str, keywords: Mapping[str, str], channels: Sequence[Channel], findings: list[Finding]
) -> tuple[int, ...]:
    text = required(name, keywords, "$BYTEORD")
    written = text.replace(" ", "")
    if written != text:
        findings.append(finding("byteord-blank", "$BYTEORD"))
    if written not in BYTE_ORDERS:
        expected = " or ".join(list(BYTE_ORDERS)[:2])
        raise refusal("byteord-unknown", name, "$BYTEORD", expected=expected, got=short(text))
    order = BYTE_ORDERS[written]
    widths = {16 if 9 <= channel.bits <= 15 else channel.bits for channel in channels}
    is_mixed = order not in (LITTLE, BIG)
    if (is_mixed and widths != {32}) or (len(written) == 3 and max(widths) > 16):
        widest = next(channel for channel in channels if channel.bits == max(widths) or channel.bits != 32)
        expected = "32 bits throughout" if is_mixed else "at most 16 bits"
        where = f"$BYTEORD, $P{widest.index + 1}B"
        raise refusal("byteord-width", name, where, expected=expected, got=f"{written}, {widest.bits} bits")
    return order


def _place_data(source: Source, entry: Entry, layout: Layout, findings: list[Finding]) -> tuple[int, Segment]:
    """How many rows there are and where: the one place that fits, among those HEADER and TEXT name."""
    name, keywords = source.name, entry.keywords
    header, text = entry.header.data, _text_data(name, entry, findings)
    count = required_number(name, keywords, "$TOT") if "$TOT" in keywords else None
    if header is None and text is None:
        if count == 0:
            return 0, Segment(entry.header.text.end + 1, entry.header.text.end)
        raise refusal("data-place", name, "HEADER, $BEGINDATA", expected="the place of DATA", got="0")
    places = list(dict.fromkeys(place for place in (header, text) if place))
    if count is None:
        count = _count_rows(name, places, layout, findings)
    if header is None and places[0].end <= HEADER_LIMIT:
        findings.append(finding("header-data-zero", "HEADER"))
    problems = [_misfit(source, entry, place, count * layout.row_size) for place in places]
    fitting = [place for place, problem in zip(places, problems, strict=True) if not problem]
    if not fitting:
        code, got = problems[-1].split(": ", 1)
        raise refusal(
            code,
            name,
            f"$TOT = {count}",
            expected=f"{count} rows of {layout.row_size} bytes = {count * layout.row_size} bytes",
            got=got,
            remedy="The file may be cut off or damaged; copy or export it again.",
        )
    if len(places) == 2:
        fitting = _agree(name, fitting, count * layout.row_size, findings)
    if fitting[0].size != count * layout.row_size:
        findings.append(finding("end-exclusive", "DATA", f"byte {fitting[0].end}"))
    return count, fitting[0]


def _text_data(name: str, entry: Entry, findings: list[Finding]) -> Segment | None:
    """The place of DATA that TEXT names, or None."""
    values = [entry.keywords.get(keyword) for keyword in ("$BEGINDATA", "$ENDDATA")]
    if values[0] is None or values[1] is None:
        if entry.header.version != "2.0" or values != [None, None]:
            findings.append(finding("data-offsets-missing", "$BEGINDATA, $ENDDATA"))
        return None
    begin, end = (required_number(name, entry.keywords, keyword) for keyword in ("$BEGINDATA", "$ENDDATA"))
    return Segment(begin, end) if begin or end else None


def _count_rows(name: str, places: Sequence[Segment], layout: Layout, findings: list[Finding]) -> int:
    count, rest = divmod(places[0].size, layout.row_size)
    if len(places) > 1 or rest or count < 0:
        got = " and ".join(f"{place.size} bytes" for place in places)
        expected = f"$TOT, or one DATA of whole rows of {layout.row_size} bytes"
        raise refusal("data-size", name, "$TOT", expected=expected, got=got)
    findings.append(finding("tot-missing", "$TOT", f"{count} rows"))
    return count


def _misfit(source: Source, entry: Entry, place: Segment, size: int) -> str:
    """Why rows of ``size`` bytes cannot be at a place (``code: what was found``); empty if they can."""
    rows = Segment(place.begin, place.begin + size - 1)
    found = f"DATA from byte {place.begin} to {place.end}"
    if place.size not in (size, size + 1):
        if entry.offset + place.end > source.size:
            return f"data-truncated: {found} of a file of {source.size}"
        return f"data-size: {found}, {place.size} bytes"
    if place.begin < HEADER_SIZE or any(rows.overlaps(other) for other in _other_segments(entry)):
        return f"data-place: {found}, in HEADER or another segment"
    if entry.offset + place.begin + size > source.size:
        return f"data-truncated: {found} of a file of {source.size}"
    return ""


def _other_segments(entry: Entry) -> list[Segment]:
    """Everything that DATA must not overlap: TEXT, supplemental TEXT, the next HEADER."""
    text = entry.header.text
    if {"text-end-long", "text-doubled-end", "text-padded"} & {found.code for found in entry.findings}:
        text = Segment(text.begin, text.end - 1)  # its last byte has been found not to be TEXT
    begin, end, following = (
        whole_number(entry.keywords.get(keyword, "")) for keyword in ("$BEGINSTEXT", "$ENDSTEXT", "$NEXTDATA")
    )
    others = [text]
    if begin and end and begin > text.end:
        others.append(Segment(begin, end))
    if following:
        others.append(Segment(following, following + HEADER_SIZE - 1))
    return others


def _agree(name: str, fitting: list[Segment], size: int, findings: list[Finding]) -> list[Segment]:
    """The place to trust where HEADER and TEXT name two."""
    exact = [place for place in fitting if place.size == size] or fitting
    if len({place.begin for place in exact}) > 1:
        raise refusal(
            "data-offset-ambiguous",
            name,
            "HEADER, $BEGINDATA",
            expected="one place of DATA",
            got=" and ".join(f"{place.begin} to {place.end}" for place in exact),
            remedy="Both hold exactly $TOT rows. Export the file again.",
        )
    findings.append(finding("header-text-offset-disagree", "DATA", f"used {exact[0].begin} to {exact[0].end}"))
    return exact


def _prove_storage(
    name: str, channels: Sequence[Channel], layout: Layout, event_count: int, findings: list[Finding]
) -> None:
    """9 to 15 bits in 16-bit fields: DATA has just been found to hold exactly such rows."""
    odd = [channel for channel in channels if 9 <= channel.bits <= 15]
    if not odd:
        return
    where = f"$P{odd[0].index + 1}B"
    packed = -(-event_count * sum(channel.bits for channel in channels) // 8)
    if abs(packed - event_count * layout.row_size) <= 1:
        got = f"{odd[0].bits} bits, {event_count} rows"
        raise refusal("pnb-unsupported", name, where, expected="8, 16, 24, 32 or 64", got=got)
    findings.extend(finding("pnb-storage-16", f"$P{channel.index + 1}B") for channel in odd)


def _disagreeing_spillovers(keywords: Mapping[str, str]) -> tuple[Finding, ...]:
    stated = [keywords[keyword] for keyword in SPILLOVER_KEYWORDS if keywords.get(keyword, "").strip()]
    return (finding("spillover-disagree", "$SPILLOVER"),) if len(set(map(_matrix_content, stated))) > 1 else ()


def _matrix_content(text: str) -> tuple[object, ...]:
    """What a matrix says: a count, as many names, and numbers, of which 1, 1.0 and 1e0 are the same."""
    fields = [re.sub(r"\s", "", field) for field in text.split(",")]
    count = whole_number(fields[0]) or 0
    numbers = [decimal_number(field) for field in fields[count + 1 :]]
    values = fields[count + 1 :] if None in numbers else numbers
    return (count, *fields[1 : count + 1], *values)
