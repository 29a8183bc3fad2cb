"""Cases that break gating after transplantation, each a tube with known truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cytorecon.simulate.tube import SimulatedTube, simulate_tube

Shares = Mapping[str, float]

HEALTHY_BLOOD: Shares = {
    "CD4 T": 13, "CD8 T": 8, "DN T": 0.3, "gd T": 1, "DP T": 0.2, "NKT-like": 0.7, "B": 4, "NK dim": 3.6,
    "NK dim CD16-": 0.2, "NK bright": 0.3, "NK bright CD16+": 0.1, "monocyte": 6, "CD16+ monocyte": 0.6,
    "neutrophil": 58, "eosinophil": 2.5, "basophil": 0.5, "pDC": 0.1,
}  # fmt: skip
EARLY_BLOOD: Shares = {
    "CD4 T": 0.6, "CD8 T": 1.2, "gd T": 0.5, "B": 0.05, "NK dim": 4, "NK bright": 8, "NK bright CD16+": 1,
    "monocyte": 22, "CD16+ monocyte": 6, "neutrophil": 55, "basophil": 0.6, "pDC": 0.05,
}  # fmt: skip
REGENERATING_MARROW: Shares = {
    "CD4 T": 2, "CD8 T": 3, "B": 0.3, "NK dim": 2, "NK bright": 2.5, "monocyte": 8, "CD56+ monocyte": 3,
    "neutrophil": 25, "eosinophil": 1.5, "basophil": 0.5, "pDC": 0.4, "erythroid": 15, "progenitor": 2.5,
    "CD7lo progenitor": 0.002, "promyelocyte": 14, "hematogone I": 5, "hematogone II": 15, "plasma cell": 0.25,
}  # fmt: skip


@dataclass(frozen=True)
class HardCase:
    """A named situation.

    Parameters
    ----------
    words
        What it is.
    template, panel
        The shipped template it is for, and the tube.
    shares
        Relative frequency by cell type, scaled to the number of cells asked for.
    exact
        Numbers that hold whatever the size of the tube.
    knobs
        Further arguments of `simulate_tube`.
    """

    words: str
    template: str
    panel: str
    shares: Shares
    exact: Mapping[str, int] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def simulate(self, seed: int = 0, cells: int = 30_000, **knobs: Any) -> SimulatedTube:
        """Simulate the case with about `cells` living cells; `knobs` replace those of the case."""
        counts = counts_of(self.shares, cells) | dict(self.exact)
        return simulate_tube(counts, knobs.pop("panel", self.panel), seed=seed, **(dict(self.knobs) | knobs))


def counts_of(shares: Shares, cells: int) -> dict[str, int]:
    """Turn relative frequencies into whole numbers that add up to about `cells`."""
    total = sum(shares.values())
    return {name: int(np.rint(cells * share / total)) for name, share in shares.items()}


def with_lymphocytes(other: Shares, lymphocytes: Shares, percent: float) -> dict[str, float]:
    """Mix lymphocytes into other cells so that they are `percent` of all."""
    scale = percent / (100 - percent) * sum(other.values()) / sum(lymphocytes.values())
    return dict(other) | {name: share * scale for name, share in lymphocytes.items()}


_MYELOID: Shares = {"monocyte": 8, "CD16+ monocyte": 1, "neutrophil": 60, "eosinophil": 2, "basophil": 0.5}
_MARROW_NO_ERYTHROID: Shares = {name: n for name, n in REGENERATING_MARROW.items() if name != "erythroid"}


def _blood(words: str, lymphocytes: Shares, percent: float = 35, panel: str = "tbnk_10", **knobs: Any) -> HardCase:
    return HardCase(words, "tbnk", panel, with_lymphocytes(_MYELOID, lymphocytes, percent), knobs=knobs)


def _marrow(
    words: str, leukemic: Mapping[str, int], shares: Shares = REGENERATING_MARROW, panel: str = "mrd_aml", **knobs: Any
) -> HardCase:
    return HardCase(words, panel.removesuffix("_no_dye"), panel, shares, leukemic, knobs)


def _erythroid(percent: float) -> dict[str, float]:
    others = sum(_MARROW_NO_ERYTHROID.values())
    return dict(_MARROW_NO_ERYTHROID) | {"erythroid": others * percent / (100 - percent)}


def _half_blood() -> dict[str, float]:
    """Marrow of which every second nucleated cell came with blood."""
    shares = {name: share / sum(REGENERATING_MARROW.values()) for name, share in REGENERATING_MARROW.items()}
    for name, share in HEALTHY_BLOOD.items():
        shares[name] = shares.get(name, 0) + share / sum(HEALTHY_BLOOD.values())
    return shares


_LYMPHOCYTES: Shares = {"CD4 T": 45, "CD8 T": 28, "gd T": 3, "B": 12, "NK dim": 11, "NK bright": 1}
_CD7_LOST: Shares = {"CD7- CD4 T": 2, "CD7- CD8 T": 4, "CD7- NK": 3, "B": 0.3, "monocyte": 10, "neutrophil": 30,
                     "erythroid": 15, "progenitor": 2, "promyelocyte": 10, "hematogone I": 3,
                     "hematogone II": 8}  # fmt: skip

HARD_CASES: Mapping[str, HardCase] = {
    "superbright_nk": _blood(
        "95 % of lymphocytes are infused, superbright CD56, large, HLA-DR+ NK cells",
        {"expanded NK": 95, "CD4 T": 1.5, "CD8 T": 2, "B": 1.5}, 60,
    ),
    "cd56_negative_nk": _blood("most NK cells are CD56-CD16+", {**_LYMPHOCYTES, "NK CD56-": 15, "NK dim": 6}),
    "few_t_among_monocytes": HardCase(
        "40 T cells among 100,000 monocytes", "tbnk", "tbnk_8", {}, {"CD4 T": 15, "CD8 T": 25, "monocyte": 100_000}
    ),
    "cd16_monocytes": HardCase(
        "day 14: CD16+ monocytes outnumber NK cells", "tbnk", "tbnk_8", dict(EARLY_BLOOD) | {"CD16+ monocyte": 25}
    ),
    "dim_cd3": _blood("activated T cells with dim CD3", {"activated CD8 T": 50, "CD4 T": 10, "NK dim": 30, "B": 10}),
    "gd_dominant": _blood("most T cells are gamma-delta", {**_LYMPHOCYTES, "gd T": 60}, panel="tbnk_11"),
    "dn_dominant": _blood("most T cells are CD4-CD8-", {**_LYMPHOCYTES, "DN T": 60}),
    "dp_t": _blood("many T cells are CD4+CD8+", {**_LYMPHOCYTES, "DP T": 30}),
    "nkt_rich": _blood("many T cells are CD56+", {**_LYMPHOCYTES, "NKT-like": 30}),
    "cd19_loss": _blood("B cells lost CD19 after CD19-directed treatment", {"CD4 T": 45, "CD8 T": 30, "NK dim": 12,
                        "B CD19-": 13}, panel="tbnk_11"),
    "rituximab": _blood("CD20 masked and hardly any B cell left: absent B cells are no failed stain",
                        {"CD4 T": 50, "CD8 T": 35, "NK dim": 15, "B": 0.02}, panel="tbnk_11", staining={"CD20": 0.02}),
    "daratumumab": _marrow("CD38 masked, NK cells low", {"AML": 60},
                           dict(REGENERATING_MARROW) | {"NK dim": 0.1, "NK bright": 0.1}, staining={"CD38": 0.02}),
    "gemtuzumab": _marrow("CD33 masked", {"AML": 60}, staining={"CD33": 0.05}),
    "cd7_car_t": _marrow("CD7 gone from T, NK and leukaemic cells", {"T-ALL CD7-": 60}, _CD7_LOST, "mrd_t_all"),
    "abatacept": HardCase("lineage markers as before", "tbnk", "tbnk_10", EARLY_BLOOD),
    "regenerating_marrow": _marrow("hematogones, progenitors, CD56+ monocytes, no leukaemia", {}),
    "regenerating_marrow_t_all": _marrow("the same in the T-ALL tube, with infused NK cells", {},
                                         dict(REGENERATING_MARROW) | {"expanded NK": 12}, "mrd_t_all"),
    "regenerating_marrow_mpal": _marrow("the same in the MPAL tube", {}, panel="mrd_mpal"),
    "spike_10": _marrow("10 leukaemic cells in regenerating marrow", {"AML": 10}),
    "spike_20": _marrow("20 leukaemic cells in regenerating marrow", {"AML": 20}),
    "spike_50": _marrow("50 leukaemic cells in regenerating marrow", {"AML": 50}),
    "spike_100": _marrow("100 leukaemic cells in regenerating marrow", {"AML": 100}),
    "laip_60_percent": _marrow("the phenotype covers 60 % of the blasts", {"AML": 60, "AML without LAIP": 40}),
    "antigen_shift": _marrow("the blasts lost CD7 and gained CD56", {"AML shifted": 60}),
    "erythroid_0": _marrow("no erythroid cells", {"AML": 60}, _MARROW_NO_ERYTHROID),
    "erythroid_60": _marrow("60 % erythroid cells, with nucleic-acid dye", {"AML": 60}, _erythroid(60)),
    "erythroid_60_no_dye": _marrow("60 % erythroid cells, no dye", {"AML": 60}, _erythroid(60), "mrd_aml_no_dye"),
    "hemodilution_50": _marrow("half of the cells came with blood", {"AML": 60}, _half_blood()),
    "wbc_100_per_ul": HardCase(
        "WBC 0.1e9/L with beads: more beads and debris than cells", "tbnk", "tbnk_6", {},
        {"CD8 T": 60, "CD4 T": 20, "NK bright": 220, "monocyte": 400, "neutrophil": 900},
        {"beads": 8_000, "debris": 8.0},
    ),
    "unlysed_red_cells": HardCase(
        "four red cells for each leukocyte", "tbnk", "tbnk_6",
        dict(HEALTHY_BLOOD) | {"red cell": 4 * sum(HEALTHY_BLOOD.values())},
    ),
    "sample_of_72_hours": _blood("many dead cells and debris, fading antigens", _LYMPHOCYTES, dead=0.35, debris=0.4,
                                 staining={"CD3": 0.7, "CD16": 0.4, "CD19": 0.6, "CD45": 0.8}),
    "bead_doublets": HardCase("a third of the beads stick together", "tbnk", "tbnk_6", HEALTHY_BLOOD, {},
                              {"beads": 3_000, "bead_doublets": 0.3}),
    "failed_cd3": _blood("CD3 was left out: every T cell looks like something else", _LYMPHOCYTES,
                         staining={"CD3": 0.0}),
}  # fmt: skip
