"""Random scales, gates, trees of gates and events, for property tests.

Coordinates come from a coarse grid as often as not, so that edges meet each other and events lie exactly on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.errors import GateError
from cytorecon.gates import (
    And,
    Dimension,
    EllipseGate,
    Expression,
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
    Threshold,
)
from cytorecon.transforms import (
    Asinh,
    Biex,
    FlowJoLog,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    Transform,
)

CHANNELS = ("FSC-A", "CD3", "CD4", "CD8", "CD56")


# --- scales ---------------------------------------------------------------------------------------------------


def tops() -> st.SearchStrategy[float]:
    return st.sampled_from([1000.0, 1023.0, 10000.0, 262144.0, 4194304.0])


@st.composite
def biexponentials(draw: st.DrawFn, kind: type[Logicle] | type[Hyperlog] = Logicle) -> Logicle | Hyperlog:
    """Logicle or hyperlog scales of all admitted widths and negative decades."""
    m = draw(st.floats(2.0, 6.0))
    w = draw(st.floats(0.05, 0.49)) * m
    a = draw(st.floats(-0.99, 0.99))
    a = a * w if a < 0 else a * (m - 2 * w)
    return kind(t=draw(tops()), w=w, m=m, a=a)


def linears() -> st.SearchStrategy[Linear]:
    return st.one_of(st.just(Linear()), st.builds(Linear, t=tops(), a=st.floats(0, 100)))


def biexes() -> st.SearchStrategy[Biex]:
    return st.builds(
        Biex,
        negative=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        width=st.sampled_from([-1.0, -3.162278, -7.943282, -10.0, -100.0, -630.957336]),
        positive=st.sampled_from([4.418540, 4.5, 4.9]),
        max_value=st.sampled_from([262144.000029, 4194304.0]),
    )


def scales() -> st.SearchStrategy[Transform]:
    """Any scale that shows every finite value (all but the logarithm)."""
    return st.one_of(
        linears(),
        st.builds(Asinh, t=tops(), m=st.floats(1, 6), a=st.floats(0, 1)),
        biexponentials(Logicle),
        biexponentials(Hyperlog),
        biexes(),
        st.builds(FlowJoLog, offset=st.floats(0.1, 100), decades=st.floats(2, 6)),
    )


def all_scales() -> st.SearchStrategy[Transform]:
    """Any scale, the logarithm among them."""
    return st.one_of(scales(), st.builds(Log, t=tops(), m=st.floats(1, 6)))


# --- gates ----------------------------------------------------------------------------------------------------


def coordinates(infinite: bool = False) -> st.SearchStrategy[float]:
    """Display values around 0 to 1, half of them on a grid of sixteenths; infinite ones where asked for."""
    finite = st.one_of(st.integers(-4, 20).map(lambda step: step / 16), st.floats(-0.25, 1.25))
    return st.one_of(finite, st.sampled_from([-np.inf, np.inf])) if infinite else finite


@st.composite
def bounds(draw: st.DrawFn) -> tuple[float, float]:
    """A minimum and a larger maximum, each at times infinite."""
    low, high = sorted(draw(st.tuples(coordinates(), coordinates())))
    opened = draw(st.sampled_from(["neither"] * 4 + ["low", "high"]))
    return -np.inf if opened == "low" else low, np.inf if opened == "high" else high


@st.composite
def ranges(draw: st.DrawFn, dimensions: Sequence[Dimension]) -> RangeGate:
    low, high = draw(bounds())
    return RangeGate(draw(st.sampled_from(dimensions)), low, high, draw(st.booleans()))


@st.composite
def rectangles(draw: st.DrawFn, dimensions: Sequence[Dimension]) -> RectangleGate:
    chosen = draw(_some(dimensions, 1, 4))
    limits = [draw(bounds()) for _ in chosen]
    return RectangleGate(
        chosen, tuple(low for low, _ in limits), tuple(high for _, high in limits), draw(st.booleans())
    )


def spans_area(vertices: Sequence[tuple[float, float]]) -> bool:
    """Not all vertices lie on one line, and clearly so."""
    (x0, y0), *rest = vertices
    offsets = [(np.clip(x, -9, 9) - np.clip(x0, -9, 9), np.clip(y, -9, 9) - np.clip(y0, -9, 9)) for x, y in rest]
    return any(abs(ax * by - ay * bx) > 1e-6 for ax, ay in offsets for bx, by in offsets)


@st.composite
def polygons(draw: st.DrawFn, dimensions: Sequence[Dimension], infinite: bool = True) -> PolygonGate:
    """Polygons of three to twelve vertices in any order, so that most cross themselves."""
    point = st.tuples(coordinates(infinite), coordinates(infinite))
    vertices = draw(st.lists(point, min_size=3, max_size=12).filter(spans_area))
    try:
        return PolygonGate(draw(_some(dimensions, 2, 2)), tuple(vertices), draw(st.booleans()))
    except GateError:  # three infinite corners on one line
        reject()


@st.composite
def ellipses(draw: st.DrawFn, dimensions: Sequence[Dimension]) -> EllipseGate:
    """Ellipsoids of two to four dimensions with any orientation."""
    chosen = draw(_some(dimensions, 2, 4))
    size = len(chosen)
    entries = draw(st.lists(st.integers(-8, 8), min_size=size * size, max_size=size * size))
    factor = np.tril(np.array(entries).reshape(size, size) / 32.0, -1) + np.diag(
        [draw(st.integers(1, 16)) / 32.0 for _ in chosen]
    )
    covariance = factor @ factor.T
    mean = tuple(draw(coordinates()) for _ in chosen)
    return EllipseGate(chosen, mean, tuple(map(tuple, covariance.tolist())), draw(st.floats(0.1, 10)))


@st.composite
def quadrants(draw: st.DrawFn, dimensions: Sequence[Dimension]) -> QuadrantGate:
    chosen = draw(_some(dimensions, 1, 3))
    dividers = [draw(st.sets(coordinates(), min_size=1, max_size=3)) for _ in chosen]
    return QuadrantGate(chosen, tuple(tuple(sorted(values)) for values in dividers))


@st.composite
def quadrant_parts(draw: st.DrawFn, dimensions: Sequence[Dimension]) -> QuadrantPart:
    """One part of a quadrant gate, or those that leave a dimension open."""
    gate = draw(quadrants(dimensions))
    intervals = [draw(st.none() | st.integers(0, count - 1)) for count in gate.shape]
    return QuadrantPart(gate, gate.parts_where(intervals))


@st.composite
def ratio_ranges(draw: st.DrawFn, dimensions: Sequence[Dimension]) -> RangeGate:
    """A range of the ratio of two channels, as Gating-ML's fratio, on a scale or on none."""
    x, y = (dimension.channel for dimension in draw(_some(dimensions, 2, 2)))
    a, b, c = draw(st.floats(0.1, 10)), draw(st.floats(-50, 50)), draw(st.floats(-50, 50))
    scale = draw(st.none() | st.builds(Asinh, t=st.just(100.0), m=st.just(3.0), a=st.just(0.5)))
    return RangeGate(RatioDimension(x, y, a, b, c, scale), *draw(bounds()), draw(st.booleans()))


def gates(dimensions: Sequence[Dimension]) -> st.SearchStrategy[Gate]:
    """A gate of any type on some of the dimensions, of which there are at least two."""
    return st.one_of(
        ranges(dimensions), rectangles(dimensions), polygons(dimensions), ellipses(dimensions), quadrants(dimensions)
    )


def _some(dimensions: Sequence[Dimension], least: int, most: int) -> st.SearchStrategy[tuple[Dimension, ...]]:
    count = st.integers(least, min(most, len(dimensions)))
    return st.tuples(st.permutations(dimensions), count).map(lambda drawn: tuple(drawn[0][: drawn[1]]))


def expressions(paths: Sequence[str], dimensions: Sequence[Dimension]) -> st.SearchStrategy[Expression]:
    """Boolean combinations of populations and thresholds, up to three deep."""
    leaves: st.SearchStrategy[Expression] = st.builds(
        Threshold, st.sampled_from(dimensions), coordinates(), st.booleans()
    )
    if paths:
        leaves = st.one_of(leaves, st.builds(Member, st.sampled_from(paths)))

    def combined(terms: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(terms, min_size=1, max_size=3).map(tuple)
        return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, terms))

    return st.recursive(leaves, combined, max_leaves=6)


# --- trees ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """A population of a random tree: its path, its parent's path ("" for the root), and what defines it."""

    path: str
    parent: str
    definition: Gate | And | Or | Not | Member | Threshold


@st.composite
def trees(draw: st.DrawFn, dimensions: Sequence[Dimension], most: int = 8, ratios: bool = False) -> tuple[Node, ...]:
    """Nested populations, parents first; booleans refer to populations before them."""
    shapes = [ranges, rectangles, polygons, ellipses, quadrant_parts, *([ratio_ranges] if ratios else [])]
    geometry = st.one_of([shape(dimensions) for shape in shapes])
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, most))):
        paths = [node.path for node in nodes]
        parent = draw(st.sampled_from(["", *paths]))
        definition = draw(st.one_of(geometry, geometry, expressions(paths, dimensions)))
        nodes.append(Node(f"{parent}/P{number}".lstrip("/"), parent, definition))
    return tuple(nodes)


@st.composite
def panels(draw: st.DrawFn, channels: Sequence[str] = CHANNELS) -> tuple[Dimension, ...]:
    """One dimension a channel, each with a scale of its own."""
    return tuple(Dimension(channel, draw(scales())) for channel in channels)


# --- events ---------------------------------------------------------------------------------------------------


def edges(definition: Gate | Expression) -> dict[str, list[float]]:
    """Finite display values, by channel, at which something happens."""
    if isinstance(definition, And | Or):
        return reduce(merged, map(edges, definition.terms), {})
    if isinstance(definition, Not):
        return edges(definition.term)
    if isinstance(definition, Member):
        return {}
    marks: list[Sequence[float]] = _marks(definition)
    return {
        dimension.channels[0]: [value for value in values if np.isfinite(value)]
        for dimension, values in zip(definition.dimensions, marks, strict=True)
        if isinstance(dimension, Dimension)
    }


def _marks(gate: object) -> list[Sequence[float]]:
    match gate:
        case Threshold():
            return [[gate.cut]]
        case RangeGate():
            return [[gate.minimum, gate.maximum]]
        case RectangleGate():
            return [list(pair) for pair in zip(gate.minimums, gate.maximums, strict=True)]
        case PolygonGate():
            return [list(axis) for axis in zip(*gate.vertices, strict=True)]
        case EllipseGate():
            reach = [np.sqrt(gate.distance_square * gate.covariance[i][i]) for i in range(len(gate.mean))]
            return [[m - r, m, m + r] for m, r in zip(gate.mean, reach, strict=True)]
        case QuadrantGate():
            return [list(values) for values in gate.dividers]
        case QuadrantPart():
            return _marks(gate.gate)
    raise TypeError(type(gate))


def merged(left: dict[str, list[float]], right: dict[str, list[float]]) -> dict[str, list[float]]:
    return {channel: left.get(channel, []) + right.get(channel, []) for channel in {*left, *right}}


def display_events(
    seed: int, dimensions: Sequence[Dimension], marks: dict[str, list[float]], count: int = 500, lost: float = 0.02
) -> NDArray[np.float64]:
    """Display values (event, dimension): some spread out, some on marks or a float64 beside, some not finite."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-0.5, 1.5, (count, len(dimensions)))
    for index, dimension in enumerate(dimensions):
        pool = np.array([*marks.get(dimension.channels[0], []), *(np.arange(-4, 21) / 16)])
        near = rng.choice([pool, np.nextafter(pool, -np.inf), np.nextafter(pool, np.inf)], axis=1)
        chosen = rng.choice(near.ravel(), count)
        values[:, index] = np.where(rng.random(count) < 0.5, chosen, values[:, index])
        spoilt = rng.choice([np.nan, np.inf, -np.inf], count)
        values[:, index] = np.where(rng.random(count) < lost, spoilt, values[:, index])
    return values


def linear_events(
    seed: int, dimensions: Sequence[Dimension], marks: dict[str, list[float]], count: int = 500, lost: float = 0.02
) -> NDArray[np.float64]:
    """Linear values (event, dimension) that land on and around the marks once their scales are applied."""
    values = display_events(seed, dimensions, marks, count, lost)
    for index, dimension in enumerate(dimensions):
        if dimension.scale is not None:
            values[:, index] = dimension.scale.inverse(values[:, index])
    return values
