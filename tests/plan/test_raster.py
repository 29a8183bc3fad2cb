"""Rasters answer as the polygon itself does, or leave the event undecided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.plan.axis import Axis, linear_axis, table_axis
from cytorecon.plan.raster import UNDECIDED, draw
from cytorecon.transforms import Asinh, Hyperlog, Linear, Log, Logicle, Transform

LIMIT = 2.0**18
CURVED: tuple[Transform, ...] = (Logicle(), Logicle(w=1.2, a=0.3), Asinh(m=4.0, a=1.0), Hyperlog(), Log())
corner = st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1))


def even_odd(vertices: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Inside by the number of sides crossed on the way to the right."""
    inside = np.zeros(len(points), dtype=bool)
    for (x1, y1), (x2, y2) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        spans = (y1 > points[:, 1]) != (y2 > points[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            x = (x2 - x1) * (points[:, 1] - y1) / (y2 - y1) + x1
        inside ^= spans & (points[:, 0] < x)
    return inside


def axis_of(scale: Transform, low: float, high: float, error: float) -> Axis:
    if isinstance(scale, Linear):
        start, stop = scale.inverse(np.array([low, high]))
        return linear_axis(start, stop, scale.apply, error)
    return table_axis(low, high, scale.apply, LIMIT, error)


def events(scale: Transform, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Raw events all over the display, some beyond it and some exactly on round values."""
    display = rng.uniform(-0.2, 1.2, count)
    display[: count // 4] = np.round(display[: count // 4], 1)
    return np.clip(scale.inverse(display), -LIMIT, LIMIT).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    polygons=st.lists(st.lists(corner, min_size=3, max_size=7), min_size=1, max_size=7),
    scales=st.tuples(*[st.sampled_from((*CURVED, Linear(t=LIMIT)))] * 2),
    error=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_draw__never_decides_wrongly(
    polygons: list[list[tuple[float, float]]], scales: tuple[Transform, Transform], error: float, seed: int
) -> None:
    """Where the raster decides, the even–odd rule says the same, self-intersecting polygons included."""
    rng = np.random.default_rng(seed)
    drawn = [np.array(vertices) for vertices in polygons]
    corners = np.concatenate(drawn)
    if np.ptp(corners, axis=0).min() < 1e-6:
        return
    axes = tuple(
        axis_of(scale, low, high, error)
        for scale, low, high in zip(scales, corners.min(axis=0), corners.max(axis=0), strict=True)
    )
    raster = draw((0, 1), (axes[0], axes[1]), drawn)
    raw = [events(scale, rng, 3000) for scale in scales]
    code = raster.look_up(*raw)
    moved = [values.astype(np.float64) + rng.uniform(-error, error, len(values)) for values in raw]
    display = np.column_stack([scale.apply(values) for scale, values in zip(scales, moved, strict=True)])
    decided = (code < UNDECIDED) & np.isfinite(display).all(axis=1)
    for position, vertices in enumerate(drawn):
        expected = even_odd(vertices, display)[decided]
        assert np.array_equal(expected, (code[decided] >> position) & 1 == 1)


@pytest.mark.parametrize("scale", [Logicle(), Linear(t=LIMIT)])
def test_draw__decides_nearly_everything(scale: Transform) -> None:
    """A square leaves undecided no more than the events close to its four sides."""
    square = np.array([[0.2, 0.2], [0.2, 0.8], [0.8, 0.8], [0.8, 0.2]])
    axes = (axis_of(scale, 0.2, 0.8, 0.0), axis_of(scale, 0.2, 0.8, 0.0))
    rng = np.random.default_rng(1)
    raw = [scale.inverse(rng.uniform(0, 1, 100_000)).astype(np.float32) for _ in axes]
    undecided = draw((0, 1), axes, [square]).look_up(*raw) >= UNDECIDED
    assert undecided.mean() < 0.02
