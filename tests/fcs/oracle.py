"""A second reader, strict and simple: what a file without any deviation has to give.

It shares no code with the package. It refuses everything it does not fully understand, so wherever the package reads
a file without a finding, this one must read it too and agree, or something went by in silence.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray


class NotStrictError(Exception):
    """The file is not plain FCS."""


def need(condition: object, what: str) -> None:
    if not condition:
        raise NotStrictError(what)


def number(text: str) -> int:
    need(re.fullmatch(" *[0-9]+ *", text), f"digits: {text!r}")
    return int(text)


def parse_text(block: bytes) -> dict[str, str]:
    """Keywords of a TEXT in which every value is there and every delimiter in place."""
    delimiter = block[:1]
    need(delimiter not in (b"\0", b"$") and block.endswith(delimiter) and len(block) > 1, "delimiters")
    tokens: list[bytes] = []
    token = b""
    position = 1
    while position < len(block):
        end = block.index(delimiter, position)
        token += block[position:end]
        if block[end + 1 : end + 2] == delimiter and end + 2 < len(block):
            token += delimiter
            position = end + 2
            continue
        tokens.append(token)
        token = b""
        position = end + 1
    need(len(tokens) % 2 == 0 and all(tokens), "pairs")
    keywords: dict[str, str] = {}
    for raw, value in zip(tokens[::2], tokens[1::2], strict=True):
        keyword = raw.upper().decode("utf-8", "replace")
        need(delimiter not in raw, "delimiter in a keyword")
        need(keyword not in keywords, "repeated keyword")
        keywords[keyword] = value.decode("utf-8", "strict" if keyword.startswith("$") else "replace")
    return keywords


def read_strictly(content: bytes) -> NDArray[np.float64]:
    """Linear values of the only data set of a file, or NotStrictError."""
    need(content[:10] in {b"FCS2.0    ", b"FCS3.0    ", b"FCS3.1    ", b"FCS3.2    "}, "version")
    places = [content[at : at + 8].decode("latin-1") for at in range(10, 58, 8)]
    begin, end, data, data_end = (number(place.replace(" ", "") or "0") for place in places[:4])
    need(58 <= begin <= end < len(content), "place of TEXT")
    keywords = parse_text(content[begin : end + 1])
    stext = number(keywords.get("$BEGINSTEXT", "0")), number(keywords.get("$ENDSTEXT", "0"))
    if stext[1] and stext[0] <= stext[1]:
        supplement = parse_text(content[stext[0] : stext[1] + 1])
        need(not supplement.keys() & keywords.keys(), "repeated keyword")
        keywords |= supplement
    need(keywords.get("$MODE", "L").strip().upper() == "L" and number(keywords["$NEXTDATA"]) == 0, "mode")
    if keywords.get("$BEGINDATA") and number(keywords["$BEGINDATA"]):
        named = number(keywords["$BEGINDATA"]), number(keywords["$ENDDATA"])
        need((data, data_end) == named, "offsets")
    fields = [field(keywords, index) for index in range(1, number(keywords["$PAR"]) + 1)]
    count, size = number(keywords["$TOT"]), sum(width for width, _, _ in fields)
    if data == data_end == count == 0:
        return np.empty((0, len(fields)))
    need(data_end - data + 1 == count * size and data_end < len(content), "size of DATA")
    need(data > end or data_end < begin, "overlap")
    return decode(content[data : data_end + 1], count, size, fields, keywords)


def field(keywords: dict[str, str], index: int) -> tuple[int, str, int]:
    """Width in bytes, type, mask."""
    datatype = keywords.get(f"$P{index}DATATYPE", keywords["$DATATYPE"]).strip().upper()
    bits = number(keywords[f"$P{index}B"])
    need(datatype in ("I", "F", "D"), "type")
    if datatype != "I":
        need(bits == {"F": 32, "D": 64}[datatype], "bits")
        return bits // 8, datatype, 0
    need(bits in (8, 16, 24, 32, 64), "bits")
    top = number(keywords[f"$P{index}R"])
    mask = 1
    while mask < top:
        mask *= 2
    return bits // 8, datatype, min(mask, 2**bits) - 1


def decode(
    data: bytes, count: int, size: int, fields: list[tuple[int, str, int]], keywords: dict[str, str]
) -> NDArray[np.float64]:
    """Value by value, in Python integers."""
    order = keywords["$BYTEORD"]
    orders = {"1,2,3,4": "<", "4,3,2,1": ">", "1,2": "<", "2,1": ">", "1,2,3,4,5,6,7,8": "<", "8,7,6,5,4,3,2,1": ">"}
    swaps = {"3,4,1,2": (2, 3, 0, 1), "2,1,4,3": (1, 0, 3, 2)}
    need(order in orders or order in swaps, "byte order")
    values: list[list[float]] = []
    for row in range(count):
        at = row * size
        line: list[float] = []
        for index, (width, datatype, mask) in enumerate(fields, 1):
            raw = data[at : at + width]
            at += width
            if order in swaps:
                raw = bytes(raw[swaps[order].index(place)] for place in range(4))
            sign = orders.get(order, "<")
            stored: Any
            if datatype == "I":
                stored = int.from_bytes(raw, "little" if sign == "<" else "big") & mask
                need(float(stored) == stored, "rounding")
            else:
                stored = np.frombuffer(raw, sign + ("f4" if datatype == "F" else "f8"))[0]
            line.append(scale(np.float64(stored), keywords, index, datatype))
        values.append(line)
    return np.array(values, np.float64).reshape(count, len(fields))


def scale(value: np.float64, keywords: dict[str, str], index: int, datatype: str) -> float:
    decades, floor = (float(part) for part in keywords[f"$P{index}E"].split(","))
    gain = float(keywords.get(f"$P{index}G", "1"))
    with np.errstate(all="ignore"):
        if decades:
            need(datatype == "I" and floor > 0 and gain == 1, "amplification")
            return float(np.power(10.0, decades * value / float(keywords[f"$P{index}R"])) * floor)
        if keywords[f"$P{index}N"].strip().lower() == "time":
            need(gain == 1, "gain of time")
            return float(value * float(keywords["$TIMESTEP"]))
        return float(value / gain)
