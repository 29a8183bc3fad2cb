"""cytorecon: flow-cytometry runs into answers about immune reconstitution and residual leukaemia.

Research use only. Every public name loads its module on first use, so that ``import cytorecon`` is cheap.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the module that defines it. Kept in the order of the straight line.
_HOME: dict[str, str] = {
    "CytoreconError": "errors",
    "Finding": "errors",
    "Linear": "transforms",
    "Log": "transforms",
    "Asinh": "transforms",
    "Logicle": "transforms",
    "Hyperlog": "transforms",
    "Biex": "transforms",
    "Spillover": "compensation",
    "compensate": "compensation",
    "read_fcs": "fcs",
    "Events": "fcs",
    "Channel": "fcs",
    "Dimension": "gates",
    "RangeGate": "gates",
    "RectangleGate": "gates",
    "PolygonGate": "gates",
    "EllipseGate": "gates",
    "QuadrantGate": "gates",
    "GatingTemplate": "template",
    "load_template": "interchange",
    "convert": "interchange",
    "read_workspace": "interchange.flowjo",
    "Sample": "sheet",
    "read_sheet": "sheet",
    "simulate_tube": "simulate",
    "simulate_cohort": "simulate",
    "gate_file": "gating",
    "GatedSample": "gating",
    "PopulationCounts": "gating",
    "percent_of_parent": "cube",
    "open_study": "study",
    "run": "study",
    "read_samples": "study",
    "read_cube": "study",
    "history": "study",
    "verify": "study",
    "diff_templates": "study",
    "write_gates": "study",
    "ingest": "study",
    "supersede": "study",
    "reinstate": "study",
    "rename_patient": "study",
    "merge_patients": "study",
    "forget_patient": "study",
    "set_visits": "study",
    "cells_per_ul": "counts",
    "cells_per_ul_interval": "counts",
    "mrd_call": "mrd",
    "assess_mrd": "mrd",
    "MrdThreshold": "mrd",
    "MrdAssessment": "mrd",
    "MRD_THRESHOLDS": "mrd",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
