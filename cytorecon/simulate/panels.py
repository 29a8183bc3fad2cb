"""Which antibody is in which colour, and how much light of one colour its neighbours see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SCATTER = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H")
# In place of an antigen: stains what is dead; stains what has a nucleus is the "antigen" DNA.
VIABILITY = "viability"

# Share of a fluorochrome's light that another detector sees; pairs not named see none.
SPILL: Mapping[tuple[str, str], float] = {
    ("FITC", "PE"): 0.14, ("FITC", "PE-CF594"): 0.03, ("FITC", "PerCP-Cy5.5"): 0.012, ("FITC", "V500"): 0.01,
    ("PE", "FITC"): 0.010, ("PE", "PE-CF594"): 0.28, ("PE", "PerCP-Cy5.5"): 0.09, ("PE", "PE-Cy7"): 0.015,
    ("PE-CF594", "PE"): 0.07, ("PE-CF594", "PerCP-Cy5.5"): 0.20, ("PE-CF594", "PE-Cy7"): 0.03,
    ("PE-CF594", "BV605"): 0.02,
    ("PerCP-Cy5.5", "PE-Cy7"): 0.12, ("PerCP-Cy5.5", "APC"): 0.02, ("PerCP-Cy5.5", "AF700"): 0.07,
    ("PerCP-Cy5.5", "BV711"): 0.06, ("PerCP-Cy5.5", "APC-H7"): 0.03,
    ("PE-Cy7", "PE"): 0.012, ("PE-Cy7", "APC-H7"): 0.06, ("PE-Cy7", "BV786"): 0.02, ("PE-Cy7", "PerCP-Cy5.5"): 0.01,
    ("APC", "AF700"): 0.12, ("APC", "APC-H7"): 0.06, ("APC", "PerCP-Cy5.5"): 0.01, ("APC", "BV711"): 0.01,
    ("AF700", "APC"): 0.015, ("AF700", "APC-H7"): 0.18, ("AF700", "BV711"): 0.02, ("AF700", "BV786"): 0.02,
    ("APC-H7", "APC"): 0.03, ("APC-H7", "AF700"): 0.04, ("APC-H7", "PE-Cy7"): 0.02, ("APC-H7", "BV786"): 0.04,
    ("V450", "V500"): 0.20, ("V450", "BV605"): 0.02,
    ("V500", "V450"): 0.03, ("V500", "BV605"): 0.10, ("V500", "FITC"): 0.02, ("V500", "BV711"): 0.02,
    ("BV605", "BV711"): 0.10, ("BV605", "PE"): 0.03, ("BV605", "PE-CF594"): 0.12, ("BV605", "BV786"): 0.03,
    ("BV711", "BV786"): 0.16, ("BV711", "AF700"): 0.05, ("BV711", "PerCP-Cy5.5"): 0.04,
    ("BV786", "BV711"): 0.04, ("BV786", "APC-H7"): 0.03, ("BV786", "PE-Cy7"): 0.02,
    ("BUV395", "BUV737"): 0.01, ("BUV395", "V450"): 0.01,
    ("BUV737", "AF700"): 0.06, ("BUV737", "BV711"): 0.06, ("BUV737", "BV786"): 0.04, ("BUV737", "BUV395"): 0.02,
}  # fmt: skip


@dataclass(frozen=True)
class Stain:
    """One colour of a panel: its fluorochrome, the antigens it reports, and its name in the file ($PnS)."""

    fluorochrome: str
    antigens: tuple[str, ...]
    marker: str


def panel(text: str) -> tuple[Stain, ...]:
    """Read ``"CD3:FITC CD16+CD56:PE 7-AAD=viability:PerCP-Cy5.5"``: marker, its antigens if named otherwise, colour.

    Several antibodies in one colour are joined by ``+``.
    """
    stains = []
    for token in text.split():
        label, _, fluorochrome = token.rpartition(":")
        marker, _, antigen = label.partition("=")
        stains.append(Stain(fluorochrome, tuple((antigen or marker).split("+")), marker))
    return tuple(stains)


PANELS: Mapping[str, tuple[Stain, ...]] = {
    "tbnk_6": panel("CD3:FITC CD16+CD56:PE CD45:PerCP-Cy5.5 CD4:PE-Cy7 CD19:APC CD8:APC-H7"),
    "tbnk_8": panel("CD4:FITC CD56:PE CD3:PerCP-Cy5.5 CD16:PE-Cy7 CD19:APC CD14:APC-H7 CD8:V450 CD45:V500"),
    "tbnk_10": panel(
        "CD4:FITC CD56:PE 7-AAD=viability:PerCP-Cy5.5 CD16:PE-Cy7 CD19:APC CD14:AF700 CD3:APC-H7 CD8:V450 CD45:V500 "
        "HLA-DR:BV605"
    ),
    "tbnk_11": panel(
        "CD4:FITC CD56:PE 7-AAD=viability:PerCP-Cy5.5 CD16:PE-Cy7 CD19:APC CD14:AF700 CD3:APC-H7 CD8:V450 CD45:V500 "
        "TCRgd:BV605 CD20:BV786"
    ),
    "nk_product": panel(
        "CD16:FITC CD56:PE 7-AAD=viability:PerCP-Cy5.5 CD19:PE-Cy7 CD3:APC CD14:APC-H7 TCRab:V450 CD45:V500 "
        "CD137L:BV711"
    ),
    "graft": panel("CD45:FITC CD34:PE 7-AAD=viability:PerCP-Cy5.5 CD19:PE-Cy7 CD3:APC CD56:APC-H7 TCRab:V450"),
    "mrd_aml": panel(
        "DNA=DNA:V450 CD45:V500 CD10:BV605 CD14:BV711 CD19:BV786 CD7:FITC CD13:PE CD56:PE-CF594 CD34:PerCP-Cy5.5 "
        "CD117:PE-Cy7 CD33:APC CD38:AF700 HLA-DR:APC-H7 CD123:BUV395 CD3:BUV737"
    ),
    "mrd_t_all": panel(
        "DNA=DNA:V450 CD45:V500 CD4:BV605 CD8:BV711 CD2:BV786 TdT:FITC CD99:PE CD16+CD56:PE-CF594 CD34:PerCP-Cy5.5 "
        "CD5:PE-Cy7 CD7:APC CD38:AF700 CD3:APC-H7 cyCD3:BUV395"
    ),
    "mrd_mpal": panel(
        "DNA=DNA:V450 CD45:V500 CD10:BV605 CD33:BV711 CD19:BV786 MPO:FITC cyCD79a:PE CD56:PE-CF594 CD34:PerCP-Cy5.5 "
        "CD117:PE-Cy7 CD7:APC CD38:AF700 CD3:APC-H7 cyCD3:BUV395 CD22:BUV737"
    ),
}
# File names of the nucleic-acid dye, and the same tubes as laboratories without the dye run them.
PANELS = {
    name: tuple(Stain(s.fluorochrome, s.antigens, "SYTO 41" if s.marker == "DNA" else s.marker) for s in stains)
    for name, stains in PANELS.items()
}
PANELS = PANELS | {
    f"{name}_no_dye": tuple(
        stain if stain.antigens != ("DNA",) else Stain("V450", ("CD71",), "CD71") for stain in PANELS[name]
    )
    for name in ("mrd_aml", "mrd_t_all", "mrd_mpal")
}


def spillover_matrix(fluorochromes: Sequence[str]) -> NDArray[np.float64]:
    """Light of each fluorochrome (row) in the detector of each (column); the diagonal is 1."""
    return np.array([[1.0 if a == b else SPILL.get((a, b), 0.0) for b in fluorochromes] for a in fluorochromes])
