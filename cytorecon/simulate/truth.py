"""Which simulated cell types belong to which population of the shipped templates, by the population's name."""

from __future__ import annotations

from collections.abc import Mapping

from cytorecon.simulate.cells import (
    B_CELLS,
    CELLS,
    MYELOID_CELLS,
    NK_CELLS,
    T_CELLS,
)

Names = tuple[str, ...]

_T, _NK, _B, _MYELOID = tuple(T_CELLS), tuple(NK_CELLS), tuple(B_CELLS), tuple(MYELOID_CELLS)
_LYMPHOCYTES: Names = _T + _NK + _B
_CELLS: Names = tuple(name for name in CELLS if name not in ("bead", "debris"))
_NUCLEATED: Names = tuple(name for name in _CELLS if name != "red cell")
_CD45: Names = tuple(name for name in _NUCLEATED if name != "erythroid")
_MONOCYTES: Names = ("monocyte", "CD16+ monocyte", "CD56+ monocyte")
_CD4: Names = ("CD4 T", "CD7- CD4 T")
_CD8: Names = ("CD8 T", "CD7- CD8 T", "NKT-like", "activated CD8 T")
_ALPHA_BETA: Names = tuple(name for name in _T if name != "gd T")
_NK56: Names = tuple(name for name in _NK if name != "NK CD56-")
_HEMATOGONES: Names = ("hematogone I", "hematogone II")

_BEADS = {"Beads": ("bead",)}
_TRUNK = {"Cells": _CELLS, "Singlets": _CELLS, "Viable": _CELLS}
_MARROW = _TRUNK | {"Nucleated": _NUCLEATED, "CD45pos": _CD45, "T cells": _T}

TRUTH: Mapping[str, Mapping[str, Names]] = {
    "tbnk": _BEADS | _TRUNK | {
        "Leukocytes": _CD45,
        "Monocytes": _MONOCYTES,
        "Lymphocytes": _LYMPHOCYTES,
        "T cells": _T,
        "CD4 T cells": _CD4,
        "CD8 T cells": _CD8,
        "DP T cells": ("DP T",),
        "DN T cells": ("DN T", "gd T"),
        "NKT-like": ("NKT-like",),
        "TCRgd T cells": ("gd T",),
        "B cells": ("B",),
        "CD20 B cells": _B,
        "NK cells": _NK56,
        "CD56bright CD16-": ("NK bright",),
        "CD56bright CD16+": ("NK bright CD16+", "expanded NK"),
        "CD56dim CD16-": ("NK dim CD16-",),
        "CD56dim CD16+": ("NK dim", "CD7- NK"),
        "NK CD19-CD14-": _NK56,
        "NK clinical": _NK,
        "NK clinical CD14-": _NK,
        "NK CD56-CD16+": ("NK CD56-",),
        "NK clinical one colour": _NK,
        "Other": ("B CD19-",),
        "Other one colour": ("B CD19-",),
    },
    "nk_product": _BEADS | _TRUNK | {
        "Feeder": ("feeder",),
        "Large CD45 dim": ("feeder",),
        "CD45pos": tuple(name for name in _CD45 if name != "feeder"),
        "NK cells": _NK56,
        "NK CD16+": ("NK dim", "NK bright CD16+", "expanded NK", "CD7- NK"),
        "T cells": _T,
        "T56-": tuple(name for name in _T if name != "NKT-like"),
        "T56+": ("NKT-like",),
        "TCRab T cells": _ALPHA_BETA,
        "B cells": ("B",),
        "Monocytes": _MONOCYTES,
    },
    "graft": _BEADS | _TRUNK | {
        "CD45pos": _CD45,
        "CD34+": ("progenitor",),
        "T cells": _T,
        "TCRab T cells": _ALPHA_BETA,
        "B cells": ("B",),
        "NK cells": _NK56,
    },
    "mrd_aml": _MARROW | {
        "Monocytes": _MONOCYTES,
        "NK cells": _NK,
        "Hematogones": _HEMATOGONES,
        "pDC": ("pDC",),
        "Basophils": ("basophil",),
        "Plasma cells": ("plasma cell",),
        "LAIP_1": ("AML",),
        "LAIP_2": ("AML shifted",),
        "LAIP_3": (),
        "MRD": ("AML", "AML without LAIP", "AML shifted"),
    },
    "mrd_t_all": _MARROW | {
        "NK cells": _NK,
        "LAIP_1": ("T-ALL",),
        "LAIP_2": ("T-ALL", "T-ALL CD7-"),
        "MRD": ("T-ALL", "T-ALL CD7-"),
    },
    "mrd_mpal": _MARROW | {
        "NK cells": _NK,
        "Hematogones": _HEMATOGONES,
        "M_LAIP": ("MPAL myeloid",),
        "T_LAIP": ("MPAL T",),
        "B_LAIP": ("MPAL B",),
        "B_LAIP CD19-free": ("MPAL B",),
        "MRD": ("MPAL myeloid", "MPAL T", "MPAL B"),
    },
}  # fmt: skip
