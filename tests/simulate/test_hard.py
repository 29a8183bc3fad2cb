"""The hard cases of the reference: each is there, and is what its name says."""

from __future__ import annotations

import pytest

from cytorecon.simulate import HARD_CASES, KINDS, PANELS, TRUTH, HardCase
from cytorecon.simulate.hard import counts_of, with_lymphocytes


@pytest.mark.parametrize("case", HARD_CASES.values(), ids=list(HARD_CASES))
def test_hard_case__simulates_in_its_tube(case: HardCase) -> None:
    """Each case names a shipped template and a panel, and holds about the cells asked for and its exact ones."""
    assert case.template in TRUTH
    assert case.panel in PANELS
    tube = case.simulate(seed=1, cells=2_000)
    assert case.exact.items() <= tube.counts.items()
    assert abs(sum(tube.counts.values()) - sum(case.exact.values()) - (2_000 if case.shares else 0)) < 20


def test_hard_case__superbright_nk_are_95_percent_of_lymphocytes() -> None:
    """Ninety-five of a hundred lymphocytes are expanded NK cells."""
    tube = HARD_CASES["superbright_nk"].simulate(seed=2)
    lymphocytes = sum(tube.counts.get(name, 0) for name in TRUTH["tbnk"]["Lymphocytes"])
    assert pytest.approx(0.95, abs=0.001) == tube.counts["expanded NK"] / lymphocytes


def test_hard_case__few_t_cells_are_forty_among_100000_monocytes() -> None:
    """Exactly forty T cells."""
    counts = HARD_CASES["few_t_among_monocytes"].simulate(seed=3).counts
    assert {"CD4 T": 15, "CD8 T": 25, "monocyte": 100_000} == counts


@pytest.mark.parametrize("spike", [10, 20, 50, 100])
def test_hard_case__spikes_are_exact_whatever_the_size(spike: int) -> None:
    """The leukaemic cells asked for are in the tube, in small and in large marrow."""
    for cells in (1_000, 20_000):
        assert spike == HARD_CASES[f"spike_{spike}"].simulate(seed=4, cells=cells).counts["AML"]


@pytest.mark.parametrize("percent", [0, 60])
def test_hard_case__erythroid_share(percent: int) -> None:
    """The erythroid share is the one in the name, of all nucleated cells but the spike."""
    counts = HARD_CASES[f"erythroid_{percent}"].simulate(seed=5).counts
    marrow = sum(counts.values()) - counts["AML"]
    assert pytest.approx(percent / 100, abs=0.002) == counts.get("erythroid", 0) / marrow


def test_hard_case__regenerating_marrow_has_no_leukaemia() -> None:
    """Hematogones and progenitors, but no leukaemic cell, in all three tubes."""
    for name in ("regenerating_marrow", "regenerating_marrow_t_all", "regenerating_marrow_mpal"):
        case = HARD_CASES[name]
        counts = case.simulate(seed=6).counts
        assert 0 == sum(counts.get(cell, 0) for cell in TRUTH[case.template]["MRD"])
        assert counts["hematogone I"] + counts["hematogone II"] > 0.05 * sum(counts.values())


def test_hard_case__knobs_replace_its_own() -> None:
    """Drift can be laid over any case."""
    tube = HARD_CASES["sample_of_72_hours"].simulate(seed=7, cells=1_000, dead=0.0, panel="tbnk_8")
    assert "tbnk_8" == tube.panel
    assert 0 == (tube.kind == KINDS.index("dead")).sum()


def test_counts_of__are_whole_and_add_up() -> None:
    """Shares become whole cells."""
    assert {"B": 25, "CD4 T": 75} == counts_of({"B": 1, "CD4 T": 3}, 100)


def test_with_lymphocytes__are_the_percentage_asked_for() -> None:
    """Lymphocytes make up the percentage of all cells."""
    mixed = with_lymphocytes({"neutrophil": 9, "monocyte": 1}, {"B": 1, "CD4 T": 1}, 20)
    assert pytest.approx(0.2) == (mixed["B"] + mixed["CD4 T"]) / sum(mixed.values())
