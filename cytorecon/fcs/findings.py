"""The one table of everything that is accepted with a finding, and of everything that is refused.

A code is a stable name: results, tests and documents quote it. ``docs/fcs.md`` is checked against this table.
"""

from __future__ import annotations

from typing import NamedTuple

from cytorecon.errors import FcsError, Finding, Severity


class Deviation(NamedTuple):
    """A departure from the standard that has one safe reading.

    Parameters
    ----------
    severity
        ``info`` where no number could change, ``warning`` where one could have, ``review`` where a person must look.
    found
        What the file does, as a clause.
    assumed
        What is done about it.
    why
        Why this is the one safe reading.
    """

    severity: Severity
    found: str
    assumed: str
    why: str


DEVIATIONS: dict[str, Deviation] = {
    # HEADER and segments
    "header-data-zero": Deviation(
        "info",
        "HEADER gives no DATA offsets, though DATA lies before byte 99,999,999",
        "those in TEXT are used",
        "only TEXT states a place, and it holds $TOT rows",
    ),
    "header-text-offset-disagree": Deviation(
        "warning",
        "HEADER and TEXT place DATA differently",
        "the one that fits is used",
        "only one of the two lies in the file, clear of the other segments, and holds $TOT rows",
    ),
    "data-offsets-missing": Deviation(
        "info",
        "TEXT lacks $BEGINDATA or $ENDDATA",
        "the offsets in HEADER are used",
        "HEADER alone states a place and it holds $TOT rows",
    ),
    "end-exclusive": Deviation(
        "info",
        "the end of DATA is one too large",
        "the byte at the end is not DATA",
        "$TOT rows from the beginning end exactly one byte before it",
    ),
    "analysis-unusable": Deviation(
        "info",
        "the ANALYSIS offsets are blank, reversed or beyond the file",
        "there is no ANALYSIS",
        "ANALYSIS holds no events and is not read",
    ),
    "stext-offsets-missing": Deviation(
        "info",
        "$BEGINSTEXT or $ENDSTEXT is missing",
        "there is no supplemental TEXT",
        "nothing says where one would be",
    ),
    "stext-inside-text": Deviation(
        "info",
        "supplemental TEXT is given as a part of TEXT",
        "it is not read a second time",
        "its bytes have been read as TEXT already",
    ),
    "stext-archive": Deviation(
        "info",
        "a ZIP archive is given as supplemental TEXT",
        "there is no supplemental TEXT",
        "the bytes begin with the signature of ZIP, not with the delimiter of TEXT, which the standard requires",
    ),
    "nextdata-missing": Deviation(
        "info", "$NEXTDATA is missing", "this is the last data set", "nothing says where another would be"
    ),
    "nextdata-beyond": Deviation(
        "warning",
        "$NEXTDATA points to or beyond the end of the file",
        "this is the last data set",
        "there are no bytes that another could be read from",
    ),
    "crc-mismatch": Deviation(
        "warning",
        "the CRC behind the last segment is not that of the bytes",
        "the events are used as they are",
        "writers differ in how they compute it, so it cannot tell damage from custom; sizes have been checked",
    ),
    # TEXT
    "text-unterminated": Deviation(
        "warning",
        "TEXT does not end with its delimiter",
        "the last value ends where TEXT ends",
        "nothing but padding follows up to the next segment, so no part of the value can lie outside",
    ),
    "text-doubled-end": Deviation(
        "warning",
        "TEXT ends with two delimiters",
        "the first ends the last value",
        "a value that ends with an escaped delimiter and is never closed would break two rules, not one",
    ),
    "text-padded": Deviation(
        "info", "blanks or NULs follow the final delimiter of TEXT", "they are padding", "no keyword is blank"
    ),
    "text-end-short": Deviation(
        "warning",
        "the end of TEXT is one too small",
        "the next byte, the final delimiter, belongs to TEXT",
        "the value is closed by exactly that byte",
    ),
    "text-end-long": Deviation(
        "warning",
        "the end of TEXT is one too large",
        "the byte behind the final delimiter is not TEXT",
        "a keyword of one byte without a value cannot be meant",
    ),
    "text-empty-value": Deviation(
        "warning",
        "a value is empty",
        "the keyword has an empty value and the next keyword begins behind it",
        "two delimiters behind a keyword cannot be an escape: no keyword of the standard holds a delimiter",
    ),
    "text-value-delimiter": Deviation(
        "info",
        "a value begins with a delimiter",
        "the delimiter behind the keyword ends it, the doubled ones that follow are the value's",
        "no keyword of the standard ends with a delimiter, and no other reading leaves a keyword for each value",
    ),
    "text-latin-1": Deviation(
        "info",
        "a value is not UTF-8",
        "this value alone is read as Latin-1",
        "Latin-1 gives every byte a character; the other values are untouched",
    ),
    "keyword-blank": Deviation(
        "info",
        "blanks surround a standard keyword",
        "they are padding",
        "without them it is a keyword of the standard, with them it is none",
    ),
    "keyword-leading-zero": Deviation(
        "info", "a parameter number has leading zeros", "$P02N is $P2N", "a number has one value"
    ),
    "keyword-repeated": Deviation("info", "a keyword is repeated", "it is read once", "all its values are the same"),
    "mode-missing": Deviation(
        "info", "$MODE is missing", "the data are a list of events", "DATA holds exactly $TOT rows of $PAR values"
    ),
    "tot-missing": Deviation(
        "warning",
        "$TOT is missing",
        "DATA is filled with whole rows",
        "its size is an exact multiple of the row size",
    ),
    "byteord-blank": Deviation(
        "info", "$BYTEORD holds blanks", "they are ignored", "the order of the bytes is not in the blanks"
    ),
    # parameters
    "pnb-storage-16": Deviation(
        "warning",
        "$PnB is 9 to 15 bits",
        "each value is stored in 16 bits",
        "$TOT rows fill DATA exactly in 16-bit fields and would not if bits were packed",
    ),
    "pnr-zero": Deviation(
        "warning", "$PnR is 0", "no bits are masked", "a mask of no bits would leave no value at all"
    ),
    "pnr-above-field": Deviation(
        "info",
        "$PnR is larger than its field can hold",
        "no bits are masked",
        "every bit of the field is within the range",
    ),
    "pnr-decimal": Deviation(
        "info",
        "$PnR of integers is written as a decimal number",
        "its value counts",
        "the mask is the next power of two, which is the same",
    ),
    "pnr-unusable": Deviation(
        "warning",
        "$PnR of a floating-point channel is no positive number",
        "the channel's range is not known (NaN)",
        "the range of a floating-point channel takes no part in its values",
    ),
    "pne-missing": Deviation("info", "$PnE is missing", "the channel is linear", "nothing states an amplification"),
    "pne-log-zero": Deviation(
        "warning",
        "$PnE is f1,0 with f1 above 0",
        "it is read as f1,1",
        "the standard says so for this very mistake (FCS 3.1, doi:10.1002/cyto.a.20825)",
    ),
    "pne-zero-decades": Deviation(
        "info", "$PnE is 0,f2", "the channel is linear", "zero decades is what the standard calls linear"
    ),
    "pne-on-float": Deviation(
        "warning",
        "$PnE names a logarithmic amplification of floating-point data",
        "it is not applied",
        "the standard allows only 0,0 there: floating-point data are linear",
    ),
    "gain-with-log": Deviation(
        "review",
        "$PnG is not 1 on a logarithmic channel",
        "the gain is not applied",
        "the standard gives $PnG a meaning on linear channels only",
    ),
    "gain-on-time": Deviation(
        "info",
        "$PnG is not 1 on the time channel",
        "the gain is not applied",
        "dividing by it would cancel $TIMESTEP; time is ticks times $TIMESTEP",
    ),
    "timestep-missing": Deviation(
        "info", "there is a time channel but no $TIMESTEP", "time stays in ticks", "nothing states a unit"
    ),
    "timestep-unusable": Deviation(
        "warning",
        "$TIMESTEP is blank or no number",
        "time stays in ticks",
        "it states no unit; no other channel depends on it",
    ),
    "spillover-disagree": Deviation(
        "review",
        "the file holds several spillover matrices that differ",
        "the first of $SPILLOVER, $SPILL, SPILL, $COMP is used",
        "$SPILLOVER is the standard's own keyword",
    ),
    # values, found while decoding
    "mask-drops-bits": Deviation(
        "review",
        "values of an integer channel have bits above the range of $PnR",
        "those bits are masked",
        "the standard says so (FCS 3.1, doi:10.1002/cyto.a.20825); a range stated too small would be the other reading",
    ),
    "values-not-finite": Deviation(
        "warning",
        "a channel holds NaN or infinite values",
        "they are kept as they are",
        "an event without a finite value is in no gate; nothing may be put in its place",
    ),
}

REFUSALS: dict[str, str] = {
    # the file
    "file-unreadable": "the file cannot be opened",
    "file-changed": "the file has changed since its HEADER was read",
    "file-empty": "the file is empty",
    "file-gzip": "the file is compressed, not FCS",
    "file-not-fcs": "the file is not FCS",
    "file-short": "the file ends within its HEADER",
    "version-unknown": "the FCS version is unknown",
    "header-malformed": "HEADER is not digits and blanks",
    "header-text": "HEADER does not place TEXT inside the file",
    # TEXT
    "text-delimiter": "the first byte of TEXT cannot be a delimiter",
    "text-cut": "the end of TEXT cuts into its keywords",
    "text-keyword-without-value": "a keyword of TEXT has no name or no value",
    "keyword-conflict": "a keyword has two different values",
    "keyword-missing": "a required keyword is missing",
    "keyword-not-a-number": "a keyword is not the number it has to be",
    "stext-place": "supplemental TEXT overlaps another segment or lies beyond the file",
    "par-mismatch": "a parameter beyond $PAR is described",
    # DATA
    "data-place": "DATA overlaps another segment or is not placed at all",
    "data-truncated": "DATA goes beyond the end of the file",
    "data-size": "the size of DATA is not $TOT rows",
    "data-offset-ambiguous": "HEADER and TEXT place DATA differently and both could be right",
    "mode-unsupported": "only list mode can be read",
    "datatype-unsupported": "the data type cannot be read",
    "datatype-mixed": "$PnDATATYPE differs from $DATATYPE in a version that has no mixed types",
    "byteord-unknown": "the byte order is none that can be decoded",
    "byteord-width": "the byte order does not say how fields of this width are stored",
    "pnb-unsupported": "the field width cannot be decoded",
    "pnb-datatype": "the field width does not fit the data type",
    "pnr-malformed": "the range of an integer channel is not a positive number",
    "pnr-one": "a range of 1 masks every value of an integer channel to 0",
    "pne-malformed": "the amplification is not two numbers",
    "pne-range": "a logarithmic amplification needs a range above 0",
    "png-malformed": "the gain is not a positive decimal number",
    "timestep-malformed": "the time step is not a positive decimal number",
    "time-logarithmic": "a time channel has a logarithmic amplification and a time step",
    "name-repeated": "two channels have one name",
    "integer-above-2-53": "an integer above 2^53 has no exact float64",
    # several data sets
    "dataset-not-named": "the file holds several data sets",
    "dataset-unknown": "the file has no such data set",
    "nextdata-broken": "$NEXTDATA does not lead to a data set behind this one",
}


def finding(code: str, where: str = "", detail: str = "") -> Finding:
    """The finding of a code; ``detail`` may quote values of non-identifying keywords only."""
    deviation = DEVIATIONS[code]
    found = f"{deviation.found} ({detail})" if detail else deviation.found
    return Finding(code, f"{found}; {deviation.assumed}.", deviation.severity, where)


def refusal(code: str, file: str, where: str = "", *, expected: str = "", got: str = "", remedy: str = "") -> FcsError:
    """The error of a code; ``got`` may quote values of non-identifying keywords only."""
    place = f"{file}, {where}" if where else file
    return FcsError(place, REFUSALS[code], expected=expected, got=got, remedy=remedy, code=code)
