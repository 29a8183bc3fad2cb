"""Named endpoints of reconstitution: reached on a day, not reached by a day, or undetermined, with the samples used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from cytorecon.errors import CountError

if TYPE_CHECKING:
    import pandas as pd

State = Literal["reached", "not_reached", "undetermined"]


@dataclass(frozen=True)
class Endpoint:
    """A concentration to be reached within a time.

    Parameters
    ----------
    name
        Stable name; `threshold`, `population` and `within` are parameters of it.
    population
        As in the cube.
    threshold
        Cells/µL.
    strict
        True: more than the threshold; False: the threshold itself is enough.
    consecutive
        How many measurements in a row.
    within
        Last day that counts.
    start
        First day that counts.
    exclude_confounded
        Leave out samples of days on which infused cells are counted as well; for NK cells.
    last_gap
        "Not reached" needs a measurement within so many days before its end; else too few samples were taken.
    reference
        DOI, or what is not verified.

    Raises
    ------
    CountError
        The parameters are no endpoint.
    """

    name: str
    population: str
    threshold: float
    strict: bool = True
    consecutive: int = 1
    within: int = 100
    start: int = 1
    exclude_confounded: bool = False
    last_gap: int = 30
    reference: str = ""

    def __post_init__(self) -> None:
        if not (self.threshold >= 0 and self.consecutive >= 1 and self.start <= self.within and self.last_gap >= 0):
            raise CountError(
                f"endpoint {self.name}", "is no endpoint",
                expected="threshold ≥ 0, consecutive ≥ 1, start ≤ within, last_gap ≥ 0",
            )  # fmt: skip

    @property
    def words(self) -> str:
        """The endpoint as a report writes it: ``CD4 T cells > 50/µL twice in a row within 100 days``."""
        sign = ">" if self.strict else "≥"
        times = {1: "once", 2: "twice in a row"}.get(self.consecutive, f"{self.consecutive} times in a row")
        when = f"within {self.within} days" if self.start <= 1 else f"on days {self.start} to {self.within}"
        return f"{self.population} {sign} {self.threshold:g}/µL {times} {when}"

    def is_met(self, value: float) -> bool:
        """Whether a measured concentration is enough."""
        return value > self.threshold if self.strict else value >= self.threshold


_CD4 = "CD4 T cells"
ENDPOINTS: Mapping[str, Endpoint] = {
    one.name: one
    for one in (
        Endpoint("cd4ir_vanroessel2020", _CD4, 50, consecutive=2, reference="doi 10.1016/j.jcyt.2020.05.005"),
        Endpoint("cd4ir_dekoning2021", _CD4, 50, strict=False, reference="de Koning 2021, Blood 137(6):848"),
        # Savani 2007 (PMC3426353): > 450/µL on day 30; Han 2013: ≥ 500/µL on days 21 and 30.
        Endpoint("alc_day30", "Lymphocytes", 450, start=23, within=37, last_gap=14, reference="Savani, PMC3426353"),
        Endpoint("nk", "NK cells", 100, strict=False, exclude_confounded=True, reference="parameter, not published"),
        Endpoint("cd19", "B cells", 50, strict=False, within=365, last_gap=120, reference="parameter, not published"),
    )
}


def parse_endpoint(endpoint: Endpoint | str, **parameters: Any) -> Endpoint:
    """An endpoint, or the named one, with some of its parameters replaced.

    Raises
    ------
    CountError
        There is none of that name, or it has no such parameter.
    """
    if isinstance(endpoint, str):
        if endpoint not in ENDPOINTS:
            raise CountError(f"endpoint {endpoint}", "is not known", expected=", ".join(ENDPOINTS))
        endpoint = ENDPOINTS[endpoint]
    unknown = sorted(set(parameters) - set(Endpoint.__dataclass_fields__))
    if unknown:
        expected = ", ".join(Endpoint.__dataclass_fields__)
        raise CountError(f"endpoint {endpoint.name}", "has no such parameter", expected=expected, got=unknown[0])
    return replace(endpoint, **parameters)


def assess_endpoint(
    series: pd.DataFrame, endpoint: Endpoint | str, ended: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Whether and when each patient reached an endpoint.

    Parameters
    ----------
    series
        Of `concentration_series`.
    endpoint
        An `Endpoint`, or the name of one.
    ended
        Day on which a patient died or could no longer reach it; "not reached" is then said by that day.

    Returns
    -------
    pandas.DataFrame
        One row a patient of `series`: ``patient``, ``endpoint``, ``state`` (``reached``, ``not_reached``,
        ``undetermined``), ``day`` (of the measurement that completes it; of "not reached" the last day it is known of;
        missing if undetermined), ``first_day`` (of the first of consecutive measurements), ``earliest_day``
        (differs from ``day`` where an earlier measurement does not decide), ``last_measured`` (last day of a
        measurement that decides), ``used`` and ``left_out`` (days of samples), ``borderline``
        (days whose counting interval holds the threshold: another tube of the same blood may say otherwise), ``text``.

    Raises
    ------
    CountError
        The series lacks the population.

    Notes
    -----
    A measurement decides if it is quantified, or censored at an LLOQ that does not exceed the threshold. One that does
    not decide (an LLOQ above the threshold, awaiting review) is taken as met and as not met: reached is what is reached
    either way. Failed tubes are no measurements, so they do not stand between two consecutive ones.
    """
    import pandas as pd

    wanted = parse_endpoint(endpoint)
    if wanted.population not in set(series["population"]):
        expected = ", ".join(sorted(set(series["population"])))
        raise CountError(
            f"endpoint {wanted.name}", "needs a population the series lacks", expected=expected, got=wanted.population,
            remedy="Name the population of your template: parse_endpoint(name, population=…).",
        )  # fmt: skip
    samples: dict[str, list[Mapping[Any, Any]]] = {str(patient): [] for patient in sorted(set(series["patient"]))}
    for row in series[series["population"] == wanted.population].sort_values("day").to_dict("records"):
        samples[str(row["patient"])].append(row)
    rows = [_assess(patient, own, wanted, (ended or {}).get(patient)) for patient, own in samples.items()]
    days = ("day", "first_day", "earliest_day", "last_measured")
    table = pd.DataFrame(rows).astype(dict.fromkeys(days, "Int64"))
    table.attrs |= {"endpoint": wanted.words, "reference": wanted.reference, "units": {"day": "d"}}
    return table


def _assess(
    patient: str, rows: Sequence[Mapping[Any, Any]], endpoint: Endpoint, ended: int | None
) -> dict[str, Any]:  # fmt: skip
    last = endpoint.within if ended is None else min(ended, endpoint.within)
    inside = [row for row in rows if endpoint.start <= row["day"] <= last]
    kept = [row for row in inside if not (endpoint.exclude_confounded and row["confounded"])]
    answers = [(int(row["day"]), _answer(row, endpoint)) for row in kept]
    measured = [(day, answer) for day, answer in answers if answer != "none"]
    sure, possible = _first(measured, endpoint, {"met"}), _first(measured, endpoint, {"met", "open"})
    decided = [day for day, answer in measured if answer != "open"]
    state, day = _state(sure, possible, decided, endpoint, ended)
    earliest = possible[1] if state == "reached" and possible else None
    used = tuple(day for day, _ in measured)
    return {
        "patient": patient, "endpoint": endpoint.name, "state": state, "day": day,
        "first_day": sure[0] if state == "reached" and sure else None,
        "earliest_day": earliest, "last_measured": max(decided, default=None), "used": used,
        "left_out": tuple(int(row["day"]) for row in inside if int(row["day"]) not in used),
        "borderline": tuple(int(row["day"]) for row in kept if row["low"] <= endpoint.threshold <= row["high"]),
        "text": _text(state, day, earliest, endpoint, len(used)),
    }  # fmt: skip


def _answer(row: Mapping[Any, Any], endpoint: Endpoint) -> str:
    """``met``, ``not_met``, ``open`` (measured, but it does not decide) or ``none`` (no measurement)."""
    if row["censor"] == "none":
        return "met" if endpoint.is_met(row["cells_per_ul"]) else "not_met"
    if row["censor"] == "left":
        return "not_met" if row["lloq"] <= endpoint.threshold else "open"
    return "open" if row["reason"] == "needs_review" else "none"


def _first(measured: Sequence[tuple[int, str]], endpoint: Endpoint, counts_as_met: set[str]) -> tuple[int, int] | None:
    """First and last day of the first run of measurements that is long enough."""
    run: list[int] = []
    for day, answer in measured:
        run = [*run, day] if answer in counts_as_met else []
        if len(run) == endpoint.consecutive:
            return run[0], run[-1]
    return None


def _state(
    sure: tuple[int, int] | None, possible: tuple[int, int] | None, decided: list[int], endpoint: Endpoint,
    ended: int | None,
) -> tuple[State, int | None]:  # fmt: skip
    if sure is not None:
        return "reached", sure[1]
    if possible is not None:
        return "undetermined", None
    early = ended is not None and ended < endpoint.within
    last = ended if early and ended is not None else endpoint.within
    newest = decided[-1] if decided else endpoint.start - 1
    enough = last - newest <= endpoint.last_gap and (early or len(decided) >= endpoint.consecutive)
    return ("not_reached", last) if enough else ("undetermined", None)


def _text(state: State, day: int | None, earliest: int | None, endpoint: Endpoint, used: int) -> str:
    if state == "reached":
        return f"reached on day {day}" if day == earliest else f"reached by day {day}, perhaps on day {earliest}"
    if state == "not_reached":
        return f"not reached by day {day}"
    samples = f"{used} sample{'' if used == 1 else 's'}"
    return f"undetermined: {samples} within {endpoint.within} days do not decide it"
