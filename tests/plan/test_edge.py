"""Edges pulled back to the raw line decide as the literal comparison does, or leave it undecided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.plan.edge import Edge, domain_edge, exact_edge, pull_back
from cytorecon.transforms import Asinh, Hyperlog, Linear, Log, Logicle, Transform

LIMIT = 2.0**20
SCALES: tuple[Transform, ...] = (
    Linear(),
    Linear(t=262144.0, a=100.0),
    Log(t=262144.0, m=4.5),
    Logicle(),
    Logicle(w=1.2, a=0.3),
    Asinh(t=262144.0, m=4.0, a=1.0),
    Hyperlog(),
)
raw = st.floats(-LIMIT, LIMIT, width=32)


def near(edge: Edge) -> list[np.float32]:
    """The values around both sides of an edge, where a mistake would show."""
    around: list[np.float32] = []
    for side in (edge.low, edge.high):
        below, above = (np.nextafter(side, np.float32(end)) for end in (-np.inf, np.inf))
        around += [value for value in (below, side, above) if abs(value) <= LIMIT]
    return around


@given(value=st.floats(-1e30, 1e30), above=st.booleans(), x=raw)
def test_exact_edge__is_the_comparison_itself(value: float, above: bool, x: float) -> None:
    """On an unscaled channel one comparison of float32 is the comparison with the float64 edge."""
    edge = exact_edge(value, above=above)
    assert edge.certain
    for event in [np.float32(x), *near(edge)]:
        expected = float(event) > value if above else float(event) >= value
        assert expected == bool(event >= edge.high)


@given(scale=st.sampled_from(SCALES), value=st.floats(-0.5, 1.2), x=raw, error=st.sampled_from([0.0, 0.3, 40.0]))
def test_pull_back__never_decides_wrongly(scale: Transform, value: float, x: float, error: float) -> None:
    """Where the pulled-back edge decides, the scaled value decides the same, whatever the error did to the event."""
    edge = pull_back(value, scale.apply, LIMIT, error)
    for event in [np.float32(x), *near(edge)]:
        truth = scale.apply(np.clip(float(event) + np.array([-error, 0.0, error]), -LIMIT, LIMIT))
        if event >= edge.high:
            assert (truth >= value).all()
        if event < edge.low:
            assert not (truth >= value).any()


@given(value=st.floats(0.01, 0.99))
def test_pull_back__leaves_little_undecided(value: float) -> None:
    """Without error an edge leaves a handful of float32 values open, not a region."""
    edge = pull_back(value, Logicle().apply, LIMIT, 0.0)
    assert abs(edge.high - edge.low) <= 1e-4 + 1e-6 * abs(edge.high)


@pytest.mark.parametrize(("value", "inside"), [(-9.0, True), (9.0, False)])
def test_pull_back__edges_beyond_every_event(value: float, inside: bool) -> None:
    """An edge beyond the limit lets every event in, or none."""
    edge = pull_back(value, Logicle().apply, LIMIT, 0.5)
    for event in np.float32([-LIMIT, 0, LIMIT]):
        assert inside == bool(event >= edge.high)
        assert inside != bool(event < edge.low)


def test_domain_edge__is_where_a_logarithm_begins() -> None:
    """A logarithm is finite above 0 and nowhere below; logicle is finite everywhere."""
    assert domain_edge(Logicle().apply, LIMIT, 0.0) is None
    edge = domain_edge(Log().apply, LIMIT, 0.0)
    assert edge is not None
    assert 0 <= edge.low <= edge.high < 1e-30
