"""One MRD result from its counts: `mrd_call`."""

from __future__ import annotations

import operator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from cytorecon.errors import CountError, Finding
from cytorecon.interval import binomial_interval
from cytorecon.mrd.decision import Decision, Sensitivity, decide, quantify
from cytorecon.mrd.denominators import Comparison, Totals
from cytorecon.mrd.hemodilution import NOT_ASSESSED, Hemodilution
from cytorecon.mrd.limits import DetectionLimits
from cytorecon.mrd.result import MrdAssessment, ThresholdAssessment
from cytorecon.mrd.threshold import (
    Denominator,
    MrdThreshold,
    companions,
    parse_denominator,
    parse_threshold,
)
from cytorecon.mrd.words import paragraph

# Within this factor of a threshold the choice of denominator alone can move a result across it (a design decision).
NEAR_FACTOR = 2


def mrd_call(
    event_count: int,
    total_count: int,
    threshold: MrdThreshold | str,
    denominator: Denominator | str,
    *,
    lod_events: int = 20,
    lloq_events: int = 50,
    interval_method: str = "clopper-pearson",
    confidence: float = 0.95,
    lob_count: int | None = None,
    validated_lod: Fraction | float | None = None,
    validated_loq: Fraction | float | None = None,
    limits: DetectionLimits | None = None,
    nucleated_count: int | None = None,
    cd45_count: int | None = None,
    blast_region_count: int | None = None,
    hemodilution: Hemodilution = NOT_ASSESSED,
    laip_coverage: float | None = None,
) -> MrdAssessment:
    """Assess residual disease from a count of leukaemic events and its denominator.

    Parameters
    ----------
    event_count, total_count
        Leukaemic events and cells of `denominator`; 0 of 0 is not evaluable, never zero.
    threshold
        An `MrdThreshold`, or ``aml``, ``t_all``, ``mpal`` for the thresholds of NCT07256210. Every AML threshold is
        accompanied by ELN 2021.
    denominator
        What `total_count` counts: a `Denominator`; ``nucleated`` means by nucleic-acid dye.
    lod_events, lloq_events
        Event rules of detection and quantification: conventions, printed with every result.
    interval_method, confidence
        See `cytorecon.interval.binomial_interval`.
    lob_count
        Background events that controls (regenerating marrow) explain in this acquisition.
    validated_lod, validated_loq
        Limits of this phenotype in controls, fractions of 1 of `denominator`; a float means the decimal it prints as.
    limits
        The same three from `detection_limits`, instead of them.
    nucleated_count, cd45_count
        Nucleated (by dye) and CD45+ cells of the same acquisition, for thresholds of that denominator.
    blast_region_count
        Viable cells in the blast region, which ELN 2021 requires.
    hemodilution, laip_coverage
        Printed with the result; coverage is the share of the diagnostic blasts, fraction of 1.

    Raises
    ------
    CountError
        A count is negative or not whole, more events than cells, totals that contradict each other, a denominator
        that `threshold` cannot be compared with, or limits that are no limits.
    """
    wanted, own = parse_threshold(threshold), parse_denominator(denominator)
    k, n = _count("event_count", event_count), _count("total_count", total_count)
    _check_part(k, n)
    _check_coverage(laip_coverage)
    totals = Totals(n, own, _optional("nucleated_count", nucleated_count), _optional("cd45_count", cd45_count))
    blasts = _optional("blast_region_count", blast_region_count)
    sensitivity = sensitivity_of(
        lod_events,
        lloq_events,
        limits,
        lob_count=lob_count,
        validated_lod=validated_lod,
        validated_loq=validated_loq,
    )
    how = (interval_method, confidence)
    low, high = binomial_interval(k, n, *how)
    events, cells = np.array(k, np.int64), np.array(n, np.int64)
    first = totals.compare(wanted)
    if first.total_count is None:
        raise _incomparable(wanted, own)
    _check_part(k, first.total_count)
    pairs = [(wanted, first), *((each, totals.compare(each)) for each in companions(wanted))]
    assessments = tuple(_assess(k, n, rule, against, sensitivity, blasts, how) for rule, against in pairs)
    result = MrdAssessment(
        event_count=k,
        total_count=n,
        denominator=own,
        fraction=k / n if n else None,
        interval=(float(low), float(high)) if n else None,
        interval_method=interval_method,
        confidence=confidence,
        lod=float(sensitivity.lod(cells)) if n else None,
        lloq=float(sensitivity.lloq(cells)) if n else None,
        quantification=str(quantify(events, cells, sensitivity)),
        assessments=assessments,
        sensitivity=sensitivity,
        hemodilution=hemodilution,
        laip_coverage=laip_coverage,
        findings=_findings(k, pairs, sensitivity),
    )
    return replace(result, text=paragraph(result))


def _assess(
    k: int,
    n: int,
    threshold: MrdThreshold,
    against: Comparison,
    sensitivity: Sensitivity,
    blasts: int | None,
    how: tuple[str, float],
) -> ThresholdAssessment:
    note = "; ".join(finding.message for finding in against.findings)
    total = against.total_count
    if total is not None and k > total:
        note, total = f"{k} leukaemic events among {total} {threshold.denominator.words}: not all of them are", None
    absent = total is None or (threshold.needs_own_counts and blasts is None)
    if absent and not note:
        note = "the blast-region count that it requires is absent"
    m = total or 0
    made = decide(
        np.array(min(k, m), np.int64),
        np.array(m, np.int64),
        threshold,
        _rescaled(sensitivity, n, m),
        *how,
        evaluable=not absent,
        blast_region_count=blasts or 0,
        upper_limit_only=against.upper_limit_only,
    )
    floor = int(sensitivity.floor_events(np.array(m, np.int64)))
    return _values(k, total, threshold, against, made, floor, note)


def _values(
    k: int,
    total: int | None,
    threshold: MrdThreshold,
    against: Comparison,
    made: Decision,
    floor: int,
    note: str,
) -> ThresholdAssessment:
    needed = None if np.isnan(made.events_needed) else int(made.events_needed)
    t = threshold.fraction
    detection = None if needed is None else max(0, -(-floor * t.denominator // t.numerator) - (total or 0))
    return ThresholdAssessment(
        threshold=threshold,
        event_count=k,
        total_count=total,
        adequacy=str(made.adequacy),
        events_needed=needed,
        events_needed_detection=detection,
        position=str(made.position),
        rule_met=bool(made.rule_met) if made.rule_known else None,
        call=str(made.call),
        protocol="needs_adjudication" if against.estimate else str(made.protocol),
        note=note,
    )


def _rescaled(sensitivity: Sensitivity, n: int, m: int) -> Sensitivity:
    """The validated limits, fractions of `n` cells, as fractions of `m` cells of the same acquisition."""
    if not m or n == m:
        return sensitivity

    def scaled(limit: Fraction | None) -> Fraction | None:
        return None if limit is None else min(limit * n / m, Fraction(1))

    return replace(
        sensitivity,
        lob=scaled(sensitivity.lob),
        validated_lod=scaled(sensitivity.validated_lod),
        validated_loq=scaled(sensitivity.validated_loq),
    )


def _findings(k: int, pairs: list[tuple[MrdThreshold, Comparison]], sensitivity: Sensitivity) -> tuple[Finding, ...]:
    findings = [finding for _, against in pairs for finding in against.findings]
    if not sensitivity.specificity_established:
        findings.append(
            Finding(
                "specificity-not-established",
                "no regenerating-marrow controls: background is unknown, the limits are event rules alone",
                "review",
            )
        )
    for threshold, against in pairs:
        m, t = against.total_count or 0, threshold.fraction
        if m and t / NEAR_FACTOR <= Fraction(k, m) <= t * NEAR_FACTOR:
            findings.append(
                Finding(
                    "near-threshold",
                    f"the result lies within a factor of {NEAR_FACTOR} of {threshold.words}: another denominator"
                    " or gate could move it across",
                    "warning",
                    threshold.source,
                )
            )
    return tuple(findings)


def _incomparable(threshold: MrdThreshold, own: Denominator) -> CountError:
    return CountError(
        "denominator",
        f"a result of {own.words} is not compared with {threshold.source} ({threshold.words})",
        expected=str(threshold.denominator),
        got=str(own),
        remedy="Give the count of the threshold's own denominator as well (nucleated_count or cd45_count)",
        code="denominator-mismatch",
    )


def sensitivity_of(
    lod_events: int,
    lloq_events: int,
    limits: DetectionLimits | None = None,
    *,
    lob_count: int | None = None,
    validated_lod: Fraction | float | None = None,
    validated_loq: Fraction | float | None = None,
) -> Sensitivity:
    """Event rules and controls as one value; the controls either as `limits` or as single figures.

    Raises
    ------
    CountError
        Both are given, or a figure is no limit.
    """
    single = (lob_count, validated_lod, validated_loq)
    if limits is not None and any(value is not None for value in single):
        raise CountError("limits", "detection limits are given twice", remedy="Give limits or the single figures")
    if limits is not None:
        validated_lod, validated_loq = limits.lod, limits.loq
    return Sensitivity(
        _count("lod_events", lod_events),
        _count("lloq_events", lloq_events),
        _optional("lob_count", lob_count),
        exact("lob", None if limits is None else limits.lob),
        exact("validated_lod", validated_lod),
        exact("validated_loq", validated_loq),
    )


def exact(name: str, value: Fraction | float | None) -> Fraction | None:
    """The fraction a person wrote: a float is read as the decimal it prints as, so that 0.0001 is 1/10,000.

    Raises
    ------
    CountError
        Not a finite number.
    """
    if value is None or isinstance(value, Fraction):
        return value
    try:
        return Fraction(repr(float(value)))
    except (TypeError, ValueError):
        raise CountError(name, "is no number", got=repr(value)) from None


def _count(name: str, value: int) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        raise CountError(name, "is not a whole number", got=repr(value)) from None
    if isinstance(value, bool | np.bool_) or not 0 <= count < 2**32:
        raise CountError(name, "is no count", expected="0 to 4,294,967,295", got=repr(value))
    return count


def _optional(name: str, value: int | None) -> int | None:
    return None if value is None else _count(name, value)


def _check_part(k: int, n: int) -> None:
    if k > n:
        raise CountError("event_count", "more leukaemic events than cells", expected=f"at most {n}", got=str(k))


def _check_coverage(share: float | None) -> None:
    if share is not None and not 0 < share <= 1:
        raise CountError("laip_coverage", "is no share of 1", expected="above 0, at most 1", got=str(share))
