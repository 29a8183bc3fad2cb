"""The sample sheet: a CSV with one row a file, every row validated before anything is gated."""

from cytorecon.sheet.conflicts import check_samples
from cytorecon.sheet.reading import read_sheet
from cytorecon.sheet.sample import COLUMNS, DERIVED, Sample, Specimen

__all__ = ["COLUMNS", "DERIVED", "Sample", "Specimen", "check_samples", "read_sheet"]
