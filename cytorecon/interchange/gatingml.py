"""Gating-ML 2.0 (Spidlen et al. 2015, doi:10.1002/cyto.a.22690) into a `GatingTemplate`.

Edges are those of Gating-ML: ranges, rectangles and quadrants are half-open, ellipsoids include their edge. A Boolean
gate refers to the *populations* of other gates, that is to each gate within its parents, and is itself within its own
parent.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytorecon.compensation import Spillover, spillover_from_inverse
from cytorecon.errors import InterchangeError
from cytorecon.gates import (
    And,
    Dimension,
    EllipseGate,
    Gate,
    Member,
    Not,
    Or,
    PolygonGate,
    QuadrantGate,
    QuadrantPart,
    RangeGate,
    RatioDimension,
    RectangleGate,
)
from cytorecon.interchange.lean import lean
from cytorecon.interchange.naming import safe_name, translating
from cytorecon.interchange.xmlfile import (
    CYTORECON,
    MAX_DEPTH,
    MAX_GATES,
    MAX_VERTICES,
    Element,
    attribute,
    child,
    children,
    local_name,
    need,
    number,
    optional_number,
    parse_number,
    read_xml,
)
from cytorecon.template import Definition, GatingTemplate, Population
from cytorecon.template.names import path_of
from cytorecon.transforms import Asinh, Bounded, Hyperlog, Linear, Log, Logicle, Transform

_SCALES: Mapping[str, tuple[type[Transform], str]] = {
    "flin": (Linear, "TA"),
    "flog": (Log, "TM"),
    "fasinh": (Asinh, "TMA"),
    "logicle": (Logicle, "TWMA"),
    "hyperlog": (Hyperlog, "TWMA"),
}
_GATES = ("RectangleGate", "PolygonGate", "EllipsoidGate", "BooleanGate", "QuadrantGate")


@dataclass(frozen=True)
class _Node:
    """One population of the file: a gate, or one quadrant of a quadrant gate."""

    name: str
    parent: str
    element: Element
    quadrant: Element | None = None


@dataclass
class _Document:
    """What gates refer to by id."""

    where: str
    scales: dict[str, Transform] = field(default_factory=dict)
    ratios: dict[str, RatioDimension] = field(default_factory=dict)
    matrices: dict[str, Spillover] = field(default_factory=dict)
    matrix_names: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, _Node] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)


def read_gatingml(path: str | Path) -> GatingTemplate:
    """Read a Gating-ML 2.0 file.

    Parameters
    ----------
    path
        The file; at most 100 MiB and 1,000 gates, without a DOCTYPE.

    Returns
    -------
    GatingTemplate
        Its populations are the gates, each named by its id unless this package wrote another name beside it. A
        file that this package wrote from a template, and nobody changed since, gives that template again.

    Raises
    ------
    InterchangeError
        The file is not Gating-ML 2.0, refers to what it does not hold, or uses what has no equivalent here.
    """
    root = read_xml(Path(path))
    where = str(path)
    if local_name(root) != "Gating-ML":
        raise InterchangeError(
            where, "the file is not Gating-ML 2.0", expected="<Gating-ML>", got=f"<{local_name(root)}>", code="format"
        )
    from cytorecon.interchange.gatingml_out import embedded_template

    with translating(where):
        return embedded_template(root) or _template(root, where)


def _template(root: Element, where: str) -> GatingTemplate:
    document = _Document(where)
    for element in children(root):
        _collect(element, document)
    document.paths = {key: _path(key, document, ()) for key in document.nodes}
    populations = tuple(_population(key, node, document) for key, node in document.nodes.items())
    if not populations:
        raise InterchangeError(where, "the file holds no gate", code="no-gates")
    template = GatingTemplate(
        name=safe_name(Path(where).stem),
        version="0",
        title=f"Gating-ML file {Path(where).name}",
        populations=populations,
        compensation="none",
        matrices=document.matrices,
    )
    return lean(template)


def _collect(element: Element, document: _Document) -> None:
    kind = local_name(element)
    if kind in _GATES:
        _add_gate(element, document)
    elif kind == "transformation":
        _add_transformation(element, document)
    elif kind == "spectrumMatrix":
        key = need(element, "id", document.where)
        document.matrix_names[key] = _names(element).get(key, key)
        document.matrices[document.matrix_names[key]] = _matrix(element, document.where)
    elif kind != "custom_info":
        raise InterchangeError(
            document.where,
            f"<{kind}> on line {element.sourceline} is not part of Gating-ML 2.0",
            expected="gates, transformations, spectrum matrices and custom_info",
            code="unknown-element",
        )


def _add_gate(element: Element, document: _Document) -> None:
    gate_id, parent = need(element, "id", document.where), attribute(element, "parent_id") or ""
    names = _names(element)
    if local_name(element) == "QuadrantGate":
        for quadrant in children(element, "Quadrant"):
            key = need(quadrant, "id", document.where)
            _add_node(key, _Node(names.get(key, key), parent, element, quadrant), document)
    else:
        _add_node(gate_id, _Node(names.get(gate_id, gate_id), parent, element), document)


def _add_node(key: str, node: _Node, document: _Document) -> None:
    if key in document.nodes:
        raise InterchangeError(document.where, f"two gates carry the id {key!r}", expected="unique ids", code="gate-id")
    if len(document.nodes) >= MAX_GATES:
        raise InterchangeError(document.where, "too many gates", expected=f"at most {MAX_GATES:,}", code="gate-count")
    document.nodes[key] = node


def _names(element: Element) -> dict[str, str]:
    """The names that this package wrote beside ids, from the gate's custom_info."""
    return {
        entry.get("id", ""): entry.get("name", "")
        for info in children(element, "custom_info")
        for entry in info.iter(f"{{{CYTORECON}}}population", f"{{{CYTORECON}}}matrix")
        if entry.get("name")
    }


def _path(key: str, document: _Document, below: tuple[str, ...]) -> str:
    if key in below:
        circle = " within ".join((*below[below.index(key) :], key))
        raise InterchangeError(document.where, "gates are their own ancestors", got=circle, code="gate-cycle")
    if len(below) >= MAX_DEPTH:
        raise InterchangeError(
            document.where,
            f"gate {below[0]!r} lies too deep",
            expected=f"at most {MAX_DEPTH} levels",
            code="gate-depth",
        )
    node = document.nodes[_known(key, document, below[-1] if below else "")]
    above = _path(node.parent, document, (*below, key)) if node.parent else ""
    return path_of(above, node.name)


def _known(key: str, document: _Document, referrer: str) -> str:
    if key not in document.nodes:
        raise InterchangeError(
            document.where,
            f"gate {referrer!r} refers to {key!r}, which is no gate and no quadrant of this file",
            expected="the id of a gate or of one quadrant",
            code="gate-reference",
        )
    return key


def _population(key: str, node: _Node, document: _Document) -> Population:
    where = f"{document.where}: gate {key!r}"
    with translating(where):
        definition = _definition(key, node, document, where)
    return Population(
        name=node.name,
        parent=document.paths[node.parent] if node.parent else "",
        definition=definition,
    )


def _definition(key: str, node: _Node, document: _Document, where: str) -> Definition:
    if node.quadrant is not None:
        return _quadrant(node.element, node.quadrant, document, where)
    kind = local_name(node.element)
    if kind == "BooleanGate":
        return _boolean(key, node.element, document, where)
    read = {"RectangleGate": _rectangle, "PolygonGate": _polygon, "EllipsoidGate": _ellipsoid}[kind]
    return read(node.element, document, where)


def _rectangle(element: Element, document: _Document, where: str) -> Gate:
    elements = list(children(element, "dimension"))
    dimensions = tuple(_dimension(each, document, where) for each in elements)
    low = tuple(optional_number(each, "min", where, -math.inf) for each in elements)
    high = tuple(optional_number(each, "max", where, math.inf) for each in elements)
    if len(dimensions) == 1:
        return RangeGate(dimensions[0], low[0], high[0])
    return RectangleGate(dimensions, low, high)


def _polygon(element: Element, document: _Document, where: str) -> Gate:
    vertices = [tuple(_coordinates(vertex, where)) for vertex in children(element, "vertex")]
    if len(vertices) > MAX_VERTICES:
        raise InterchangeError(
            where, "the polygon has too many vertices", expected=f"at most {MAX_VERTICES:,}",
            got=f"{len(vertices):,}", code="vertex-count",
        )  # fmt: skip
    dimensions = tuple(_dimension(each, document, where) for each in children(element, "dimension"))
    if len(dimensions) != 2 or any(len(vertex) != 2 for vertex in vertices):
        raise InterchangeError(where, "a polygon needs two dimensions and two coordinates a vertex", code="polygon")
    return PolygonGate(dimensions, tuple((x, y) for x, y in vertices))


def _ellipsoid(element: Element, document: _Document, where: str) -> Gate:
    rows = children(child(element, "covarianceMatrix", where), "row")
    return EllipseGate(
        dimensions=tuple(_dimension(each, document, where) for each in children(element, "dimension")),
        mean=tuple(_coordinates(child(element, "mean", where), where)),
        covariance=tuple(tuple(number(entry, "value", where) for entry in children(row, "entry")) for row in rows),
        distance_square=number(child(element, "distanceSquare", where), "value", where),
        indefinite=True,  # Gating-ML applies the formula to any matrix, and its compliance suite does
    )


def _coordinates(element: Element, where: str) -> Iterator[float]:
    for coordinate in children(element, "coordinate"):
        line = f"{where}, coordinate on line {coordinate.sourceline}"
        yield parse_number(need(coordinate, "value", where), line, infinite=True)


def _boolean(key: str, element: Element, document: _Document, where: str) -> Definition:
    operations = list(children(element, "and", "or", "not"))
    if len(operations) != 1:
        raise InterchangeError(where, "a Boolean gate needs exactly one of and, or, not", code="boolean")
    terms = tuple(_reference(key, each, document, where) for each in children(operations[0]))
    kind = local_name(operations[0])
    if len(terms) < 1 or (kind == "not" and len(terms) != 1):
        raise InterchangeError(where, f"the operand count of {kind!r} is wrong", got=str(len(terms)), code="boolean")
    if kind == "not":
        return Not(terms[0])
    return And(terms) if kind == "and" else Or(terms)


def _reference(key: str, element: Element, document: _Document, where: str) -> Member | Not:
    if local_name(element) != "gateReference":
        raise InterchangeError(
            where,
            f"a Boolean operand <{local_name(element)}> is not supported",
            expected="<gateReference>",
            code="boolean",
        )
    member = Member(document.paths[_known(need(element, "ref", where), document, key)])
    complement = attribute(element, "use-as-complement") or "false"
    if complement not in ("true", "false", "1", "0"):
        raise InterchangeError(where, "use-as-complement is neither true nor false", got=complement, code="boolean")
    return Not(member) if complement in ("true", "1") else member


def _quadrant(element: Element, quadrant: Element, document: _Document, where: str) -> Definition:
    """One quadrant; a divider that it does not mention leaves it open on that channel."""
    dividers = {need(each, "id", where): each for each in children(element, "divider")}
    values = {name: tuple(sorted(_divider_values(divider, where))) for name, divider in dividers.items()}
    places = {
        need(each, "divider_ref", where): number(each, "location", where) for each in children(quadrant, "position")
    }
    if not places or not places.keys() <= dividers.keys():
        raise InterchangeError(where, "a quadrant refers to no divider of its gate", code="quadrant")
    dimensions = tuple(_dimension(divider, document, where) for divider in dividers.values())
    gate = QuadrantGate(dimensions, tuple(values.values()))
    return QuadrantPart(
        gate,
        gate.parts_where([bisect_right(values[name], places[name]) if name in places else None for name in dividers]),
    )


def _divider_values(divider: Element, where: str) -> Iterator[float]:
    for value in children(divider, "value"):
        yield parse_number(value.text or "", f"{where}, value on line {value.sourceline}")


def _dimension(element: Element, document: _Document, where: str) -> Dimension | RatioDimension:
    compensation = _compensation(need(element, "compensation-ref", where), document, where)
    scale = _scale(attribute(element, "transformation-ref"), document, where)
    names = list(children(element, "fcs-dimension", "new-dimension"))
    if len(names) != 1:
        raise InterchangeError(
            where, f"the dimension on line {element.sourceline} names no channel",
            expected="one fcs-dimension or new-dimension", code="dimension",
        )  # fmt: skip
    if local_name(names[0]) == "fcs-dimension":
        channel = _detector(need(names[0], "name", where), document.matrices.get(compensation))
        return Dimension(channel, scale, compensation)
    ratio = document.ratios.get(need(names[0], "transformation-ref", where))
    if ratio is None:
        raise InterchangeError(where, "a new dimension refers to no ratio (fratio) of this file", code="ratio")
    return RatioDimension(ratio.numerator, ratio.denominator, ratio.a, ratio.b, ratio.c, scale, compensation)


def _compensation(reference: str, document: _Document, where: str) -> str:
    if reference in ("uncompensated", "FCS"):
        return {"uncompensated": "none", "FCS": "file"}[reference]
    if reference not in document.matrix_names:
        raise InterchangeError(
            where, f"compensation-ref {reference!r} is no spectrum matrix of this file",
            expected=", ".join(["uncompensated", "FCS", *document.matrix_names]), code="matrix-reference",
        )  # fmt: skip
    return document.matrix_names[reference]


def _scale(reference: str | None, document: _Document, where: str) -> Transform:
    if reference is None:
        return Linear()
    if reference not in document.scales:
        raise InterchangeError(
            where, f"transformation-ref {reference!r} is no one-dimensional transformation of this file",
            expected=", ".join(document.scales) or "a transformation", code="scale-reference",
        )  # fmt: skip
    return document.scales[reference]


def _detector(name: str, matrix: Spillover | None) -> str:
    """Gating-ML names a compensated dimension by its fluorochrome; a square matrix pairs it with a detector."""
    if matrix is None or len(matrix.detectors) != len(matrix.fluorochromes) or name in matrix.detectors:
        return name
    return dict(zip(matrix.fluorochromes, matrix.detectors, strict=True)).get(name, name)


def _add_transformation(element: Element, document: _Document) -> None:
    key = need(element, "id", document.where)
    where = f"{document.where}: transformation {key!r}"
    kinds = [each for each in children(element) if local_name(each) != "custom_info"]
    if len(kinds) != 1 or local_name(kinds[0]) not in (*_SCALES, "fratio"):
        raise InterchangeError(
            where, "unknown transformation", expected=", ".join((*_SCALES, "fratio")),
            got=", ".join(map(local_name, kinds)) or "none", code="unknown-element",
        )  # fmt: skip
    if local_name(kinds[0]) == "fratio":
        channels = [need(each, "name", where) for each in children(kinds[0], "fcs-dimension")]
        if len(channels) != 2:
            raise InterchangeError(where, "a ratio needs two channels", got=str(len(channels)), code="ratio")
        a, b, c = (number(kinds[0], name, where) for name in "ABC")
        document.ratios[key] = RatioDimension(channels[0], channels[1], a, b, c)
        return
    build, parameters = _SCALES[local_name(kinds[0])]
    with translating(where):
        scale = build(**{name.lower(): number(kinds[0], name, where) for name in parameters})
        document.scales[key] = _bounded(element, scale, where)


def _bounded(element: Element, scale: Transform, where: str) -> Transform:
    low = optional_number(element, "boundMin", where, -math.inf)
    high = optional_number(element, "boundMax", where, math.inf)
    return scale if (low, high) == (-math.inf, math.inf) else Bounded(scale, low, high)


def _matrix(element: Element, where: str) -> Spillover:
    where = f"{where}: spectrumMatrix {attribute(element, 'id')!r}"
    fluorochromes, detectors = (
        tuple(need(each, "name", where) for each in children(child(element, part, where), "fcs-dimension"))
        for part in ("fluorochromes", "detectors")
    )
    rows = [
        [number(each, "value", where) for each in children(row, "coefficient")] for row in children(element, "spectrum")
    ]
    if any(len(row) != len(detectors) for row in rows) or len(rows) != len(fluorochromes):
        raise InterchangeError(
            where, "the matrix has the wrong shape", expected=f"{len(fluorochromes)} rows of {len(detectors)}",
            got=", ".join(str(len(row)) for row in rows), code="matrix-shape",
        )  # fmt: skip
    if attribute(element, "matrix-inverted-already") in ("true", "1"):
        return spillover_from_inverse(detectors, rows, fluorochromes, "template")
    return Spillover(detectors, np.array(rows, dtype=np.float64), fluorochromes, "template")
