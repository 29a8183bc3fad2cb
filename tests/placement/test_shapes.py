"""Gates on two axes: singlets, the component of a mixture, and a polygon that moves with a landmark."""

from __future__ import annotations

import numpy as np
import pytest

from cytorecon.gates import Dimension, EllipseGate, PolygonGate
from cytorecon.placement import draw_anchored, draw_gaussian_mixture, draw_singlets

AREA_HEIGHT = (Dimension("FSC-A"), Dimension("FSC-H"))
CD45_SSC = (Dimension("CD45"), Dimension("SSC-A"))
BOX = ((0.74, 0.0), (0.74, 34_000.0), (1.0, 34_000.0), (1.0, 0.0))


def singlets_and_doublets(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    area = rng.lognormal(11, 0.2, 5000)
    height = 0.85 * area * rng.normal(1, 0.025, 5000)
    area[:300] *= 2
    return np.column_stack([area, height]), np.arange(5000) < 300


def test_draw_singlets__leaves_doublets_out() -> None:
    """Cells behind each other have the area of two and the height of one."""
    values, double = singlets_and_doublets()
    drawn = draw_singlets(values, AREA_HEIGHT, top=1e6)
    assert isinstance(drawn.gate, PolygonGate)
    inside = drawn.gate.contains(values)
    assert inside[double].mean() < 0.01
    assert inside[~double].mean() > 0.999


def test_draw_singlets__order_changes_nothing() -> None:
    """The same polygon from the same events."""
    values, _ = singlets_and_doublets()
    again = np.random.default_rng(1).permutation(values)
    assert draw_singlets(values, AREA_HEIGHT, top=1e6) == draw_singlets(again, AREA_HEIGHT, top=1e6)


@pytest.mark.parametrize("values", [np.ones((5, 2)), np.random.default_rng(2).lognormal(8, 1, (1000, 2))])
def test_draw_singlets__says_when_there_is_no_line(values: np.ndarray) -> None:
    """Too few events, or height that has nothing to do with area."""
    drawn = draw_singlets(values, AREA_HEIGHT)
    assert drawn.gate is None
    assert drawn.reason


def test_draw_gaussian_mixture__takes_the_component_nearest_the_target() -> None:
    """The ellipse holds the share of the component that was asked for."""
    rng = np.random.default_rng(3)
    near = rng.multivariate_normal([0.3, 30_000], [[0.001, 0], [0, 2e7]], 3000)
    far = rng.multivariate_normal([0.7, 150_000], [[0.001, 0], [0, 2e8]], 9000)
    values = np.concatenate([near, far])
    drawn = draw_gaussian_mixture(values, CD45_SSC, target=(0.35, 40_000), probability=0.9)
    assert isinstance(drawn.gate, EllipseGate)
    assert drawn.gate.contains(near).mean() == pytest.approx(0.9, abs=0.02)
    assert drawn.gate.contains(far).mean() == 0
    assert draw_gaussian_mixture(values[::-1], CD45_SSC, target=(0.35, 40_000), probability=0.9).gate == drawn.gate
    assert "fewer" in draw_gaussian_mixture(values[:10], CD45_SSC).reason


@pytest.mark.parametrize(("shift", "factor"), [(0.0, 1.0), (-0.066, 1.0), (0.066, 1.3), (0.02, 0.75)])
def test_draw_anchored__follows_its_landmark(shift: float, factor: float) -> None:
    """Another gain shifts the display and stretches scatter, and the polygon with them."""
    rng = np.random.default_rng(4)
    values = np.column_stack([rng.normal(0.825 + shift, 0.028, 4000), 19_500 * factor * rng.lognormal(0, 0.165, 4000)])
    drawn = draw_anchored(values, CD45_SSC, vertices=BOX, landmark=(0.825, 19_500))
    assert isinstance(drawn.gate, PolygonGate)
    (x, _), (_, y), *_ = drawn.gate.vertices
    assert (x - 0.74, y / 34_000) == pytest.approx((shift, factor), abs=0.05)
    assert drawn.reason == ""


def test_draw_anchored__stays_where_there_is_too_little_to_go_by() -> None:
    """The reference polygon, a wider spread, and the reason."""
    drawn = draw_anchored(np.full((5, 2), [0.9, 20_000]), CD45_SSC, vertices=BOX, landmark=(0.825, 19_500))
    assert PolygonGate(CD45_SSC, BOX) == drawn.gate
    assert drawn.reason == "5 events to go by, fewer than 30"


def test_draw_anchored__resting_cells_outweigh_activated_ones() -> None:
    """Granular, activated cells do not lift the ceiling over the monocytes."""
    rng = np.random.default_rng(5)
    scatter = np.concatenate([19_500 * rng.lognormal(0, 0.165, 1000), 45_000 * rng.lognormal(0, 0.165, 3000)])
    values = np.column_stack([rng.normal(0.825, 0.028, 4000), scatter])
    drawn = draw_anchored(values, CD45_SSC, vertices=BOX, landmark=(0.825, 19_500))
    assert isinstance(drawn.gate, PolygonGate)
    assert drawn.gate.vertices[1][1] == pytest.approx(34_000, rel=0.1)
