"""Nominal visits, their windows, and days on which infused cells confound counts."""

from __future__ import annotations

import numpy as np
import pytest

from cytorecon.cube import Visit
from cytorecon.errors import CubeError
from cytorecon.reconstitution import (
    SCHEDULE_SOURCE,
    DayWindow,
    default_visits,
    is_confounded,
    monthly_visits,
    nominal_days,
    visits_at,
)


def test_monthly_visits__are_the_published_months() -> None:
    """Months 1, 2, 3, 6, 9, 12, 18 and 24 stand for days 30 to 730, said to be no part of the trial's record."""
    assert [visit.day for visit in monthly_visits()] == [30, 60, 100, 180, 270, 365, 545, 730]
    assert "not in the trial record" in SCHEDULE_SOURCE


@pytest.mark.parametrize("visits", [monthly_visits(), default_visits(), visits_at([-7, 30, 31, 33, 90])])
def test_visits__windows_never_overlap(visits: tuple[Visit, ...]) -> None:
    """Every actual day belongs to one visit at most, and a nominal day to its own."""
    owners: dict[int, int] = {}
    for visit in visits:
        for day in range(visit.first, visit.last + 1):
            assert owners.setdefault(day, visit.day) == visit.day
    assert [owners[visit.day] for visit in visits] == [visit.day for visit in visits]


def test_default_visits__hold_the_days_around_infusions() -> None:
    """Before conditioning, transplant, before infusion 2 and weekly, beside the months."""
    days = [visit.day for visit in default_visits()]
    assert days == [-15, -5, 0, 5, 7, 14, 21, 28, 60, 100, 180, 270, 365, 545, 730]


def test_default_visits__a_day_after_conditioning_is_not_before_it() -> None:
    """Day −13, in conditioning, is no sample from before it; day −14 still is."""
    assert nominal_days(np.array([-28, -14, -13, 5, 6]), default_visits()).tolist() == [-15, -15, -5, 5, 7]


def test_nominal_days__outside_all_windows_is_missing() -> None:
    """A day far from every visit has no nominal day."""
    assert np.isnan(nominal_days(np.array([4000.0, np.nan]), monthly_visits())).all()


def test_is_confounded__defaults_and_their_edges() -> None:
    """Days −12 to 0 and +5 to +33 are tagged, both ends included, and nothing else."""
    days = [-13, -12, 0, 1, 4, 5, 33, 34, np.nan]
    assert is_confounded(days).tolist() == [False, True, True, False, False, True, True, False, False]


def test_is_confounded__is_configurable() -> None:
    """Other windows, or none."""
    assert is_confounded([10, 20], [DayWindow(10, 12)]).tolist() == [True, False]
    assert not is_confounded([10, 20], []).any()


def test_visits__refuse_what_is_none() -> None:
    """Windows that end before they begin, months below one, tolerances that would overlap."""
    with pytest.raises(CubeError, match="end before they begin"):
        DayWindow(5, 4)
    with pytest.raises(CubeError, match="months: must be 1 or more"):
        monthly_visits([0, 1])
    with pytest.raises(CubeError, match=r"tolerance: is outside its range; expected 0 to 0.5"):
        monthly_visits(tolerance=0.7)
