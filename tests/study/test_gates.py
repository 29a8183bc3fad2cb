"""Final gates of a study's samples as Gating-ML: read again they count the same events."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from made import TEMPLATE, write_fcs

from cytorecon.errors import StudyError
from cytorecon.gating import gate_file
from cytorecon.gating.overrides import Override, Overrides
from cytorecon.interchange import load_template
from cytorecon.interchange.flowjo import read_workspace
from cytorecon.sheet import Sample, read_sheet
from cytorecon.simulate.hard import REGENERATING_MARROW, counts_of
from cytorecon.simulate.tube import simulate_tube
from cytorecon.study import Study, ingest, open_study, read_samples, run
from cytorecon.study.gates import write_gates
from cytorecon.template import parse_template, to_toml

SIGNED = {"who": "A", "when": date(2026, 1, 1), "why": "low signal"}
CELLS = 'gate = { type = "range", channels = ["FSC-A"], min = 100.0, max = inf }'
POLYGON = (
    'gate = { type = "polygon", channels = ["FSC-A", "CD56"], '
    "vertices = [[1.0, -1.0], [9e5, -1.0], [9e5, 9e5], [1.0, 9e5]] }"
)
SMALLER = [[1.0, -1.0], [9e5, -1.0], [9e5, 500.0], [1.0, 500.0]]
BLOOD = {"CD4 T": 2000, "CD8 T": 1000, "B": 800, "NK dim": 600, "NK bright": 60, "neutrophil": 3000, "monocyte": 500}


def sheet(folder: Path, *rows: str, columns: str = "compensation") -> tuple[Sample, ...]:
    (folder / "sheet.csv").write_text("\n".join([f"file,patient,day,specimen,{columns}", *rows]) + "\n")
    return read_sheet(folder / "sheet.csv")


def assert_same_counts(study: Study, name: str, folder: Path) -> int:
    """Every file written counts in its FCS file what the study has counted; returns how many populations."""
    samples = read_samples(study, name)
    compared = 0
    for path in write_gates(study, name, folder / "gates"):
        number = next(
            index for index in range(samples.sizes["sample"])
            if f"_d{int(samples['day'][index]):+04d}_{samples['specimen'].values[index]}" in path.name
        )  # fmt: skip
        again = gate_file(folder / str(samples["file"].values[number]), load_template(path))
        found = {one.path: one.event_count for one in again.counts}
        for place, count in zip(samples["path"].values, samples["event_count"].values[number], strict=True):
            if count >= 0:
                assert count == found[str(place)], place
                compared += 1
    return compared


def test_write_gates__cut_points_that_the_data_placed(tmp_path: Path) -> None:
    """A data-driven template leaves with the places that each sample's events gave."""
    rows = sheet(tmp_path, "t.fcs,P1,30,blood,")
    simulate_tube(BLOOD, "tbnk_8", seed=3).write(tmp_path / "t.fcs")
    study = open_study(tmp_path / "study.recon")
    summary = run(rows, load_template("tbnk"), study)
    assert {} == summary.reasons
    assert assert_same_counts(study, "tbnk", tmp_path) >= 8
    (path,) = (tmp_path / "gates").iterdir()
    assert path.name.startswith("P-")
    assert "P1" not in path.name


def test_write_gates__a_gate_that_a_person_moved(tmp_path: Path) -> None:
    """An override of a cut point and of a polygon go out as they were applied."""
    template = parse_template(to_toml(TEMPLATE).replace(CELLS, POLYGON))
    write_fcs(tmp_path / "a.fcs")
    entries = (
        Override(patient="P1", cutpoint="CD3", at=2000.0, **SIGNED),
        Override(patient="P1", population="Cells", vertices=SMALLER, **SIGNED),
    )
    study = open_study(tmp_path / "study.recon")
    run(sheet(tmp_path, "a.fcs,P1,30,blood,"), template, study, overrides=Overrides(entries))
    assert 0 == read_samples(study, "small")["event_count"].sel(population="T").item()
    assert 4 == assert_same_counts(study, "small", tmp_path)


@pytest.mark.parametrize("compensation", ["m.csv", "none", "sheet"])
def test_write_gates__compensation_as_the_sheet_says(tmp_path: Path, compensation: str) -> None:
    """A matrix beside the sheet is in the file; a named one, or none, is the file's compensation."""
    matrix = '[matrix.sheet]\ndetectors = ["CD3", "CD56"]\nvalues = [[1.0, 0.6], [0.0, 1.0]]\n'
    template = parse_template(to_toml(TEMPLATE).replace("[scales]", f"{matrix}[scales]"))
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "m.csv").write_text("CD3,CD56\n1,0.6\n0,1\n")
    study = open_study(tmp_path / "study.recon")
    run(sheet(tmp_path, f"a.fcs,P1,30,blood,{compensation}"), template, study)
    (tmp_path / "m.csv").unlink()
    assert 4 == assert_same_counts(study, "small", tmp_path)


def test_write_gates__refuses_a_gate_with_a_compensation_of_its_own_beside_a_matrix(tmp_path: Path) -> None:
    """The file cannot say that the file's own matrix is the sheet's."""
    stated = CELLS.replace('"FSC-A"', '{ channel = "FSC-A", compensation = "file" }')
    template = parse_template(to_toml(TEMPLATE).replace(CELLS, stated))
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "m.csv").write_text("CD3,CD56\n1,0.6\n0,1\n")
    study = open_study(tmp_path / "study.recon")
    run(sheet(tmp_path, "a.fcs,P1,30,blood,m.csv"), template, study)
    with pytest.raises(StudyError, match='has a gate that states compensation = "file" beside a matrix of the sheet'):
        write_gates(study, "small", tmp_path / "gates")


def test_write_gates__a_patients_phenotypes(tmp_path: Path) -> None:
    """The slots are the patient's, and what the tube lacks is left out."""
    cells = counts_of(REGENERATING_MARROW, 4000) | {"AML shifted": 60}
    simulate_tube(cells, "mrd_aml", seed=4).write(tmp_path / "m.fcs")
    laip = 'patient = "P1"\ntemplate = "mrd_aml"\n[[laip]]\nslot = "LAIP_1"\nphenotype = "CD33+ CD56+"\n'
    (tmp_path / "laip.toml").write_text(laip)
    study = open_study(tmp_path / "study.recon")
    assert (
        {}
        == run(sheet(tmp_path, "m.fcs,P1,28,marrow,laip.toml", columns="laip"), load_template("mrd_aml"), study).reasons
    )
    assert assert_same_counts(study, "mrd_aml", tmp_path) >= 8


def test_write_gates__trees_of_a_workspace(shared: Path, tmp_path: Path) -> None:
    """Each sample's own gates; FlowJo's biexponential scale has no words in Gating-ML, so as TOML."""
    for path in (shared / "data" / "flowjo_luciernaga").iterdir():
        shutil.copy(path, tmp_path)
    study = open_study(tmp_path / "study.recon")
    rows = sheet(tmp_path, "CellCounts4L-NY071-1.fcs,P1,30,blood,", "CellCounts4L-NY072-1.fcs,P2,60,blood,")
    run(rows, read_workspace(tmp_path / "CellCounts.wsp"), study)
    assert 4 == assert_same_counts(study, "CellCounts", tmp_path)
    assert {".toml"} == {path.suffix for path in (tmp_path / "gates").iterdir()}


def test_write_gates__quadrants_of_a_workspace(shared: Path, tmp_path: Path) -> None:
    """Gates on linear scales are Gating-ML."""
    for name in ("test_data_diamond_01.fcs", "simple_diamond_example_quad_gate.wsp"):
        shutil.copy(shared / "data" / "flowjo_simple_diamond" / name, tmp_path)
    study = open_study(tmp_path / "study.recon")
    workspace = read_workspace(tmp_path / "simple_diamond_example_quad_gate.wsp")
    run(sheet(tmp_path, "test_data_diamond_01.fcs,P1,30,blood,"), workspace, study)
    assert 4 == assert_same_counts(study, "simple_diamond_example_quad_gate", tmp_path)
    assert {".xml"} == {path.suffix for path in (tmp_path / "gates").iterdir()}


def test_write_gates__failed_and_external_samples_have_none(tmp_path: Path) -> None:
    """Nothing was gated here, so nothing is written."""
    (tmp_path / "a.fcs").write_text("no FCS file")
    study = open_study(tmp_path / "study.recon")
    run(sheet(tmp_path, "a.fcs,P1,30,blood,"), TEMPLATE, study)
    (tmp_path / "counts.csv").write_text("patient,day,specimen,population,event_count\nP1,30,blood,T,5\n")
    ingest(study, tmp_path / "counts.csv", "made elsewhere")
    for name in ("small", "made elsewhere"):
        assert () == write_gates(study, name, tmp_path / "gates")


def test_write_gates__as_of_an_earlier_moment(tmp_path: Path) -> None:
    """The gates of the record that stood then."""
    write_fcs(tmp_path / "a.fcs")
    study = open_study(tmp_path / "study.recon")
    rows = sheet(tmp_path, "a.fcs,P1,30,blood,")
    run(rows, TEMPLATE, study)
    (first,) = write_gates(study, "small", tmp_path / "gates")
    run(rows, TEMPLATE, study, overrides=Overrides((Override(patient="P1", cutpoint="CD3", at=2000.0, **SIGNED),)))
    (second,) = write_gates(study, "small", tmp_path / "gates")
    assert first != second
    assert first == write_gates(study, "small", tmp_path / "gates", as_of=2)[0]
