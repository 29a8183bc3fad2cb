"""Absolute counts: cells per µL by counting beads or by a blood count, with their uncertainty."""

from __future__ import annotations

from cytorecon.counts.concentration import cells_per_ul, cells_per_ul_interval, compare_platforms
from cytorecon.counts.inputs import PLATFORMS
from cytorecon.counts.platform import Concentration, dual_platform, single_platform

__all__ = [
    "PLATFORMS",
    "Concentration",
    "cells_per_ul",
    "cells_per_ul_interval",
    "compare_platforms",
    "dual_platform",
    "single_platform",
]
