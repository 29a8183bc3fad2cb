"""Gating one file: a template's populations counted in its events."""

from cytorecon.gating.file import gate_events, gate_file
from cytorecon.gating.given import Found, Given
from cytorecon.gating.sample import GatedSample, PlacedCutpoint, PopulationCounts, Status, under
from cytorecon.gating.survey import Difference, FilePanel, differences, survey_file

__all__ = [
    "Difference",
    "FilePanel",
    "Found",
    "GatedSample",
    "Given",
    "PlacedCutpoint",
    "PopulationCounts",
    "Status",
    "differences",
    "gate_events",
    "gate_file",
    "survey_file",
    "under",
]
