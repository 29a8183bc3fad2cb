"""One small file for every rule: what it is, and what reading it has to give.

Expected values are written out or computed here from first principles, never with the reader.
"""

from __future__ import annotations

import binascii
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fcs.files import FLOATS, INTEGERS, channel, make, of_type, segment

PLAIN = FLOATS.astype(np.float64)


@dataclass(frozen=True)
class Case:
    """A file and its one right ending: ``values`` with exactly these ``findings``, or the error ``code``."""

    name: str
    content: bytes
    values: NDArray[np.float64] | None = None
    findings: frozenset[str] = frozenset()
    code: str = ""
    dataset: int | None = None


def exact(name: str, content: bytes, values: Any = PLAIN, *findings: str, dataset: int | None = None) -> Case:
    return Case(name, content, np.asarray(values, np.float64), frozenset(findings), dataset=dataset)


def refused(name: str, content: bytes, code: str, dataset: int | None = None) -> Case:
    return Case(name, content, code=code, dataset=dataset)


# HEADER ------------------------------------------------------------------------------------------------------------


def header_cases() -> Iterator[Case]:
    for version in ("2.0", "3.0", "3.1", "3.2"):
        yield exact(f"version {version}", make(version=version))
    for magic in (b"FCS1.0", b"FCS3.3", b"FCS4.0", b"FCS3,1", b"FCS 3.", b"FCS2.1"):
        yield refused(f"version {magic!r}", magic + make()[6:], "version-unknown")
    for magic in (b"fcs3.1", b"\xef\xbb\xbfFCS", b"CSV,1,", b"      ", b"\0\0\0\0\0\0"):
        yield refused(f"magic {magic!r}", magic + make()[6:], "file-not-fcs")
    yield refused("bytes 6 to 9 not blank", make()[:6] + b" 1  " + make()[10:], "header-malformed")
    yield refused("empty file", b"", "file-empty")
    yield refused("40 bytes", make()[:40], "file-short")
    yield refused("three bytes", b"FCS", "file-short")
    yield refused("HEADER alone", make()[:58], "header-text")
    yield refused("gzip", gzip.compress(make()), "file-gzip")
    yield refused("zip", b"PK\x03\x04" + make(), "file-gzip")
    for field in ("text", "text_end", "data", "data_end", "analysis", "analysis_end"):
        for bad in ("     +58", "     5_8", "   58.0 ", "    5 8 ", "      \t5", "     0x3", "\xb2      5", "      ab"):
            yield refused(f"{field} is {bad!r}", make(header={field: bad}), "header-malformed")
    for field in ("text", "text_end", "data", "data_end"):
        yield refused(f"{field} is negative", make(header={field: "     -58"}), "header-malformed")
    blank = " " * 8
    yield refused("TEXT blank", make(header={"text": blank, "text_end": blank}), "header-text")
    yield refused("TEXT begins in HEADER", make(header={"text": 57}), "header-text")
    yield refused("TEXT reversed", make(header={"text": 200, "text_end": 100}), "header-text")
    yield refused("TEXT beyond the file", make(header={"text_end": 99999999}), "header-text")
    yield refused("TEXT begins beyond the file", make(header={"text": 9000, "text_end": 9900}), "header-text")
    # DATA in HEADER and TEXT
    yield exact("HEADER DATA 0", make(header={"data": 0, "data_end": 0}), PLAIN, "header-data-zero")
    yield exact("HEADER DATA blank", make(header={"data": blank, "data_end": blank}), PLAIN, "header-data-zero")
    yield refused(
        "no DATA anywhere",
        make({"$BEGINDATA": "0", "$ENDDATA": "0"}, header={"data": 0, "data_end": 0}),
        "data-place",
    )
    yield exact("TEXT DATA 0", make({"$BEGINDATA": "0", "$ENDDATA": "0"}))
    disagree = "header-text-offset-disagree"
    yield exact("HEADER begin too small", make(header={"data": 100}), PLAIN, disagree)
    yield exact("HEADER end too large", make(header={"data_end": 5000}), PLAIN, disagree)
    yield exact("HEADER end too small", make(header={"data_end": 300}), PLAIN, disagree)
    yield exact("TEXT begin wrong", make({"$BEGINDATA": "000000000100"}), PLAIN, disagree)
    yield exact("TEXT end beyond the file", make({"$ENDDATA": "000000099999"}), PLAIN, disagree)
    yield exact("TEXT end one too large, HEADER right", make({"$ENDDATA": "{past}"}), PLAIN, disagree)
    begin = len(make()) - 24
    shifted = make(gap=b" " * 24, header={"data": begin, "data_end": begin + 23})
    yield refused("two places that both fit", shifted, "data-offset-ambiguous")
    shifted = make(gap=b" " * 24, header={"data": begin, "data_end": begin + 24})
    yield exact("two places, TEXT exact, HEADER exclusive", shifted, PLAIN, disagree)
    shifted = make({"$ENDDATA": "{past}"}, gap=b" " * 24, header={"data": begin, "data_end": begin + 24}, tail=b" ")
    yield refused("two places, both exclusive", shifted, "data-offset-ambiguous")
    yield refused(
        "two places, neither fits",
        make({"$ENDDATA": "000000099999"}, header={"data_end": 5000}),
        "data-truncated",
    )
    yield exact("end exclusive inside the file", make(data_end=1, tail=b"  "), PLAIN, "end-exclusive")
    yield exact("end exclusive at the end of the file", make(data_end=1), PLAIN, "end-exclusive")
    yield refused("end two too large inside the file", make(data_end=2, tail=b"    "), "data-size")
    yield refused("end one too small", make(data_end=-1), "data-size")
    inside = {"$BEGINDATA": "000000000010", "$ENDDATA": "000000000033"}
    yield refused("DATA inside HEADER", make(inside, header={"data": 10, "data_end": 33}), "data-place")
    over = {"$BEGINDATA": "000000000100", "$ENDDATA": "000000000123"}
    yield refused("DATA inside TEXT", make(over, header={"data": 100, "data_end": 123}), "data-place")
    yield exact("DATA before TEXT", make(order="data-first"))
    yield exact("DATA before TEXT, bytes behind", make(order="data-first", tail=b"00000000"))
    yield exact("gap before DATA", make(gap=b" " * 100))
    yield exact("NULs before DATA", make(gap=b"\0" * 100))
    for name, fields in {
        "0,-1": {"analysis": "       0", "analysis_end": "      -1"},
        "blank": {"analysis": blank, "analysis_end": blank},
        "beyond": {"analysis": 9000, "analysis_end": 9999},
        "reversed": {"analysis": 200, "analysis_end": 100},
        "half blank": {"analysis": blank, "analysis_end": 100},
    }.items():
        yield exact(f"ANALYSIS {name}", make(header=fields), PLAIN, "analysis-unusable")
    listed = b"     600     623"
    places = {"text": 58 + 16, "text_end": 58 + 16 + len(make()) - 58 - 24 - 1}
    user = make(
        header=places,
        text=lambda t: listed + t,
        gap=(b" " * 600)[: 600 - places["text_end"] - 1] + b"/user/segment/0123456789/",
    )
    yield exact("a user-defined segment between TEXT and DATA", user)
    tail = b"/GATE/1/"
    size = len(make())
    yield exact("ANALYSIS", make(header={"analysis": size, "analysis_end": size + 7}, tail=tail))


# TEXT --------------------------------------------------------------------------------------------------------------


def delimiter_cases() -> Iterator[Case]:
    for delimiter in (b"|", b"\\", b",", b"!", b"*", b"^", b".", b"(", b"+", b"\t", b"\n", b"\x0c", b"\x1e", b"\x01"):
        keywords = {"$P1S": "a" + delimiter.decode() + "b", "VENDOR": delimiter.decode() * 2}
        yield exact(f"delimiter {delimiter!r}", make(keywords, delimiter=delimiter), PLAIN, "text-value-delimiter")
    for delimiter in (b" ", b"\x7f", b"~", b"Q", b'"'):
        yield exact(f"delimiter {delimiter!r}", make(delimiter=delimiter))
    for delimiter in (b"\0", b"$"):
        content = make(text=lambda text, new=delimiter: new + text[1:])
        yield refused(f"delimiter {delimiter!r}", content, "text-delimiter")
    for value in ("a/b", "/a", "a/", "/", "//", "a//b", "/a/", "///"):
        findings = ("text-value-delimiter",) if value.startswith("/") else ()
        yield exact(f"value {value!r}", make({"VENDOR": value, "$P2S": value}), PLAIN, *findings)
    for name, keywords in {
        "vendor": {"VENDOR": "", "OTHER": "x"},
        "$P1S": {"$P1S": "", "$P1G": "10"},
        "two in turn": {"A": "", "B": "", "$P1G": "10"},
        "last": {"$P1G": "10", "Z": ""},
    }.items():
        gained = "$P1G" in keywords
        values = PLAIN / [10, 1] if gained else PLAIN
        yield exact(f"empty value: {name}", make(keywords), values, "text-empty-value")


def text_end_cases() -> Iterator[Case]:
    gain = {"$P2G": "10"}
    gained = PLAIN / [1, 10]
    yield exact("last value of TEXT whole", make(gain), gained)
    yield exact("no final delimiter", make(gain, text=lambda t: t[:-1], text_end=-1), gained, "text-unterminated")
    padded = make(gain, text=lambda t: t[:-1], text_end=-1, gap=b"   ")
    yield exact("no final delimiter, then blanks", padded, gained, "text-unterminated")
    yield exact("two final delimiters", make(gain, text=lambda t: t + b"/", text_end=1), gained, "text-doubled-end")
    for padding in (b"  ", b"\0\0", b"\r\n", b" "):
        content = make(gain, text=lambda t, p=padding: t + p, text_end=len(padding))
        yield exact(f"padding {padding!r} behind the final delimiter", content, gained, "text-padded")
    yield exact("end of TEXT one short", make(gain, text_end=-1), gained, "text-end-short")
    yield exact("end of TEXT one long, blank", make(gain, text_end=1, gap=b" "), gained, "text-padded")
    yield exact("end of TEXT one long, a byte", make(gain, text_end=1, gap=b"Z"), gained, "text-end-long")
    odd = np.frombuffer(b"\x41\x42\x43\x44" * 6, "<f4").reshape(3, 2)
    yield exact("end of TEXT in DATA by one", make(rows=odd, text_end=1), odd, "text-end-long")
    odd = np.frombuffer(b"/BCD" * 6, "<f4").reshape(3, 2)
    yield exact("end of TEXT in DATA by one, a delimiter", make(rows=odd, text_end=1), odd, "text-doubled-end")
    odd = np.frombuffer(b" BCD" * 6, "<f4").reshape(3, 2)
    yield exact("end of TEXT in DATA by one, a blank", make(rows=odd, text_end=1), odd, "text-padded")
    yield refused("end of TEXT in DATA by two", make(text_end=2), "data-place")
    long = {"LAST": "a value that is long", "$P2G": "10"}
    for cut in (3, 4, 5, 6, 7):
        yield refused(f"end of TEXT {cut} short", make(long, text_end=-cut), "text-cut")
    yield refused("end of TEXT a pair short", make(long, text_end=-len("$P2G/10/")), "text-cut")
    yield refused("end of TEXT a keyword short", make(long, text_end=-len("10/")), "text-cut")
    lone = make(text=lambda t: t + b"KEY/", text_end=4)
    yield refused("keyword without value", lone, "text-keyword-without-value")
    yield refused("empty keyword", make(text=lambda t: b"/" + t, text_end=1), "text-keyword-without-value")
    yield refused("nothing but a delimiter", make(header={"text": 58, "text_end": 58}), "text-cut")


def keyword_cases() -> Iterator[Case]:
    yield exact("keywords in lower case", make(text=lambda t: t.lower().replace(b"/l/", b"/L/")))
    yield exact("values $MODE l, $DATATYPE f", make({"$MODE": "l", "$DATATYPE": "f"}))
    vendor = {
        "P2G": "10", "PAR": "7", "TOT": "1", "BYTEORD": "4,3,2,1", "P2E": "4,1", "TIMESTEP": "9", "P1B": "16",
        "P1N": "X", "DATATYPE": "I", "MODE": "C", "P2R": "1", "BEGINDATA": "1", "NEXTDATA": "5",
    }  # fmt: skip
    for keyword, value in vendor.items():
        yield exact(f"vendor {keyword} does not stand in", make({keyword: value}))
        own = {"$TIMESTEP", "$P2G", "$P2E", "$NEXTDATA", "$MODE"}
        if f"${keyword}" not in own:
            code = "tot-missing" if keyword == "TOT" else "data-offsets-missing" if keyword == "BEGINDATA" else ""
            content = make({f"${keyword}": None, keyword: value})
            if code:
                yield exact(f"vendor {keyword} instead of ${keyword}", content, PLAIN, code)
            else:
                yield refused(f"vendor {keyword} instead of ${keyword}", content, "keyword-missing")
    for keyword in ("$PAR", "$DATATYPE", "$BYTEORD", "$P1N", "$P2N", "$P1B", "$P2R"):
        yield refused(f"no {keyword}", make({keyword: None}), "keyword-missing")
    for keyword, code in {
        "$MODE": "mode-missing",
        "$TOT": "tot-missing",
        "$P1E": "pne-missing",
        "$NEXTDATA": "nextdata-missing",
        "$BEGINSTEXT": "stext-offsets-missing",
        "$ENDSTEXT": "stext-offsets-missing",
        "$ENDDATA": "data-offsets-missing",
    }.items():
        yield exact(f"no {keyword}", make({keyword: None}), PLAIN, code)
    yield exact(
        "FCS 2.0 without offsets", make({"$BEGINSTEXT": None, "$ENDSTEXT": None}, version="2.0", offset_keywords=False)
    )
    none = {"$MODE": None, "$BEGINSTEXT": None, "$ENDSTEXT": None}
    yield exact("FCS 3.2 without $MODE, $BEGINSTEXT", make(none, version="3.2"))


def number_cases() -> Iterator[Case]:
    gained = PLAIN / [1, 10]
    for keyword in ("$PAR", "$TOT", "$P1B", "$BEGINDATA", "$ENDDATA", "$BEGINSTEXT"):
        code = "pnb-datatype" if keyword == "$P1B" else "keyword-not-a-number"
        for bad in ("+2", "2.0", "2_0", "\u0662", "-2", "0x2", "two", "2 2", "\uff12", "2e0", " ", "9" * 40):
            yield refused(f"{keyword} is {bad!r}", make({keyword: bad}), code)
    yield exact("blanks around numbers", make({"$PAR": " 2 ", "$TOT": "3   ", "$P1B": " 32", "$P1R": "  262144"}))
    yield refused("$PAR 0", make({"$PAR": "0"}), "keyword-not-a-number")
    yield exact(
        "repeated keyword, same value", make(text=lambda t: t + b"$PAR/2/", text_end=7), PLAIN, "keyword-repeated"
    )
    yield refused("repeated keyword, other value", make(text=lambda t: t + b"$PAR/3/", text_end=7), "keyword-conflict")
    yield refused("repeated in other case", make(text=lambda t: t + b"$par/3/", text_end=7), "keyword-conflict")
    yield refused(
        "vendor keyword contradicts", make({"V": "1"}, text=lambda t: t + b"v/2/", text_end=4), "keyword-conflict"
    )
    yield refused("$P02N contradicts", make({"$P02N": "X"}), "keyword-conflict")
    yield exact("$P02N repeats", make({"$P02N": "C2"}), PLAIN, "keyword-repeated", "keyword-leading-zero")
    yield exact("$P02G is $P2G", make({"$P02G": "10"}), gained, "keyword-leading-zero")
    yield exact("blanks around a keyword", make({"  $P2G": "10"}), gained, "keyword-blank")
    yield refused(
        "dotless i is no I", make({"$T\u0131MESTEP": "x", "$P2N": None, "$P2\u0274": "C2"}), "keyword-missing"
    )
    for number in (3, 0, 10**12):
        yield refused(f"$P{number}N beyond $PAR", make({f"$P{number}N": "X"}), "par-mismatch")
    yield refused("$PAR too large", make({"$PAR": "3"}), "keyword-missing")
    yield refused("$PAR vast", make({"$PAR": "9" * 29}), "keyword-missing")
    yield refused("$PAR too small", make({"$PAR": "1"}), "par-mismatch")
    yield exact("Latin-1 value", make({"$P1S": b"\xb5-CD3", "$P2S": "\u03bc-CD4"}), PLAIN, "text-latin-1")
    yield exact("UTF-8 value", make({"$P1S": "\u03bc-CD3"}))
    yield exact("50,000 keywords", make({f"K{number}": str(number) for number in range(50_000)}))
    yield exact("value of 4 MiB", make({"BIG": "x" * (4 << 20)}))
    yield exact("200,000 escaped delimiters", make({"BIG": "a/" * 200_000}))
    yield exact("200,000 delimiters", make({"BIG": "/" * 200_000}), PLAIN, "text-value-delimiter")


def supplement_cases() -> Iterator[Case]:
    gained = PLAIN / [1, 10]
    yield exact("supplemental TEXT is read", make(supplement=segment({"$P2G": "10"})), gained)
    yield exact("supplemental TEXT, same value", make(supplement=segment({"$P2N": "C2"})), PLAIN, "keyword-repeated")
    yield refused("supplemental TEXT contradicts", make(supplement=segment({"$P2N": "X"})), "keyword-conflict")
    yield exact(
        "supplemental TEXT unterminated", make(supplement=segment({"$P2G": "10"})[:-1]), gained, "text-unterminated"
    )
    yield refused("supplemental TEXT with another delimiter", make(supplement=b"|$P2G|10|"), "text-delimiter")
    yield exact("supplemental TEXT is a ZIP archive", make(supplement=b"PK\x03\x04zip"), PLAIN, "stext-archive")
    inside = {"$BEGINSTEXT": "58", "$ENDSTEXT": "100"}
    yield exact("supplemental TEXT inside TEXT", make(inside), PLAIN, "stext-inside-text")
    for name, ends in {
        "beyond": ("90000", "90100"),
        "in HEADER": ("10", "40"),
        "over TEXT's end": ("100", "330"),
    }.items():
        keywords = {"$BEGINSTEXT": ends[0], "$ENDSTEXT": ends[1]}
        yield refused(f"supplemental TEXT {name}", make(keywords), "stext-place")
    keywords = {"$BEGINSTEXT": "{begin}", "$ENDSTEXT": "{end}"}
    yield refused("supplemental TEXT in DATA", make(keywords), "stext-place")
    content = make(keywords, header={"data": 0, "data_end": 0}, rows=segment({"A": "x" * 20}))
    yield refused("DATA in supplemental TEXT, HEADER 0", content, "data-place")


# Bytes to numbers ---------------------------------------------------------------------------------------------------


def byte_order_cases() -> Iterator[Case]:
    little, big = "1,2,3,4", "4,3,2,1"
    for name, byteord, sign in (("little", little, "<"), ("big", big, ">")):
        for datatype, bits, code in (("F", "32", "f4"), ("D", "64", "f8")):
            rows = PLAIN.astype(sign + code)
            yield exact(f"{datatype} {name}", make(of_type(datatype, bits, "262144", 2, byteord), rows), rows)
        for bits, code in (("8", "u1"), ("16", "u2"), ("32", "u4"), ("64", "u8")):
            top = 2 ** min(int(bits), 53)
            rows = np.array([[0, 1], [2, top - 1], [top // 2, 3]], sign + code)
            keywords = of_type("I", bits, str(2 ** int(bits)), 2, byteord)
            yield exact(f"I{bits} {name}", make(keywords, rows), rows)
        wide = np.array([[0, 1], [2, 2**24 - 1], [2**23, 3]], sign + "u4").view("u1").reshape(-1, 4)
        kept = wide[:, 1:] if sign == ">" else wide[:, :3]
        rows = np.array([[0, 1], [2, 2**24 - 1], [2**23, 3]])
        content = make(of_type("I", "24", str(2**24), 2, byteord), kept.tobytes())
        yield exact(f"I24 {name}", content, rows)
    for byteord, sign in (("1,2", "<"), ("2,1", ">")):
        rows = INTEGERS.astype(sign + "u2")
        yield exact(f"$BYTEORD {byteord}, 16 bits", make(of_type("I", "16", "1024", 2, byteord), rows), INTEGERS)
        yield refused(f"$BYTEORD {byteord}, 32 bits", make({"$BYTEORD": byteord}), "byteord-width")
    for byteord, sign in (("1,2,3,4,5,6,7,8", "<"), ("8,7,6,5,4,3,2,1", ">")):
        rows = PLAIN.astype(sign + "f8")
        yield exact(f"$BYTEORD {byteord}", make(of_type("D", "64", "1", 2, byteord), rows), rows)
    for byteord, places in (("3,4,1,2", [2, 3, 0, 1]), ("2,1,4,3", [1, 0, 3, 2])):
        for datatype, code in (("F", "<f4"), ("I", "<u4")):
            rows = np.array([[1, 65537], [2**24 - 1, 77], [256, 0]], code)
            mixed = rows.view("u1").reshape(-1, 4)[:, places].tobytes()
            yield exact(
                f"$BYTEORD {byteord}, {datatype}", make(of_type(datatype, "32", str(2**32), 2, byteord), mixed), rows
            )
        yield refused(
            f"$BYTEORD {byteord}, 16 bits", make(of_type("I", "16", "1024", 2, byteord), INTEGERS), "byteord-width"
        )
        yield refused(f"$BYTEORD {byteord}, D", make(of_type("D", "64", "1", 2, byteord), PLAIN), "byteord-width")
    yield exact("$BYTEORD with blanks", make({"$BYTEORD": "1, 2, 3, 4 "}), PLAIN, "byteord-blank")
    bad = (
        "",
        "1",
        "1,2,3",
        "3,2,1",
        "1,3,2,4",
        "1;2;3;4",
        "1234",
        "4,3,2,1,",
        "little",
        "0,1,2,3",
        "1,2,3,4,5",
        "\u0661,2,3,4",
    )
    for byteord in bad:
        findings = "byteord-unknown"
        yield refused(f"$BYTEORD {byteord!r}", make({"$BYTEORD": byteord}), findings)


def integer_cases() -> Iterator[Case]:
    for extent, mask in {
        "1024": 1023, "1023": 1023, "1000": 1023, "1025": 2047, "65536": 65535, "65535": 65535, "32768": 32767,
        "32769": 65535, "2": 1,
    }.items():  # fmt: skip
        rows = np.array([[65535, 1024], [1023, 0], [4660, 2048]], "<u2")
        findings = () if mask == 65535 else ("mask-drops-bits",)
        yield exact(f"mask of $PnR {extent}", make(of_type("I", "16", extent), rows), rows & mask, *findings)
        yield exact(
            f"mask of $PnR {extent}, big",
            make(of_type("I", "16", extent, 2, "4,3,2,1"), rows.astype(">u2")),
            rows & mask,
            *findings,
        )
    for extent in ("1", "1.0"):
        yield refused(f"$PnR {extent}", make(of_type("I", "16", extent), rows), "pnr-one")
    yield exact("float $PnR 1", make({"$P1R": "1"}))
    words = np.array([[2**32 - 1, 1], [0, 5], [7, 2**31]], "<u4")
    for extent in ("4294967296", "4294967295"):
        yield exact(f"$PnR {extent}", make(of_type("I", "32", extent), words), words)
    yield exact("$PnR 0", make(of_type("I", "32", "0"), words), words, "pnr-zero")
    yield exact("$PnR above the field", make(of_type("I", "32", "8589934592"), words), words, "pnr-above-field")
    dropped = "mask-drops-bits"
    for extent in ("1024.0", "1.024e3", "1023.5", "1024."):
        yield exact(f"$PnR {extent}", make(of_type("I", "32", extent), words), words & 1023, "pnr-decimal", dropped)
    for extent in ("-1", "abc", "nan", "inf", "1,024", "", "0.5", "1_024", "\u0661"):
        empty = make(of_type("I", "32", extent), words)
        yield refused(f"integer $PnR {extent!r}", empty, "pnr-malformed")
    for extent in ("-1", "abc", "nan", "inf"):
        yield exact(f"float $PnR {extent!r}", make({"$P1R": extent}), PLAIN, "pnr-unusable")
    yield exact("float $PnR 0", make({"$P1R": "0"}))
    different = of_type("I", "16", "1024") | {"$P2R": "256"}
    rows = np.array([[65535, 65535], [1024, 256], [5, 6]], "<u2")
    yield exact("a mask of its own for each column", make(different, rows), rows & [1023, 255], dropped)
    partial = of_type("I", "16", "65536") | {"$P2R": "256"}
    yield exact("a mask for one column only", make(partial, rows), rows & [65535, 255], dropped)
    rows = np.array([[65535, 255], [1024, 0], [5, 6]], "<u2")
    yield exact("a mask that drops nothing", make(partial, rows), rows)
    yield exact("10 bits in 16", make(of_type("I", "10", "1024"), INTEGERS), INTEGERS, "pnb-storage-16")
    keywords = of_type("I", "10", "1024", 2, "4,3,2,1")
    yield exact("10 bits in 16, big", make(keywords, INTEGERS.astype(">u2")), INTEGERS, "pnb-storage-16")
    keywords = of_type("I", "9", "512", 2) | {"$P2B": "16", "$P2R": "65536"}
    yield exact("9 bits in 16 beside 16", make(keywords, INTEGERS), INTEGERS & [511, 65535], "pnb-storage-16", dropped)
    keywords = of_type("I", "12", "4096", 2) | {"$P2B": "16", "$P2R": "65536"}
    yield refused("12 bits beside 16, packed with an exclusive end or not", make(keywords, INTEGERS), "pnb-unsupported")
    yield refused("10 bits, packed", make(of_type("I", "10", "1024"), b"\0" * 8), "data-size")
    yield refused(
        "15 bits, packed or not", make(of_type("I", "15", "1024") | {"$TOT": "1"}, b"\0" * 4), "pnb-unsupported"
    )
    empty = make(of_type("I", "10", "1024") | {"$TOT": "0"}, b"")
    yield refused("10 bits, no events", empty, "pnb-unsupported")
    for bits in ("0", "-8", "*", "sixteen", "4", "7", "17", "20", "40", "48", "128", "16.0", "+16", "1 6"):
        yield refused(f"$PnB {bits!r}", make(of_type("I", bits, "1024"), INTEGERS), "pnb-unsupported")
    for order, byteord in (("<", "1,2,3,4"), (">", "4,3,2,1")):
        fields = [("a", order + "u1"), ("b", order + "u2"), ("c", order + "u4"), ("d", order + "u8")]
        rows = np.array([(255, 65535, 2**32 - 1, 2**53), (1, 2, 3, 4), (128, 256, 65536, 2**40)], fields)
        keywords = {"$DATATYPE": "I", "$BYTEORD": byteord, "$PAR": "5"}
        for number, bits in enumerate(("8", "16", "32", "64", "24"), 1):
            keywords |= channel(number, B=bits, R=str(2 ** int(bits)))
        low = b"\x01\x02\x03"
        content = b"".join(row.tobytes() + low for row in rows)
        last = 0x030201 if order == "<" else 0x010203
        expected = [[*map(float, row.tolist()), last] for row in rows]
        yield exact(f"8, 16, 32, 64 and 24 bits together {byteord}", make(keywords, content), expected)
        keywords["$P2R"] = "1024"
        expected = [[row[0], row[1] % 1024, *row[2:]] for row in expected]
        yield exact(f"mixed widths, one masked {byteord}", make(keywords, content), expected, dropped)
    giant = np.array([[2**53 + 1, 0], [1, 2], [3, 4]], "<u8")
    yield refused("an integer above 2^53", make(of_type("I", "64", str(2**64)), giant), "integer-above-2-53")
    keywords = of_type("I", "64", str(2**64)) | {"$P2B": "32", "$P2R": str(2**32)}
    mixed = np.array([(2**53 + 1, 5)] * 3, "<u8,<u4").tobytes()
    yield refused("an integer above 2^53 beside 32 bits", make(keywords, mixed), "integer-above-2-53")
    even = np.array([[2**63, 0], [2**53 + 2, 2], [3, 4]], "<u8")
    yield exact("exact integers above 2^53", make(of_type("I", "64", str(2**64)), even), even)
    yield exact("a mask brings 64 bits below 2^53", make(of_type("I", "64", "1024"), giant), giant & 1023, dropped)


def float_cases() -> Iterator[Case]:
    odd = np.array([[np.nan, 1], [np.inf, -np.inf], [0, 2]], "<f4")
    yield exact("NaN and infinities", make(rows=odd), odd, "values-not-finite")
    odd = np.frombuffer(b"\x01\x00\x80\x7f\0\0\x80\x3f" * 3, "<f4").reshape(3, 2)
    yield exact("signalling NaN", make(rows=odd), [[np.nan, 1]] * 3, "values-not-finite")
    odd = np.array([[-1e30, 1e-45], [3.4e38, -0.0], [1e7, -262145]], "<f4")
    yield exact("negative, denormal, huge, above $PnR", make(rows=odd), odd)
    both = np.array([[np.inf, 1], [-np.inf, 2], [1, 2]], "<f4")
    yield exact("infinities that cancel", make(rows=both), both, "values-not-finite")
    huge = np.array([[3e38, 3e38], [3e38, 1], [1, 2]], "<f4")
    yield exact("a sum that overflows", make(rows=huge), huge)
    for text, gain in {"10": 10.0, "2.5": 2.5, "1e1": 10.0, ".5": 0.5, "5.": 5.0, " 2 ": 2.0, "+4": 4.0}.items():
        yield exact(f"gain {text!r}", make({"$P1G": text}), PLAIN / [gain, 1])
    for text in ("0", "-1", "nan", "inf", "1,5", "", "abc", "1_0", "0x1", "1e400", "1e-400", "\u0661", "1 0"):
        yield refused(f"gain {text!r}", make({"$P1G": text}), "png-malformed")
    integers = of_type("I", "16", "1024")
    yield exact("gain of integers", make(integers | {"$P2G": "8"}, INTEGERS), INTEGERS / [1, 8])
    logarithm = 10 ** (4 * INTEGERS.astype(float) / 1024)
    for text, offset, findings in (
        ("4,1", 1, ()), ("4.0,0.1", 0.1, ()), (" 4.0,0.1024", 0.1024, ()), ("4,0", 1, ("pne-log-zero",)),
    ):  # fmt: skip
        values = np.column_stack([logarithm[:, 0] * offset, INTEGERS[:, 1]])
        yield exact(f"$PnE {text!r}", make(integers | {"$P1E": text}, INTEGERS), values, *findings)
    deep = np.array([[2**20 - 1, 4], [0, 1], [70000, 2]], "<u4")
    values = 10 ** (5 * deep.astype(float) / 2**20) * 2.0
    yield exact("$PnE of 20 bits", make(of_type("I", "32", str(2**20)) | {"$P1E": "5,2", "$P2E": "5,2"}, deep), values)
    yield exact("$PnE 0,1", make(integers | {"$P1E": "0,1"}, INTEGERS), INTEGERS, "pne-zero-decades")
    yield exact("$PnE 0.0,0", make(integers | {"$P1E": "0.0,0"}, INTEGERS), INTEGERS)
    yield exact("$PnE of floats", make({"$P1E": "4,1"}), PLAIN, "pne-on-float")
    values = np.column_stack([logarithm[:, 0], INTEGERS[:, 1]])
    content = make(integers | {"$P1E": "4,1", "$P1G": "8"}, INTEGERS)
    yield exact("$PnE with gain", content, values, "gain-with-log")
    for text in ("4", "4,1,1", "-4,1", "4,-1", "nan,1", "4;1", "", "log", "4,", ",", "31,1", "4,inf"):
        yield refused(f"$PnE {text!r}", make(integers | {"$P1E": text}, INTEGERS), "pne-malformed")
    zero = make(integers | {"$P1E": "4,1", "$P1R": "0"}, INTEGERS)
    yield refused("$PnE with $PnR 0", zero, "pne-range")
    for name in ("Time", "TIME", "time", "tImE"):
        content = make({"$P2N": name, "$TIMESTEP": "0.01"})
        yield exact(f"time step of {name}", content, np.column_stack([PLAIN[:, 0], PLAIN[:, 1] * 0.01]))
    content = make({"$P2N": "Time", "$P2G": "0.01", "$TIMESTEP": "0.01"})
    yield exact("gain on time", content, np.column_stack([PLAIN[:, 0], PLAIN[:, 1] * 0.01]), "gain-on-time")
    content = make({"$P2N": "Time", "$P2G": "0.01"})
    yield exact("gain on time without time step", content, PLAIN, "gain-on-time", "timestep-missing")
    yield exact("gain 1.0 on time", make({"$P2N": "Time", "$P2G": "1.0", "$TIMESTEP": "1"}))
    yield exact("time without time step", make({"$P2N": "Time"}), PLAIN, "timestep-missing")
    yield exact("time step without time", make({"$TIMESTEP": "0.01"}))
    yield exact("time step of words", make({"$P2N": "Time", "$TIMESTEP": "xxx"}), PLAIN, "timestep-unusable")
    yield exact("time step blank", make({"$P2N": "Time", "$TIMESTEP": " "}), PLAIN, "timestep-unusable")
    for text in ("0", "-0.01", "nan", "inf", "0,01", "1_0", "1e-400", "0.01 s"):
        yield refused(f"time step {text!r}", make({"$P2N": "Time", "$TIMESTEP": text}), "timestep-malformed")
    both = integers | {"$P2N": "Time", "$P2E": "4,1", "$TIMESTEP": "0.01"}
    yield refused("time step of a logarithmic time", make(both, INTEGERS), "time-logarithmic")


def type_cases() -> Iterator[Case]:
    for datatype, bits in (("F", "64"), ("F", "16"), ("D", "32"), ("F", "*"), ("D", "0"), ("F", "-32")):
        yield refused(f"{datatype} of {bits} bits", make(of_type(datatype, bits, "1")), "pnb-datatype")
    for mode in ("C", "U", "H", "", "list"):
        yield refused(f"$MODE {mode!r}", make({"$MODE": mode}), "mode-unsupported")
    for datatype in ("A", "X", "", "FF", "N"):
        yield refused(f"$DATATYPE {datatype!r}", make({"$DATATYPE": datatype}), "datatype-unsupported")
    rows = np.array([(21, 1.5, -2.5)] * 3, "<u4,<f4,<f8")
    keywords = {"$DATATYPE": "F", "$PAR": "3", "$P1DATATYPE": "I", "$P3DATATYPE": "D"}
    keywords |= channel(1, R=str(2**32)) | channel(2) | channel(3, B="64")
    values = [[21, 1.5, -2.5]] * 3
    yield exact("FCS 3.2 mixed types", make(keywords, rows.tobytes(), version="3.2"), values)
    big = np.array(rows.tolist(), ">u4,>f4,>f8").tobytes()
    yield exact("FCS 3.2 mixed types, big", make(keywords | {"$BYTEORD": "4,3,2,1"}, big, version="3.2"), values)
    yield refused("mixed types in FCS 3.1", make(keywords, rows.tobytes()), "datatype-mixed")
    yield exact("$P1DATATYPE that agrees in FCS 3.1", make({"$P1DATATYPE": "F"}))
    yield refused("$P1DATATYPE A", make({"$P1DATATYPE": "A"}, version="3.2"), "datatype-unsupported")
    narrow = np.array([(21, 1.5)] * 3, "<u2,<f4").tobytes()
    keywords = {"$P1DATATYPE": "I", "$P1B": "16", "$P1R": "16"}
    masked = make(keywords, narrow, version="3.2")
    yield exact("FCS 3.2 masked integer beside float", masked, [[5, 1.5]] * 3, "mask-drops-bits")


def size_cases() -> Iterator[Case]:
    for name, rows in {"one row more": 32, "one row fewer": 16, "a byte fewer": 23, "two bytes more": 26}.items():
        yield refused(name, make(rows=FLOATS.tobytes()[:rows].ljust(rows, b"\0")), "data-size")
    whole = make()
    for kept in (1, 2, 8, 12, 23):
        yield refused(f"cut {kept} bytes before the end", whole[:-kept], "data-truncated")
    yield refused("cut at the beginning of DATA", whole[:-24], "data-truncated")
    yield refused("cut in TEXT", whole[:200], "header-text")
    for count in ("0", "1", "2", "4", "300"):
        yield refused(f"$TOT {count} of 3", make({"$TOT": count}), "data-size")
    vast = {"$TOT": str(10**15), "$ENDDATA": str(8 * 10**15 + 1000)}
    yield refused("petabytes", make(vast, header={"data": 0, "data_end": 0}), "data-truncated")
    yield refused("petabytes by $TOT", make({"$TOT": str(10**29)}), "data-size")
    yield refused("no $TOT, a byte more", make({"$TOT": None}, data_end=1), "data-size")
    yield refused("no $TOT, two places", make({"$TOT": None, "$ENDDATA": "{past}"}), "data-size")
    nothing = np.empty((0, 2), "<f4")
    yield exact("no events", make(rows=nothing), nothing)
    yield exact(
        "no events, no place",
        make({"$BEGINDATA": "0", "$ENDDATA": "0"}, nothing, header={"data": 0, "data_end": 0}),
        nothing,
    )
    yield exact("no events, exclusive end", make(rows=nothing, data_end=1), nothing, "end-exclusive")
    yield exact("one event", make(rows=FLOATS[:1]), PLAIN[:1])
    yield exact("many events", make(rows=np.tile(FLOATS, (40_000, 1))), np.tile(PLAIN, (40_000, 1)))


# Several data sets, names -------------------------------------------------------------------------------------------


def dataset_cases() -> Iterator[Case]:
    first = make({"$NEXTDATA": "{size}"})
    second = make(of_type("I", "16", "1024"), INTEGERS)
    two = first + second
    yield exact("first of two", two, PLAIN, dataset=1)
    yield exact("second of two", two, INTEGERS, dataset=2)
    yield exact("the only one, named", make(), PLAIN, dataset=1)
    yield refused("none named of two", two, "dataset-not-named")
    for number in (3, 0, -1):
        yield refused(f"data set {number} of two", two, "dataset-unknown", dataset=number)
    apart = make({"$NEXTDATA": "{size}"}, tail=b"\0" * 100)
    yield exact("second behind a gap", apart + second, INTEGERS, dataset=2)
    yield exact("first before a broken second", first + b"FCS3.1", PLAIN, dataset=1)
    yield refused("broken second", first + b"FCS3.1", "file-short", dataset=2)
    yield refused("none named, second broken", first + b"FCS9.9" + second[6:], "dataset-not-named")
    yield exact("$NEXTDATA at the end of the file", first, PLAIN, "nextdata-beyond")
    yield exact("$NEXTDATA beyond the file", make({"$NEXTDATA": "99999999"}), PLAIN, "nextdata-beyond")
    for bad in ("-1", "abc", "1.5", "", "+300"):
        yield refused(f"$NEXTDATA {bad!r}", make({"$NEXTDATA": bad}), "nextdata-broken")
    yield refused("$NEXTDATA into HEADER", make({"$NEXTDATA": "1"}), "nextdata-broken")
    yield refused("$NEXTDATA into TEXT", make({"$NEXTDATA": "58"}), "nextdata-broken")
    yield refused("$NEXTDATA to bytes that are no HEADER", make({"$NEXTDATA": "{size}"}) + b" " * 99, "nextdata-broken")
    inner = np.frombuffer(b"FCS3.1  " * 3, "<f4").reshape(3, 2)
    yield refused("$NEXTDATA into DATA", make({"$NEXTDATA": "{begin}"}, inner), "data-place", dataset=1)
    loop = make({"$NEXTDATA": "{size}"}) + make({"$NEXTDATA": "58"})
    yield refused("a loop in the second", loop, "nextdata-broken", dataset=3)
    yield exact("second with a loop behind it", loop, PLAIN, dataset=2)
    chain = b"".join([first] * 50) + second
    yield exact("51st of 51", chain, INTEGERS, dataset=51)
    yield refused("51 data sets, none named", chain, "dataset-not-named")


def name_cases() -> Iterator[Case]:
    yield refused("two channels of one name", make({"$P2N": "C1"}), "name-repeated")
    yield refused("a blank name", make({"$P2N": " "}), "keyword-missing")
    yield exact("names that differ by case", make({"$P2N": "c1"}))
    yield exact("two channels of one marker", make({"$P1S": "CD3", "$P2S": "CD3"}))
    for name in ("../../etc/passwd", "=1+1", "<b>x</b>", "{end", "%s", "a\nb", "CD3 (FITC)"):
        yield exact(f"name {name!r}", make({"$P2N": name.replace("{", "(")}))


def spillover_cases() -> Iterator[Case]:
    matrix = "2,C1,C2,1,0.1,0.2,1"
    for keyword in ("$SPILLOVER", "$SPILL", "SPILL"):
        yield exact(f"{keyword} opens", make({keyword: matrix}))
        for bad in ("", "0", "2,C1,C9,1,0,0,1", "2,C1,C1,1,0,0,1", "2,C1,C2,1,0,0", "2,C1,C2,nan,0,0,1", "/etc/passwd",
                    "2,C1,C2,1,1,1,1", "x"):  # fmt: skip
            findings = () if bad else ("text-empty-value",)
            if bad.startswith("/"):
                findings = ("text-value-delimiter",)
            yield exact(f"{keyword} {bad!r} opens", make({keyword: bad}), PLAIN, *findings)
    for other in (matrix.replace(",", ", "), "2,C1,C2,1.0,0.10,2e-1,+1", "", " "):
        findings = () if other else ("text-empty-value",)
        yield exact(f"no disagreement {other!r}", make({"$SPILLOVER": matrix, "SPILL": other}), PLAIN, *findings)
    for other in ("2,C1,C2,1,0.1,0.2,x", "2,C1,C02,1,0.1,0.2,1", "x"):
        both = make({"$SPILLOVER": matrix, "SPILL": other})
        yield exact(f"disagreement {other!r}", both, PLAIN, "spillover-disagree")
    yield exact("none but the second", make({"$SPILLOVER": "", "SPILL": matrix}), PLAIN, "text-empty-value")
    yield exact(
        "two that disagree", make({"$SPILLOVER": matrix, "SPILL": "2,C1,C2,1,0,0,1"}), PLAIN, "spillover-disagree"
    )


def crc_cases() -> Iterator[Case]:
    content = make()
    for start in (0x0000, 0xFFFF):
        crc = binascii.crc_hqx(content, start)
        for digits in (f"{crc:08d}", f"{crc:08X}"):
            yield exact(f"CRC {start:04x} as {digits}", content + digits.encode(), PLAIN)
    yield exact("no CRC", content + b"00000000")
    wrong = f"{binascii.crc_hqx(content, 0) ^ 1:08d}".encode()
    yield exact("wrong CRC", content + wrong, PLAIN, "crc-mismatch")


GROUPS = (
    header_cases,
    delimiter_cases,
    text_end_cases,
    keyword_cases,
    number_cases,
    supplement_cases,
    byte_order_cases,
    integer_cases,
    float_cases,
    type_cases,
    size_cases,
    dataset_cases,
    name_cases,
    spillover_cases,
    crc_cases,
)


def all_cases() -> list[Case]:
    """Every case of every group; names are unique."""
    cases = [case for group in GROUPS for case in group()]
    repeated = {case.name for case in cases if sum(other.name == case.name for other in cases) > 1}
    assert not repeated, repeated
    return cases
