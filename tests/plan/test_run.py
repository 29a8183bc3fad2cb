"""The plan engine is the literal evaluator, event for event, on random trees with events on every edge."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

import flowio
import numpy as np
import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from plan.same import assert_same
from strategies import CHANNELS, Node

from cytorecon.compensation import Spillover
from cytorecon.fcs import Events, read_fcs
from cytorecon.gates import AnyDimension, Dimension, Expression, RatioDimension, thresholds_of
from cytorecon.plan.literal import Axis, BoundPopulation, BoundTemplate
from cytorecon.plan.run import run

SPILLED = CHANNELS[1:]


def spillover(seed: int) -> Spillover:
    """A matrix with a tenth of spill here and there."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(len(SPILLED)) + np.where(rng.random((4, 4)) < 0.6, rng.uniform(0, 0.15, (4, 4)), 0.0)
    np.fill_diagonal(matrix, 1.0)
    return Spillover(SPILLED, matrix, source="$SPILLOVER")


def dimensions_of(node: Node) -> list[AnyDimension]:
    if isinstance(node.definition, Expression):
        return [threshold.dimension for threshold in thresholds_of(node.definition)]
    return list(node.definition.dimensions)


def bound_template(nodes: tuple[Node, ...], matrix: Spillover | None) -> BoundTemplate:
    """The tree bound to a file of all channels."""
    axes: dict[AnyDimension, Axis] = {}
    for dimension in (dimension for node in nodes for dimension in dimensions_of(node)):
        ratio = dimension if isinstance(dimension, RatioDimension) else None
        axes[dimension] = Axis(dimension.channels, matrix, dimension.scale, ratio)
    populations = tuple(BoundPopulation(node.path, node.parent, node.definition) for node in nodes)
    return BoundTemplate(tuple(range(len(CHANNELS))), CHANNELS, axes, populations)


def write(path: Path, values: NDArray[np.float64]) -> Events:
    with np.errstate(over="ignore"):
        single = np.nan_to_num(values, nan=np.nan, posinf=np.inf, neginf=-np.inf).astype(np.float32)
    with path.open("wb") as file:
        flowio.create_fcs(file, single.ravel().tolist(), list(CHANNELS))
    return read_fcs(path)


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Node, ...], NDArray[np.float64], Spillover | None]:
    panel = draw(strategies.panels())
    nodes = draw(strategies.trees(panel, most=10, ratios=True))
    marks = reduce(strategies.merged, (strategies.edges(node.definition) for node in nodes), {})
    matrix = spillover(draw(st.integers(0, 10))) if draw(st.booleans()) else None
    seed, lost = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.0, 0.02, 0.3]))
    with np.errstate(all="ignore"):
        values = strategies.linear_events(seed, panel, marks, 600, lost)
        if matrix is not None:  # so that the compensated values land on the marks, up to rounding
            values[:, 1:] = values[:, 1:] @ matrix.matrix
    return nodes, values, matrix


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(), rows=st.sampled_from([8, 96, 16384]))
def test_run__is_the_literal_evaluator(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[tuple[Node, ...], NDArray[np.float64], Spillover | None],
    rows: int,
) -> None:
    """Every gate and scale, compensated or not, nested, with Booleans and ratios, NaN and infinities."""
    nodes, values, matrix = case
    events = write(tmp_path_factory.mktemp("run") / "tube.fcs", values)
    assert_same(events, bound_template(nodes, matrix), rows)


def test_run__defers_few_events_of_an_ordinary_template(tmp_path: Path) -> None:
    """Nearly every event is decided in single precision, so that the second look costs little."""
    rng = np.random.default_rng(5)
    values = rng.lognormal(6, 1.5, (50_000, len(CHANNELS)))
    events = write(tmp_path / "tube.fcs", values)
    nodes = tuple(
        Node(channel, "", strategies.RangeGate(Dimension(channel, strategies.Logicle()), 0.3, 0.6))
        for channel in SPILLED
    )
    outcome = run(events, bound_template(nodes, spillover(1)))
    assert outcome.deferred < 0.01 * events.event_count
