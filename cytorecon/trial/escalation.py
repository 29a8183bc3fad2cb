"""3+3 dose escalation from a cohort file: what to do next, and why.

Le Tourneau, Lee and Siu 2009, doi 10.1093/jnci/djp079. The maximum tolerated dose is the highest level with at most
one toxicity among six evaluable patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cytorecon.errors import Finding
from cytorecon.trial.cohort import CohortRow
from cytorecon.trial.protocol import Ambiguity, Protocol
from cytorecon.trial.reading import RESEARCH_USE

Decision = Literal[
    "enrol", "hold", "expand", "escalate", "de_escalate", "mtd", "mtd_not_reached", "stop_study", "review"
]


@dataclass(frozen=True)
class LevelTally:
    """Patients of one level: those that count, their toxicities, those under observation, those to be replaced."""

    level: int
    evaluable: int
    dlt: int
    pending: int
    replaced: int

    @property
    def text(self) -> str:
        """``level 1: 1/3, 0 under observation, 0 not evaluable``."""
        counted = f"level {self.level}: {self.dlt}/{self.evaluable}"
        return f"{counted}, {self.pending} under observation, {self.replaced} not evaluable"


@dataclass(frozen=True)
class EscalationDecision:
    """What to do next.

    Parameters
    ----------
    decision
        ``enrol`` (a cohort is not full), ``hold`` (a window is open), ``expand`` (one toxicity of three, or six are
        needed), ``escalate``, ``de_escalate``, ``mtd``, ``mtd_not_reached``, ``stop_study``, or ``review``.
    level
        The level to treat at next, or the maximum tolerated one; None where none is left.
    patients
        How many more evaluable patients that level needs; 0 if none.
    reason
        The counts and the rule.
    levels
        Tallies, lowest level first.
    """

    decision: Decision
    level: int | None
    patients: int
    reason: str
    levels: tuple[LevelTally, ...]
    ambiguities: tuple[Ambiguity, ...]
    findings: tuple[Finding, ...] = ()
    note: str = RESEARCH_USE

    @property
    def lines(self) -> tuple[str, ...]:
        """Decision and reason, tallies, ambiguities, findings, and the note on use."""
        where = "" if self.level is None else f" (level {self.level})"
        more = f", {self.patients} more evaluable patients" if self.patients else ""
        return (
            f"Decision: {self.decision.replace('_', ' ')}{where}{more}. {self.reason}",
            *(tally.text for tally in self.levels),
            *(f"Ambiguity {each.number}: {each.record} Treatment: {each.treatment}" for each in self.ambiguities),
            *(f"{finding.severity}: {finding.message}" for finding in self.findings),
            self.note,
        )


def escalate(rows: Sequence[CohortRow], protocol: Protocol) -> EscalationDecision:
    """The 3+3 decision that the patients so far lead to.

    Parameters
    ----------
    rows
        From `read_cohort`; their order does not matter.
    protocol
        From `read_protocol`.

    Raises
    ------
    ProtocolError
        A row's level is none of the protocol's.
    """
    for row in rows:
        protocol.level(row.level)
    tallies = tuple(_tally(level, rows) for level in sorted(level.level for level in protocol.dose.level))
    decision, level, patients, reason = _decide(tallies, protocol)
    return EscalationDecision(
        decision, level, patients, reason, tallies, protocol.ambiguities("escalation"), _enrolment(protocol)
    )


def _tally(level: int, rows: Sequence[CohortRow]) -> LevelTally:
    mine = [row for row in rows if row.level == level]
    return LevelTally(
        level,
        evaluable=sum(row.counts for row in mine),
        dlt=sum(row.dlt is True for row in mine),
        pending=sum(row.pending for row in mine),
        replaced=sum(row.evaluable is False for row in mine),
    )


_Step = tuple[Decision, int | None, int, str]


def _decide(tallies: tuple[LevelTally, ...], protocol: Protocol) -> _Step:
    start, rule = protocol.dose.start_level, protocol.escalation
    treated = [tally for tally in tallies if tally.evaluable or tally.pending]
    if not treated:
        return "enrol", start, rule.cohort, "No patient counts yet: the first cohort is treated at the start level"
    exceeded = [tally for tally in treated if tally.dlt > rule.tolerated]
    if strange := _irregular(tallies, treated, exceeded, protocol):
        return "review", None, 0, strange
    if exceeded:
        return _below(exceeded[0], tallies, protocol)
    return _at(treated[-1], tallies, protocol)


def _irregular(
    tallies: tuple[LevelTally, ...], treated: list[LevelTally], exceeded: list[LevelTally], protocol: Protocol
) -> str:
    """Why the rows cannot have come about by the design; empty if they can."""
    start, rule = protocol.dose.start_level, protocol.escalation
    if crowded := [tally for tally in treated if tally.evaluable > rule.expanded]:
        return f"More than {rule.expanded} evaluable patients at {crowded[0].text}: {rule.design} does not say"
    top, lowest = treated[-1].level, exceeded[0].level if exceeded else None
    for tally in tallies[: [each.level for each in tallies].index(top)]:
        # The level below an exceeded one may be in its second expansion, where one of four is no reproach.
        expanding = lowest is not None and tally is _next_below(lowest, tallies) and tally.evaluable >= rule.cohort
        if tally.level >= start and tally not in exceeded and not expanding and not _passed(tally, protocol):
            return f"Level {top} was treated although {tally.text}"
    above = [tally for tally in treated if lowest is not None and tally.level > lowest and tally not in exceeded]
    if above:
        return f"Level {above[0].level} was treated above a level that is exceeded ({exceeded[0].text})"
    if treated[0].level < start and not exceeded:
        return f"A level below the start was treated although none is exceeded ({treated[0].text})"
    return ""


def _next_below(level: int, tallies: tuple[LevelTally, ...]) -> LevelTally | None:
    return next((tally for tally in reversed(tallies) if tally.level < level), None)


def _passed(tally: LevelTally, protocol: Protocol) -> bool:
    """Whether a level let escalation go on: none of three, or at most the tolerated of six."""
    rule = protocol.escalation
    first = tally.evaluable >= rule.cohort and tally.dlt == 0
    return first or (tally.evaluable == rule.expanded and tally.dlt <= rule.tolerated)


def _at(tally: LevelTally, tallies: tuple[LevelTally, ...], protocol: Protocol) -> _Step:
    """The highest level treated, none being exceeded."""
    rule, level = protocol.escalation, tally.level
    if tally.pending:
        return "hold", level, 0, f"An observation window is open ({tally.text})"
    if _passed(tally, protocol):
        higher = [each.level for each in tallies if each.level > level]
        if higher:
            return "escalate", higher[0], rule.cohort, f"{tally.text}: the next level"
        return "mtd_not_reached", level, 0, f"The highest level passed ({tally.text}): MTD not reached"
    if tally.evaluable < rule.cohort:
        return "enrol", level, rule.cohort - tally.evaluable, f"The cohort of {rule.cohort} is not full ({tally.text})"
    needed = rule.expanded - tally.evaluable
    return "expand", level, needed, f"{tally.text}: expanded to {rule.expanded}"


def _below(exceeded: LevelTally, tallies: tuple[LevelTally, ...], protocol: Protocol) -> _Step:
    """A level is exceeded: the one below is the maximum tolerated dose once six evaluable patients say so."""
    rule, stop = protocol.escalation, protocol.stopping
    tally = _next_below(exceeded.level, tallies)
    if tally is None:
        return _lowest_exceeded(exceeded, protocol)
    why = f"{exceeded.text}: MTD exceeded there"
    if tally.pending:
        return "hold", tally.level, 0, f"{why}; an observation window is open ({tally.text})"
    if tally.evaluable >= rule.expanded:
        return "mtd", tally.level, 0, f"{why}; {tally.text}: the highest level with at most {rule.tolerated} of six"
    if tally.evaluable == 0:
        warn = f"; at level {stop.level} {stop.dlt} toxicities stop the study" if tally.level == stop.level else ""
        return "de_escalate", tally.level, rule.cohort, f"{why}; down to level {tally.level}{warn}"
    if tally.evaluable < rule.cohort:
        return "enrol", tally.level, rule.cohort - tally.evaluable, f"{why}; {tally.text}"
    needed = rule.expanded - tally.evaluable
    return "expand", tally.level, needed, f"{why}; {tally.text}: six evaluable patients are needed to call it the MTD"


def _lowest_exceeded(exceeded: LevelTally, protocol: Protocol) -> _Step:
    rule, stop = protocol.escalation, protocol.stopping
    words = f"{exceeded.text}: {stop.dlt} or more toxicities at the lowest level"
    if exceeded.level == stop.level and exceeded.dlt >= stop.dlt and exceeded.evaluable > rule.cohort:
        return "stop_study", None, 0, f"{words}, in its expanded cohort: the protocol's stopping rule"
    return (
        "stop_study",
        None,
        0,
        f"{words}: no lower level is left; the stopping rule names the expanded cohort, so a person confirms",
    )


def _enrolment(protocol: Protocol) -> tuple[Finding, ...]:
    """Point out a planned enrolment that the design can outgrow."""
    rule, planned = protocol.escalation, protocol.record.enrolment
    levels = sum(not level.rescue for level in protocol.dose.level)
    if levels * rule.expanded <= planned:
        return ()
    message = (
        f"{rule.design} over {levels} levels takes {levels * rule.cohort} to {levels * rule.expanded} evaluable"
        f" patients; {planned} are planned"
    )
    return (Finding("enrolment-below-design", message, "info"),)
