"""Parameters: what each column is called, how it is stored, and how its values are scaled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cytorecon.errors import Finding
from cytorecon.fcs.findings import finding, refusal
from cytorecon.fcs.keywords import ATTRIBUTES, PARAMETER, decimal_number, short, whole_number

FLOAT_BITS = {"F": 32, "D": 64}
INTEGER_BITS = (8, 16, 24, 32, 64)


@dataclass(frozen=True)
class Channel:
    """One parameter of a file.

    Parameters
    ----------
    index
        Column in ``array()``, from 0.
    name, marker
        ``$PnN`` as written, and ``$PnS`` without blanks around it: empty if the file gives none.
    bits
        ``$PnB`` as written.
    range
        ``$PnR``; NaN if unknown (floating-point channels only).
    gain
        What stored linear values are divided by; 1.0 if none applies.
    amplification
        ``(decades, value at 0)`` of a logarithmic channel, None of a linear one.
    datatype
        ``I``, ``F`` or ``D``.
    timestep
        Seconds a tick on a time channel that states it, else None.
    """

    index: int
    name: str
    marker: str
    bits: int
    range: float
    gain: float = 1.0
    amplification: tuple[float, float] | None = None
    datatype: str = "F"
    timestep: float | None = None

    @property
    def is_scaled(self) -> bool:
        """Whether linear values differ from stored ones."""
        return self.amplification is not None or self.timestep is not None or self.gain != 1.0


def read_channels(
    name: str, version: str, keywords: Mapping[str, str]
) -> tuple[tuple[Channel, ...], tuple[Finding, ...]]:
    """The channels that keywords describe.

    Parameters
    ----------
    name
        File name, for errors.
    version, keywords
        FCS version and all keywords of the data set.

    Raises
    ------
    FcsError
        If a parameter is described twice, not at all, or in a way that leaves its values open.
    """
    count = required_number(name, keywords, "$PAR")
    if count < 1:
        raise refusal("keyword-not-a-number", name, "$PAR", expected="at least 1", got=str(count))
    described = [PARAMETER.fullmatch(keyword) for keyword in keywords]
    numbers = {int(match[1][:30]) for match in described if match and match[2] in ATTRIBUTES}
    beyond = [number for number in numbers if not 1 <= number <= count]
    if beyond:
        raise refusal("par-mismatch", name, f"$P{min(beyond)}…", expected=f"parameters 1 to {count}")
    missing = next((number for number in range(1, count + 1) if number not in numbers), None)
    if missing is not None:
        raise refusal("keyword-missing", name, f"$P{missing}N", expected=f"$PAR = {count} parameters")
    findings: list[Finding] = []
    timestep = _timestep(name, keywords, findings)
    channels = tuple(_channel(name, version, keywords, number, timestep, findings) for number in range(1, count + 1))
    _refuse_repeated_names(name, channels)
    return channels, tuple(dict.fromkeys(findings))


def required_number(name: str, keywords: Mapping[str, str], keyword: str) -> int:
    """The whole number of a keyword that has to be there."""
    value = whole_number(required(name, keywords, keyword))
    if value is None:
        raise refusal("keyword-not-a-number", name, keyword, expected="digits", got=short(keywords[keyword]))
    return value


def required(name: str, keywords: Mapping[str, str], keyword: str) -> str:
    """The value of a keyword that has to be there."""
    if keyword not in keywords:
        raise refusal("keyword-missing", name, keyword, remedy="Export the file again from the instrument.")
    return keywords[keyword]


def _channel(
    name: str,
    version: str,
    keywords: Mapping[str, str],
    number: int,
    timestep: float | None,
    findings: list[Finding],
) -> Channel:
    prefix = f"$P{number}"
    datatype = _datatype(name, version, keywords, f"{prefix}DATATYPE")
    bits = _bits(name, keywords, f"{prefix}B", datatype)
    extent = _range(name, keywords, f"{prefix}R", datatype, bits, findings)
    amplification = _amplification(name, keywords, f"{prefix}E", datatype, findings)
    label = required(name, keywords, f"{prefix}N")
    if not label.strip(" "):
        raise refusal("keyword-missing", name, f"{prefix}N", expected="a name", got="none")
    if amplification and extent <= 0:
        raise refusal("pne-range", name, f"{prefix}R", expected="a number above 0", got=f"{extent:g}")
    gain = _gain(name, keywords, f"{prefix}G")
    is_time = label.strip(" ").casefold() == "time"
    if is_time and amplification and timestep is not None:
        raise refusal("time-logarithmic", name, f"{prefix}E", expected="0,0", got=short(keywords[f"{prefix}E"]))
    if is_time and timestep is None:
        unusable = keywords.get("$TIMESTEP") is not None
        findings.append(finding("timestep-unusable" if unusable else "timestep-missing", f"{prefix}N"))
    if gain != 1.0 and (is_time or amplification):
        code = "gain-on-time" if is_time else "gain-with-log"
        findings.append(finding(code, f"{prefix}G", f"{prefix}G is {keywords[f'{prefix}G'].strip()}"))
        gain = 1.0
    return Channel(
        index=number - 1,
        name=label,
        marker=keywords.get(f"{prefix}S", "").strip(" "),
        bits=bits,
        range=extent,
        gain=gain,
        amplification=amplification,
        datatype=datatype,
        timestep=timestep if is_time else None,
    )


def _datatype(name: str, version: str, keywords: Mapping[str, str], keyword: str) -> str:
    general = required(name, keywords, "$DATATYPE").strip(" ").upper()
    own = keywords.get(keyword, general).strip(" ").upper()
    for value, where in ((general, "$DATATYPE"), (own, keyword)):
        if value not in ("I", "F", "D"):
            got = short(keywords[where])
            raise refusal("datatype-unsupported", name, where, expected="I, F or D", got=got)
    if own != general and version != "3.2":
        raise refusal("datatype-mixed", name, keyword, expected=f"{general} in FCS {version}", got=own)
    return own


def _bits(name: str, keywords: Mapping[str, str], keyword: str, datatype: str) -> int:
    text = required(name, keywords, keyword)
    bits = whole_number(text)
    if datatype in FLOAT_BITS and bits != FLOAT_BITS[datatype]:
        expected = f"{FLOAT_BITS[datatype]} for type {datatype}"
        raise refusal("pnb-datatype", name, keyword, expected=expected, got=short(text))
    # 9 to 15 are let through here: whether they are stored in 16 bits is for the size of DATA to prove.
    if bits is None or not (bits in INTEGER_BITS or 9 <= bits <= 15):
        raise refusal("pnb-unsupported", name, keyword, expected="8, 16, 24, 32 or 64", got=short(text))
    return bits


def _range(
    name: str, keywords: Mapping[str, str], keyword: str, datatype: str, bits: int, findings: list[Finding]
) -> float:
    text = required(name, keywords, keyword)
    value = decimal_number(text)
    if value is None or value < 0 or (datatype == "I" and 0 < value < 1):
        if datatype == "I":
            raise refusal("pnr-malformed", name, keyword, expected="a positive number", got=short(text))
        findings.append(finding("pnr-unusable", keyword, f"got {short(text)}"))
        return math.nan
    if datatype == "I":
        if value == 1:
            raise refusal("pnr-one", name, keyword, expected="0, or a number above 1", got=short(text))
        codes = (
            ("pnr-zero", value == 0),
            ("pnr-above-field", value > 2**bits),
            ("pnr-decimal", whole_number(text) is None),
        )
        detail = f"got {short(text)}"
        findings.extend(finding(code, keyword, detail) for code, applies in codes if applies)
    return value


def _amplification(
    name: str, keywords: Mapping[str, str], keyword: str, datatype: str, findings: list[Finding]
) -> tuple[float, float] | None:
    text = keywords.get(keyword)
    if text is None:
        findings.append(finding("pne-missing", keyword))
        return None
    fields = [decimal_number(field) for field in text.split(",", 3)]
    decades, floor = (fields[0], fields[1]) if len(fields) == 2 else (None, None)
    if decades is None or floor is None or not (0 <= decades <= 30 and 0 <= floor <= 1e30):
        raise refusal("pne-malformed", name, keyword, expected="decades,offset such as 4,1", got=short(text))
    detail = f"got {short(text)}"
    if decades == 0:
        if floor:
            findings.append(finding("pne-zero-decades", keyword, detail))
        return None
    if datatype != "I":
        findings.append(finding("pne-on-float", keyword, detail))
        return None
    if floor == 0:
        findings.append(finding("pne-log-zero", keyword, detail))
    return decades, floor or 1.0


def _gain(name: str, keywords: Mapping[str, str], keyword: str) -> float:
    text = keywords.get(keyword)
    if text is None:
        return 1.0
    gain = decimal_number(text)
    if gain is None or not 1e-30 <= gain <= 1e30:
        raise refusal("png-malformed", name, keyword, expected="a number above 0, as 2.5", got=short(text))
    return gain


def _timestep(name: str, keywords: Mapping[str, str], findings: list[Finding]) -> float | None:
    """Seconds a tick; None where nothing is stated. Words state nothing, a number must be one that can be."""
    text = keywords.get("$TIMESTEP")
    if text is None:
        return None
    timestep = decimal_number(text)
    if timestep is not None and 1e-30 <= timestep <= 1e30:
        return timestep
    if any(character.isdigit() for character in text) or "nan" in text.lower() or "inf" in text.lower():
        expected = "a number above 0, as 0.01"
        raise refusal("timestep-malformed", name, "$TIMESTEP", expected=expected, got=short(text))
    findings.append(finding("timestep-unusable", "$TIMESTEP"))
    return None


def _refuse_repeated_names(name: str, channels: tuple[Channel, ...]) -> None:
    seen: dict[str, int] = {}
    for channel in channels:
        first = seen.setdefault(channel.name, channel.index)
        if first != channel.index:
            raise refusal(
                "name-repeated",
                name,
                f"$P{first + 1}N, $P{channel.index + 1}N",
                expected="a name of its own for each channel",
                got=f"{short(channel.name)} twice",
                remedy="Rename one of them in the instrument's software and export the file again.",
            )
