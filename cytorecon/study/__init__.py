"""The study folder: an append-only ledger of results, and the cubes built from it."""

from cytorecon.study.audit import Problem, Verification, verify
from cytorecon.study.change import (
    forget_patient,
    merge_patients,
    reinstate,
    rename_patient,
    set_visits,
    supersede,
)
from cytorecon.study.difference import diff_templates
from cytorecon.study.external import ingest
from cytorecon.study.folder import Study, open_study
from cytorecon.study.gates import write_gates
from cytorecon.study.history import HistoryEntry, history
from cytorecon.study.pseudonym import pseudonyms
from cytorecon.study.recording import RunSummary, run
from cytorecon.study.view import Content, contents, read_cube, read_samples

__all__ = [
    "Content",
    "HistoryEntry",
    "Problem",
    "RunSummary",
    "Study",
    "Verification",
    "contents",
    "diff_templates",
    "forget_patient",
    "history",
    "ingest",
    "merge_patients",
    "open_study",
    "pseudonyms",
    "read_cube",
    "read_samples",
    "reinstate",
    "rename_patient",
    "run",
    "set_visits",
    "supersede",
    "verify",
    "write_gates",
]
