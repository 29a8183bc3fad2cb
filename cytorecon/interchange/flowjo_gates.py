"""Gates, scales and matrices of one sample of a FlowJo 10 workspace.

FlowJo writes the corners of rectangles and polygons in linear units and points of ellipses in 256ths of its axes.
Edges are closed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytorecon.compensation import Spillover
from cytorecon.errors import InterchangeError
from cytorecon.gates import Dimension, EllipseGate, Gate, PolygonGate, RangeGate, RectangleGate
from cytorecon.interchange.naming import translating
from cytorecon.interchange.xmlfile import (
    MAX_VERTICES,
    Element,
    child,
    children,
    local_name,
    need,
    number,
    optional_number,
)
from cytorecon.transforms import Asinh, Biex, FlowJoLog, Linear, Logicle, Transform

_TIME = "time"
ELLIPSE_UNITS = 256.0


class _Axis(NamedTuple):
    """How FlowJo draws one parameter: a scale, and for a linear one the values at both ends."""

    scale: Transform
    low: float = 0.0
    high: float = 1.0


@dataclass
class SampleScales:
    """What gates of one sample refer to by parameter name.

    Parameters
    ----------
    where
        Workspace and sample, for errors.
    channels
        Parameter name as FlowJo writes it -> ``$PnN``. FlowJo writes ``_`` for a ``/``.
    transforms
        Element of each parameter's transformation, read when a gate needs it.
    matrix, matrix_name, prefix, suffix
        The sample's matrix and how its compensated parameters are named; None and empty without one.
    keywords
        Keywords of the sample as the workspace holds them, names in capitals.
    """

    where: str
    channels: Mapping[str, str]
    keywords: Mapping[str, str]
    transforms: dict[str, Element] = field(default_factory=dict)
    matrix: Spillover | None = None
    matrix_name: str = ""
    prefix: str = ""
    suffix: str = ""


def sample_scales(sample: Element, where: str) -> SampleScales:
    """Read what the gates of a sample refer to.

    Raises
    ------
    InterchangeError
        There are several matrices, or one of a kind that is not ordinary least squares.
    """
    keywords = {
        (each.get("name") or "").upper(): each.get("value") or ""
        for group in children(sample, "Keywords")
        for each in children(group, "Keyword")
    }
    names = [
        value.strip()
        for key, value in keywords.items()
        if key.startswith("$P") and key.endswith("N") and key[2:-1].isdigit()
    ]
    scales = SampleScales(where, {name.replace("/", "_"): name for name in names}, keywords)
    for group in children(sample, "Transformations"):
        for each in children(group):
            scales.transforms[need(child(each, "parameter", where), "name", where)] = each
    matrices = list(children(sample, "spilloverMatrix"))
    if len(matrices) > 1:
        raise InterchangeError(where, "the sample has several spillover matrices", code="matrix-count")
    if matrices:
        _add_matrix(matrices[0], scales)
    return scales


def _add_matrix(element: Element, scales: SampleScales) -> None:
    name = element.get("name") or "matrix"
    where = f"{scales.where}: matrix {name!r}"
    algorithm = element.get("weightOptAlgorithmType") or "OLS"
    if element.get("spectral") == "1" and algorithm != "OLS":
        raise InterchangeError(
            where, f"spectral unmixing by {algorithm} is not supported", expected="OLS", code="unmixing"
        )
    rows = list(children(element, "spillover"))
    columns = [[need(each, "parameter", where) for each in children(row, "coefficient")] for row in rows]
    if not rows or any(row != columns[0] for row in columns):
        raise InterchangeError(where, "rows of the matrix name different parameters", code="matrix-shape")
    with translating(where):
        scales.matrix = Spillover(
            detectors=tuple(scales.channels.get(column, column) for column in columns[0]),
            matrix=np.array([[number(each, "value", where) for each in children(row, "coefficient")] for row in rows]),
            fluorochromes=tuple(
                scales.channels.get(name, name) for name in (need(row, "parameter", where) for row in rows)
            ),
            source="template",
        )
    scales.matrix_name = name if name not in ("file", "none") else f"FlowJo {name}"
    scales.prefix, scales.suffix = element.get("prefix") or "", element.get("suffix") or ""


def read_gate(element: Element, scales: SampleScales, where: str) -> Gate:
    """Read the gate of one population, leaving aside whether FlowJo takes what is inside or outside of it.

    Raises
    ------
    InterchangeError
        Its kind or one of its scales is not supported, or a parameter is none of the file's.
    GateError
        Its geometry is degenerate.
    """
    kind = local_name(element)
    readers = {"RectangleGate": _rectangle, "PolygonGate": _polygon, "EllipsoidGate": _ellipse}
    if kind not in readers:
        raise InterchangeError(
            where, f"FlowJo gates of kind {kind} are not supported", expected=", ".join(readers), code="gate-kind"
        )
    return readers[kind](element, scales, where)


def _rectangle(element: Element, scales: SampleScales, where: str) -> Gate:
    dimensions, low, high = [], [], []
    for each in children(element, "dimension"):
        dimension, axis, unit = _dimension(each, scales, where)
        dimensions.append(dimension)
        low.append(_shown(optional_number(each, "min", where, -math.inf), axis, unit))
        high.append(_shown(optional_number(each, "max", where, math.inf), axis, unit))
    if len(dimensions) == 1:
        return RangeGate(dimensions[0], low[0], high[0], closed=True)
    return RectangleGate(tuple(dimensions), tuple(low), tuple(high), closed=True)


def _polygon(element: Element, scales: SampleScales, where: str) -> Gate:
    read = [_dimension(each, scales, where) for each in children(element, "dimension")]
    vertices = list(children(element, "vertex"))
    if len(vertices) > MAX_VERTICES:
        raise InterchangeError(
            where, "the polygon has too many vertices", expected=f"at most {MAX_VERTICES:,}",
            got=f"{len(vertices):,}", code="vertex-count",
        )  # fmt: skip
    points = [_point(vertex, where) for vertex in vertices]
    if len(read) != 2:
        raise InterchangeError(where, "a polygon needs two parameters", got=str(len(read)), code="polygon")
    (x, x_axis, x_unit), (y, y_axis, y_unit) = read
    shown = tuple((_shown(a, x_axis, x_unit), _shown(b, y_axis, y_unit)) for a, b in points)
    return PolygonGate((x, y), shown, closed=True)


def _point(vertex: Element, where: str) -> tuple[float, float]:
    values = [number(each, "value", where) for each in children(vertex, "coordinate")]
    if len(values) != 2:
        raise InterchangeError(where, "a vertex needs two coordinates", got=str(len(values)), code="polygon")
    return values[0], values[1]


def _ellipse(element: Element, scales: SampleScales, where: str) -> Gate:
    """Build the ellipse from its foci and the ends of its axes.

    FlowJo rounds the ends of the axes to whole 256ths but not the foci; with them the longer axis is enough, and
    the shorter follows.
    """
    read = [_dimension(each, scales, where) for each in children(element, "dimension")]
    foci = np.array([_point(each, where) for each in children(child(element, "foci", where), "vertex")])
    ends = np.array([_point(each, where) for each in children(child(element, "edge", where), "vertex")])
    if len(read) != 2 or foci.shape != (2, 2) or ends.shape != (4, 2):
        raise InterchangeError(
            where, "a FlowJo ellipse needs two parameters, two foci and four points on its edge", code="ellipse"
        )
    low = np.array([_low(axis, unit) for _, axis, unit in read])
    span = np.array([_span(axis, unit) for _, axis, unit in read])
    mean = low + span * foci.mean(axis=0) / ELLIPSE_UNITS
    covariance = _ellipse_covariance(foci, ends, where) * np.outer(span, span) / ELLIPSE_UNITS**2
    return EllipseGate(
        dimensions=tuple(dimension for dimension, _, _ in read),
        mean=tuple(mean.tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        distance_square=1.0,
    )


def _ellipse_covariance(foci: NDArray[np.float64], ends: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    axes = sorted((ends[0] - ends[1], ends[2] - ends[3]), key=lambda axis: float(np.hypot(*axis)))
    between = foci[1] - foci[0]
    focal = float(np.hypot(*between)) / 2
    longer = float(np.hypot(*axes[1])) / 2
    shorter_square = longer**2 - focal**2
    if shorter_square <= 0:
        raise InterchangeError(where, "the ellipse has no area", code="ellipse")
    along = (between if focal else axes[1]) / (2 * (focal or longer))
    across = np.array([-along[1], along[0]])
    return longer**2 * np.outer(along, along) + shorter_square * np.outer(across, across)


def _dimension(element: Element, scales: SampleScales, where: str) -> tuple[Dimension, _Axis, float]:
    """The dimension, its axis, and how many of our linear units are one of FlowJo's."""
    parameter = need(child(element, "fcs-dimension", where), "name", where)
    name, compensated = _uncompensated_name(parameter, scales)
    channel = scales.channels.get(name)
    if channel is None:
        raise InterchangeError(
            where,
            f"parameter {parameter!r} is none of the file's channels; derived parameters are not supported",
            expected=", ".join(scales.channels.values()) or "a channel",
            code="derived-parameter",
        )
    axis = _axis(scales.transforms.get(parameter, scales.transforms.get(name)), where)
    unit = _unit(scales.transforms.get(name), channel, scales, where)
    return Dimension(channel, axis.scale, scales.matrix_name if compensated else "none"), axis, unit


def _uncompensated_name(parameter: str, scales: SampleScales) -> tuple[str, bool]:
    """Tell a compensated parameter by prefix and suffix around a name that is in the matrix."""
    if scales.matrix is None or not (scales.prefix or scales.suffix):
        return parameter, False
    name = parameter.removeprefix(scales.prefix).removesuffix(scales.suffix)
    in_matrix = scales.channels.get(name, name) in (*scales.matrix.detectors, *scales.matrix.fluorochromes)
    return (name, True) if in_matrix and parameter == f"{scales.prefix}{name}{scales.suffix}" else (parameter, False)


def _axis(element: Element | None, where: str) -> _Axis:
    if element is None:
        return _Axis(Linear())
    kind = local_name(element)

    def read(name: str) -> float:
        return number(element, name, where)

    with translating(f"{where}, FlowJo scale {kind}"):
        match kind:
            case "linear":
                return _Axis(Linear(), read("minRange"), read("maxRange"))
            case "log":
                return _Axis(FlowJoLog(read("offset"), read("decades")))
            case "logicle":
                return _Axis(Logicle(read("T"), read("W"), read("M"), read("A")))
            case "fasinh":
                return _Axis(Asinh(read("T"), read("M"), read("A")))
            case "biex":
                length = read("length")
                return _Axis(Biex(read("neg"), read("width"), read("pos"), read("maxRange"), int(length)))
    raise InterchangeError(
        where, f"the FlowJo scale {kind!r} is not supported", expected="linear, log, logicle, fasinh or biex",
        remedy="Set the parameter to one of these in FlowJo and save the workspace again", code="scale",
    )  # fmt: skip


def _unit(element: Element | None, channel: str, scales: SampleScales, where: str) -> float:
    """Our linear units in one of FlowJo's, which multiplies stored values by the `gain` of a linear scale.

    For time, FlowJo's gain may be ($ETIM − $BTIM) / ticks, some percent from the $TIMESTEP by which this package
    (and the FCS standard) measures time.
    """
    if element is None or local_name(element) != "linear":
        return 1.0
    gain = optional_number(element, "gain", where, 1.0)
    if gain == 1.0 or not 0 < gain < math.inf:
        return 1.0
    if channel.lower() == _TIME:
        return _keyword_number("$TIMESTEP", scales) / gain
    place = next(
        key[2:-1] for key, value in scales.keywords.items()
        if key.startswith("$P") and key.endswith("N") and value.strip() == channel
    )  # fmt: skip
    return 1.0 / (gain * _keyword_number(f"$P{place}G", scales))


def _keyword_number(key: str, scales: SampleScales) -> float:
    try:
        value = float(scales.keywords.get(key, "1"))
    except ValueError:
        return 1.0
    return value if 0 < value < math.inf else 1.0


def _shown(value: float, axis: _Axis, unit: float) -> float:
    if math.isinf(value):
        return value
    return float(axis.scale.apply(np.array([value * unit]))[0])


def _low(axis: _Axis, unit: float) -> float:
    return axis.low * unit if axis.scale == Linear() else 0.0


def _span(axis: _Axis, unit: float) -> float:
    return (axis.high - axis.low) * unit if axis.scale == Linear() else 1.0
