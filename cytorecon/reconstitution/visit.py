"""When blood is drawn: nominal visits with windows around actual days, and days on which infused cells confound counts.

The trial's record names no visits. Months are those of the Westhafen Intercontinental Group 2025, doi
10.1182/bloodadvances.2025016915; the days around infusions and all windows are a design decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytorecon.cube import Visit
from cytorecon.errors import CubeError

SCHEDULE_SOURCE = "default schedule, not in the trial record (Westhafen 2025, doi 10.1182/bloodadvances.2025016915)"

# Month -> nominal day, as clinics write them.
MONTH_DAYS = {1: 30, 2: 60, 3: 100, 6: 180, 9: 270, 12: 365, 18: 545, 24: 730}
# Around the infusions of days -12 and +5: before conditioning (from day -14 on), between, transplant, before infusion
# 2, then weekly. Their windows end where a treatment changes what a count means, so they are written out.
INFUSION_VISITS = (
    Visit(-15, -28, -14), Visit(-5, -13, -3), Visit(0, -2, 2), Visit(5, 3, 5), Visit(7, 6, 10), Visit(14, 11, 17),
    Visit(21, 18, 24), Visit(28, 25, 43),
)  # fmt: skip


@dataclass(frozen=True, order=True)
class DayWindow:
    """Days from `first` to `last`, both inside.

    Raises
    ------
    CubeError
        `last` lies before `first`.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise CubeError("days", "end before they begin", got=f"{self.first}..{self.last}")

    def __str__(self) -> str:
        return f"{self.first:+d}..{self.last:+d}"


# While infused NK cells are counted with the patient's own: conditioning ends the first, four weeks the second.
CONFOUNDED = (DayWindow(-12, 0), DayWindow(5, 33))


def monthly_visits(months: Iterable[int] = tuple(MONTH_DAYS), tolerance: float = 0.5) -> tuple[Visit, ...]:
    """Visits at months after transplant, each with a window reaching towards its neighbours.

    Parameters
    ----------
    months
        Months after transplant; 30, 60 and 100 days are months 1 to 3, other months not listed are 30.4375 days each.
    tolerance
        Share of the distance to the neighbouring visit that the window covers, at most 0.5: windows never overlap.

    Raises
    ------
    CubeError
        No month, a month below 1, or a tolerance outside 0 to 0.5.
    """
    days = sorted(MONTH_DAYS.get(month, round(month * 30.4375)) for month in set(months))
    if not days or days[0] < 1:
        raise CubeError("months", "must be 1 or more", got=", ".join(map(str, months)) or "none")
    return _visits(days, tolerance)


def default_visits() -> tuple[Visit, ...]:
    """Visits around the infusions (`INFUSION_VISITS`), then months 2 to 24.

    Day 28 stands for month 1: two visits two days apart could not be told from each other.
    """
    later = [visit for visit in monthly_visits() if visit.day > MONTH_DAYS[1]]
    return (*INFUSION_VISITS, Visit(later[0].day, INFUSION_VISITS[-1].last + 1, later[0].last), *later[1:])


def visits_at(days: Sequence[int], tolerance: float = 0.5) -> tuple[Visit, ...]:
    """Visits at any nominal days, with windows as in `monthly_visits`."""
    return _visits(sorted(set(days)), tolerance)


def _visits(days: Sequence[int], tolerance: float) -> tuple[Visit, ...]:
    if not 0 <= tolerance <= 0.5:
        raise CubeError("tolerance", "is outside its range", expected="0 to 0.5", got=f"{tolerance:g}")
    gaps = [later - earlier for earlier, later in pairwise(days)]
    # The outermost windows reach as far out as in; one visit alone reaches a week.
    before, after = [*gaps[:1], *gaps] or [14], [*gaps, *gaps[-1:]] or [14]
    return tuple(
        Visit(day, day - _reach(left, tolerance, 0), day + _reach(right, tolerance, 1))
        for day, left, right in zip(days, before, after, strict=True)
    )


def _reach(gap: int, tolerance: float, spare: int) -> int:
    """Days towards a neighbour; a day exactly between two visits belongs to the later."""
    return min(int(gap * tolerance), (gap - spare) // 2)


def is_confounded(day: ArrayLike, windows: Sequence[DayWindow] = CONFOUNDED) -> NDArray[np.bool_]:
    """Tell which days lie within a window in which infused cells are counted with the patient's own.

    Parameters
    ----------
    day
        Actual days relative to transplant, any shape; NaN (not sampled) lies in none.
    windows
        Days −12..0 and +5..+33 by default; an empty sequence tags nothing.
    """
    days = np.asarray(day, dtype=np.float64)
    inside = np.zeros(days.shape, dtype=np.bool_)
    for window in windows:
        inside |= (days >= window.first) & (days <= window.last)
    return inside
