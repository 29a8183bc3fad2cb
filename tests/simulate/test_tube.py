"""Simulated tubes: exact counts, the same bits for a seed, plausible optics, and files that say what they are."""

from __future__ import annotations

from pathlib import Path

import flowio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytorecon.simulate import CELLS, KINDS, PANELS, TRUTH, simulate_tube

BLOOD = {"CD4 T": 900, "CD8 T": 600, "B": 300, "NK dim": 250, "monocyte": 400, "neutrophil": 2500}


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(set(CELLS) - {"bead", "debris"})), st.integers(0, 60)),
    st.sampled_from(sorted(PANELS)),
)
def test_simulate_tube__has_exactly_the_cells_asked_for(counts: dict[str, int], panel: str) -> None:
    """Whatever is asked for, living single cells are in the tube to the cell."""
    tube = simulate_tube(counts, panel, beads=7)
    assert {name: count for name, count in counts.items() if count} == tube.counts
    assert 7 == tube.bead_count
    assert np.isfinite(tube.events).all()


def test_simulate_tube__same_seed_same_bits() -> None:
    """A seed decides every bit, and another seed gives other events."""
    first, again, other = (simulate_tube(BLOOD, seed=seed).events for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_simulate_tube__artefacts_come_on_top() -> None:
    """Doublets, dead cells, debris, margin events and bead doublets are further events, with their own kind."""
    tube = simulate_tube(BLOOD, seed=1, beads=1000, doublets=0.1, dead=0.05, debris=0.2, margin=0.01, bead_doublets=0.3)
    cells = sum(BLOOD.values())
    expected = {
        "single": cells, "doublet": round(0.1 * cells), "dead": round(0.05 * cells), "debris": round(0.2 * cells),
        "bead": 1000, "bead doublet": 300, "margin": round(0.01 * cells),
    }  # fmt: skip
    assert expected == {kind: int((tube.kind == i).sum()) for i, kind in enumerate(KINDS)}


def test_simulate_tube__doublets_are_of_like_and_unlike_cells() -> None:
    """Pairs form at random, so a mixture has homotypic and heterotypic doublets, and area outgrows height."""
    tube = simulate_tube({"CD4 T": 5000, "B": 5000}, seed=2, doublets=0.1)
    pair = tube.kind == KINDS.index("doublet")
    unlike = tube.label[pair] != tube.partner[pair]
    assert 0.4 < unlike.mean() < 0.6
    ratio = tube.events[:, 1] / tube.events[:, 0]
    assert ratio[pair].max() < np.quantile(ratio[tube.kind == KINDS.index("single")], 0.001)


def test_simulate_tube__compensation_with_its_matrix_restores_single_colours() -> None:
    """Raw CD3 light leaks into the CD16+56 colour of T cells; the true matrix takes it back to the background."""
    tube = simulate_tube({"CD4 T": 4000}, seed=5, doublets=0, dead=0, debris=0, margin=0)
    colours = tube.events[:, 5:11].astype(np.float64)
    second = tube.detectors.index("PE-A")
    assert np.median(colours[:, second]) > 1000
    assert abs(np.median((colours @ np.linalg.inv(tube.spillover))[:, second])) < 150


def test_simulate_tube__gain_scales_signal_and_matrix_together() -> None:
    """Amplified by fluorochrome, events and the stated matrix still fit each other."""
    tube = simulate_tube({"CD4 T": 4000}, seed=5, gain={"FITC": 2.0, "PE": 0.5}, doublets=0, dead=0, debris=0)
    plain = simulate_tube({"CD4 T": 4000}, seed=5, doublets=0, dead=0, debris=0)
    ratio = np.median(tube.events[:, 5]) / np.median(plain.events[:, 5])
    assert pytest.approx(2.0, rel=0.01) == ratio
    assert pytest.approx(plain.spillover[0, 1] / 4) == tube.spillover[0, 1]
    restored = tube.events[:, 5:11].astype(np.float64) @ np.linalg.inv(tube.stated_spillover)
    assert abs(np.median(restored[:, 1])) < 100


def test_simulate_tube__scatter_gain_leaves_width_and_ratio() -> None:
    """Half the scatter gain halves area and height; their ratio and the width stay, so singlets stay singlets."""
    plain, half = (
        simulate_tube({"CD4 T": 2000}, seed=5, doublets=0, dead=0, debris=0, margin=0, scatter_gain=gain).events
        for gain in (1.0, 0.5)
    )
    assert np.allclose(plain[:, [0, 1, 3, 4]] / 2, half[:, [0, 1, 3, 4]], rtol=1e-5)
    assert np.allclose(plain[:, 2], half[:, 2], rtol=1e-5)


def test_simulate_tube__a_failed_stain_leaves_no_signal() -> None:
    """With staining 0 T cells are as dark for CD3 as B cells are."""
    tube = simulate_tube({"CD4 T": 2000, "B": 2000}, seed=6, staining={"CD3": 0.0}, doublets=0, dead=0, debris=0)
    cd3 = tube.events[:, 5]
    assert np.median(cd3[tube.is_cell(["CD4 T"])]) < 1.5 * np.median(cd3[tube.is_cell(["B"])]) + 300


def test_simulate_tube__spill_error_moves_only_the_stated_matrix() -> None:
    """The file's matrix is wrong by the error asked for; the light was mixed by the true one."""
    tube = simulate_tube(BLOOD, seed=7, spill_error=0.1)
    off = ~np.eye(len(tube.detectors), dtype=bool) & (tube.spillover > 0)
    error = tube.stated_spillover[off] / tube.spillover[off] - 1
    assert 0.03 < error.std() < 0.2
    assert (np.diag(tube.stated_spillover) == 1).all()


@pytest.mark.parametrize(
    ("counts", "panel", "message"),
    [
        ({"Martian": 1}, "tbnk_6", "unknown cell type 'Martian': choose among CD4 T"),
        ({"B": 1}, "tbnk_7", "unknown panel 'tbnk_7': choose one of tbnk_6"),
        ({"B": -1}, "tbnk_6", "cannot be negative"),
    ],
)
def test_simulate_tube__refuses_what_it_does_not_know(counts: dict[str, int], panel: str, message: str) -> None:
    """A wrong name or number is an error that lists the right ones."""
    with pytest.raises(ValueError, match=message):
        simulate_tube(counts, panel)


def test_simulate_tube__an_empty_tube_is_possible() -> None:
    """No cells and no beads: a tube of zero events, with its channels."""
    tube = simulate_tube({}, "tbnk_10")
    assert (0, 16) == tube.events.shape


def test_truth__knows_only_cells_that_exist() -> None:
    """Every cell type in the table of truth can be simulated."""
    assert set() == {name for tree in TRUTH.values() for names in tree.values() for name in names} - set(CELLS)


def test_write__is_read_back_by_flowio(tmp_path: Path) -> None:
    """The file holds the events bit by bit, its matrix, its markers, and says that it is simulated."""
    tube = simulate_tube(BLOOD, "tbnk_10", seed=8, beads=50)
    read = flowio.FlowData(str(tube.write(tmp_path / "tube.fcs", tubename="SIM-1")))
    assert np.array_equal(tube.events, np.reshape(read.events, tube.events.shape).astype(np.float32))
    assert [name for name, _ in tube.channels] == read.pnn_labels
    assert [marker for _, marker in tube.channels] == read.pns_labels
    assert ("true", "SIM-1", "3.1") == (read.text["cytorecon_simulated"], read.text["tubename"], read.version)
    assert read.text["com"].startswith("Simulated by cytorecon")
    count, *rest = read.text["spillover"].split(",")
    names, values = rest[: int(count)], np.array(rest[int(count) :], float)
    assert tube.detectors == tuple(names)
    assert np.allclose(tube.stated_spillover.ravel(), values, rtol=1e-8)
