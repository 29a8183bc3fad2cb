"""One declaration a variable: its dimensions, kind, unit and meaning, for validation, documents and disk alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cytorecon.errors import CubeError

if TYPE_CHECKING:
    import xarray as xr

Kind = Literal["count", "flag", "integer", "number", "text"]

# The order is the code stored in `status`.
STATUS: Mapping[str, int] = {
    "not_sampled": 0,
    "counted": 1,
    "not_measured": 2,
    "not_evaluable": 3,
    "failed": 4,
    "needs_review": 5,
}

DTYPES: Mapping[Kind, str] = {"count": "i4", "flag": "i1", "integer": "i4", "number": "f8", "text": "O"}
MISSING: Mapping[Kind, Any] = {"count": -1, "flag": 0, "integer": -1, "number": np.nan, "text": ""}

_SAMPLE = ("sample",)
_SAMPLE_CELL = ("sample", "population")
_SAMPLE_CUT = ("sample", "cutpoint")
_VISIT = ("patient", "timepoint", "specimen")
_CUBE_CELL = (*_VISIT, "population")
_POPULATION = ("population",)


@dataclass(frozen=True)
class Variable:
    """What one variable of a cube is.

    Parameters
    ----------
    kind
        ``count`` (int32, −1 is uncounted), ``flag`` (int8, see `STATUS`), ``integer`` (int32), ``number``
        (float64, NaN is missing) or ``text`` (empty is missing).
    description
        One sentence, stored with the variable as ``long_name``.
    samples, cube
        Dimensions in the form with one row a sample, and in the cube; None if it has no such variable.
    units
        UCUM; empty for text and flags.
    coordinate
        Whether it is a coordinate rather than a data variable.
    """

    kind: Kind
    description: str
    samples: tuple[str, ...] | None = None
    cube: tuple[str, ...] | None = None
    units: str = ""
    coordinate: bool = False

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes as they are stored."""
        attrs: dict[str, Any] = {"long_name": self.description}
        if self.units:
            attrs["units"] = self.units
        if self.kind == "count":
            attrs["valid_min"] = np.int32(0)
        if self.kind == "flag":
            attrs["flag_values"] = np.array(list(STATUS.values()), dtype="i1")
            attrs["flag_meanings"] = " ".join(STATUS)
        return attrs


def _population(description: str) -> Variable:
    return Variable("text", description, _POPULATION, _POPULATION, coordinate=True)


def _row(kind: Kind, description: str, units: str = "", in_cube: bool = False) -> Variable:
    return Variable(kind, description, _SAMPLE, _VISIT if in_cube else None, units)


VARIABLES: Mapping[str, Variable] = {
    "event_count": Variable(
        "count", "Events in the population; -1 where not counted, see status", _SAMPLE_CELL, _CUBE_CELL, "1"
    ),
    "parent_count": Variable(
        "count", "Events in its parent; -1 where not counted, see status", _SAMPLE_CELL, _CUBE_CELL, "1"
    ),
    "status": Variable("flag", "Whether it was counted, and if not, why", _SAMPLE_CELL, _CUBE_CELL),
    "population": _population("Population: its name where unique, else its path"),
    "path": _population("Names from the root joined by /"),
    "parent": _population("Path of the parent; empty for the root"),
    "definition": _population("What it was counted by"),
    "role": _population("What it is for, for example leukocytes, lymphocytes, beads, nucleated, blasts, mrd"),
    "cell_ontology": _population("Cell Ontology term"),
    "loinc": _population("LOINC code"),
    "sample": Variable(
        "integer", "Row of the group samples; -1 where not sampled", _SAMPLE, _VISIT, coordinate=True
    ),
    "patient": Variable(
        "text", "Patient; a second transplant's days are an entry of their own in the cube", _SAMPLE, ("patient",),
        coordinate=True,
    ),
    "transplant": Variable(
        "integer", "Which transplant days count from", _SAMPLE, ("patient",), "1", coordinate=True
    ),
    "timepoint": Variable(
        "integer", "Nominal day relative to the transplant", None, ("timepoint",), "d", coordinate=True
    ),
    "claimed_timepoint": _row("number", "Nominal day the sheet gives; NaN if it does not", "d"),
    "day": Variable(
        "number", "Actual day relative to the transplant; NaN where not sampled", _SAMPLE, _VISIT, "d",
        coordinate=True,
    ),
    "specimen": Variable("text", "Specimen", _SAMPLE, ("specimen",), coordinate=True),
    "panel": Variable("text", "Which tube", _SAMPLE, coordinate=True),
    "replicate": Variable("integer", "Which acquisition of the sample", _SAMPLE, None, "1", coordinate=True),
    "replicate_count": Variable("count", "Acquisitions pooled; -1 where not sampled", None, _VISIT, "1"),
    "acquired_count": _row("count", "Events in the file; -1 where not read", "1", in_cube=True),
    "wbc_per_ul": _row("number", "White blood cells", "/uL", in_cube=True),
    "lymphocyte_percent": _row("number", "Lymphocytes of white blood cells, by a blood count", "%", in_cube=True),
    "beads_per_tube": _row("number", "Counting beads added to the tube", "1", in_cube=True),
    "sample_volume_ul": _row("number", "Volume stained", "uL", in_cube=True),
    "dilution": _row("number", "Factor by which it was diluted", "1", in_cube=True),
    "bead_lot": _row("text", "Lot of the counting beads", in_cube=True),
    "file": _row("text", "File as the sheet names it"),
    "dataset": _row("integer", "Data set of the file; -1 where it holds one", "1"),
    "sha256": _row("text", "SHA-256 of the file's bytes"),
    "control_for": _row("text", "File this one is a control for"),
    "compensation": _row("text", "Spillover matrix applied; empty if none"),
    "laip": Variable(
        "text", "SHA-256 of the patient's LAIP phenotypes; empty: the template's own", _SAMPLE, coordinate=True
    ),
    "tree": Variable(
        "text", "SHA-256 of the sample's own tree of a workspace; empty: the template's", _SAMPLE, coordinate=True
    ),
    "comment": _row("text", "Comment of the sheet"),
    "extra": _row("text", "Further columns of the sheet, as JSON"),
    "findings": _row("text", "What was accepted and how, as JSON"),
    "error": _row("text", "Why there are no counts; empty if there are"),
    "error_code": _row("text", "The same for programs"),
    "cutpoint": Variable("text", "Cut point", ("cutpoint",), coordinate=True),
    "cutpoint_display": Variable("number", "Its position on the display scale", _SAMPLE_CUT, None, "1"),
    "cutpoint_raw": Variable("number", "Its position in compensated raw units", _SAMPLE_CUT, None, "1"),
    "cutpoint_spread": Variable("number", "Its uncertainty on the display scale", _SAMPLE_CUT, None, "1"),
    "cutpoint_method": Variable("text", "What placed it; empty if it was not placed", _SAMPLE_CUT),
}  # fmt: skip


def dims_of(name: str, form: Literal["samples", "cube"]) -> tuple[str, ...] | None:
    """Dimensions of a variable in one of the two forms; None if the form has no such variable."""
    variable = VARIABLES[name]
    return variable.samples if form == "samples" else variable.cube


def dataset(values: Mapping[str, Any], form: Literal["samples", "cube"], attrs: Mapping[str, Any]) -> xr.Dataset:
    """Put arrays into a Dataset as declared: dimensions, types, attributes, coordinates."""
    import xarray as xr

    data: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        dims = dims_of(name, form)
        if dims is not None:
            array = np.asarray(values[name], dtype=DTYPES[variable.kind])
            if array.dtype.kind == "O" and not array.size:  # which the disk would take for numbers
                array = array.astype("U1")
            (coords if variable.coordinate else data)[name] = (dims, array, variable.attrs)
    return xr.Dataset(data, coords, {"Conventions": "CF-1.11", **attrs})


def validate(cube: xr.Dataset) -> xr.Dataset:
    """Check that a Dataset is what this package calls a cube, in either form, and return it unchanged.

    Parameters
    ----------
    cube
        With dims (patient, timepoint, specimen, population), or (sample, population).

    Raises
    ------
    CubeError
        A variable is missing, or has other dims or another type; a status is unknown; a count contradicts its
        status or exceeds its parent; a coordinate is not sorted or not unique.
    """
    form: Literal["samples", "cube"] = "cube" if "timepoint" in cube.dims else "samples"
    for name in VARIABLES:
        _check_variable(cube, name, form)
    for problem in _count_problems(cube):
        raise CubeError("event_count", problem, remedy="Rebuild the cube from its study.", code="bad-count")
    for name in ("sample",) if form == "samples" else ("patient", "timepoint", "specimen"):
        index = cube.get_index(name)
        if not index.is_unique or (name == "timepoint" and not index.is_monotonic_increasing):
            raise CubeError(name, "is not sorted and unique", code="bad-coordinate")
    if not cube.get_index("population").is_unique:
        raise CubeError("population", "is not unique", code="bad-coordinate")
    return cube


def _check_variable(cube: xr.Dataset, name: str, form: Literal["samples", "cube"]) -> None:
    dims = dims_of(name, form)
    if dims is None:
        return
    if name not in cube.variables:
        raise CubeError(name, f"is missing from the {form}", expected=str(dims), code="missing-variable")
    found = cube[name]
    if found.dims != dims:
        raise CubeError(name, "has other dimensions", expected=str(dims), got=str(found.dims), code="bad-dims")
    expected = DTYPES[VARIABLES[name].kind]
    is_text = expected == "O" and found.dtype.kind in "OUT"
    if not is_text and found.dtype != np.dtype(expected):
        raise CubeError(name, "has another type", expected=expected, got=str(found.dtype), code="bad-type")


def _count_problems(cube: xr.Dataset) -> Iterator[str]:
    status = cube["status"].values
    count, parent = cube["event_count"].values, cube["parent_count"].values
    counted = np.isin(status, [STATUS["counted"], STATUS["needs_review"]])
    none = np.isin(status, [STATUS[name] for name in ("not_sampled", "not_measured", "failed")])
    empty = status == STATUS["not_evaluable"]
    if not np.isin(status, list(STATUS.values())).all():
        yield "has a status that is not declared"
    if (count[none] != -1).any():
        yield "is not -1 where nothing was counted"
    if (count[status == STATUS["counted"]] < 0).any():
        yield "is below 0 where it was counted"
    if (count[empty] != 0).any():
        yield "is not 0 where 0 of 0 is not evaluable"
    if (count[counted & (parent >= 0)] > parent[counted & (parent >= 0)]).any():
        yield "exceeds the count of its parent"
