"""What keywords are called, which of them name a person, and the numbers they hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

PARAMETER = re.compile(r"\$P([0-9]+)([A-Z]+[0-9]*)", re.ASCII)

# The attributes of one parameter, $Pn…, of FCS 2.0 to 3.2.
ATTRIBUTES = frozenset("BDEFGLNOPRSTV") | {"ANALYTE", "CALIBRATION", "DATATYPE", "DET", "FEATURE", "TAG", "TYPE"}

# Standard keywords whose value is free text about the specimen, its donor or the people at the instrument.
IDENTIFYING = frozenset(
    {
        "$CARRIERID",
        "$CARRIERTYPE",
        "$CELLS",
        "$COM",
        "$CSMODE",
        "$EXP",
        "$FIL",
        "$INST",
        "$INSTADDRESS",
        "$LAST_MODIFIER",
        "$LOCATIONID",
        "$OP",
        "$PLATEID",
        "$PLATENAME",
        "$PROJ",
        "$RUNNUMBER",
        "$SMNO",
        "$SRC",
        "$SYS",
        "$UNSTAINEDINFO",
        "$WELLID",
    }
)

# Standard keywords that are never identifying: everything decoding, and so every error, depends on.
_PUBLIC = re.compile(
    r"\$(PAR|TOT|MODE|DATATYPE|BYTEORD|NEXTDATA|(BEGIN|END)(DATA|STEXT|ANALYSIS|TEXT)|TIMESTEP|UNICODE"
    r"|CYT|CYTSN|DATE|BTIM|ETIM|BEGINDATETIME|ENDDATETIME|ABRT|LOST|TR|VOL|FLOWRATE|SPILLOVER|SPILL|COMP"
    r"|DFC[0-9]+TO[0-9]+|CSV[0-9]+BITS|CSTOT|GATE|G[0-9]+[A-Z]|R[0-9]+[IW]|GATING|LAST_MODIFIED|ORIGINALITY"
    r"|PK[0-9]+|PKN[0-9]+|P[0-9]+[A-Z]+[0-9]*)",
    re.ASCII,
)
# Vendor keywords are shown only when they set up the instrument and nothing in their name hints at a person.
_VENDOR_PUBLIC = re.compile(
    r"SPILL|APPLY COMPENSATION|THRESHOLD|WINDOW EXTENSION|CREATOR|CYTOMETER CONFIG.*|FSC ASF|AUTOBS"
    r"|P[0-9]+(BS|MS|DISPLAY)|LASER[0-9]+(NAME|DELAY|ASF)|CST .*|FCSVERSION|SCALE[0-9]*|GUID_VERSION",
    re.ASCII,
)

_WHOLE = re.compile(r" *([0-9]{1,30}) *", re.ASCII)
_DECIMAL = re.compile(r" *([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?) *", re.ASCII)


def is_public(keyword: str) -> bool:
    """Whether the value of this keyword may be shown, logged or stored: only what is known to name nobody."""
    if keyword.startswith("$"):
        return keyword not in IDENTIFYING and _PUBLIC.fullmatch(keyword) is not None
    return _VENDOR_PUBLIC.fullmatch(keyword) is not None


def public(keywords: Mapping[str, str]) -> dict[str, str]:
    """The keywords that carry no patient identifier: unknown ones count as identifying."""
    return {keyword: value for keyword, value in keywords.items() if is_public(keyword)}


def quoted(keyword: str) -> str:
    """A keyword as an error may name it: a misread TEXT can put a patient's name in a keyword's place."""
    return keyword if is_public(keyword) or keyword in IDENTIFYING else "a vendor keyword"


def whole_number(text: str) -> int | None:
    """The number that ASCII digits and surrounding blanks spell, else None."""
    match = _WHOLE.fullmatch(text)
    return int(match[1]) if match else None


def decimal_number(text: str) -> float | None:
    """The finite number that a plain decimal (point, optional exponent) spells, else None."""
    match = _DECIMAL.fullmatch(text) if len(text) <= 100 else None
    value = float(match[1]) if match else math.nan
    return value if math.isfinite(value) else None


def short(text: str) -> str:
    """A value as a message quotes it: one line, at most 40 characters."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
