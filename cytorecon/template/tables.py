"""The tables of a template file as a person writes them, and what each turns into."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytorecon.errors import CytoreconError, TemplateError


class Table(BaseModel):
    """A table with known keys only, values of exactly the type written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


T = TypeVar("T", bound=Table)
Bound = float | list[float]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ChannelTable(Table):
    """A dimension that overrides its channel's scale or compensation."""

    channel: Name
    scale: dict[str, object] | None = None
    compensation: Name | None = None


class RatioTable(Table):
    """A dimension that divides one channel by another: a (x - b) / (y - c)."""

    numerator: Name
    denominator: Name
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    scale: dict[str, object] | None = None
    compensation: Name | None = None


Channels = list[Name | ChannelTable | RatioTable]


class RangeTable(Table):
    """One channel between two bounds."""

    type: Literal["range"]
    channels: Name | Channels
    min: Bound = -math.inf
    max: Bound = math.inf
    closed: bool = False


class RectangleTable(Table):
    """Each of several channels between two bounds."""

    type: Literal["rectangle"]
    channels: Channels
    min: list[float] | None = None
    max: list[float] | None = None
    closed: bool = False


class PolygonTable(Table):
    """Two channels inside a polygon, by the even-odd rule."""

    type: Literal["polygon"]
    channels: Channels
    vertices: list[list[float]]
    closed: bool = False


class EllipseTable(Table):
    """Two or more channels inside an ellipsoid."""

    type: Literal["ellipse"]
    channels: Channels
    mean: list[float]
    covariance: list[list[float]]
    distance_square: float = 1.0
    indefinite: bool = False


class PlacedTable(Table):
    """Two channels or more inside a gate that a method draws; further keys are its parameters."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, defer_build=True)

    type: Literal["placed"]
    channels: Channels
    method: Name
    on: str | None = None


class ThresholdTable(Table):
    """One side of a cut on one channel, without a named cut point."""

    channel: Name | ChannelTable | RatioTable
    at: float
    sign: Literal["+", "-"]


class PartTable(Table):
    """One named part of a quadrant gate, with what a population carries."""

    name: Name
    role: str = ""
    cell_ontology: str = ""
    loinc: str = ""
    reference: str = ""
    definition: str = ""


class QuadrantTable(Table):
    """Several populations at once: the parts into which dividers cut the parent."""

    channels: Channels
    dividers: list[Bound]
    names: list[Name] = []
    parts: dict[str, Name | PartTable]


class PopulationTable(Table):
    """One [[population]]."""

    name: Name | None = None
    parent: str = ""
    phenotype: str | None = None
    gate: dict[str, object] | None = None
    boolean: object = None
    quadrant: QuadrantTable | None = None
    role: str = ""
    cell_ontology: str = ""
    loinc: str = ""
    reference: str = ""
    definition: str = ""
    optional: bool = False
    transparent: bool = False


class CutpointTable(Table):
    """One [cutpoint.NAME]; further keys are parameters of its method."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, defer_build=True)

    marker: Name | None = None
    at: float | None = None
    method: Name | None = None
    on: str | None = None
    within: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None


class MatrixTable(Table):
    """One [matrix.NAME]: a row a fluorochrome, a column a detector."""

    detectors: list[Name]
    fluorochromes: list[Name] | None = None
    values: list[list[float]]


class Document(Table):
    """A whole template file."""

    name: Name
    version: Name
    title: str = ""
    reference: str = ""
    compensation: Name = "file"
    matrix: dict[str, MatrixTable] = {}
    markers: dict[str, list[Name]] = {}
    scales: dict[str, dict[str, object]] = {}
    cutpoint: dict[str, CutpointTable] = {}
    quality: dict[str, dict[str, object]] = {}
    population: list[PopulationTable] = []


def parse_table(model: type[T], data: object, where: str) -> T:
    """Read data into a table.

    Raises
    ------
    TemplateError
        A key is unknown or missing, or a value has the wrong type; the message names the field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _explained(error, data, where) from error


def _explained(error: ValidationError, data: object, where: str) -> TemplateError:
    """Turn the first complaint into where, problem, expected and got."""
    first = error.errors(include_url=False)[0]
    *outer, last = first["loc"] or ("",)
    place = ", ".join(filter(None, [where, *_steps(outer, data)]))
    if first["type"] == "extra_forbidden":
        return TemplateError(
            place, f"has an unknown key {last!r}", remedy="Delete it, or mend its spelling.", code="unknown-key"
        )
    if first["type"] == "missing":
        return TemplateError(place, f"lacks {last!r}", remedy=f"Add {last} = …", code="missing-key")
    got = str(first["input"])[:80]
    return TemplateError(
        place, f"{last!r} has a wrong value", expected=_plain(first["msg"]), got=got, code="wrong-value"
    )


def _steps(loc: Iterable[int | str], data: object) -> Iterator[str]:
    """Name the way to a field: an entry of a list by its own name where it has one, else by its number.

    A step that only pydantic sees, such as the member of a union, leads nowhere in the data and is left out.
    """
    for key in loc:
        if isinstance(data, Mapping) and key in data:
            data = data[key]
            yield str(key)
        elif isinstance(data, list) and isinstance(key, int):
            data = data[key]
            named = isinstance(data, Mapping) and isinstance(data.get("name"), str)
            yield repr(data["name"]) if isinstance(data, Mapping) and named else f"number {key + 1}"


def _plain(message: str) -> str:
    """Pydantic's words without their opening."""
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


@contextmanager
def located(where: str, keep: bool = False) -> Iterator[None]:
    """Put `where` before the place that an error from inside names, and make it an error of the template.

    Parameters
    ----------
    where
        File, population or field.
    keep
        True leaves other errors (`SpilloverError`, …) of their own kind.

    Raises
    ------
    TemplateError
        Whatever went wrong inside; a `GateError` stays one.
    """
    try:
        yield
    except CytoreconError as error:
        kind = type(error) if keep or isinstance(error, TemplateError) else TemplateError
        raise kind(
            ", ".join(filter(None, [where, error.where])),
            error.problem,
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
            code=error.code,
        ) from error
