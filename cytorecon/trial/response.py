"""Short-term response: residual disease before conditioning against after the infusions, and morphology.

What changed between the two marrows is the effect of everything given between them: NK cells, conditioning, graft.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cytorecon.interval import binomial_interval
from cytorecon.mrd import DetectionLimits, MrdAssessment
from cytorecon.reconstitution import DayWindow
from cytorecon.trial.facts import MrdEvidence
from cytorecon.trial.feasibility import by_level, proportion
from cytorecon.trial.marrow import marrow_days, marrow_evidence
from cytorecon.trial.outcomes import Outcome
from cytorecon.trial.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# The first marrow of these days is the one after the infusions (a design decision: the record names no day).
AFTER = DayWindow(14, 60)


@dataclass(frozen=True)
class LogChange:
    """Change of a fraction in powers of ten, after against before; negative is less.

    Parameters
    ----------
    value
        log10(after / before); the bound where `kind` is one; NaN if not evaluable.
    low, high
        Exact interval (Poisson counts, conditional on their sum); minus infinity where nothing was found after.
    kind
        ``estimate``, ``at_most`` (after is below its LOD: the change is this or lower), ``at_least`` (before is) or
        ``not_evaluable``.
    """

    value: float
    low: float
    high: float
    kind: str


NOT_EVALUABLE = LogChange(math.nan, math.nan, math.nan, "not_evaluable")


def log_change(before: MrdAssessment, after: MrdAssessment) -> LogChange:
    """Log change between two assessments of one denominator; a bound where one of them is below its LOD."""
    if before.denominator != after.denominator or not before.total_count or not after.total_count:
        return NOT_EVALUABLE
    hidden = [each.quantification == "below_lod" for each in (before, after)]
    if all(hidden):
        return NOT_EVALUABLE
    low, high = log_ratio_interval(
        (before.event_count, before.total_count), (after.event_count, after.total_count), before.confidence
    )
    # A bound is the larger of what was counted and the limit of detection.
    first, second = (max(_fraction(each), (each.lod or 0.0) * concealed) for each, concealed in
                     zip((before, after), hidden, strict=True))  # fmt: skip
    kind = "at_least" if hidden[0] else "at_most" if hidden[1] else "estimate"
    return LogChange(math.log10(second / first), low, high, kind)


def log_ratio_interval(
    before: tuple[int, int], after: tuple[int, int], confidence: float = 0.95
) -> tuple[float, float]:
    """Exact interval of log10 of the ratio of two rates, each events of a total.

    Given the sum of the events, those after are binomial (Przyborowski and Wilenski 1940, doi
    10.1093/biomet/31.3-4.313); for fractions that are not small the interval is wider than needed.
    """
    events = before[0] + after[0]
    share = binomial_interval(after[0], events, confidence=confidence)
    low, high = (_log_odds(float(bound), before[1] / after[1]) for bound in share)
    return low, high


def _log_odds(share: float, scale: float) -> float:
    if math.isnan(share):
        return math.nan
    if share in (0.0, 1.0):
        return -math.inf if share == 0 else math.inf
    return math.log10(share / (1 - share) * scale)


def _fraction(assessment: MrdAssessment) -> float:
    return assessment.event_count / assessment.total_count


def mrd_response(
    outcomes: Sequence[Outcome],
    protocol: Protocol,
    marrow: Mapping[str, xr.Dataset],
    *,
    after: DayWindow = AFTER,
    limits: Mapping[str, DetectionLimits] | None = None,
) -> pd.DataFrame:
    """Residual disease of every infused patient before conditioning and after the infusions.

    Parameters
    ----------
    outcomes, protocol
        Of `read_outcomes` and `read_protocol`.
    marrow
        Disease (``aml``, ``t_all``, ``mpal``) to the cube of its MRD template.
    after
        Days in which the first marrow is the one after the infusions.
    limits
        Disease to detection limits from controls.

    Returns
    -------
    pandas.DataFrame
        ``patient``, ``level``, ``disease``; ``before_`` and ``after_`` ``day``, ``events``, ``total``, ``call``,
        ``quantification``; ``log10_change``, ``low``, ``high``, ``kind`` (see `LogChange`); ``conversion``:
        ``converted`` (above the protocol's threshold before, below it after), ``not_converted``, ``not_above_before``
        or ``not_evaluable``; ``reason`` where something could not be said.
    """
    import pandas as pd

    rows = [
        _response(one, protocol, marrow.get(one.disease), after, (limits or {}).get(one.disease))
        for one in outcomes
        if one.infused
    ]
    table = pd.DataFrame(rows)
    table.attrs |= {"units": {"log10_change": "1"}, "after": str(after), "protocol": protocol.id}
    return table


def _response(
    one: Outcome, protocol: Protocol, cube: xr.Dataset | None, window: DayWindow, limits: DetectionLimits | None
) -> dict[str, Any]:
    first, second, reason = _marrows(one, protocol, cube, window, limits)
    found = [None if each is None else each.assessment for each in (first, second)]
    change = NOT_EVALUABLE if found[0] is None or found[1] is None else log_change(found[0], found[1])
    if not reason and change.kind == "not_evaluable":
        reason = "both are below their LOD, or of different denominators" if all(found) else "a marrow gives no result"
    row: dict[str, Any] = {"patient": one.patient, "level": one.level, "disease": one.disease}
    for name, evidence in (("before", first), ("after", second)):
        row |= {f"{name}_{key}": value for key, value in _described(evidence).items()}
    calls = row["before_call"], row["after_call"]
    return row | {
        "log10_change": change.value, "low": change.low, "high": change.high, "kind": change.kind,
        "conversion": _conversion(*calls), "reason": reason,
    }  # fmt: skip


def _marrows(
    one: Outcome, protocol: Protocol, cube: xr.Dataset | None, window: DayWindow, limits: DetectionLimits | None
) -> tuple[MrdEvidence | None, MrdEvidence | None, str]:
    days = () if cube is None else marrow_days(cube, one.patient)
    if cube is None or not days:
        return None, None, "no marrow of the patient in the study"
    before = marrow_evidence(cube, one.patient, protocol, one.disease, limits=limits)
    given = [day for day in (one.infusion_1_day, one.infusion_2_day) if day is not None]
    later = [day for day in days if window.first <= day <= window.last and day > max(given)]
    if not later:
        return before, None, f"no marrow after the infusions on days {window}"
    after = marrow_evidence(cube, one.patient, protocol, one.disease, day=min(later), limits=limits)
    return before, after, "" if before else "no marrow before conditioning"


def _described(evidence: MrdEvidence | None) -> dict[str, Any]:
    assessment = None if evidence is None else evidence.assessment
    day = None if evidence is None else evidence.day
    if assessment is None:
        return {"day": day, "events": None, "total": None, "call": "not_evaluable", "quantification": "not_evaluable"}
    return {
        "day": day, "events": assessment.event_count, "total": assessment.total_count,
        "call": assessment.assessments[0].call, "quantification": assessment.quantification,
    }  # fmt: skip


def _conversion(before: str, after: str) -> str:
    if before == "below":
        return "not_above_before"
    if before != "above" or after in ("not_evaluable", "indeterminate"):
        return "not_evaluable"
    return "converted" if after == "below" else "not_converted"


def conversion_table(response: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Conversions of those who can be judged, overall and by level, with exact intervals and how many cannot."""
    import pandas as pd

    groups = {"all levels": response} | {
        f"level {level}": rows for level, rows in (response.groupby("level") if len(response) else ())
    }
    rows = []
    for group, own in groups.items():
        said = own["conversion"].value_counts() if len(own) else pd.Series(dtype=int)
        yes, no, *others = (
            int(said.get(name, 0)) for name in ("converted", "not_converted", "not_evaluable", "not_above_before")
        )
        found = proportion(yes, yes + no, confidence)
        apart = dict(zip(("not_evaluable", "not_above_before"), others, strict=True))
        rows.append({"measure": "mrd_conversion", "group": group, **found, **apart})
    return pd.DataFrame(rows)


def morphological_response(outcomes: Sequence[Outcome], confidence: float = 0.95) -> pd.DataFrame:
    """Complete remission (CR or CRi) of the infused chemorefractory, of those assessed; others are counted apart."""
    import pandas as pd

    refractory = [one for one in outcomes if one.infused and one.chemorefractory]
    rows = []
    for group, members in by_level(refractory).items():
        assessed = [one for one in members if one.morphology_after not in (None, "not_assessed")]
        count = sum(one.morphology_after in ("cr", "cri") for one in assessed)
        found = proportion(count, len(assessed), confidence)
        unknown = len(members) - len(assessed)
        rows.append({"measure": "complete_remission", "group": group, **found, "not_assessed": unknown})
    return pd.DataFrame(rows)
