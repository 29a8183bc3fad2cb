"""Cohorts: quantiles that respect censoring, and incidence of endpoints beside competing events."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from blood_cohorts import blood, cd4_rows, patients, samples_of
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import CountError
from cytorecon.reconstitution import (
    assess_endpoint,
    censored_quantile,
    concentration_series,
    endpoint_incidence,
    monthly_visits,
    quantile_words,
    summarise_visits,
    value_at,
)

ONCE = "cd4ir_dekoning2021"


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.sampled_from([0.25, 0.5, 0.75]))
def test_censored_quantile__without_censoring_is_the_ordinary_one(values: list[int], probability: float) -> None:
    """Median and quartiles are numpy's averaged inverse of the distribution."""
    expected = np.quantile(values, probability, method="averaged_inverted_cdf")
    found = censored_quantile(values, values, [False] * len(values), probability)
    np.testing.assert_allclose(found, (expected, np.nan), atol=1e-9)


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=15))
def test_censored_quantile__lies_between_the_extremes(sample: list[tuple[int, bool]]) -> None:
    """Whatever censored values are, from 0 to their limit, the ordinary quantile with them brackets ours."""
    values, hidden = (np.array(column) for column in zip(*sample, strict=True))
    for probability in (0.25, 0.5, 0.75):
        quantile, below = censored_quantile(values, values, hidden, probability)
        low, high = (
            np.quantile(np.where(hidden, other, values), probability, method="averaged_inverted_cdf")
            for other in (0 * values, values)
        )
        # Turnbull's estimate shares a limit's mass out below it, so it may leave the upper end by one step at most.
        assert low <= (below if np.isnan(quantile) else quantile) <= max(high, values.max())


def test_censored_quantile__one_limit_below_all_values() -> None:
    """Two of five below 10: the lower quartile is below 10, the median is the measured one."""
    values, hidden = [10, 10, 20, 30, 40], [True, True, False, False, False]
    assert censored_quantile(values, values, hidden, 0.5) == (20, pytest.approx(np.nan, nan_ok=True))
    assert np.isnan(censored_quantile(values, values, hidden, 0.25)[0])
    assert censored_quantile(values, values, hidden, 0.25)[1] == 10


def test_censored_quantile__all_or_nothing() -> None:
    """All censored: below the highest limit; no values: nothing; a missing limit is an error."""
    assert censored_quantile([5, 8], [5, 8], [True, True], 0.5)[1] == 8
    assert np.isnan(censored_quantile([], [], [], 0.5)).all()
    with pytest.raises(CountError, match="a value or its limit is missing"):
        censored_quantile([np.nan], [1], [False], 0.5)


def test_censored_quantile__weighs_limits_among_the_values() -> None:
    """A value below 25 among 10, 20, 30 and 40 is shared out over those below 25: the NPMLE by hand."""
    values, hidden = [25, 10, 20, 30, 40], [True, False, False, False, False]
    # Shares: 30 and 40 keep 1/5 each; the other 3/5 fall on 10 and 20 equally.
    shares = {10: Fraction(3, 10), 20: Fraction(3, 10), 30: Fraction(1, 5), 40: Fraction(1, 5)}
    running, expected = Fraction(0), {}
    for value, share in shares.items():
        running += share
        expected[value] = running
    for probability in (0.1, 0.29, 0.31, 0.59, 0.61, 0.79, 0.81):
        wanted = next(value for value, upto in expected.items() if upto >= probability)
        assert censored_quantile(values, values, hidden, probability)[0] == wanted


def test_summarise_visits__counts_patients_once_and_says_what_is_small() -> None:
    """Of two samples at one visit the nearer counts; censored and missing ones are counted apart."""
    rows = cd4_rows("A", {95: 40, 101: 60}) + cd4_rows("B", {100: 0.1}) + cd4_rows("C", {100: "failed"})
    rows += cd4_rows("D", {99: 80}) + cd4_rows("E", {110: 100})
    series = concentration_series(samples_of(rows), ["CD4 T cells"], visits=monthly_visits())
    row = summarise_visits(series).iloc[0]
    counts = ("patient_count", "measured_count", "censored_count", "missing_count", "first_day", "last_day")
    assert [row[name] for name in counts] == [5, 4, 1, 1, 99, 110]
    assert row["median"] == 70
    assert row["note"] == "only 4 patients: a small number"
    assert quantile_words(row) == ["< 60", "70", "90"]


def test_summarise_visits__by_group() -> None:
    """Each group has its own rows; patients without one are said to be not stated."""
    series = concentration_series(blood(patients(4)), ["CD4 T cells"], visits=monthly_visits())
    table = summarise_visits(series, {"SIM-001": "level 1", "SIM-002": "level 1", "SIM-003": "level 2"})
    at_100 = table[table["timepoint"] == 100].set_index("group")["patient_count"]
    assert at_100.to_dict() == {"level 1": 2, "level 2": 1, "not stated": 1}


def test_endpoint_incidence__equals_a_computation_by_hand() -> None:
    """A cohort with ties, deaths and relapses: incidence of the endpoint in exact fractions, to 1e-12."""
    people = patients(60)
    rng = np.random.default_rng(11)
    competing = {
        person.name: (int(rng.choice([20, 28, 60, 61, 75, 90, 99])), str(rng.choice(["death", "relapse"])))
        for person in people[::2]
    }
    series = concentration_series(blood(people))
    curves = endpoint_incidence(series, ONCE, competing)
    assessed = assess_endpoint(series, ONCE, {patient: day for patient, (day, _) in competing.items()})
    first = {}
    for row in assessed.to_dict("records"):
        rival = competing.get(row["patient"], (999, ""))
        if row["state"] == "reached" and row["day"] <= rival[0]:
            first[row["patient"]] = (row["day"], ONCE)
        else:
            first[row["patient"]] = rival if rival[0] <= 100 else (100, "")
    assert {ONCE, "death", "relapse"} <= {cause for _, cause in first.values()}
    for cause in (ONCE, "death", "relapse"):
        free, reached = Fraction(1), Fraction(0)
        own = curves[curves["cause"] == cause].set_index("day")["incidence"]
        for day in sorted({day for day, _ in first.values()}):
            at_risk = sum(other >= day for other, _ in first.values())
            events = [event for other, event in first.values() if other == day and event]
            reached += free * Fraction(events.count(cause), at_risk)
            free *= 1 - Fraction(len(events), at_risk)
            assert own[day] == pytest.approx(float(reached), abs=1e-12)


def test_endpoint_incidence__by_group_with_small_numbers() -> None:
    """Each level has its curve, its number of patients and a remark where they are few."""
    people = patients(14)
    by = {person.name: f"level {1 + (place >= 3)}" for place, person in enumerate(people)}
    curves = endpoint_incidence(concentration_series(blood(people)), ONCE, by=by)
    assert curves.attrs["patients"] == {"level 1": 3, "level 2": 11}
    assert curves.attrs["notes"] == {"level 1": "only 3 patients: a small number"}
    own = curves[(curves["group"] == "level 2") & (curves["cause"] == ONCE)]
    assert 0 < value_at(own, 100).value <= 1


def test_endpoint_incidence__undetermined_patients_are_censored_where_they_are_known() -> None:
    """A patient last measured on day 40 leaves the risk set then, not on day 100."""
    rows = cd4_rows("A", {40: 10}) + cd4_rows("B", {40: 10, 60: 70}) + cd4_rows("C", {60: 10, 95: 10})
    curves = endpoint_incidence(concentration_series(samples_of(rows)), ONCE)
    own = curves[curves["cause"] == ONCE]
    assert own[["day", "at_risk"]].values.tolist() == [[40, 3], [60, 2], [100, 1]]
    assert value_at(own, 100).value == 0.5
