"""Gates, dimensions, scales and matrices as elements of a Gating-ML 2.0 document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from lxml import etree

from cytorecon.compensation import Spillover
from cytorecon.errors import InterchangeError
from cytorecon.gates import (
    AnyDimension,
    EllipseGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    QuadrantPart,
    RangeGate,
    RatioDimension,
    RectangleGate,
)
from cytorecon.interchange.xmlfile import CYTORECON, DATA_TYPE, GATING, TRANSFORMS, Element
from cytorecon.template import GatingTemplate
from cytorecon.transforms import Asinh, Bounded, Hyperlog, Linear, Log, Logicle, Transform

_SCALES: Mapping[type[Transform], tuple[str, str]] = {
    Linear: ("flin", "TA"),
    Log: ("flog", "TM"),
    Asinh: ("fasinh", "TMA"),
    Logicle: ("logicle", "TWMA"),
    Hyperlog: ("hyperlog", "TWMA"),
}


@dataclass
class Writer:
    """A document being written.

    Parameters
    ----------
    template
        What is written.
    cutpoints
        Cut point -> position on the display scale.
    channels
        Marker or channel as the template names it -> ``$PnN``; those left out are written as the template names them.
    ids
        Population path -> id of its gate.
    taken
        Every id given so far.
    preamble
        Transformations and matrices, which come before the gates.
    gates
        The gates.
    """

    template: GatingTemplate
    cutpoints: Mapping[str, float]
    channels: Mapping[str, str]
    ids: Mapping[str, str]
    taken: set[str]
    preamble: list[Element] = field(default_factory=list)
    gates: list[Element] = field(default_factory=list)
    matrices: dict[str, str] = field(default_factory=dict)
    scales: dict[Transform, str] = field(default_factory=dict)
    ratios: dict[RatioDimension, str] = field(default_factory=dict)

    def fresh(self, base: str) -> str:
        """Take an id that no other element has."""
        candidate, count = base, 1
        while candidate in self.taken:
            count += 1
            candidate = f"{base}_{count}"
        self.taken.add(candidate)
        return candidate

    def new_gate(self, kind: str, gate_id: str, parent: str) -> Element:
        """Add an empty gate under the population of that path (``""`` for the root)."""
        attributes = {"id": gate_id} | ({"parent_id": self.ids[parent]} if parent else {})
        gate = etree.Element(f"{{{GATING}}}{kind}", {f"{{{GATING}}}{key}": value for key, value in attributes.items()})
        self.gates.append(gate)
        return gate


def add_gate(gate: Gate, gate_id: str, parent: str, writer: Writer, where: str) -> Element:
    """Write a range, rectangle, polygon or ellipsoid.

    Raises
    ------
    InterchangeError
        The gate or one of its scales has no equivalent.
    """
    match gate:
        case RangeGate():
            return _rectangle(gate, ((gate.minimum, gate.maximum),), gate_id, parent, writer, where)
        case RectangleGate():
            bounds = tuple(zip(gate.minimums, gate.maximums, strict=True))
            return _rectangle(gate, bounds, gate_id, parent, writer, where)
        case PolygonGate():
            return _polygon(gate, gate_id, parent, writer, where)
        case EllipseGate():
            return _ellipsoid(gate, gate_id, parent, writer, where)
    raise InterchangeError(where, f"{type(gate).__name__} has no equivalent in Gating-ML", code="gate-kind")


def _rectangle(
    gate: RangeGate | RectangleGate,
    bounds: Sequence[tuple[float, float]],
    gate_id: str,
    parent: str,
    writer: Writer,
    where: str,
) -> Element:
    element = writer.new_gate("RectangleGate", gate_id, parent)
    for dimension, (minimum, maximum) in zip(gate.dimensions, bounds, strict=True):
        written = _dimension(dimension, "dimension", writer, where)
        # Gating-ML leaves the upper edge out: the next number above a closed edge leaves the same events in.
        upper = math.nextafter(maximum, math.inf) if gate.closed else maximum
        # FlowKit 1.3 knows no ratio that is open on a side, but it knows infinity.
        stated = isinstance(dimension, RatioDimension)
        if minimum > -math.inf or stated:
            written.set(f"{{{GATING}}}min", number_text(minimum))
        if upper < math.inf or stated:
            written.set(f"{{{GATING}}}max", number_text(upper))
        element.append(written)
    return element


def _polygon(gate: PolygonGate, gate_id: str, parent: str, writer: Writer, where: str) -> Element:
    element = writer.new_gate("PolygonGate", gate_id, parent)
    element.extend(_dimension(dimension, "dimension", writer, where) for dimension in gate.dimensions)
    for vertex in gate.vertices:
        _values(etree.SubElement(element, f"{{{GATING}}}vertex"), "coordinate", vertex)
    return element


def _ellipsoid(gate: EllipseGate, gate_id: str, parent: str, writer: Writer, where: str) -> Element:
    element = writer.new_gate("EllipsoidGate", gate_id, parent)
    element.extend(_dimension(dimension, "dimension", writer, where) for dimension in gate.dimensions)
    _values(etree.SubElement(element, f"{{{GATING}}}mean"), "coordinate", gate.mean)
    matrix = etree.SubElement(element, f"{{{GATING}}}covarianceMatrix")
    for row in gate.covariance:
        _values(etree.SubElement(matrix, f"{{{GATING}}}row"), "entry", row)
    distance = etree.SubElement(element, f"{{{GATING}}}distanceSquare")
    distance.set(f"{{{DATA_TYPE}}}value", number_text(gate.distance_square))
    return element


def _values(element: Element, kind: str, values: Sequence[float]) -> None:
    for value in values:
        etree.SubElement(element, f"{{{GATING}}}{kind}").set(f"{{{DATA_TYPE}}}value", number_text(value))


def number_text(value: float) -> str:
    """Write a number so that it is read back to the same bits; XML Schema spells infinity INF."""
    return repr(float(value)) if math.isfinite(value) else ("INF" if value > 0 else "-INF")


def intervals(part: QuadrantPart) -> tuple[int | None, ...] | None:
    """Interval of each channel that a part lies in, None where it is open; None at all if the parts are no quadrant."""
    wanted = set(part.parts)
    choices = product(*((*range(count), None) for count in part.gate.shape))
    boxes = (box for box in choices if any(place is not None for place in box))
    return next((box for box in boxes if set(part.gate.parts_where(box)) == wanted), None)


def box(gate: QuadrantGate, number: int) -> RectangleGate:
    """One part of a quadrant gate as a half-open rectangle."""
    place = np.unravel_index(number, gate.shape)
    edges = [(-math.inf, *dividers, math.inf) for dividers in gate.dividers]
    return RectangleGate(
        gate.dimensions,
        tuple(edge[int(interval)] for edge, interval in zip(edges, place, strict=True)),
        tuple(edge[int(interval) + 1] for edge, interval in zip(edges, place, strict=True)),
    )


def add_quadrants(gate: QuadrantGate, parts: Mapping[str, QuadrantPart], parent: str, writer: Writer) -> Element:
    """Write a quadrant gate whose quadrants are the populations of these paths."""
    where = f"population {next(iter(parts))!r}"
    first = writer.ids[next(iter(parts))]
    element = writer.new_gate("QuadrantGate", writer.fresh(f"{first}.quadrants"), parent)
    names = [writer.fresh(f"{first}.divider") for _ in gate.dimensions]
    for name, dimension, dividers in zip(names, gate.dimensions, gate.dividers, strict=True):
        divider = _dimension(dimension, "divider", writer, where)
        divider.set(f"{{{GATING}}}id", name)
        for value in dividers:
            etree.SubElement(divider, f"{{{GATING}}}value").text = number_text(value)
        element.append(divider)
    for path, part in parts.items():
        quadrant = etree.SubElement(element, f"{{{GATING}}}Quadrant", {f"{{{GATING}}}id": writer.ids[path]})
        for name, dividers, interval in zip(names, gate.dividers, intervals(part) or (), strict=True):
            if interval is not None:
                position = etree.SubElement(quadrant, f"{{{GATING}}}position")
                position.set(f"{{{GATING}}}divider_ref", name)
                position.set(f"{{{GATING}}}location", number_text(_location(dividers, interval)))
    return element


def _location(dividers: Sequence[float], interval: int) -> float:
    """A place inside an interval: on its lower divider, which belongs to it, or below the lowest."""
    return dividers[interval - 1] if interval else math.nextafter(dividers[0], -math.inf)


def _dimension(dimension: AnyDimension, kind: str, writer: Writer, where: str) -> Element:
    element = etree.Element(f"{{{GATING}}}{kind}")
    compensation = dimension.compensation or writer.template.compensation
    named = {"file": "FCS", "none": "uncompensated"} | writer.matrices
    element.set(f"{{{GATING}}}compensation-ref", named[compensation])
    if isinstance(dimension, RatioDimension):
        scale = dimension.scale or Linear()
        name = etree.SubElement(element, f"{{{DATA_TYPE}}}new-dimension")
        name.set(f"{{{DATA_TYPE}}}transformation-ref", _ratio(dimension, writer))
    else:
        scale = dimension.scale or writer.template.scale_of(dimension.channel)
        element.append(_channel(dimension.channel, writer))
    if scale != Linear():
        element.set(f"{{{GATING}}}transformation-ref", _scale(scale, writer, where))
    return element


def _channel(name: str, writer: Writer) -> Element:
    written = writer.channels.get(name, name)
    return etree.Element(f"{{{DATA_TYPE}}}fcs-dimension", {f"{{{DATA_TYPE}}}name": written})


def _ratio(dimension: RatioDimension, writer: Writer) -> str:
    key = replace(dimension, scale=None, compensation=None)
    if key not in writer.ratios:
        writer.ratios[key] = writer.fresh("ratio")
        ratio = etree.SubElement(_transformation(writer.ratios[key], writer), f"{{{TRANSFORMS}}}fratio")
        for name in "ABC":
            ratio.set(f"{{{TRANSFORMS}}}{name}", number_text(getattr(key, name.lower())))
        ratio.extend(_channel(channel, writer) for channel in key.channels)
    return writer.ratios[key]


def _scale(scale: Transform, writer: Writer, where: str) -> str:
    if scale in writer.scales:
        return writer.scales[scale]
    inner = scale.scale if isinstance(scale, Bounded) else scale
    if type(inner) not in _SCALES:
        raise InterchangeError(
            where,
            f"the scale {type(inner).__name__} has no equivalent in Gating-ML",
            expected="linear, log, asinh, logicle or hyperlog",
            remedy="Write TOML instead, which holds every scale",
            code="scale",
        )
    kind, parameters = _SCALES[type(inner)]
    writer.scales[scale] = writer.fresh(kind)
    element = _transformation(writer.scales[scale], writer)
    if isinstance(scale, Bounded):
        for bound, value in (("boundMin", scale.minimum), ("boundMax", scale.maximum)):
            if math.isfinite(value):
                element.set(f"{{{TRANSFORMS}}}{bound}", number_text(value))
    body = etree.SubElement(element, f"{{{TRANSFORMS}}}{kind}")
    for name in parameters:
        body.set(f"{{{TRANSFORMS}}}{name}", number_text(getattr(inner, name.lower())))
    return writer.scales[scale]


def _transformation(key: str, writer: Writer) -> Element:
    element = etree.Element(f"{{{TRANSFORMS}}}transformation", {f"{{{TRANSFORMS}}}id": key})
    writer.preamble.append(element)
    return element


def add_matrix(name: str, matrix: Spillover, matrix_id: str, writer: Writer) -> None:
    """Write a spillover or spectrum matrix."""
    element = etree.Element(f"{{{TRANSFORMS}}}spectrumMatrix", {f"{{{TRANSFORMS}}}id": matrix_id})
    if matrix_id != name:
        info = etree.SubElement(element, f"{{{DATA_TYPE}}}custom_info")
        etree.SubElement(info, f"{{{CYTORECON}}}matrix", id=matrix_id, name=name)
    for part, names in (("fluorochromes", matrix.fluorochromes), ("detectors", matrix.detectors)):
        group = etree.SubElement(element, f"{{{TRANSFORMS}}}{part}")
        for each in names:
            etree.SubElement(group, f"{{{DATA_TYPE}}}fcs-dimension", {f"{{{DATA_TYPE}}}name": each})
    for row in matrix.matrix.tolist():
        spectrum = etree.SubElement(element, f"{{{TRANSFORMS}}}spectrum")
        for value in row:
            etree.SubElement(spectrum, f"{{{TRANSFORMS}}}coefficient", {f"{{{TRANSFORMS}}}value": number_text(value)})
    writer.matrices[name] = matrix_id
    writer.preamble.append(element)
