"""NK-cell dose, T-cell burden and release table of a gated product; CD34, T and NK dose of a graft.

Dose per kg = viable nucleated cells × fraction of the viable CD45+ cells ÷ weight. The fraction's denominator is the
population that was counted as nucleated cells, and viability enters once. Research use only.
"""

from __future__ import annotations

from cytorecon.product.counts import GRAFT_NAMES, PRODUCT_NAMES, CellCounts, PerKg, cell_counts
from cytorecon.product.dose import Check, NkDose, graft_dose, plan_dose
from cytorecon.product.release import ReleaseRow, release_table
from cytorecon.product.request import CellNumber, DoseRequest, Given, Limit, read_cell_number, read_dose

__all__ = [
    "GRAFT_NAMES",
    "PRODUCT_NAMES",
    "CellCounts",
    "CellNumber",
    "Check",
    "DoseRequest",
    "Given",
    "Limit",
    "NkDose",
    "PerKg",
    "ReleaseRow",
    "cell_counts",
    "graft_dose",
    "plan_dose",
    "read_cell_number",
    "read_dose",
    "release_table",
]
