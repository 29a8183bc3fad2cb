"""Gating one file: a template's populations counted in its events."""

from cytorecon.gating.file import gate_events, gate_file
from cytorecon.gating.sample import GatedSample, PlacedCutpoint, PopulationCounts, Status

__all__ = ["GatedSample", "PlacedCutpoint", "PopulationCounts", "Status", "gate_events", "gate_file"]
