"""What each kind of particle looks like: antigens, scatter and own light, in linear units of a 2^18 instrument.

The figures are chosen to look like blood, marrow and products on a common cytometer. They are not measured values, and
nothing that was counted on them says how a method does on patients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Linear units at gain 1. With a logicle of T = 2^18, M = 4.5, W = 0.5 they lie near 0.50, 0.66, 0.80 and 0.92.
LEVELS = {"lo": 1_500.0, "+": 8_000.0, "++": 32_000.0, "+++": 110_000.0}
_TOKEN = re.compile(r"(?P<antigen>\S+?)(?:(?P<level>lo|\+{1,3})|=(?P<units>\d+))")


@dataclass(frozen=True)
class CellType:
    """One kind of particle.

    Parameters
    ----------
    antigens
        Mean brightness by antigen, linear units at gain 1; what is not named is absent.
    size, granularity
        Median FSC-A and SSC-A, linear units.
    glow
        Median autofluorescence in each detector, linear units.
    spread
        Standard deviation of ln(brightness) from cell to cell.
    scatter_spread
        Standard deviation of ln(FSC-A); that of ln(SSC-A) is half as much again.
    """

    antigens: Mapping[str, float]
    size: float = 60_000
    granularity: float = 20_000
    glow: float = 60
    spread: float = 0.28
    scatter_spread: float = 0.11


def antigens(text: str) -> dict[str, float]:
    """Read ``"CD45=45000 CD3+ CD38lo"``: a level (``lo``, ``+``, ``++``, ``+++``) or linear units an antigen."""
    found = {}
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ValueError(f"{token!r} names no level: write lo, +, ++, +++ or =NUMBER")
        found[match["antigen"]] = float(match["units"]) if match["units"] else LEVELS[match["level"]]
    return found


_T = "CD45=45000 DNA=15000 CD3=12000 cyCD3=14000 CD2+ CD5=12000 CD7=6000 CD38lo CD99lo "
_NK = "CD45=45000 DNA=15000 CD7=12000 CD2+ CD38+ CD99lo "
_MONO = "CD45=24000 DNA=15000 CD33++ CD13+ HLA-DR+ CD64+ CD38+ CD4lo MPO=1200 "
_BLAST = "CD45=4500 DNA=15000 CD34=12000 CD117+ CD38+ HLA-DR=12000 CD13+ "


def _lymphocyte(text: str, **other: float) -> CellType:
    return CellType(antigens(text), **other)


def _monocyte(text: str, granularity: float = 70_000) -> CellType:
    return CellType(antigens(_MONO + text), 105_000, granularity, 180)


def _granulocyte(text: str, granularity: float, glow: float = 140) -> CellType:
    return CellType(antigens("DNA=15000 " + text), 110_000, granularity, glow)


def _blast(text: str, size: float = 85_000) -> CellType:
    return CellType(antigens(text), size, 28_000, 90, 0.32)


T_CELLS: Mapping[str, CellType] = {
    "CD4 T": _lymphocyte(_T + "CD4=9000 TCRab+"),
    "CD8 T": _lymphocyte(_T + "CD8=30000 TCRab+"),
    "DP T": _lymphocyte(_T + "CD4=7000 CD8=14000 TCRab+"),
    "DN T": _lymphocyte(_T + "TCRab+"),
    "gd T": _lymphocyte(_T + "CD3=20000 TCRgd++"),
    "NKT-like": _lymphocyte(_T + "CD8=20000 CD56=6000 TCRab+"),
    "activated CD8 T": _lymphocyte(
        _T + "CD3=2500 CD8=22000 HLA-DR+ CD38++ TCRab=3000", size=82_000, granularity=30_000, glow=90
    ),
    "CD7- CD4 T": _lymphocyte(_T + "CD4=9000 TCRab+ CD7=0"),
    "CD7- CD8 T": _lymphocyte(_T + "CD8=30000 TCRab+ CD7=0"),
}

NK_CELLS: Mapping[str, CellType] = {
    "NK dim": _lymphocyte(_NK + "CD56=5000 CD16=14000"),
    "NK dim CD16-": _lymphocyte(_NK + "CD56=5000"),
    "NK bright": _lymphocyte(_NK + "CD56=45000 CD117lo"),
    "NK bright CD16+": _lymphocyte(_NK + "CD56=45000 CD16=5000"),
    "NK CD56-": _lymphocyte(_NK + "CD16=12000"),
    # After mbIL21 expansion: large, granular, superbright CD56, HLA-DR+, with cyCD3 (doi:10.1002/cyto.b.21968).
    "expanded NK": _lymphocyte(
        _NK + "CD45=60000 CD56=110000 CD16+ HLA-DR+ CD38++ cyCD3lo", size=115_000, granularity=45_000, glow=150
    ),
    "CD7- NK": _lymphocyte(_NK + "CD56=5000 CD16=14000 CD7=0"),
}

B_CELLS: Mapping[str, CellType] = {
    "B": _lymphocyte("CD45=38000 DNA=15000 CD19=9000 CD20=20000 CD22+ cyCD79a+ HLA-DR++ CD38lo"),
    "B CD19-": _lymphocyte("CD45=38000 DNA=15000 CD20=20000 CD22+ cyCD79a+ HLA-DR++ CD38lo"),
}

MYELOID_CELLS: Mapping[str, CellType] = {
    "monocyte": _monocyte("CD14=25000"),
    "CD16+ monocyte": _monocyte("CD14=7000 CD16=9000 CD33+", granularity=52_000),
    "CD56+ monocyte": _monocyte("CD14=25000 CD56=4000"),
    "neutrophil": _granulocyte("CD45=10000 CD16=30000 CD13+ CD33lo CD10=4000 CD64lo MPO++", 150_000),
    "eosinophil": _granulocyte("CD45=14000 CD13+ CD33lo MPO++", 190_000, 400),
    "basophil": CellType(antigens("CD45=9000 DNA=15000 CD123=25000 CD33+ CD13+ CD38+ CD22lo"), 62_000, 26_000, 80),
    "pDC": CellType(antigens("CD45=13000 DNA=15000 CD123=32000 HLA-DR++ CD4+ CD38+"), 70_000, 26_000, 80),
}

MARROW_CELLS: Mapping[str, CellType] = {
    "erythroid": CellType(antigens("DNA=15000 CD71++ CD235a++ CD45=60 CD38=300"), 48_000, 14_000, 60),
    "progenitor": _blast(_BLAST + "CD33=3000 CD123lo"),
    # Few normal progenitors carry some CD7: the background that a CD7 phenotype has in any marrow.
    "CD7lo progenitor": _blast(_BLAST + "CD33=6000 CD123lo CD7=1200"),
    "promyelocyte": _granulocyte("CD45=7000 CD117=3500 CD33++ CD13++ CD64+ CD38+ MPO=60000", 125_000),
    "hematogone I": _blast(
        "CD45=3500 DNA=15000 CD34+ CD19=4000 CD10=25000 CD38=35000 HLA-DR+ CD22lo cyCD79a+ TdT+ CD99+", 55_000
    ),
    "hematogone II": _blast(
        "CD45=12000 DNA=15000 CD19=8000 CD10=9000 CD38=30000 CD20lo HLA-DR++ CD22+ cyCD79a+", 57_000
    ),
    "plasma cell": CellType(
        antigens("CD45=3000 DNA=15000 CD38=130000 CD19=2500 cyCD79a+ CD138++"), 90_000, 45_000, 150
    ),
}

LEUKEMIC_CELLS: Mapping[str, CellType] = {
    "AML": _blast(_BLAST + "CD33=15000 CD7=9000"),
    # The part of the blasts that the patient's phenotype misses: it looks like a normal progenitor.
    "AML without LAIP": _blast(_BLAST + "CD33=3000 CD123lo"),
    # After antigen shift: CD7 is lost, CD56 is gained.
    "AML shifted": _blast(_BLAST + "CD33=15000 CD56=9000"),
    "T-ALL": _blast("CD45=9000 DNA=15000 CD7=25000 cyCD3=12000 CD5=2500 CD99=40000 TdT+ CD34=4500 CD38+", 70_000),
    "T-ALL CD7-": _blast("CD45=9000 DNA=15000 cyCD3=12000 CD5=2500 CD99=40000 TdT+ CD34=4500 CD38+", 70_000),
    "MPAL myeloid": _blast(_BLAST + "CD33=15000 MPO=9000 CD19lo CD7+"),
    "MPAL T": _blast("CD45=6000 DNA=15000 CD7=20000 cyCD3=12000 CD34=9000 CD38+ HLA-DRlo TdT+ CD5lo", 75_000),
    "MPAL B": _blast("CD45=4000 DNA=15000 CD19=9000 cyCD79a=9000 CD22+ CD34=15000 HLA-DR+ CD38lo TdT+ CD33+", 75_000),
}

OTHER_PARTICLES: Mapping[str, CellType] = {
    # K562 with membrane IL-21 and 4-1BBL; the marker by which a site tells its feeder line is its own.
    "feeder": CellType(antigens("CD45=1500 DNA=15000 CD33+ CD71++ CD137L=25000 CD13lo"), 185_000, 85_000, 500),
    "red cell": CellType(antigens("CD235a=60000 CD71=200"), 26_000, 9_000, 25),
    "debris": CellType({}, 7_000, 5_000, 40, 0.6, 0.45),
    "bead": CellType({}, 38_000, 170_000, 100_000, 0.05, 0.05),
}

CELLS: Mapping[str, CellType] = (
    {**T_CELLS, **NK_CELLS, **B_CELLS, **MYELOID_CELLS, **MARROW_CELLS, **LEUKEMIC_CELLS, **OTHER_PARTICLES}
)  # fmt: skip
