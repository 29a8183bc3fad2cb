"""The study folder: an append-only ledger of results, and the cubes built from it."""

from cytorecon.study.folder import Study, open_study
from cytorecon.study.recording import RunSummary, run
from cytorecon.study.view import read_cube, read_samples

__all__ = ["RunSummary", "Study", "open_study", "read_cube", "read_samples", "run"]
