"""Gates: one frozen dataclass a type, whose ``contains`` in plain float64 is the written specification.

``contains(values)`` takes display values (event, dimension), columns in the order of ``dimensions``, and answers
one boolean an event. It uses elementwise additions, multiplications and comparisons only, in a fixed order, each
rounded once: the bits do not depend on the batch, on threads or on the processor. Faster evaluators exist
elsewhere; where they differ, they are wrong.

What lies on an edge
    =========  =====================================  ====================================================
    gate       as in Gating-ML 2.0 (``closed=False``)  as in FlowJo and cytolib (``closed=True``)
    =========  =====================================  ====================================================
    range,     half-open, minimum ≤ x < maximum        closed, minimum ≤ x ≤ maximum
    rectangle
    polygon    left and bottom edges are inside,       every edge and vertex is inside
               right and top edges are not: polygons
               that share an edge share no event
    ellipsoid  inside                                  inside
    quadrant   a divider belongs to the part above it  the same
    =========  =====================================  ====================================================

The half-open polygon is the crossing rule of FlowKit, whose own text calls all edges inclusive; they are not.
Infinite bounds and vertices are allowed. An event that is NaN or infinite in any dimension is in no gate.
"""

from cytorecon.gates.boolean import (
    And,
    Expression,
    Member,
    Not,
    Or,
    Term,
    Threshold,
    evaluate,
    members_of,
    thresholds_of,
)
from cytorecon.gates.dimension import AnyDimension, Dimension, Gate, RatioDimension
from cytorecon.gates.geometry import EllipseGate, PolygonGate, RangeGate, RectangleGate
from cytorecon.gates.quadrant import QuadrantGate, QuadrantPart

GATES: dict[str, type] = {
    "range": RangeGate,
    "rectangle": RectangleGate,
    "polygon": PolygonGate,
    "ellipse": EllipseGate,
    "quadrant": QuadrantGate,
}

__all__ = [
    "GATES",
    "And",
    "AnyDimension",
    "Dimension",
    "EllipseGate",
    "Expression",
    "Gate",
    "Member",
    "Not",
    "Or",
    "PolygonGate",
    "QuadrantGate",
    "QuadrantPart",
    "RangeGate",
    "RatioDimension",
    "RectangleGate",
    "Term",
    "Threshold",
    "evaluate",
    "members_of",
    "thresholds_of",
]
