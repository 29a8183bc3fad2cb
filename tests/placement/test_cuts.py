"""Cut points on one axis: where there is a valley, where there is none, and the laws that hold for all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.placement import (
    PLACEMENTS,
    Place,
    anchored,
    fmo,
    gaussian_mixture,
    mindensity,
    quantile,
    reference,
    tailgate,
)


def two_modes(negative: int = 5000, positive: int = 2000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0.2, 0.05, negative), rng.normal(0.7, 0.03, positive)])


CUTS: dict[str, Callable[..., Place]] = {
    "mindensity": mindensity,
    "tailgate": tailgate,
    "quantile": quantile,
    "gaussian_mixture": gaussian_mixture,
    "fmo": fmo,
    "anchored": lambda values, within=None: anchored(values, within, at=0.45, negative=0.2, positive=0.7),
}


def test_placements__every_method_says_when_to_use_it() -> None:
    """The table is what documentation and templates go by."""
    assert {"reference", "singlets", *CUTS} == set(PLACEMENTS)
    assert all(method.words and (method.cut or method.draw) for method in PLACEMENTS.values())


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_cut__few_events_are_no_error(name: str, count: int) -> None:
    """With next to nothing to look at a method says so; anchored stays where it was."""
    place = CUTS[name](np.full(count, 0.3))
    if name == "anchored":
        assert place.position == 0.45
    else:
        assert place.position is None
        assert "fewer" in place.reason


@pytest.mark.parametrize("name", CUTS)
def test_cut__order_and_missing_values_change_nothing(name: str) -> None:
    """The same bits whatever the order of the events, and whatever has no value on the axis."""
    values = two_modes()
    mixed = np.random.default_rng(1).permutation(np.concatenate([values, np.full(7, np.nan)]))
    assert CUTS[name](values) == CUTS[name](mixed)


def test_mindensity__cuts_in_the_middle_of_an_empty_gap() -> None:
    """Between two clear modes any place is as good: the cut is the middle, and the spread says how wide it is."""
    place = mindensity(two_modes())
    assert place.position == pytest.approx(0.475, abs=0.04)
    assert place.spread == pytest.approx(0.06, abs=0.02)


@pytest.mark.parametrize("positive", [20, 40, 200])
def test_mindensity__finds_a_rare_population(positive: int) -> None:
    """As many cells as the customary detection limit, apart from the others, are a mode."""
    place = mindensity(two_modes(positive=positive), (0.3, 0.65))
    assert place.position is not None
    assert 0.35 < place.position < 0.65


@pytest.mark.parametrize("seed", range(20))
def test_mindensity__invents_no_valley(seed: int) -> None:
    """One mode, however many events, has none."""
    rng = np.random.default_rng(seed)
    place = mindensity(rng.normal(0.2, 0.05, 3000), (0.3, 0.6))
    assert (None, "no valley between two modes") == (place.position, place.reason)


@given(st.floats(0.05, 0.3), st.floats(0.5, 0.8), st.integers(0, 100))
def test_mindensity__moves_with_the_events(low: float, high: float, seed: int) -> None:
    """It lies between the modes wherever they are, and within the positions allowed."""
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(low, 0.03, 800), rng.normal(high, 0.03, 300)])
    place = mindensity(values, (0.1, 0.75))
    assert place.position is not None
    assert low < place.position < high
    assert 0.1 <= place.position <= 0.75


def test_mindensity__valley_outside_the_positions_allowed() -> None:
    """A valley elsewhere is no valley."""
    assert mindensity(two_modes(), (0.72, 0.9)).position is None


def test_mindensity__a_shallow_valley_only_on_request() -> None:
    """Smeared modes are parted where the template says that a shallow valley will do."""
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(0.35, 0.07, 9000), rng.normal(0.57, 0.07, 9000)])
    assert mindensity(values).position is None
    assert mindensity(values, valley=0.95).position == pytest.approx(0.46, abs=0.02)


def test_tailgate__ends_the_tail_of_the_main_mode() -> None:
    """A normal mode ends at three standard deviations for 1 % of its height, to either side."""
    values = np.random.default_rng(3).normal(0.4, 0.05, 20_000)
    assert tailgate(values).position == pytest.approx(0.4 + 3.03 * 0.05, abs=0.01)
    assert tailgate(values, side="left").position == pytest.approx(0.4 - 3.03 * 0.05, abs=0.01)
    assert "outside" in tailgate(values, (0.8, 0.9)).reason


def test_quantile__is_the_order_statistic() -> None:
    """The events below are the share asked for; more events narrow the spread."""
    rng = np.random.default_rng(4)
    small, large = quantile(rng.random(1000)), quantile(rng.random(100_000))
    assert large.position == pytest.approx(0.99, abs=0.002)
    assert small.spread is not None
    assert large.spread is not None
    assert small.spread > 3 * large.spread


def test_gaussian_mixture__meets_between_overlapping_components() -> None:
    """Where the components are equally likely; not at all where they are one."""
    rng = np.random.default_rng(5)
    both = np.concatenate([rng.normal(0.3, 0.06, 8000), rng.normal(0.6, 0.06, 8000)])
    assert gaussian_mixture(both).position == pytest.approx(0.45, abs=0.01)
    assert "standard deviations apart" in gaussian_mixture(rng.normal(0.3, 0.06, 8000)).reason


def test_anchored__moves_only_as_far_as_the_modes() -> None:
    """A shift of both modes moves the cut with them, of one by its share, and few events move it little."""
    at = 0.45
    assert anchored(two_modes() + 0.05, at=at, negative=0.2, positive=0.7).position == pytest.approx(0.5, abs=0.01)
    only_negative = np.random.default_rng(6).normal(0.25, 0.05, 5000)
    assert anchored(only_negative, at=at, negative=0.2, positive=0.7).position == pytest.approx(0.475, abs=0.01)
    assert anchored(only_negative[:10], at=at, negative=0.2, positive=0.7).position == at
    assert anchored(two_modes() + 0.05, (0.4, 0.46), at=at, negative=0.2, positive=0.7).position == 0.46


def test_anchored__a_mode_too_far_is_another() -> None:
    """Cells that are somewhere else altogether move nothing."""
    values = np.random.default_rng(7).normal(0.45, 0.02, 1000)
    assert anchored(values, at=0.4, negative=0.2, positive=0.7).position == 0.4


def test_reference__copies_and_shifts() -> None:
    """Position and spread of the other cut point."""
    assert Place(0.6, 0.01) == reference(0.5, 0.01, shift=0.1)
