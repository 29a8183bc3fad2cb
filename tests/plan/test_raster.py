"""Rasters answer as the gate itself does, or leave the event undecided."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.gates import Dimension, PolygonGate
from cytorecon.plan.axis import axis_over
from cytorecon.plan.curve import Curve
from cytorecon.plan.raster import PlaneGate, Raster, bits_of, draw, extent
from cytorecon.transforms import Asinh, Hyperlog, Linear, Log, Logicle, Transform

LIMIT = 2.0**18
Single = NDArray[np.float32]
SCALES: tuple[Transform, ...] = (
    *(Logicle(), Logicle(w=1.2, a=0.3), Asinh(m=4.0, a=1.0), Hyperlog(), Log()),
    *(Linear(t=LIMIT), Linear()),
)
PLANE = (Dimension("X"), Dimension("Y"))


def look_up(curves: Sequence[Curve], gates: tuple[PlaneGate, ...], raw: Sequence[Single]) -> NDArray[np.uint8]:
    """Bytes of some events in a raster just large enough for the gates."""
    low, high = np.min([extent(gate)[0] for gate in gates], axis=0), np.max([extent(gate)[1] for gate in gates], axis=0)
    x, y = (axis_over(*ends) for ends in zip(curves, low, high, strict=True))
    return Raster((0, 1), (x, y), draw(x, y, gates)).look_up(x.bin(raw[0]), y.bin(raw[1]))


@st.composite
def drawn_gates(draw: st.DrawFn) -> PlaneGate:
    """A polygon or an ellipse on a display of about 0 to 1."""
    if draw(st.booleans()):
        return draw(strategies.ellipses(PLANE))
    return draw(strategies.polygons(PLANE, infinite=False))


def raw_events(curve: Curve, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Raw events all over the display, some beyond it and some exactly on round values."""
    display = rng.uniform(-0.2, 1.2, count)
    display[: count // 4] = np.round(display[: count // 4] * 16) / 16
    assert curve.scale is not None
    return np.clip(curve.scale.inverse(display), -LIMIT, LIMIT).astype(np.float32)


@settings(max_examples=80, deadline=None)
@given(
    gates=st.lists(drawn_gates(), min_size=1, max_size=4).map(tuple),
    scales=st.tuples(*[st.sampled_from(SCALES)] * 2),
    error=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_draw__never_decides_wrongly(
    gates: tuple[PlaneGate, ...], scales: tuple[Transform, Transform], error: float, seed: int
) -> None:
    """Where the raster decides, the gate says the same of the true value, wherever in the error that may be."""
    rng = np.random.default_rng(seed)
    curves = [Curve(scale=scale, limit=LIMIT, error=error) for scale in scales]
    raw = [raw_events(curve, rng, 3000) for curve in curves]
    code = look_up(curves, gates, raw)
    true = [np.clip(values + rng.uniform(-error, error, len(values)), -LIMIT, LIMIT) for values in raw]
    display = np.column_stack([curve(values) for curve, values in zip(curves, true, strict=True)])
    for position, gate in enumerate(gates):
        inside, doubt = bits_of(position)
        decided = code & doubt == 0
        assert np.array_equal(gate.contains(display)[decided], code[decided] & inside != 0)


@pytest.mark.parametrize("scale", [Logicle(), Linear(t=LIMIT)])
def test_draw__decides_nearly_everything(scale: Transform) -> None:
    """A square leaves undecided no more than the events close to its four sides."""
    curve = Curve(scale=scale, limit=LIMIT, error=0.0)
    square = PolygonGate(PLANE, ((0.2, 0.2), (0.2, 0.8), (0.8, 0.8), (0.8, 0.2)))
    rng = np.random.default_rng(1)
    raw = [scale.inverse(rng.uniform(0, 1, 100_000)).astype(np.float32) for _ in PLANE]
    undecided = look_up((curve, curve), (square,), raw) & bits_of(0)[1] != 0
    assert undecided.mean() < 0.02
