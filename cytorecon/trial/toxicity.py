"""ASTCT grades of cytokine release syndrome and ICANS, and whether they limit the dose.

A sign that was not assessed is None and leaves a range of grades; a range never becomes a grade. Lee et al. 2019,
doi 10.1016/j.bbmt.2018.12.758.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cytorecon.errors import ProtocolError
from cytorecon.trial.facts import Answer
from cytorecon.trial.protocol import Ambiguity, Protocol
from cytorecon.trial.reading import RESEARCH_USE
from cytorecon.trial.values import Age, parse_number

Oxygen = Literal[
    "none", "blow_by", "nasal_cannula", "high_flow", "facemask", "non_rebreather", "venturi", "positive_pressure"
]
Consciousness = Literal["alert", "spontaneous", "voice", "tactile", "unarousable"]
Seizure = Literal["none", "resolving", "prolonged"]
Oedema = Literal["none", "focal", "diffuse"]
Tool = Literal["ICE", "CAPD"]

LOW_FLOW_L_PER_MIN = 6  # ASTCT's limit of a nasal cannula's low flow; no trial's infusion criterion


@dataclass(frozen=True)
class Grade:
    """A toxicity grade, or the range that what was assessed leaves open.

    Parameters
    ----------
    event, tool
        ``CRS`` or ``ICANS``; the assessment tool of ICANS, empty for CRS.
    at_least, at_most
        Equal where the grade is known; 0 is none, 5 is death.
    reasons
        One a domain: the sign and the grade it gives.
    notes
        What a person has to confirm.
    """

    event: str
    tool: str
    at_least: int
    at_most: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()
    note: str = RESEARCH_USE

    @property
    def grade(self) -> int | None:
        """The grade; None where it is only a range."""
        return self.at_least if self.at_least == self.at_most else None

    @property
    def lines(self) -> tuple[str, ...]:
        """The grade in words, its reasons and notes."""
        shown = f"grade {self.grade}" if self.grade is not None else f"grade {self.at_least} to {self.at_most}"
        tool = f" ({self.tool})" if self.tool else ""
        return (f"{self.event}{tool}, ASTCT: {shown}", *self.reasons, *self.notes, self.note)


_Range = tuple[int, int, str]


def _grade(event: str, tool: str, domains: Iterable[_Range], notes: tuple[str, ...] = ()) -> Grade:
    """The worst domain decides."""
    ranges = tuple(domains)
    reasons = tuple(f"{words}: {low if low == high else f'{low} to {high}'}" for low, high, words in ranges if high)
    return Grade(event, tool, max(low for low, _, _ in ranges), max(high for _, high, _ in ranges), reasons, notes)


def crs_grade(
    *,
    temperature_c: float | str | None,
    hypotension: bool | None,
    vasopressors: int | None,
    oxygen: Oxygen | None,
    oxygen_l_per_min: float | str | None = None,
    vasopressin: bool = False,
    fever_masked: bool = False,
    died: bool = False,
) -> Grade:
    """Cytokine release syndrome by ASTCT: fever, and the worse of hypotension and hypoxia.

    Parameters
    ----------
    temperature_c
        Highest temperature, °C, not attributable to another cause; fever is ≥ 38.0.
    hypotension
        Not attributable to another cause.
    vasopressors
        How many beside vasopressin; None if not known.
    vasopressin
        Whether it is given, with another or alone.
    oxygen, oxygen_l_per_min
        Device and flow; a nasal cannula is low-flow up to 6 L/min.
    fever_masked
        After antipyretic or anticytokine therapy (tocilizumab): fever is not required, and a person confirms.
    died
        Of it: grade 5.

    Raises
    ------
    ProtocolError
        A negative number, or a number that is none.
    """
    fever = None if temperature_c is None else parse_number(temperature_c, "temperature_c") >= 38
    flow = None if oxygen_l_per_min is None else parse_number(oxygen_l_per_min, "oxygen_l_per_min")
    if (vasopressors or 0) < 0 or (flow or 0) < 0:
        raise ProtocolError("crs_grade", "a number is negative", expected="0 or more")
    notes = ("fever may be masked: graded without it, a person confirms",) if fever_masked and not fever else ()
    if died:
        return _grade("CRS", "", [(5, 5, "death")], notes)
    signs = [_pressure(hypotension, vasopressors, vasopressin), _hypoxia(oxygen, None if flow is None else float(flow))]
    if fever is False and not fever_masked:
        return _grade("CRS", "", [(0, 0, "no fever")], ("without fever it is no CRS by ASTCT",))
    if fever is None and not fever_masked:
        known = [(0, high, words) for _, high, words in signs]
        return _grade("CRS", "", [(0, 1, "temperature not assessed"), *known], notes)
    return _grade("CRS", "", [(1, 1, "fever") if fever else (0, 0, ""), *signs], notes)


def _pressure(hypotension: bool | None, vasopressors: int | None, vasopressin: bool) -> _Range:
    if vasopressors is not None and vasopressors > 1:
        return 4, 4, f"{vasopressors} vasopressors"
    if vasopressors == 1 or (vasopressors == 0 and vasopressin):
        return 3, 3, "one vasopressor"
    if vasopressors is None and (hypotension or hypotension is None or vasopressin):
        low = 3 if vasopressin else 2 if hypotension else 0
        return low, 4, "vasopressors not assessed"
    if hypotension is None:
        return 0, 2, "hypotension not assessed"
    return (2, 2, "hypotension without vasopressor") if hypotension else (0, 0, "")


def _hypoxia(oxygen: Oxygen | None, flow: float | None) -> _Range:
    if oxygen is None:
        return 0, 4, "oxygen not assessed"
    if oxygen == "none":
        return 0, 0, ""
    if oxygen == "positive_pressure":
        return 4, 4, "positive pressure"
    if oxygen == "blow_by":
        return 2, 2, "blow-by oxygen"
    if oxygen != "nasal_cannula":
        return 3, 3, oxygen.replace("_", " ")
    if flow is None:
        return 2, 3, "nasal cannula, flow not assessed"
    grade = 2 if flow <= LOW_FLOW_L_PER_MIN else 3
    return grade, grade, f"nasal cannula {flow:g} L/min"


def icans_tool(age: Age, developmental_delay: bool = False) -> Tool | None:
    """ICE from 13 years, CAPD below 12 or with developmental delay; None at 12 years, where sources differ."""
    if developmental_delay or age.months < 12 * 12:
        return "CAPD"
    return "ICE" if age.months >= 13 * 12 else None


def icans_grade(
    tool: Tool | None,
    *,
    score: int | None,
    consciousness: Consciousness | None,
    seizure: Seizure | None,
    motor_weakness: bool | None,
    oedema: Oedema | None,
    died: bool = False,
) -> Grade:
    """ICANS by ASTCT: the most severe domain. Intracranial haemorrhage is no part of it.

    Parameters
    ----------
    tool
        From `icans_tool`; the caller decides at 12 years.
    score
        ICE (0 to 10, 10 is normal) or CAPD (0 to 32, 9 and more is delirium); None if it could not be assessed.
    consciousness
        ``alert``, or or awakens by itself (``spontaneous``), to ``voice``, to touch only (``tactile``), or not
        (``unarousable``).
    seizure
        ``resolving`` (any that resolves), or ``prolonged`` (over 5 min, or repetitive without return to baseline).
    motor_weakness
        Deep focal weakness.
    oedema
        ``focal``; ``diffuse`` includes posturing, sixth-nerve palsy, papilloedema and Cushing's triad.
    died
        Of it: grade 5.

    Raises
    ------
    ProtocolError
        No tool was chosen, or the score is outside its range.
    """
    if tool is None:
        remedy = "At 12 years sources differ: choose ICE or CAPD"
        raise ProtocolError("icans_grade", "no tool is chosen", expected="ICE or CAPD", remedy=remedy)
    top = 10 if tool == "ICE" else 32
    if score is not None and not 0 <= score <= top:
        raise ProtocolError(
            "icans_grade", f"the {tool} score is outside its range", expected=f"0 to {top}", got=str(score)
        )
    if died:
        return _grade("ICANS", tool, [(5, 5, "death")])
    scored = _ice(score, consciousness) if tool == "ICE" else _capd(score, consciousness)
    signs = [
        _sign(
            consciousness, {"alert": 0, "spontaneous": 1, "voice": 2, "tactile": 3, "unarousable": 4}, "consciousness"
        ),
        _sign(seizure, {"none": 0, "resolving": 3, "prolonged": 4}, "seizure"),
        _sign(motor_weakness, {False: 0, True: 4}, "deep focal motor weakness"),
        _sign(oedema, {"none": 0, "focal": 3, "diffuse": 4}, "cerebral oedema"),
    ]
    return _grade("ICANS", tool, [scored, *signs])


def _ice(score: int | None, consciousness: Consciousness | None) -> _Range:
    if score is None:
        return (4, 4, "ICE not possible") if consciousness == "unarousable" else (0, 4, "ICE not assessed")
    grade = 0 if score == 10 else 1 if score >= 7 else 2 if score >= 3 else 3
    if score == 0 and consciousness is None:
        return 3, 4, "ICE 0"
    return (4, 4, "ICE 0") if score == 0 and consciousness == "unarousable" else (grade, grade, f"ICE {score}")


def _capd(score: int | None, consciousness: Consciousness | None) -> _Range:
    if score is None:
        return (4, 4, "CAPD not possible") if consciousness == "unarousable" else (0, 4, "CAPD not assessed")
    grade = 3 if score >= 9 else 1 if score else 0
    return grade, grade, f"CAPD {score}"


def _sign(value: object, grades: Mapping[Any, int], name: str) -> _Range:
    if value is None:
        return 0, max(grades.values()), f"{name} not assessed"
    grade = grades[value]
    return grade, grade, name if isinstance(value, bool) else f"{name} {value}"


@dataclass(frozen=True)
class DoseLimiting:
    """Whether a patient's grades are dose-limiting by a protocol: the answer, its reason, and what is left open."""

    answer: Answer
    reason: str
    ambiguities: tuple[Ambiguity, ...] = ()
    note: str = RESEARCH_USE

    @property
    def lines(self) -> tuple[str, ...]:
        """Answer and reason, ambiguities, and the note on use."""
        return (
            f"Dose-limiting toxicity: {self.answer}. {self.reason}",
            *(f"Ambiguity {each.number}: {each.record} Treatment: {each.treatment}" for each in self.ambiguities),
            self.note,
        )


def is_dose_limiting(grades: Iterable[Grade], related: bool | None, protocol: Protocol) -> DoseLimiting:
    """Whether the worst of some grades limits the dose, by the protocol's events and grade.

    Parameters
    ----------
    grades
        Of any events; those that the protocol does not name are left out. Every named event is needed for "no".
    related
        Whether the events are associated with the intervention; None if not judged.
    protocol
        From `read_protocol`.
    """
    rule = protocol.dlt
    counted = [grade for grade in grades if grade.event in rule.events]
    worst = max((grade.at_least for grade in counted), default=0)
    highest = max((grade.at_most for grade in counted), default=0)
    missing = set(rule.events) - {grade.event for grade in counted}
    shown = "; ".join(grade.lines[0] for grade in counted) or "no grade is given"
    reason = f"{shown}; limit grade ≥ {rule.grade} of {', '.join(rule.events)}"
    answer, why = _limits(worst, highest, missing, related, protocol)
    return DoseLimiting(answer, reason + why, protocol.ambiguities("toxicity"))


def _limits(
    worst: int, highest: int, missing: set[str], related: bool | None, protocol: Protocol
) -> tuple[Answer, str]:
    rule = protocol.dlt
    if rule.related and related is False:
        return "not_met", "; not associated with the intervention"
    if worst >= rule.grade:
        return ("unknown", "; relation not judged") if rule.related and related is None else ("met", "")
    if highest >= rule.grade or missing:
        return "unknown", f"; not graded: {', '.join(sorted(missing))}" if missing else ""
    return "not_met", ""
