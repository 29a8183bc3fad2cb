"""Survival and cumulative incidence against exact fractions written out here, and against another library."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import CountError
from cytorecon.interval import binomial_interval
from cytorecon.reconstitution import cumulative_incidence, survival, value_at

# Few distinct days, so that ties are the rule.
PEOPLE = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["", "death", "relapse"])), min_size=1, max_size=25)


def by_hand(people: Sequence[tuple[int, str]], cause: str) -> list[tuple[int, Fraction, Fraction]]:
    """Day, event-free survival and incidence of a cause at every distinct day, in exact fractions."""
    free, reached, curve = Fraction(1), Fraction(0), []
    for day in sorted({day for day, _ in people}):
        at_risk = sum(other >= day for other, _ in people)
        events = [event for other, event in people if other == day and event]
        reached += free * Fraction(events.count(cause), at_risk)
        free *= 1 - Fraction(len(events), at_risk)
        curve.append((day, free, reached))
    return curve


@given(PEOPLE)
def test_survival__equals_exact_fractions(people: list[tuple[int, str]]) -> None:
    """Kaplan–Meier agrees with a computation by hand to 1e-12, whatever the ties."""
    table = survival([day for day, _ in people], [event != "" for _, event in people])
    expected = by_hand(people, "death")
    assert table["day"].tolist() == [day for day, _, _ in expected]
    np.testing.assert_allclose(table["survival"], [float(free) for _, free, _ in expected], rtol=0, atol=1e-12)


@given(PEOPLE)
def test_cumulative_incidence__equals_exact_fractions(people: list[tuple[int, str]]) -> None:
    """Aalen–Johansen agrees with a computation by hand to 1e-12, whatever the ties."""
    days, causes = zip(*people, strict=True)
    table = cumulative_incidence(days, causes, ["death", "relapse"])
    for cause in ("death", "relapse"):
        own = table[table["cause"] == cause]
        expected = [float(reached) for _, _, reached in by_hand(people, cause)]
        np.testing.assert_allclose(own["incidence"], expected, rtol=0, atol=1e-12)


@given(PEOPLE)
def test_cumulative_incidence__adds_up_with_event_free_survival(people: list[tuple[int, str]]) -> None:
    """Everybody is event-free or has had one of the events; bounds hold the estimate."""
    days, causes = zip(*people, strict=True)
    table = cumulative_incidence(days, causes, ["death", "relapse"])
    free = survival(days, [cause != "" for cause in causes])
    total = table.groupby("day")["incidence"].sum().to_numpy() + free["survival"].to_numpy()
    np.testing.assert_allclose(total, 1, rtol=0, atol=1e-12)
    for low, high in (("low", "high"), ("low_after", "high_after")):
        assert (table[low] <= table["incidence"] + 1e-12).all()
        assert (table["incidence"] <= table[high] + 1e-12).all()
        assert (free[low] <= free["survival"] + 1e-9).all()
        assert (free["survival"] <= free[high] + 1e-9).all()


@given(PEOPLE, st.randoms(use_true_random=False))
def test_cumulative_incidence__does_not_depend_on_order(people: list[tuple[int, str]], random: Random) -> None:
    """No jitter: shuffling the patients changes no bit."""
    shuffled = list(people)
    random.shuffle(shuffled)
    first, second = (
        cumulative_incidence([day for day, _ in some], [cause for _, cause in some]) for some in (people, shuffled)
    )
    assert first.equals(second)


def test_survival__interval_is_clopper_pearson_without_censoring() -> None:
    """With everybody followed to the event the interval is the exact binomial one, ties or none."""
    table = survival([1, 2, 2, 3, 4, 4, 4, 5, 6, 7], np.ones(10, dtype=bool))
    low, high = binomial_interval(10 * table["survival"].round(12), 10)
    np.testing.assert_allclose(table["low"], low, atol=1e-9)
    np.testing.assert_allclose(table["high"], high, atol=1e-9)


def test_survival__nobody_died_is_no_certainty() -> None:
    """Three of three alive leaves a lower bound of 29 %."""
    found = value_at(survival([100, 100, 100], [False] * 3), 100)
    assert found.value == 1
    assert found.low == pytest.approx(0.2924, abs=1e-4)


def test_cumulative_incidence__variance_is_binomial_without_censoring() -> None:
    """The delta-method variance is F (1 − F) / n where nobody is censored."""
    days, causes = [1, 1, 2, 3, 3, 3, 5, 8, 8, 9], ["a", "b", "a", "a", "b", "b", "a", "a", "b", "a"]
    own = cumulative_incidence(days, causes).query("cause == 'a'")
    np.testing.assert_allclose(own["standard_error"] ** 2, own["incidence"] * (1 - own["incidence"]) / 10, atol=1e-15)


def test_cumulative_incidence__equals_another_library() -> None:
    """Estimates and standard errors are those of statsmodels, where it is installed."""
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    rng = np.random.default_rng(5)
    days, codes = rng.integers(1, 30, 40).astype(float), rng.integers(0, 3, 40)
    codes[days == days.max()] = 0
    theirs = duration.CumIncidenceRight(days, codes)
    ours = cumulative_incidence(days, np.array(["", "a", "b"])[codes])
    for place, cause in enumerate("ab"):
        own = ours[ours["cause"] == cause]
        np.testing.assert_allclose(own["incidence"], theirs.cinc[place], atol=1e-12)


def test_value_at__is_not_estimable_beyond_the_last_observation() -> None:
    """A curve that ends in a censored patient says nothing afterwards; one that ends in an event of all does."""
    open_end = survival([10, 20], [True, False])
    closed = survival([10, 20], [True, True])
    assert np.isnan(value_at(open_end, 21).value)
    assert value_at(open_end, 20).value == 0.5
    assert value_at(closed, 500).value == 0


def test_value_at__between_rows_counts_those_still_observed() -> None:
    """Bounds between two times do not count those censored at the earlier one."""
    curve = survival([10, 20, 20, 30], [True, False, False, False])
    assert value_at(curve, 20).at_risk == 3
    assert value_at(curve, 25).at_risk == 1
    assert value_at(curve, 25).low < value_at(curve, 20).low
    assert value_at(curve, 5) == value_at(survival([10, 20, 20, 30], [False] * 4), 5)


def test_survival__needs_a_day_of_everyone() -> None:
    """A missing day is an error, not a patient left out."""
    with pytest.raises(CountError, match="time: is missing or not finite"):
        survival([1, np.nan], [True, False])
    with pytest.raises(CountError, match="differ in length"):
        cumulative_incidence([1.0, 2.0], ["a"])
