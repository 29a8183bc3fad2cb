"""Gates, dimensions and scales between the tables of a template file and their values, both ways."""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cytorecon.errors import TemplateError
from cytorecon.gates import (
    AnyDimension,
    Dimension,
    EllipseGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    QuadrantPart,
    RangeGate,
    RatioDimension,
    RectangleGate,
    Threshold,
)
from cytorecon.template.placed import PlacedGate
from cytorecon.template.tables import (
    Bound,
    Channels,
    ChannelTable,
    EllipseTable,
    PartTable,
    PlacedTable,
    PolygonTable,
    QuadrantTable,
    RangeTable,
    RatioTable,
    RectangleTable,
    Table,
    ThresholdTable,
    located,
    parse_table,
)
from cytorecon.transforms import Transform, to_mapping, transform_from

Written = dict[str, object]

# Intervals of a quadrant's dimension that has more than one divider.
_DIGITS = string.digits + string.ascii_letters

GATE_TABLES: dict[str, type[Table]] = {
    "range": RangeTable,
    "rectangle": RectangleTable,
    "polygon": PolygonTable,
    "ellipse": EllipseTable,
    "placed": PlacedTable,
}


def parameter_from(value: object, where: str) -> object:
    """Freeze a parameter of a method: numbers, text, truth values and arrays of them.

    Raises
    ------
    TemplateError
        It is none of these.
    """
    match value:
        case list():
            return tuple(parameter_from(item, where) for item in value)
        case bool() | str() | int():
            return value
        case float() if math.isfinite(value):
            return value
    raise TemplateError(
        where, "cannot be a parameter", got=str(value)[:60], expected="a number, text, true, false or an array"
    )


def scale_from(table: Mapping[str, object], where: str) -> Transform:
    """Read the table of a scale.

    Raises
    ------
    TemplateError
        The type or a parameter is unknown, or the parameters describe no scale.
    """
    with located(""):
        return transform_from(table, where)


def gate_from(data: Mapping[str, object]) -> Gate:
    """Read the table of a gate.

    Raises
    ------
    TemplateError
        Its type or a key is unknown or missing.
    GateError
        Its geometry is degenerate.
    """
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in GATE_TABLES:
        raise TemplateError(
            "gate",
            f"has an unknown type {kind!r}",
            expected=", ".join(GATE_TABLES),
            code="gate-type",
            remedy="A quadrant is written quadrant = { … } in place of gate.",
        )
    table = parse_table(GATE_TABLES[kind], data, "gate")
    match table:
        case RangeTable():
            return _range(table)
        case RectangleTable():
            dimensions = _dimensions(table.channels)
            return RectangleGate(
                dimensions,
                _bounds(table.min, "min", -math.inf, len(dimensions)),
                _bounds(table.max, "max", math.inf, len(dimensions)),
                closed=table.closed,
            )
        case PolygonTable():
            return PolygonGate(_dimensions(table.channels), _points(table.vertices), closed=table.closed)
        case EllipseTable():
            return EllipseGate(
                _dimensions(table.channels),
                tuple(table.mean),
                tuple(tuple(row) for row in table.covariance),
                table.distance_square,
                table.indefinite,
            )
        case PlacedTable():
            parameters = {
                key: parameter_from(value, f"gate, {key}") for key, value in (table.model_extra or {}).items()
            }
            return PlacedGate(_dimensions(table.channels), table.method, table.on, parameters)
    raise AssertionError(kind)  # every entry of GATE_TABLES has its case above


def threshold_from(data: Mapping[str, object]) -> Threshold:
    """Read the table of one side of a cut.

    Raises
    ------
    TemplateError
        A key is unknown or missing.
    """
    table = parse_table(ThresholdTable, data, "threshold")
    return Threshold(_dimension(table.channel), table.at, table.sign == "+")


def threshold_table(threshold: Threshold) -> Written:
    """Write one side of a cut."""
    sign = "+" if threshold.positive else "-"
    return Written(channel=_channel(threshold.dimension), at=threshold.cut, sign=sign)


def quadrant_parts(table: QuadrantTable, where: str) -> Iterator[tuple[QuadrantPart, PartTable]]:
    """Read the table of a quadrant gate: its named parts, each a gate of its own.

    Raises
    ------
    TemplateError
        A part is not written as one sign (or number of an interval, or ``*`` for all) a channel.
    GateError
        Dividers are no finite ascending numbers, or an interval does not exist.
    """
    with located(f"{where}, quadrant"):
        dividers = tuple(_divided(divider) for divider in table.dividers)
        gate = QuadrantGate(_dimensions(table.channels), dividers, tuple(table.names))
        for key, part in table.parts.items():
            numbers = [number for pattern in key.split(",") for number in _part_numbers(gate, pattern.strip())]
            yield (
                QuadrantPart(gate, tuple(numbers)),
                PartTable(name=part) if isinstance(part, str) else part,
            )


def _part_numbers(gate: QuadrantGate, pattern: str) -> tuple[int, ...]:
    intervals = {"-": 0, "+": 1, "*": None} | {digit: number for number, digit in enumerate(_DIGITS)}
    signed = all(len(values) == 1 for values in gate.dividers) or not set(pattern) & {"+", "-"}
    if len(pattern) != len(gate.dimensions) or not signed or not set(pattern) <= intervals.keys():
        raise TemplateError(
            f"part {pattern!r}",
            "cannot be read",
            code="bad-part",
            expected='one character a channel: "+", "-", "*" for both; with several dividers 0, 1, … for the intervals',
        )
    return gate.parts_where([intervals[character] for character in pattern])


def part_key(part: QuadrantPart) -> str:
    """Write which parts of its gate these are, as `quadrant_parts` reads it."""
    letters = "-+" if max(part.gate.shape) == 2 else _DIGITS
    places = [np.unravel_index(number, part.gate.shape) for number in part.parts]
    return ",".join("".join(letters[int(interval)] for interval in place) for place in places)


def gate_table(gate: Gate) -> Written:
    """Write a gate as the table that `gate_from` reads.

    Raises
    ------
    TemplateError
        A template file has no words for this gate.
    """
    channels = [_channel(dimension) for dimension in gate.dimensions]
    closed = Written(closed=True) if getattr(gate, "closed", False) else Written()
    match gate:
        case RangeGate():
            return Written(type="range", channels=channels, min=gate.minimum, max=gate.maximum) | closed
        case RectangleGate():
            bounds = Written(min=list(gate.minimums), max=list(gate.maximums))
            return Written(type="rectangle", channels=channels) | bounds | closed
        case PolygonGate():
            return Written(type="polygon", channels=channels, vertices=[*map(list, gate.vertices)]) | closed
        case EllipseGate():
            shape = Written(mean=list(gate.mean), covariance=[*map(list, gate.covariance)])
            size = Written(distance_square=gate.distance_square) | ({"indefinite": True} if gate.indefinite else {})
            return Written(type="ellipse", channels=channels) | shape | size
        case PlacedGate():
            on = {} if gate.on is None else {"on": gate.on}
            return Written(type="placed", channels=channels, method=gate.method) | on | dict(gate.parameters)
    raise TemplateError(type(gate).__name__, "cannot be written to a template file", expected=", ".join(GATE_TABLES))


def quadrant_table(gate: QuadrantGate) -> Written:
    """Write a quadrant gate, without its parts."""
    names = {"names": list(gate.names)} if gate.names else {}
    channels = [_channel(dimension) for dimension in gate.dimensions]
    return Written(channels=channels, dividers=[*map(list, gate.dividers)]) | names


def _channel(dimension: AnyDimension) -> str | dict[str, object]:
    """Write a dimension: its channel's name alone unless it overrides something."""
    overrides: dict[str, object] = {} if dimension.scale is None else {"scale": to_mapping(dimension.scale)}
    if dimension.compensation is not None:
        overrides["compensation"] = dimension.compensation
    if isinstance(dimension, RatioDimension):
        ends = {"numerator": dimension.numerator, "denominator": dimension.denominator}
        return ends | {"a": dimension.a, "b": dimension.b, "c": dimension.c} | overrides
    return {"channel": dimension.channel} | overrides if overrides else dimension.channel


def _dimensions(channels: Channels) -> tuple[AnyDimension, ...]:
    return tuple(map(_dimension, channels))


def _dimension(item: object) -> AnyDimension:
    match item:
        case RatioTable():
            scale = None if item.scale is None else scale_from(item.scale, "scale")
            ends = (item.numerator, item.denominator, item.a, item.b, item.c)
            return RatioDimension(*ends, scale=scale, compensation=item.compensation)
        case ChannelTable():
            scale = None if item.scale is None else scale_from(item.scale, "scale")
            return Dimension(item.channel, scale, item.compensation)
    return Dimension(str(item))


def _range(table: RangeTable) -> RangeGate:
    channels = [table.channels] if isinstance(table.channels, str) else table.channels
    if len(channels) != 1:
        raise TemplateError("gate, channels", "are too many for a range", expected="one", got=str(len(channels)))
    (lowest,) = _bounds(table.min, "min", -math.inf, 1)
    (highest,) = _bounds(table.max, "max", math.inf, 1)
    return RangeGate(_dimension(channels[0]), lowest, highest, closed=table.closed)


def _bounds(bound: Bound | None, key: str, default: float, count: int) -> tuple[float, ...]:
    """Bring bounds to one number a dimension."""
    if bound is None:
        return (default,) * count
    bounds = _divided(bound)
    if len(bounds) != count:
        raise TemplateError(
            f"gate, {key}", "has the wrong number of bounds", expected=f"{count}, one a channel", got=str(len(bounds))
        )
    return bounds


def _divided(bound: Bound) -> tuple[float, ...]:
    return tuple(bound) if isinstance(bound, list) else (bound,)


def _points(vertices: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    for index, vertex in enumerate(vertices, 1):
        if len(vertex) != 2:
            raise TemplateError(f"gate, vertex {index}", "is no point", expected="[x, y]", got=str(list(vertex)))
    return tuple((x, y) for x, y in vertices)
