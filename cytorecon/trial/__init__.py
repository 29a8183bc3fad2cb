"""A trial's rules as data: eligibility, infusion criteria, dose levels, escalation, toxicity grades and outcomes.

`read_protocol` reads what a clinician can read; `eligibility` answers it rule by rule. Research use only.
"""

from __future__ import annotations

from cytorecon.trial.case import Case, read_case
from cytorecon.trial.cohort import CohortRow, read_cohort
from cytorecon.trial.eligibility import Criterion, Eligibility, eligibility, infusion_check
from cytorecon.trial.escalation import EscalationDecision, escalate
from cytorecon.trial.facts import MrdEvidence, RuleResult
from cytorecon.trial.inputs import study_cubes
from cytorecon.trial.marrow import marrow_evidence
from cytorecon.trial.objectives import Objective, TrialResult, trial_mapping, trial_result
from cytorecon.trial.outcome_table import read_outcomes
from cytorecon.trial.outcomes import Outcome
from cytorecon.trial.protocol import Protocol, calendar, read_protocol
from cytorecon.trial.reading import RESEARCH_USE, to_mapping
from cytorecon.trial.residual import mrd_threshold
from cytorecon.trial.toxicity import crs_grade, icans_grade, icans_tool, is_dose_limiting
from cytorecon.trial.values import Dose, parse_dose, parse_number

__all__ = [
    "RESEARCH_USE",
    "Case",
    "CohortRow",
    "Criterion",
    "Dose",
    "Eligibility",
    "EscalationDecision",
    "MrdEvidence",
    "Objective",
    "Outcome",
    "Protocol",
    "RuleResult",
    "TrialResult",
    "calendar",
    "crs_grade",
    "eligibility",
    "escalate",
    "icans_grade",
    "icans_tool",
    "infusion_check",
    "is_dose_limiting",
    "marrow_evidence",
    "mrd_threshold",
    "parse_dose",
    "parse_number",
    "read_case",
    "read_cohort",
    "read_outcomes",
    "read_protocol",
    "study_cubes",
    "to_mapping",
    "trial_mapping",
    "trial_result",
]
