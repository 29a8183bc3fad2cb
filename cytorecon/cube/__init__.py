"""Counts of many samples as plain `xarray.Dataset`s: one row a sample, and the cube."""

from cytorecon.cube.fraction import is_counted, percent_of_parent
from cytorecon.cube.grid import Visit, grid
from cytorecon.cube.samples import PopulationSummary, SampleRow, TemplateSummary, build_samples, row_of, summarise
from cytorecon.cube.variables import STATUS, VARIABLES, Variable, validate

__all__ = [
    "STATUS",
    "VARIABLES",
    "PopulationSummary",
    "SampleRow",
    "TemplateSummary",
    "Variable",
    "Visit",
    "build_samples",
    "grid",
    "is_counted",
    "percent_of_parent",
    "row_of",
    "summarise",
    "validate",
]
