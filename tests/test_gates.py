"""Gates: the written specification against exact arithmetic, FlowKit and its own laws."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import inf, nan
from typing import Any

import flowkit
import numpy as np
import pandas as pd
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.errors import GateError
from cytorecon.gates import (
    GATES,
    And,
    AnyDimension,
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
    Term,
    Threshold,
    evaluate,
    members_of,
    thresholds_of,
)
from cytorecon.transforms import Logicle

Values = NDArray[np.float64]

AXES = tuple(Dimension(name) for name in ("A", "B", "C", "D"))
XY = AXES[:2]
SEEDS = st.integers(0, 2**32 - 1)
UNIT = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
# Events on every side and corner of the unit square, inside it, and level with its edges outside.
AROUND = np.array(
    [(x, y) for x in (-1.0, 0.0, 0.5, 1.0, 2.0) for y in (-1.0, 0.0, 0.5, 1.0, 2.0)],
)


def events(gate: Gate | Expression, seed: int, lost: float = 0.02) -> Values:
    """Events of the gate's own dimensions, many of them on its edges."""
    dimensions = gate.dimensions  # type: ignore[union-attr]
    return strategies.display_events(seed, dimensions, strategies.edges(gate), 300, lost)


def frame(gate: Gate, values: Values) -> pd.DataFrame:
    """Events as FlowKit takes them."""
    return pd.DataFrame(values, columns=[dimension.label for dimension in gate.dimensions])  # type: ignore[attr-defined]


# --- laws of every gate ---------------------------------------------------------------------------------------


@given(strategies.gates(AXES), SEEDS)
def test_contains__does_not_depend_on_the_batch(gate: Gate, seed: int) -> None:
    """A subset, an order, one event and another memory layout give the answers of the whole."""
    values = events(gate, seed)
    rng = np.random.default_rng(seed)
    whole = gate.contains(values)
    mask = rng.random(len(values)) < 0.3
    order = rng.permutation(len(values))
    assert np.array_equal(whole[mask], gate.contains(values[mask]))
    assert np.array_equal(whole[order], gate.contains(values[order]))
    assert np.array_equal(whole, gate.contains(np.asfortranarray(values)))
    assert np.array_equal(whole[:1], gate.contains(values[:1]))
    assert gate.contains(values[:0]).shape == (0,)


@given(strategies.gates(AXES), SEEDS)
def test_contains__nothing_that_is_not_finite(gate: Gate, seed: int) -> None:
    """An event that is NaN or infinite anywhere is inside no gate."""
    values = events(gate, seed, lost=0.5)
    assert not gate.contains(values)[~np.isfinite(values).all(axis=1)].any()


@given(strategies.gates(AXES), SEEDS)
def test_contains__huge_values_are_no_trouble(gate: Gate, seed: int) -> None:
    """Values near the end of float64 are answered without overflow, and the input stays as it was."""
    values = np.random.default_rng(seed).choice([-1e308, -1e150, 0.5, 1e150, 1e308], (50, len(gate.dimensions)))
    before = values.copy()
    assert gate.contains(values).dtype == np.bool_
    assert np.array_equal(before, values)


@given(strategies.gates(AXES))
def test_gate__is_a_value(gate: Gate) -> None:
    """A gate equals its copy, can be hashed and sent to another process, also after use."""
    gate.contains(np.zeros((1, len(gate.dimensions))))
    copy = pickle.loads(pickle.dumps(gate))
    assert gate == copy
    assert hash(gate) == hash(copy)
    assert type(gate) in GATES.values()
    assert isinstance(gate, Gate)


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3), (1, 5, 2)])
def test_contains__refuses_values_of_another_shape(shape: tuple[int, ...]) -> None:
    """Values that do not fit the dimensions are an error, not a broadcast."""
    gate = PolygonGate(XY, UNIT)
    with pytest.raises(GateError, match=r"polygon gate on A, B: values do not fit the gate; expected \(event, 2\)"):
        gate.contains(np.zeros(shape))


# --- ranges and rectangles ------------------------------------------------------------------------------------


def test_range__edges() -> None:
    """Half-open leaves the maximum out, closed takes it in, and infinite bounds keep every finite value."""
    values = np.array([0.0, np.nextafter(0.2, 0), 0.2, 0.5, np.nextafter(0.8, 0), 0.8, 1.0, inf, -inf, nan])
    half_open, closed = RangeGate(AXES[0], 0.2, 0.8), RangeGate(AXES[0], 0.2, 0.8, closed=True)
    assert half_open.contains(values).tolist() == [False, False, True, True, True] + [False] * 5
    assert closed.contains(values).tolist() == [False, False, True, True, True, True] + [False] * 4
    assert RangeGate(AXES[0]).contains(values).tolist() == [True] * 7 + [False] * 3
    assert RangeGate(AXES[0], 0.5, 0.5, closed=True).contains(values).sum() == 1
    assert RangeGate(AXES[0], 0.5, 0.5).contains(values).sum() == 0


@given(strategies.rectangles(AXES), SEEDS)
def test_rectangle__is_an_intersection_of_ranges(gate: RectangleGate, seed: int) -> None:
    """An n-dimensional rectangle holds what all of its ranges hold, where all are finite."""
    values = events(gate, seed)
    ranges = zip(gate.dimensions, gate.minimums, gate.maximums, strict=True)
    inside = [RangeGate(*limits, gate.closed).contains(values[:, i]) for i, limits in enumerate(ranges)]
    assert np.array_equal(np.logical_and.reduce(inside), gate.contains(values))


@given(strategies.rectangles(AXES), SEEDS)
def test_rectangle__equals_flowkit(gate: RectangleGate, seed: int) -> None:
    """FlowKit's rectangle is the half-open one, event for event, edges included."""
    values = events(gate, seed, lost=0)
    limits = zip(gate.dimensions, gate.minimums, gate.maximums, strict=True)
    dimensions = [flowkit.Dimension(d.label, range_min=low, range_max=high) for d, low, high in limits]
    theirs = flowkit.gates.RectangleGate("gate", dimensions).apply(frame(gate, values))
    half_open = RectangleGate(gate.dimensions, gate.minimums, gate.maximums)
    assert np.array_equal(theirs, half_open.contains(values))


# --- polygons -------------------------------------------------------------------------------------------------


def test_polygon__edges_of_a_square() -> None:
    """Half-open: left and bottom edges, and their corner, are inside. Closed: all edges and corners are."""
    x, y = AROUND.T
    expected = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    for outline in (UNIT, UNIT[::-1], UNIT[2:] + UNIT[:2]):
        assert np.array_equal(expected, PolygonGate(XY, outline).contains(AROUND))
        closed = PolygonGate(XY, outline, closed=True).contains(AROUND)
        assert np.array_equal((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1), closed)


def exactly_inside(vertices: Sequence[tuple[float, float]], point: Sequence[float], closed: bool) -> bool:
    """Even–odd rule in rational numbers: count the edges that the ray to the right strictly crosses."""
    x, y = map(Fraction, point)
    corners = [(Fraction(a), Fraction(b)) for a, b in vertices]
    odd = False
    for (ax, ay), (bx, by) in pairwise([*corners, corners[0]]):
        level = min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)
        if closed and level and (bx - ax) * (y - ay) == (x - ax) * (by - ay):
            return True
        if (ay > y) != (by > y):
            odd ^= ax + (y - ay) * (bx - ax) / (by - ay) > x
    return odd


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=9), st.booleans())
def test_polygon__equals_exact_arithmetic(corners: list[tuple[int, int]], closed: bool) -> None:
    """On a grid every product is exact, and so is every answer, however the outline crosses itself."""
    vertices = tuple((x / 8, y / 8) for x, y in corners)
    if not strategies.spans_area(vertices):
        return
    grid = np.array([(x / 16, y / 16) for x in range(-1, 18) for y in range(-1, 18)])
    expected = [exactly_inside(vertices, point, closed) for point in grid.tolist()]
    assert expected == PolygonGate(XY, vertices, closed).contains(grid).tolist()


@given(strategies.polygons(AXES, infinite=False), SEEDS)
def test_polygon__equals_flowkit(gate: PolygonGate, seed: int) -> None:
    """FlowKit's polygon is the half-open one, event for event, whatever its text says of edges."""
    values = events(gate, seed, lost=0)
    dimensions = [flowkit.Dimension(dimension.label) for dimension in gate.dimensions]  # type: ignore[attr-defined]
    theirs = flowkit.gates.PolygonGate("gate", dimensions, gate.vertices).apply(frame(gate, values))
    assert np.array_equal(theirs, PolygonGate(gate.dimensions, gate.vertices).contains(values))


@given(strategies.polygons(AXES), SEEDS)
def test_polygon__closed_adds_edges_only(gate: PolygonGate, seed: int) -> None:
    """The closed polygon holds the half-open one and every finite vertex."""
    values = events(gate, seed)
    half_open, closed = (PolygonGate(gate.dimensions, gate.vertices, end).contains(values) for end in (False, True))
    assert not (half_open & ~closed).any()
    vertices = np.array(gate.vertices)
    vertices = vertices[np.isfinite(vertices).all(axis=1)]
    assert PolygonGate(gate.dimensions, gate.vertices, True).contains(vertices).all()


@given(strategies.polygons(AXES), SEEDS, st.integers(0, 11))
def test_polygon__start_and_direction_do_not_matter(gate: PolygonGate, seed: int, start: int) -> None:
    """Another first vertex changes nothing; the other direction only what rounding decides."""
    values = events(gate, seed)
    start %= len(gate.vertices)
    turned = gate.vertices[start:] + gate.vertices[:start]
    assert np.array_equal(gate.contains(values), PolygonGate(gate.dimensions, turned, gate.closed).contains(values))
    repeated = (*gate.vertices, gate.vertices[0])
    assert np.array_equal(gate.contains(values), PolygonGate(gate.dimensions, repeated, gate.closed).contains(values))


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(1, 15)), min_size=1, max_size=5))
def test_polygon__neighbours_share_no_event(bends: list[tuple[int, int]]) -> None:
    """A square cut in two along any line: every event is in exactly one half-open piece."""
    cut = [(0.0, 0.5), *((x / 16, y / 16) for x, y in bends), (1.0, 0.5)]
    low = PolygonGate(XY, ((0.0, 0.0), *cut, (1.0, 0.0)))
    high = PolygonGate(XY, ((0.0, 1.0), *cut, (1.0, 1.0)))
    grid = np.array([(x / 16, y / 16) for x in range(17) for y in range(17)])
    assert np.array_equal(PolygonGate(XY, UNIT).contains(grid), low.contains(grid) ^ high.contains(grid))


def test_polygon__crossing_itself_leaves_a_hole() -> None:
    """The middle of a five-pointed star is crossed twice and is outside."""
    angles = np.pi / 2 + 4 * np.pi / 5 * np.arange(5)
    star = PolygonGate(XY, tuple(zip(np.cos(angles), np.sin(angles), strict=True)))
    assert star.contains(np.array([[0.0, 0.0], [0.0, 0.8], [0.9, 0.9]])).tolist() == [False, True, False]


def test_polygon__infinite_vertices() -> None:
    """A polygon open to the right and above is the rectangle it stands for, also for huge events."""
    values = np.array([(x, y) for x in (-1e300, 0.4, 0.5, 0.6, 1e200, inf) for y in (-1e308, 0.0, 0.25, 1e308, nan)])
    vertices = ((0.5, 0.25), (inf, 0.25), (inf, inf), (0.5, inf))
    rectangle = RectangleGate(XY, (0.5, 0.25), (inf, inf))
    for closed in (False, True):
        assert np.array_equal(rectangle.contains(values), PolygonGate(XY, vertices, closed).contains(values))
    half_plane = PolygonGate(XY, ((0.5, -inf), (0.5, inf), (inf, inf), (inf, -inf)))
    assert np.array_equal(RectangleGate(XY, (0.5, -inf), (inf, inf)).contains(values), half_plane.contains(values))


# --- ellipsoids -----------------------------------------------------------------------------------------------


@given(strategies.ellipses(AXES), SEEDS)
def test_ellipse__equals_flowkit(gate: EllipseGate, seed: int) -> None:
    """FlowKit's ellipsoid is the same, but for events within rounding of the surface."""
    values = events(gate, seed, lost=0)
    dimensions = [flowkit.Dimension(dimension.label) for dimension in gate.dimensions]  # type: ignore[attr-defined]
    precision = np.linalg.inv(gate.covariance)
    offset = values - np.array(gate.mean)
    distance = ((offset @ precision) * offset).sum(axis=1)
    rounding = (
        1e-13 * np.linalg.cond(gate.covariance) * (1 + (np.abs(offset) ** 2).sum(axis=1) * np.abs(precision).max())
    )
    clear = np.abs(distance - gate.distance_square) > rounding
    theirs = flowkit.gates.EllipsoidGate(
        "gate", dimensions, gate.mean, np.array(gate.covariance), gate.distance_square
    ).apply(frame(gate, values))
    assert np.array_equal(theirs[clear], gate.contains(values)[clear])


def test_ellipse__surface_is_inside() -> None:
    """Axes of an ellipse lie at the root of their variances; the end of an axis is inside, the next float64 not."""
    gate = EllipseGate(XY, (1.0, 2.0), ((4.0, 0.0), (0.0, 0.25)), 4.0)
    ends = np.array([[5.0, 2.0], [-3.0, 2.0], [1.0, 3.0], [1.0, 1.0]])
    assert gate.contains(ends).all()
    assert not gate.contains(ends + (ends - [1.0, 2.0]) * 1e-15).any()
    assert gate.contains(np.array([[1.0, 2.0]])).all()


@given(strategies.ellipses(AXES), SEEDS)
def test_ellipse__is_written_out(gate: EllipseGate, seed: int) -> None:
    """The distance is its products added from left to right, each step rounded once."""
    values = events(gate, seed)[:40]
    weights = gate._precision.tolist()
    expected = []
    for event in values.tolist():
        offsets = [x - centre for x, centre in zip(event, gate.mean, strict=True)]
        total = 0.0
        for j, offset in enumerate(offsets):
            turned = offsets[0] * weights[0][j]
            for i in range(1, len(offsets)):
                turned = turned + offsets[i] * weights[i][j]
            total = total + turned * offset
        expected.append(bool(np.isfinite(event).all()) and total <= gate.distance_square)
    assert expected == gate.contains(values).tolist()


def test_ellipse__of_three_dimensions() -> None:
    """A sphere of radius two."""
    gate = EllipseGate(AXES[:3], (0, 0, 0), np.eye(3), 4)
    values = np.array([[0.0, 0.0, 2.0], [1.2, 1.2, 1.2], [1.1, 1.1, 1.1], [nan, 0.0, 0.0]])
    assert gate.contains(values).tolist() == [True, False, True, False]


def test_ellipse__indefinite_has_to_be_asked_for() -> None:
    """The matrix of Gating-ML's own compliance suite is no covariance; whoever reads that says so."""
    matrix = ((2.5, 7.5, 17.5), (7.5, 7.0, 13.5), (15.5, 13.5, 4.3))
    gate = EllipseGate(AXES[:3], (40.3, 30.6, 20.8), matrix, 1.0, indefinite=True)
    theirs = flowkit.gates.EllipsoidGate(
        "gate", [flowkit.Dimension(name) for name in "ABC"], gate.mean, np.array(matrix), 1.0
    )
    values = np.random.default_rng(0).uniform(0, 100, (2000, 3))
    assert np.array_equal(theirs.apply(frame(gate, values)), gate.contains(values))
    assert not EllipseGate(XY, (0, 0), np.eye(2), indefinite=True).indefinite


# --- quadrants ------------------------------------------------------------------------------------------------


@given(strategies.quadrants(AXES), SEEDS)
def test_quadrant__parts_divide_all_finite_events(gate: QuadrantGate, seed: int) -> None:
    """Every finite event is in exactly one part, and that part is its rectangle."""
    values = events(gate, seed)
    parts = [QuadrantPart(gate, (number,)).contains(values) for number in range(gate.part_count)]
    assert np.array_equal(np.isfinite(values).all(axis=1), np.sum(parts, axis=0) == 1)
    assert np.array_equal(gate.contains(values), np.any(parts, axis=0))
    for number, intervals in enumerate(np.ndindex(gate.shape)):
        bounds = [(-inf, *dividers, inf) for dividers in gate.dividers]
        low, high = ([axis[i + end] for axis, i in zip(bounds, intervals, strict=True)] for end in (0, 1))
        assert np.array_equal(RectangleGate(gate.dimensions, low, high).contains(values), parts[number])


@given(strategies.quadrants(AXES), SEEDS)
def test_quadrant__equals_flowkit(gate: QuadrantGate, seed: int) -> None:
    """Each of FlowKit's quadrants holds the same events, those with a dimension left open too."""
    values = events(gate, seed, lost=0)
    labels = [dimension.label for dimension in gate.dimensions]
    dividers = [
        flowkit.QuadrantDivider(label, label, "uncompensated", values=list(cuts))
        for label, cuts in zip(labels, gate.dividers, strict=True)
    ]
    bounds = [(None, *cuts, None) for cuts in gate.dividers]
    asked = [*np.ndindex(gate.shape), *((interval,) for interval in range(gate.shape[0]))]
    quadrants = [
        flowkit.gates.Quadrant(
            str(intervals),
            labels[: len(intervals)],
            [(axis[i], axis[i + 1]) for axis, i in zip(bounds, intervals, strict=False)],
        )
        for intervals in asked
    ]
    theirs = flowkit.gates.QuadrantGate("gate", dividers, quadrants).apply(frame(gate, values))
    for intervals in asked:
        padded = [*intervals, *[None] * (len(labels) - len(intervals))]
        ours = QuadrantPart(gate, gate.parts_where(padded))
        assert np.array_equal(theirs[str(intervals)], ours.contains(values))


def test_quadrant__numbers_and_names() -> None:
    """The first dimension is slowest; a value on a divider is above it; several dividers are numbered."""
    gate = QuadrantGate(XY, ((0.5,), (0.3,)))
    values = np.array([[0.0, 0.0], [0.0, 0.3], [0.5, 0.0], [0.5, 0.3], [nan, 0.0], [0.0, inf]])
    assert gate.part(values).tolist() == [0, 1, 2, 3, -1, -1]
    assert gate.part(values).dtype == np.int8
    assert gate.part_names == ("A-B-", "A-B+", "A+B-", "A+B+")
    assert QuadrantGate(XY, ((0.5, 0.6), (0.3,))).part_names[-2:] == ("A[2]B-", "A[2]B+")
    assert QuadrantGate(XY, ((0.5,), (0.3,)), ("a", "b", "c", "d")).part_names == ("a", "b", "c", "d")
    assert QuadrantGate(XY, ((0.5, 0.6), (0.3,))).parts_where((None, 1)) == (1, 3, 5)


# --- ratios ---------------------------------------------------------------------------------------------------


def test_ratio__equals_gatingml() -> None:
    """a · ((x − b) / (y − c)), and nothing finite where the denominator vanishes."""
    dimension = RatioDimension("FL1", "FL2", a=2.0, b=3.0, c=-0.5)
    x, y = np.array([7.0, 3.0, 7.0, nan]), np.array([1.5, -0.5, -0.5, 1.0])
    assert np.array_equal([4.0, nan, inf, nan], dimension.ratio(x, y), equal_nan=True)
    gate = RangeGate(dimension, 0.0)
    assert gate.contains(dimension.ratio(x, y)).tolist() == [True, False, False, False]
    assert dimension.channels == ("FL1", "FL2")
    assert dimension.label == "FL1/FL2"


# --- booleans -------------------------------------------------------------------------------------------------


@st.composite
def boolean_worlds(draw: st.DrawFn) -> tuple[Callable[[str], Any], Callable[[AnyDimension], Values]]:
    """Two populations, some of whose events could not be judged, and values of every dimension."""
    rng = np.random.default_rng(draw(SEEDS))
    judged = {path: rng.random(200) < 0.9 for path in ("P", "P/Q")}
    inside = {path: rng.random(200) < 0.5 for path in judged}
    values = strategies.display_events(draw(SEEDS), AXES, {}, 200, lost=0.05)
    return lambda path: (inside[path], judged[path]), lambda dimension: values[:, AXES.index(dimension)]  # type: ignore[arg-type]


@given(strategies.expressions(("P", "P/Q"), AXES), boolean_worlds())
def test_evaluate__a_term_and_its_complement_divide_the_judged(expression: Expression, world: Any) -> None:
    """What cannot be judged is in neither."""
    inside, judged = evaluate(expression, *world)
    outside, still_judged = evaluate(Not(expression), *world)
    assert np.array_equal(judged, still_judged)
    assert np.array_equal(judged, inside ^ outside)
    assert not (inside & ~judged).any()


@given(st.lists(strategies.expressions(("P",), AXES), min_size=1, max_size=3), boolean_worlds())
def test_evaluate__de_morgan(terms: list[Expression], world: Any) -> None:
    """The complement of an "or" is the "and" of the complements, unjudged events included."""
    left = evaluate(Not(Or(tuple(terms))), *world)
    right = evaluate(And(tuple(Not(term) for term in terms)), *world)
    assert all(np.array_equal(one, other) for one, other in zip(left, right, strict=True))


@given(strategies.expressions(("P", "P/Q"), AXES), boolean_worlds())
def test_evaluate__judges_by_every_dimension_used(expression: Expression, world: Any) -> None:
    """One missing value anywhere in the expression takes an event out, even where other terms would suffice."""
    member, values = world
    expected = np.ones(200, dtype=bool)
    for path in members_of(expression):
        expected &= member(path)[1]
    for threshold in thresholds_of(expression):
        expected &= np.isfinite(values(threshold.dimension))
    assert np.array_equal(expected, evaluate(expression, *world)[1])


def test_threshold__a_value_on_the_cut_is_positive() -> None:
    """ "M+" and "M−" share no event and leave out none that is finite."""
    values = np.array([0.39, 0.4, 0.41, nan, inf, -inf])
    positive, negative = (Threshold(AXES[0], 0.4, sign).contains(values) for sign in (True, False))
    assert positive.tolist() == [False, True, True, False, False, False]
    assert negative.tolist() == [True, False, False, False, False, False]


def test_evaluate__a_term_without_a_place() -> None:
    """A term against a named cut point has to be placed first."""
    terms = (Term("CD3", "+", "CD3"), Term("CD56", "+", "bright"), Term("CD56", "-", "bright"))
    assert list(map(str, terms)) == ["CD3+", "CD56>bright", "CD56<bright"]
    with pytest.raises(GateError, match=r"term CD3\+: its cut point has no place yet"):
        evaluate(Term("CD3", "+", "CD3"), lambda path: (np.ones(1), np.ones(1)), lambda dimension: np.ones(1))


def test_members_of__each_once_in_order() -> None:
    """References and thresholds of an expression, for whoever plans its evaluation."""
    low, high = Threshold(AXES[0], 0.1, False), Threshold(AXES[1], 0.2)
    expression = And((Member("b"), Not(Or((low, Member("a"), Member("b")))), high, low))
    assert members_of(expression) == ("b", "a")
    assert thresholds_of(expression) == (low, high)
    assert thresholds_of(Term("CD3", "+", "CD3")) == ()


# --- trees ----------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.data(), SEEDS)
def test_trees__every_definition_can_be_evaluated(data: st.DataObject, seed: int) -> None:
    """Nested gates on scales, booleans and ratios: a child lies in its parent, and complements hold no NaN."""
    panel = data.draw(strategies.panels())
    tree = data.draw(strategies.trees(panel, ratios=True))
    marks: dict[str, list[float]] = {}
    for node in tree:
        marks = strategies.merged(marks, strategies.edges(node.definition))
    linear = strategies.linear_events(seed, panel, marks, 100)
    column = {dimension.channel: linear[:, index] for index, dimension in enumerate(panel)}

    def shown(dimension: AnyDimension) -> Values:
        values = [column[channel] for channel in dimension.channels]
        x = dimension.ratio(*values) if isinstance(dimension, RatioDimension) else values[0]
        return x if dimension.scale is None else dimension.scale.apply(x)

    everything = np.ones(100, dtype=bool)
    judged = {"": (everything, everything)}
    for node in tree:
        if isinstance(node.definition, And | Or | Not | Member | Threshold):
            inside, able = evaluate(node.definition, judged.__getitem__, shown)
        else:
            values = np.column_stack([shown(dimension) for dimension in node.definition.dimensions])
            inside, able = node.definition.contains(values), np.isfinite(values).all(axis=1)
        parent, parent_able = judged[node.parent]
        judged[node.path] = inside & parent, able & parent_able
        assert not (inside & ~able).any()
        assert not (judged[node.path][0] & ~parent).any()


# --- refusals -------------------------------------------------------------------------------------------------

TWICE = (Dimension("CD3"), Dimension("CD3", Logicle()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RangeGate(AXES[0], 0.8, 0.2), "range gate on A: no value lies between the bounds; .*minimum 0.8, max"),
        (lambda: RangeGate(AXES[0], nan, 0.2), "no value lies between the bounds.*got minimum nan"),
        (lambda: RangeGate(AXES[0], inf, inf), "no value lies between the bounds"),
        (lambda: RangeGate(AXES[0], "0.1", 1), r"bounds: not numbers; got \('0.1', 1\)"),
        (lambda: RectangleGate(XY, (0, 0.9), (1, 0.8)), "rectangle gate on A, B: no value lies between the bounds"),
        (lambda: RectangleGate(XY, (0,), (1, 1)), "wrong number of minimums; expected 2, got 1"),
        (lambda: RectangleGate((), (), ()), "wrong number of dimensions; expected 1 to 64 dimensions, got 0"),
        (lambda: RectangleGate(TWICE, (0, 0), (1, 1)), "rectangle gate on CD3, CD3: the same channel twice"),
        (lambda: PolygonGate(TWICE, UNIT), "polygon gate on CD3, CD3: the same channel twice"),
        (lambda: PolygonGate(AXES[:3], UNIT), "wrong number of dimensions; expected 2 dimensions, got 3"),
        (lambda: PolygonGate(XY, UNIT[:2]), "too few vertices; expected at least 3 different ones, got 2"),
        (lambda: PolygonGate(XY, UNIT[:2] * 3), "too few vertices; expected at least 3 different ones, got 2"),
        (lambda: PolygonGate(XY, ((0, 0), (1, nan), (1, 1))), "a vertex is not a point; expected two numbers, not NaN"),
        (lambda: PolygonGate(XY, ((0, 0), (1, 0, 2), (1, 1))), "a vertex is not a point"),
        (lambda: PolygonGate(XY, ((0, 0), (1, "0"), (1, 1))), r"vertex: not numbers; got \(1, '0'\)"),
        (lambda: PolygonGate(XY, ((0, 0), 5, (1, 1))), "vertex: not numbers; got 5"),
        (lambda: PolygonGate(XY, ((0, 0), (1, 1), (2, 2), (0.5, 0.5))), "all vertices lie on one line"),
        (lambda: PolygonGate(XY, ((0, 1), (-inf, 1), (inf, 1))), "all vertices lie on one line"),
        (lambda: EllipseGate(AXES[:1], (0,), ((1,),)), "wrong number of dimensions; expected 2 to 64"),
        (lambda: EllipseGate(XY, (0, 0, 0), np.eye(2)), "wrong number of coordinates of the mean; expected 2, got 3"),
        (lambda: EllipseGate(XY, (0, 0), np.eye(3)), "wrong number of rows and columns of the covariance"),
        (lambda: EllipseGate(XY, (0, nan), np.eye(2)), "numbers describe no ellipsoid.*got mean"),
        (lambda: EllipseGate(XY, (0, 0), np.eye(2), 0), "distance_square above 0"),
        (
            lambda: EllipseGate(XY, (0, 0), ((1, 2), (2, 1))),
            "covariance describes no ellipsoid; expected a symmetric, pos",
        ),
        (lambda: EllipseGate(XY, (0, 0), ((1, 0.1), (0.2, 1))), "covariance describes no ellipsoid"),
        (lambda: EllipseGate(XY, (0, 0), ((1, 1), (1, 1))), "covariance describes no ellipsoid"),
        (lambda: EllipseGate(XY, (0, 0), ((-1, 0), (0, -1))), "covariance describes no ellipsoid"),
        (lambda: EllipseGate(XY, (0, 0), np.ones((2, 2)), indefinite=True), "expected an invertible matrix"),
        (lambda: EllipseGate(TWICE, (0, 0), np.eye(2)), "ellipse gate on CD3, CD3: the same channel twice"),
        (lambda: QuadrantGate(TWICE, ((0,), (0,))), "quadrant gate on CD3, CD3: the same channel twice"),
        (lambda: QuadrantGate(XY, ((0.5,),)), "dividers do not cut the dimensions into intervals"),
        (lambda: QuadrantGate(XY, ((0.5,), ())), "dividers do not cut"),
        (lambda: QuadrantGate(XY, ((0.5, 0.5), (0,))), "one or more finite numbers, increasing"),
        (lambda: QuadrantGate(XY, ((0.5, inf), (0,))), "one or more finite numbers, increasing"),
        (lambda: QuadrantGate(XY, ((nan,), (0,))), "one or more finite numbers, increasing"),
        (lambda: QuadrantGate(XY, (range(12), range(12))), "too many parts; expected at most 127, got 169"),
        (lambda: QuadrantGate(XY, ((0,), (0,)), ("a", "b", "c")), "names do not fit the parts; expected 4 different"),
        (lambda: QuadrantGate(XY, ((0,), (0,)), ("a", "b", "c", "a")), "names do not fit the parts"),
        (lambda: QuadrantGate(XY, ((0,), (0,))).parts_where((2, 0)), "no such interval; expected 0 to 1, got 2"),
        (lambda: QuadrantGate(XY, ((0,), (0,))).parts_where((0,)), "an interval for each dimension"),
        (lambda: QuadrantPart(QuadrantGate(XY, ((0,), (0,))), (4,)), r"no such part; expected 0 to 3, got \(4,\)"),
        (lambda: QuadrantPart(QuadrantGate(XY, ((0,), (0,))), ()), "no such part"),
        (lambda: Threshold(AXES[0], nan), "threshold on A: the cut is NaN"),
        (lambda: Member(""), "a population's path is empty"),
        (lambda: And(()), "'and' has no terms or one of an unknown kind"),
        (lambda: Or((Member("a"), "b")), "'or' has no terms or one of an unknown kind"),
        (lambda: Not("CD3+"), "'not' has no terms or one of an unknown kind"),
        (lambda: Dimension(""), "a dimension has no channel"),
        (lambda: RatioDimension("a", "b", a=0), "a ratio's parameters are not usable; .*a ≠ 0, got a = 0"),
        (lambda: RatioDimension("a", "b", c=inf), "a/b: a ratio's parameters are not usable"),
        (lambda: RatioDimension("a", "a"), "a ratio needs two different channels"),
    ],
)
def test_gate__refuses_degenerate_geometry(make: Callable[[], object], message: str) -> None:
    """A gate that could hold nothing, or anything by accident, is refused when it is made."""
    with pytest.raises(GateError, match=message):
        make()


def test_gate__same_channel_compensated_differently() -> None:
    """One channel may be gated against itself under two compensations."""
    gate = PolygonGate((Dimension("CD3", None, "none"), Dimension("CD3", None, "file")), UNIT)
    assert gate.contains(np.array([[0.5, 0.5]])).all()
