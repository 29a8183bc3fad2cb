"""Writes FCS files by hand, byte for byte, so that every rule can be kept or broken alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOATS = np.array([[1.5, -2.25], [3.0, 4.75], [1e-3, 262143.9]], dtype="<f4")
INTEGERS = np.array([[1, 1023], [512, 7], [0, 300]], dtype="<u2")

HEADER_FIELDS = ("text", "text_end", "data", "data_end", "analysis", "analysis_end")


def channel(number: int, **attributes: str | None) -> dict[str, str | None]:
    """Keywords of one parameter; float unless said otherwise."""
    defaults = {"N": f"C{number}", "B": "32", "R": "262144", "E": "0,0"}
    return {f"$P{number}{attribute}": value for attribute, value in (defaults | attributes).items()}


def of_type(datatype: str, bits: str, extent: str, count: int = 2, byteord: str = "1,2,3,4") -> dict[str, str | None]:
    """Keywords of ``count`` like parameters."""
    keywords: dict[str, str | None] = {"$DATATYPE": datatype, "$BYTEORD": byteord, "$PAR": str(count)}
    for number in range(1, count + 1):
        keywords |= channel(number, B=bits, R=extent)
    return keywords


def escape(text: str | bytes, delimiter: bytes) -> bytes:
    """A keyword or value with its delimiters doubled."""
    raw = text.encode() if isinstance(text, str) else text
    return raw.replace(delimiter, delimiter * 2)


def segment(keywords: Mapping[str, str | bytes], delimiter: bytes = b"/") -> bytes:
    """A TEXT of these keywords."""
    pairs = [escape(part, delimiter) for pair in keywords.items() for part in pair]
    return delimiter + b"".join(pair + delimiter for pair in pairs)


def make(
    keywords: Mapping[str, str | bytes | None] | None = None,
    rows: NDArray[Any] | bytes = FLOATS,
    *,
    version: str = "3.1",
    delimiter: bytes = b"/",
    header: Mapping[str, int | str] | None = None,
    text: Callable[[bytes], bytes] = lambda text: text,
    text_end: int = 0,
    gap: bytes = b"",
    supplement: bytes = b"",
    tail: bytes = b"",
    order: str = "text-first",
    data_end: int = 0,
    offset_keywords: bool = True,
) -> bytes:
    """One data set.

    Parameters
    ----------
    keywords
        Added to, or (None) removed from, those of a file of two float channels and three events. ``{begin}``,
        ``{end}``, ``{past}``, ``{size}``, ``{sbegin}`` and ``{send}`` in a value stand for places.
    rows
        DATA.
    header
        Fields of HEADER to write instead: a number, or 8 characters.
    text
        Applied to TEXT as written, without changing what HEADER says of it.
    text_end, data_end
        Added to the ends that HEADER (and for DATA also TEXT) gives.
    gap, supplement, tail
        Bytes behind TEXT, supplemental TEXT behind those, bytes behind DATA.
    """
    data = rows if isinstance(rows, bytes) else rows.tobytes()
    width = 2 if isinstance(rows, bytes) else rows.shape[1]
    count = 3 if isinstance(rows, bytes) else rows.shape[0]
    values: dict[str, str | bytes | None] = {
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$BEGINSTEXT": "{sbegin}" if supplement else "0",
        "$ENDSTEXT": "{send}" if supplement else "0",
        "$NEXTDATA": "0",
        "$MODE": "L",
        "$DATATYPE": "F",
        "$BYTEORD": "1,2,3,4",
        "$PAR": str(width),
        "$TOT": str(count),
    }
    if offset_keywords:
        values |= {"$BEGINDATA": "{begin}", "$ENDDATA": "{end}"}
    for number in range(1, width + 1):
        values |= channel(number)
    values |= keywords or {}
    present = {keyword: value for keyword, value in values.items() if value is not None}

    def written(places: Mapping[str, int]) -> bytes:
        fixed = {name: f"{place:012d}" for name, place in places.items()}
        filled = {
            keyword: value.format(**fixed) if isinstance(value, str) and "{" in value else value
            for keyword, value in present.items()
        }
        return segment(filled, delimiter)

    names = ("begin", "end", "past", "size", "sbegin", "send")
    plain = len(written(dict.fromkeys(names, 0)))
    actual = len(text(written(dict.fromkeys(names, 0))))
    first = 58 + (len(data) if order == "data-first" else 0)
    sbegin = first + actual + len(gap)
    begin = 58 if order == "data-first" else sbegin + len(supplement)
    end = begin + len(data) - 1 + data_end
    size = max(begin + len(data), sbegin + len(supplement)) + len(tail)
    places = dict(zip(names, (begin, end, end + 1, size, sbegin, sbegin + len(supplement) - 1), strict=True))
    body = text(written(places))
    fields: dict[str, int | str] = {
        "text": first,
        "text_end": first + plain - 1 + text_end,
        "data": begin,
        "data_end": end,
        "analysis": 0,
        "analysis_end": 0,
    } | dict(header or {})
    head = f"FCS{version}    ".encode() + b"".join((f"{fields[name]:>8}").encode("latin-1") for name in HEADER_FIELDS)
    parts = [body, gap, supplement]
    parts = [data, *parts] if order == "data-first" else [*parts, data]
    return head + b"".join(parts) + tail
