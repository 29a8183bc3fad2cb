"""One row of a sample sheet as a value that cannot be wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Specimen = Literal["blood", "marrow", "product", "graft", "control"]

# A laboratory reports white cells in steps of 10 or 100/µL; 4.2 or 12 is the same count in 10⁹/L.
LOWEST_PLAUSIBLE_WBC = 100.0

_TYPOGRAPHIC_MINUS = str.maketrans({"−": "-", "–": "-"})
_PER_UL = re.compile(r"\s*/\s*[uµμ]l$", re.IGNORECASE)


def _integer(value: object) -> object:
    """Turn text into a whole number: digits with an optional sign, nothing that int() would also forgive."""
    if not isinstance(value, str):
        return value
    text = value.translate(_TYPOGRAPHIC_MINUS)
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise ValueError("is no whole number; write digits with an optional sign, for example -7 or 30")
    return int(text)


def _number(value: object) -> object:
    """Turn text into a number with a decimal point."""
    if not isinstance(value, str):
        return value
    if "," in value:
        raise ValueError("has a comma; write a decimal point and no thousands separator, for example 4200 or 12.5")
    if not re.fullmatch(r"\+?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", value):
        raise ValueError("is no number; write digits with a decimal point, for example 12.5")
    return float(value)


def _wbc(value: object) -> object:
    """Refuse a count that looks like 10⁹/L, unless the cell itself says ``/uL``."""
    said = isinstance(value, str) and _PER_UL.search(value) is not None
    number = _number(_PER_UL.sub("", value) if isinstance(value, str) else value)
    if isinstance(number, int | float) and not said:
        too_low = 0 < number < LOWEST_PLAUSIBLE_WBC
        if too_low or (number < 1000 and number != int(number)):
            raise ValueError(
                "looks like 10⁹/L, but this column is in 1/µL; multiply by 1000, "
                f"or write {number:g}/uL if the count is that low"
            )
    return number


Integer = Annotated[int, BeforeValidator(_integer)]
Day = Annotated[Integer, Field(ge=-36_500, le=36_500)]
Ordinal = Annotated[Integer, Field(ge=1, le=100_000)]
Positive = Annotated[float, BeforeValidator(_number), Field(gt=0, le=1e9, allow_inf_nan=False)]
Wbc = Annotated[float, BeforeValidator(_wbc), Field(gt=0, le=2_000_000, allow_inf_nan=False)]
Percent = Annotated[float, BeforeValidator(_number), Field(gt=0, le=100, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Sample(BaseModel):
    """One row of a sample sheet: one file (or one data set of a file), and what it is.

    A sample is identified by (`patient`, `transplant`, `day`, `specimen`, `panel`, `replicate`).

    Parameters
    ----------
    file
        Absolute path.
    file_name
        The path as the sheet has it.
    dataset
        Which data set of the file, counted from 1; None where it holds one.
    patient
        The patient's identifier.
    transplant
        Which transplant `day` counts from, 1 for the first.
    timepoint
        Nominal day relative to the transplant; None if the sheet does not say.
    day
        Actual day relative to the transplant (day 0), signed.
    specimen
        ``blood``, ``marrow``, ``product``, ``graft`` or ``control``.
    panel
        Which tube; may be empty.
    replicate
        Which of several acquisitions of one sample, which are pooled.
    control_for
        `file_name` of the row this one is a control for; may be empty.
    compensation
        ``file``, ``none``, a matrix of the template, or a CSV file; empty: as the template says.
    compensation_file
        Absolute path where `compensation` is a CSV file, else None.
    laip
        The patient's LAIP file (TOML); empty: the phenotypes of the template.
    laip_file
        Its absolute path; None if there is none.
    wbc_per_ul
        White blood cells per µL; None if not measured.
    lymphocyte_percent
        Lymphocytes in percent of white blood cells, from a blood count; None if not measured.
    beads_per_tube, sample_volume_ul, dilution, bead_lot
        Counting beads added, blood volume stained, factor by which it was diluted, and the lot.
    comment
        Free text.
    extra
        Columns this version does not know, as text.
    sheet
        Absolute path of the sheet; None if there was none.
    row
        Row of the sheet as a spreadsheet shows it (the header is row 1); 0 if there was no sheet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path
    file_name: Annotated[Text, Field(min_length=1)]
    dataset: Ordinal | None = None
    patient: Annotated[Text, Field(min_length=1)]
    transplant: Ordinal = 1
    timepoint: Day | None = None
    day: Day
    specimen: Specimen
    panel: Text = ""
    replicate: Ordinal = 1
    control_for: Text = ""
    compensation: Text = ""
    compensation_file: Path | None = None
    laip: Text = ""
    laip_file: Path | None = None
    wbc_per_ul: Wbc | None = None
    lymphocyte_percent: Percent | None = None
    beads_per_tube: Positive | None = None
    sample_volume_ul: Positive | None = None
    dilution: Positive = 1.0
    bead_lot: Text = ""
    comment: Annotated[str, Field(max_length=10_000)] = ""
    extra: dict[str, str] = Field(default_factory=dict)
    sheet: Path | None = None
    row: int = 0

    @property
    def identity(self) -> tuple[str, int, int, str, str, int]:
        """What makes it this sample and no other."""
        return (self.patient, self.transplant, self.day, self.specimen, self.panel, self.replicate)


# Fields that are no columns: what follows from the columns, and where the row stands.
DERIVED = ("file", "compensation_file", "laip_file", "sheet", "row")
COLUMNS = tuple(name for name in Sample.model_fields if name == "file" or name not in (*DERIVED, "file_name", "extra"))
