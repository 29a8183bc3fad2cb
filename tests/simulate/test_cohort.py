"""Simulated cohorts: sheets that read, truth that adds up, and the same bytes for a seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.sheet import read_sheet
from cytorecon.simulate import Answer, read_answers, simulate_cohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients, few visits."""
    return simulate_cohort(
        tmp_path_factory.mktemp("cohort"), patients=3, seed=11, events=3_000, marrow_events=10_000,
        blood_days=(-14, 28, 100), marrow_days=(-21, 28), mrd_fractions=(0.0, 1e-3, 1e-2), broken=True,
    )  # fmt: skip


def truth(cohort: Path) -> tuple[Answer, ...]:
    return read_answers(cohort.parent / "truth.csv")


def test_simulate_cohort__sheets_are_valid(cohort: Path) -> None:
    """The sheet of all files and those of the single panels read without a complaint and cover the same files."""
    samples = read_sheet(cohort)
    assert 3 * (3 + 2 + 3) + 1 == len(samples)
    panels = {sample.panel for sample in samples}
    assert {"tbnk", "mrd_aml", "mrd_t_all", "mrd_mpal", "nk_product", "graft"} == panels
    parts = [sample.file for panel in sorted(panels) for sample in read_sheet(cohort.parent / f"{panel}.csv")]
    assert sorted(sample.file for sample in samples) == sorted(parts)
    assert all("simulated" in sample.comment for sample in samples)
    assert all(sample.patient.startswith("SIM") for sample in samples)


def test_simulate_cohort__beads_stand_in_the_sheet_of_bead_tubes_only(cohort: Path) -> None:
    """Every third patient's blood has counting beads; a sheet never promises beads that are not there."""
    beads = {row.file: row.event_count for row in truth(cohort) if row.population == "Beads"}
    for sample in read_sheet(cohort.parent / "tbnk.csv"):
        if sample.patient != "SIM-BROKEN":
            assert (sample.beads_per_tube is not None) == (beads[sample.file_name] > 0)


def test_simulate_cohort__mrd_is_what_was_asked_for(cohort: Path) -> None:
    """Before conditioning each patient's marrow has the share asked for, to the cell; afterwards none."""
    found = [row.mrd_fraction for row in truth(cohort) if row.mrd_fraction is not None]
    assert [0.0, 0.0, 1e-3, 0.0, 1e-2, 0.0] == pytest.approx(found, abs=2e-4)


def test_simulate_cohort__events_follow_concentrations(cohort: Path) -> None:
    """In one tube two populations stand in the proportion of their concentrations."""
    rows = {row.population: row for row in truth(cohort) if row.file.endswith("SIM-001_blood_tbnk_d-014.fcs")}
    t, all_cells = rows["T cells"], rows["Leukocytes"]
    assert t.cells_per_ul is not None
    assert all_cells.cells_per_ul is not None
    assert pytest.approx(t.cells_per_ul / all_cells.cells_per_ul, rel=0.15) == t.event_count / all_cells.event_count


def test_simulate_cohort__truth_lists_only_what_the_tube_measures(cohort: Path) -> None:
    """The 6-colour tube has CD16 and CD56 in one colour, so CD3-CD56+ has no truth there."""
    sheet = {sample.file_name: sample.extra["tube"] for sample in read_sheet(cohort)}
    of_tube: dict[str, set[str]] = {"tbnk_6": set(), "tbnk_10": set()}
    for row in truth(cohort):
        if row.template == "tbnk":
            of_tube[sheet[row.file]].add(row.population)
    assert "NK clinical one colour" in of_tube["tbnk_6"] - of_tube["tbnk_10"]
    assert {"NK cells", "NK clinical", "Viable"} <= of_tube["tbnk_10"] - of_tube["tbnk_6"]


def test_simulate_cohort__same_seed_same_bytes(tmp_path: Path) -> None:
    """Two cohorts of one seed are equal, file by file."""
    small = {"patients": 1, "events": 500, "marrow_events": 1_000, "blood_days": (28,), "marrow_days": (28,)}
    first, again = (simulate_cohort(tmp_path / name, seed=5, **small).parent for name in ("a", "b"))
    for path in sorted(file for file in first.rglob("*") if file.is_file()):
        assert path.read_bytes() == (again / path.relative_to(first)).read_bytes()


def test_simulate_cohort__broken_file_is_cut_off(cohort: Path) -> None:
    """The broken file is half a file, and its row says so."""
    (broken,) = (sample for sample in read_sheet(cohort) if sample.patient == "SIM-BROKEN")
    whole = next(sample for sample in read_sheet(cohort) if sample.patient != "SIM-BROKEN")
    assert whole.file.stat().st_size // 2 == broken.file.stat().st_size
    assert "cut off on purpose" in broken.comment
