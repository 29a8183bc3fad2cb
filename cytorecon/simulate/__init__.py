"""Tubes, patients and cohorts with known truth: for documentation, tests and benchmarks.

Everything here is invented and says so in every file it writes. What a method scores on it says that the method is
wired up and what it does in constructed cases, never how it does on patients.
"""

from __future__ import annotations

from cytorecon.simulate.answers import Answer, read_answers
from cytorecon.simulate.cells import CELLS, CellType
from cytorecon.simulate.cohort import simulate_cohort
from cytorecon.simulate.hard import HARD_CASES, HardCase
from cytorecon.simulate.outcomes import simulate_outcomes
from cytorecon.simulate.panels import PANELS, Stain
from cytorecon.simulate.patient import Patient, concentrations, simulate_patient
from cytorecon.simulate.truth import TRUTH
from cytorecon.simulate.tube import KINDS, SimulatedTube, simulate_tube

__all__ = [
    "CELLS",
    "HARD_CASES",
    "KINDS",
    "PANELS",
    "TRUTH",
    "Answer",
    "CellType",
    "HardCase",
    "Patient",
    "SimulatedTube",
    "Stain",
    "concentrations",
    "read_answers",
    "simulate_cohort",
    "simulate_outcomes",
    "simulate_patient",
    "simulate_tube",
]
