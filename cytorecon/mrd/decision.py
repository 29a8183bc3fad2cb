"""The statements about one threshold, on whole arrays: quantification, adequacy, position, call, protocol answer.

Every function takes counts of any one shape, so that one result and a cube of results are decided by the same lines.
Statements are never collapsed into one: see `decide` for how they meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import CountError
from cytorecon.interval import position
from cytorecon.mrd.threshold import MrdThreshold

Counts = NDArray[np.int64]
Words = NDArray[np.str_]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Sensitivity:
    """What an acquisition has to hold before its events count as detected or as quantified.

    Parameters
    ----------
    lod_events, lloq_events
        Events below which a population is not detected, or not quantified. A convention, not a verified guideline:
        20 and 50 by default; 10 also circulates.
    lob_count
        Background events expected at most in this acquisition (limit of blank), from controls; None: not known.
    lob, validated_lod, validated_loq
        Limits of blank, detection and quantification from controls, fractions of 1 of the same denominator; None: not
        known.

    Raises
    ------
    CountError
        A limit is negative, or the LLOQ lies below the LOD.
    """

    lod_events: int = 20
    lloq_events: int = 50
    lob_count: int | None = None
    lob: Fraction | None = None
    validated_lod: Fraction | None = None
    validated_loq: Fraction | None = None

    def __post_init__(self) -> None:
        if not 0 < self.lod_events <= self.lloq_events:
            raise CountError(
                "lod_events, lloq_events",
                "are no event rule",
                expected="1 ≤ lod_events ≤ lloq_events",
                got=f"{self.lod_events}, {self.lloq_events}",
            )
        if self.lob_count is not None and self.lob_count < 0:
            raise CountError("lob_count", "is negative", got=str(self.lob_count))
        for name in ("lob", "validated_lod", "validated_loq"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise CountError(name, "is no fraction of 1", expected="0 to 1", got=f"{float(value):g}")

    @property
    def specificity_established(self) -> bool:
        """Whether controls say how much background this phenotype has."""
        return any(limit is not None for limit in (self.lob_count, self.lob, self.validated_lod))

    def background(self, total_count: Counts) -> Counts:
        """Most events that background explains in `total_count` cells; −1 where no control says."""
        known = -1 if self.lob_count is None else self.lob_count
        return np.maximum(known, -1 if self.lob is None else _floor(self.lob, total_count))

    def floor_events(self, total_count: Counts) -> Counts:
        """The least count that is neither too few nor explained by background."""
        return np.maximum(self.lod_events, self.background(total_count) + 1)

    def lod_count(self, total_count: Counts) -> Counts:
        """Events that reach the effective LOD in `total_count` cells."""
        return np.maximum(self.floor_events(total_count), _ceiling(self.validated_lod, total_count))

    def lloq_count(self, total_count: Counts) -> Counts:
        """Events that reach the effective LLOQ in `total_count` cells."""
        validated = _ceiling(self.validated_loq, total_count)
        return np.maximum(np.maximum(self.lloq_events, validated), self.lod_count(total_count))

    def lod(self, total_count: Counts) -> NDArray[np.float64]:
        """Effective LOD, fraction of 1: the larger of the event rule and the controls; NaN for no cells."""
        return _fraction(self.floor_events(total_count), self.validated_lod, total_count)

    def lloq(self, total_count: Counts) -> NDArray[np.float64]:
        """Effective LLOQ, fraction of 1, never below the LOD; NaN for no cells."""
        events = np.maximum(self.lloq_events, self.floor_events(total_count))
        return np.maximum(_fraction(events, self.validated_loq, total_count), self.lod(total_count))

    def reaches(self, threshold: Fraction, total_count: Counts) -> Flags:
        """Whether the effective LOD is at or below `threshold`, by integers."""
        enough = total_count * threshold.numerator >= self.floor_events(total_count) * threshold.denominator
        return enough & (self.validated_lod is None or self.validated_lod <= threshold)


@dataclass(frozen=True)
class Decision:
    """The statements about one threshold; every array has the shape of the counts.

    `rule_met` is the literal integer rule and holds only where `rule_known`; `events_needed` is NaN where no number
    of further events would make the acquisition adequate.
    """

    adequacy: Words
    events_needed: NDArray[np.float64]
    position: Words
    rule_met: Flags
    rule_known: Flags
    call: Words
    protocol: Words


def quantify(event_count: Counts, total_count: Counts, sensitivity: Sensitivity) -> Words:
    """``below_lod``, ``detected_not_quantifiable`` or ``quantifiable``; ``not_evaluable`` for 0 of 0."""
    return np.select(
        [
            total_count <= 0,
            event_count < sensitivity.lod_count(total_count),
            event_count < sensitivity.lloq_count(total_count),
        ],
        ["not_evaluable", "below_lod", "detected_not_quantifiable"],
        "quantifiable",
    )


def decide(
    event_count: Counts,
    total_count: Counts,
    threshold: MrdThreshold,
    sensitivity: Sensitivity,
    method: str = "clopper-pearson",
    confidence: float = 0.95,
    *,
    evaluable: Flags | bool = True,
    blast_region_count: Counts | int = 0,
    upper_limit_only: Flags | bool = False,
) -> Decision:
    """Every statement about `threshold`.

    Parameters
    ----------
    event_count, total_count
        int64, one shape; `total_count` of the threshold's denominator (see `upper_limit_only`).
    threshold, sensitivity, method, confidence
        The rule, the limits of the acquisition, and the interval (see `cytorecon.interval`).
    evaluable
        False where the counts the threshold requires are absent.
    blast_region_count
        Cells in the blast region; only a threshold with such a minimum reads it.
    upper_limit_only
        True where `total_count` is a subset of the threshold's denominator (CD45+ of nucleated cells). The fraction
        is then an upper limit: it can show "below", never "above".

    Notes
    -----
    * ``above`` needs the interval above T *and* as many events as the effective LOD.
    * ``below`` needs the interval below T, the effective LOD at or below T, and the threshold's own minimum.
    * the protocol answers ``met`` if the literal rule holds with ``lloq_events`` and more events than the limit of
      blank, ``not_met`` if it fails and the effective LOD reaches T; everything else is for a person to adjudicate.
    """
    k, n = event_count, total_count
    known = np.asarray(evaluable & (n > 0))
    enough_cells = np.asarray((n > threshold.minimum_total) & (blast_region_count >= threshold.minimum_blast_region))
    where = position(k, n, threshold.fraction, method, confidence, inclusive=not threshold.strict)
    limit_only = np.asarray(upper_limit_only & (where != "below"))
    where = np.where(known & ~limit_only, where, "not_evaluable")
    reached = sensitivity.reaches(threshold.fraction, n)
    rule = literal_rule(k, n, threshold)
    rule_known = known & ~np.asarray(upper_limit_only & rule)
    above = (where == "above") & (k >= sensitivity.lod_count(n))
    below = (where == "below") & reached & enough_cells
    met = rule_known & rule & (k >= sensitivity.lloq_events) & (k >= sensitivity.floor_events(n))
    not_met = rule_known & ~rule & reached & enough_cells
    adequacy, needed = adequate(n, threshold, sensitivity, enough_cells)
    return Decision(
        adequacy=np.where(known, adequacy, "not_evaluable"),
        events_needed=np.where(known, needed, np.nan),
        position=where,
        rule_met=rule & rule_known,
        rule_known=rule_known,
        call=np.select([~known, above, below], ["not_evaluable", "above", "below"], "indeterminate"),
        protocol=np.select([met, not_met], ["met", "not_met"], "needs_adjudication"),
    )


def literal_rule(event_count: Counts, total_count: Counts, threshold: MrdThreshold) -> Flags:
    """``k·10⁴ > N`` and its like, by integers; exactly T meets only a rule that is not strict."""
    left = event_count * threshold.fraction.denominator
    right = total_count * threshold.fraction.numerator
    return np.asarray(left > right if threshold.strict else left >= right)


def adequate(
    total_count: Counts, threshold: MrdThreshold, sensitivity: Sensitivity, enough_cells: Flags
) -> tuple[Words, NDArray[np.float64]]:
    """``adequate``, ``detection_only`` or ``insufficient``, and the further cells to acquire for the first."""
    t = threshold.fraction
    quantifies = total_count * t.numerator >= sensitivity.lloq_count(total_count) * t.denominator
    reached = sensitivity.reaches(t, total_count)
    words = np.select([reached & quantifies & enough_cells, reached], ["adequate", "detection_only"], "insufficient")
    events = np.maximum(sensitivity.lloq_events, sensitivity.floor_events(total_count))
    goal = np.maximum(-(-events * t.denominator // t.numerator), threshold.minimum_total + 1)
    # Background at or above T grows with the acquisition, and a validated limit does not move at all.
    limits = (sensitivity.lob, sensitivity.validated_lod, sensitivity.validated_loq)
    hopeless = any(limit is not None and limit > t for limit in limits)
    background = sensitivity.background(total_count)
    drowned = (background > 0) & (background * t.denominator >= total_count * t.numerator)
    return words, np.where(hopeless | drowned, np.nan, np.maximum(goal - total_count, 0))


def _floor(limit: Fraction, total_count: Counts) -> Counts:
    # 10⁹ keeps every decimal a laboratory writes and the products inside int64.
    ratio = limit.limit_denominator(10**9)
    return total_count * ratio.numerator // ratio.denominator


def _ceiling(limit: Fraction | None, total_count: Counts) -> Counts:
    if limit is None:
        return np.zeros_like(total_count)
    ratio = limit.limit_denominator(10**9)
    return -(-total_count * ratio.numerator // ratio.denominator)


def _fraction(events: Counts, limit: Fraction | None, total_count: Counts) -> NDArray[np.float64]:
    rule = np.minimum(events / np.maximum(total_count, 1), 1.0)
    return np.where(total_count > 0, np.maximum(rule, float(limit or 0)), np.nan)
