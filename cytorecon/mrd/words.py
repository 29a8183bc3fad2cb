"""An MRD result in plain words: one paragraph a clinician can paste."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from cytorecon.interval import INTERVAL_METHODS
from cytorecon.mrd.result import MrdAssessment, ThresholdAssessment

_CALLS = {
    "above": "above the threshold",
    "below": "below the threshold",
    "indeterminate": "indeterminate",
    "not_evaluable": "not evaluable",
}
_POSITIONS = {
    "above": "the whole interval lies above it",
    "below": "the whole interval lies below it",
    "straddles": "the interval includes it",
    "not_evaluable": "the interval cannot be compared with it",
}
_PROTOCOL = {"met": "met", "not_met": "not met", "needs_adjudication": "needs adjudication by a person"}


def percent(fraction: float, digits: int = 3) -> str:
    """A fraction of 1 as a percentage with `digits` significant digits, at most four decimals lost to none.

    Zero is refused: a report says "< LOD" or gives an upper bound instead.
    """
    if fraction <= 0:
        raise ValueError("a fraction of zero is never printed as a percentage")
    value = 100 * fraction
    decimals = max(0, digits - 1 - math.floor(math.log10(value) + 1e-12))
    return f"{value:.{decimals}f} %"


def paragraph(result: MrdAssessment) -> str:
    """The result, its limits, what each threshold says and what limits the statement, in that order."""
    sentences = [_headline(result), *_interval(result), *_limits(result)]
    sentences += [_against(each) for each in result.assessments]
    sentences += [*_response(result), _specificity(result), _coverage(result), result.hemodilution.text]
    return " ".join(f"{sentence}." for sentence in (*sentences, "Research use only"))


def _headline(result: MrdAssessment) -> str:
    cells = f"{result.total_count:,} {result.denominator.words}"
    if result.fraction is None or result.lod is None:
        return f"MRD by flow cytometry: not evaluable, no {result.denominator.words} were counted"
    lod = percent(result.lod, 2)
    if result.quantification == "below_lod" and result.event_count == 0:
        return f"MRD by flow cytometry: no MRD population detected, < LOD (< {lod}), no event among {cells}"
    counted = f"{_events(result.event_count)} among {cells}"
    if result.quantification == "below_lod":
        return (
            f"MRD by flow cytometry: < LOD (< {lod}); {counted}, too few to be called a population"
            " and not evidence that there is none"
        )
    if result.quantification == "detected_not_quantifiable":
        return (
            f"MRD by flow cytometry: detected, positive but not quantifiable (PNQ), about"
            f" {percent(result.fraction)} ({counted})"
        )
    return f"MRD by flow cytometry: {percent(result.fraction)} ({counted})"


def _interval(result: MrdAssessment) -> list[str]:
    if result.interval is None:
        return []
    low, high = result.interval
    method, level = INTERVAL_METHODS[result.interval_method], f"{100 * result.confidence:g} %"
    if low <= 0:
        return [
            f"{method} {level} upper bound {percent(high)}; this bound assumes that no background event is counted"
            " (perfect specificity)"
        ]
    return [f"{method} {level} interval {percent(low)} to {percent(high)}"]


def _limits(result: MrdAssessment) -> list[str]:
    if result.lod is None or result.lloq is None:
        return []
    rule, cells = result.sensitivity, f"{result.total_count:,}"
    text = (
        f"Assay sensitivity for this acquisition: LOD {percent(result.lod, 2)}, LLOQ {percent(result.lloq, 2)}"
        f" (event rules {rule.lod_events}/{cells} and {rule.lloq_events}/{cells}"
    )
    background = int(rule.background(np.array(result.total_count, np.int64)))
    if background >= 0:
        text += f"; limit of blank {background} events"
    if rule.validated_lod:
        text += f"; validated LoD {percent(float(rule.validated_lod), 2)}"
    return [text + ")"]


def _against(each: ThresholdAssessment) -> str:
    head = f"{each.source}, threshold {each.threshold.words}"
    caveat = f"; unverified here: {each.threshold.unverified}" if each.threshold.unverified else ""
    if each.call == "not_evaluable":
        return f"{head}: not evaluable{f' ({each.note})' if each.note else ''}{caveat}"
    parts = [f"{head}: call {_CALLS[each.call]}", _POSITIONS[each.position], _adequacy(each)]
    parts.append(f"literal rule {_rule(each)}, protocol's answer: {_PROTOCOL[each.protocol]}")
    return "; ".join(parts + ([each.note] if each.note else [])) + caveat


def _adequacy(each: ThresholdAssessment) -> str:
    cells = each.threshold.denominator.words
    if each.adequacy == "adequate":
        return "acquisition adequate for it"
    if each.events_needed == 0 or (each.adequacy == "detection_only" and each.threshold.minimum_total):
        return f"acquisition short of its own minimum for a negative ({_minimum(each)})"
    head = "insufficient for it" if each.adequacy == "insufficient" else "enough to detect, not to quantify at it"
    if each.events_needed is None:
        return f"acquisition {head}, and no number of further cells would change that"
    if each.adequacy == "detection_only":
        return f"acquisition {head}: {each.events_needed:,} more {cells} to acquire"
    return (
        f"acquisition {head}: {each.events_needed_detection:,} more {cells} to acquire for detection,"
        f" {each.events_needed:,} for quantification"
    )


def _minimum(each: ThresholdAssessment) -> str:
    rule = each.threshold
    text = f"more than {rule.minimum_total:,} {rule.denominator.words}"
    text += f", at least {rule.minimum_blast_region} in the blast region"
    return f"{text}; {each.events_needed:,} more to acquire" if each.events_needed else text


def _rule(each: ThresholdAssessment) -> str:
    return {None: "unknown", True: "met", False: "not met"}[each.rule_met]


# Response categories of ALL: ASH Education Program 2021:718-725, Table 1, doi 10.1182/hematology.2021000224.
_ALL_CUT = Fraction(1, 10_000)


def all_response(result: MrdAssessment) -> str:
    """MRD-CR, MRD failure or MRD intermediate with its kind; empty for 0 of 0. For acute lymphoblastic leukaemia."""
    if result.lod is None:
        return ""
    k, n, detected = result.event_count, result.total_count, result.quantification != "below_lod"
    if detected and k * _ALL_CUT.denominator >= n * _ALL_CUT.numerator:
        return "MRD failure (positive, at or above 0.01 %)"
    if detected:
        quantified = result.quantification == "quantifiable"
        kind = "positive below 0.01 %" if quantified else "positive, non-quantifiable, below 0.01 %"
        return f"MRD intermediate ({kind})"
    if not result.sensitivity.reaches(_ALL_CUT, np.array(n, np.int64)):
        return "MRD intermediate (below detection with insufficient sensitivity)"
    if result.interval is not None and result.interval[1] >= float(_ALL_CUT):
        return "MRD intermediate (below detection, but the interval reaches 0.01 %)"
    return "MRD-CR (below detection with a sensitivity of at least 0.01 %)"


def _response(result: MrdAssessment) -> list[str]:
    words = all_response(result)
    if result.assessments[0].threshold.disease != "t_all" or not words:
        return []
    return [f"In the vocabulary of ALL response (ASH 2021): {words}"]


def _specificity(result: MrdAssessment) -> str:
    if result.sensitivity.specificity_established:
        return "Background established in controls"
    return "Specificity not established: no regenerating-marrow controls were given; needs review"


def _coverage(result: MrdAssessment) -> str:
    if result.laip_coverage is None:
        return "Share of the diagnostic blasts covered by the phenotype: not recorded"
    return f"The phenotype covers {percent(result.laip_coverage, 2)} of the diagnostic blasts"


def _events(count: int) -> str:
    return f"{count:,} leukaemic event{'' if count == 1 else 's'}"
