"""What gates each sample of a run: trees of a FlowJo workspace, and patients' LAIP files."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from made import write_fcs

from cytorecon.cube import STATUS
from cytorecon.errors import InterchangeError, SheetError, TemplateError
from cytorecon.gating.overrides import Override, Overrides
from cytorecon.interchange import load_template
from cytorecon.interchange.flowjo import Workspace, read_workspace
from cytorecon.sheet import Sample, read_sheet
from cytorecon.simulate.hard import REGENERATING_MARROW, counts_of
from cytorecon.simulate.tube import simulate_tube
from cytorecon.study import Study, history, open_study, read_samples, run, verify
from cytorecon.study.assigning import assign
from cytorecon.study.schema import connected

LAIP = """
patient = "Ivanova"
template = "mrd_aml"
coverage = 0.85
[diagnosis]
file = "Ivanova_diagnosis.fcs"
date = 2025-06-02
[[laip]]
slot = "LAIP_2"
phenotype = "CD33+ CD56+"
comment = "Ivanova gained CD56"
"""


def sheet(folder: Path, *rows: str) -> tuple[Sample, ...]:
    (folder / "sheet.csv").write_text("\n".join(["file,patient,day,specimen,laip", *rows]) + "\n")
    return read_sheet(folder / "sheet.csv")


def stored(study: Study) -> str:
    """All text of a ledger that can be read without a key."""
    with connected(study.ledger) as connection:
        bodies = connection.execute("SELECT body FROM record UNION ALL SELECT body FROM document")
        return "\n".join(body for (body,) in bodies)


@pytest.fixture
def luciernaga(shared: Path, tmp_path: Path) -> Path:
    """A copy of two real files and the workspace they were gated in."""
    for path in (shared / "data" / "flowjo_luciernaga").iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def both(folder: Path) -> tuple[Sample, ...]:
    return sheet(folder, "CellCounts4L-NY071-1.fcs,P1,30,blood,", "CellCounts4L-NY072-1.fcs,P2,30,blood,")


def moved(folder: Path, name: str, old: str, new: str, among: str = "") -> Workspace:
    """The workspace saved again with a text of it exchanged, once, behind another."""
    text = (folder / "CellCounts.wsp").read_text(encoding="utf-8")
    start = text.index(among)
    assert old in text[start:]
    (folder / name).write_text(text[:start] + text[start:].replace(old, new, 1), encoding="utf-8")
    return read_workspace(folder / name)


def test_run__each_file_takes_its_own_tree(luciernaga: Path) -> None:
    """Two files, two trees of one workspace, one cube; counts are FlowJo's within its rounding."""
    study = open_study(luciernaga / "study.recon")
    summary = run(both(luciernaga), read_workspace(luciernaga / "CellCounts.wsp"), study)
    assert (2, 0, 0, {}) == (summary.done, summary.failed, summary.needs_review, summary.reasons)
    samples = read_samples(study, "CellCounts")
    assert ["gate on FSC-H, SSC-H", "gate on B4-A, SSC-A"] == samples["definition"].values.tolist()
    stored_counts = {one.file: one.counts for one in read_workspace(luciernaga / "CellCounts.wsp").samples}
    for index, name in enumerate(samples["file"].values):
        ours = dict(zip(samples["path"].values, samples["event_count"].values[index], strict=True))
        assert all(abs(ours[path] - count) <= 4 for path, count in stored_counts[name].items())
    assert not verify(study).problems


def test_run__a_gate_moved_for_one_sample_gates_that_sample_again(luciernaga: Path) -> None:
    """Where a gate lies is the sample's own: the other is skipped, and history shows whose tree changed."""
    study = open_study(luciernaga / "study.recon")
    run(both(luciernaga), read_workspace(luciernaga / "CellCounts.wsp"), study)
    before = read_samples(study, "CellCounts")
    again = moved(luciernaga, "CellCounts.wsp", 'min="', 'min="3', 'SampleNode name="CellCounts4L-NY071-1.fcs"')
    summary = run(both(luciernaga), again, study)
    assert (1, 1) == (summary.done, summary.skipped)
    after = read_samples(study, "CellCounts")
    assert [False, True] == (before["tree"] == after["tree"]).values.tolist()
    assert any(change.startswith("tree: ") for change in history(study)[-1].changes)


def test_run__a_population_of_one_tree_is_not_measured_in_the_others(luciernaga: Path) -> None:
    """The population coordinate is the union of the trees; absence is never zero."""
    study = open_study(luciernaga / "study.recon")
    renamed = moved(luciernaga, "CellCounts.wsp", 'Population name="CD45+"', 'Population name="WBC"')
    run(both(luciernaga), renamed, study)
    samples = read_samples(study, "CellCounts")
    assert ["Margin", "CD45+", "WBC"] == samples["population"].values.tolist()
    states = samples["status"].values.tolist()
    counted, missing = STATUS["counted"], STATUS["not_measured"]
    assert [[counted, counted, missing], [counted, missing, counted]] == states
    assert -1 == samples["event_count"].values[0, 2]


def test_run__order_of_the_sheet_changes_no_template(luciernaga: Path) -> None:
    """What the trees share has one hash, whatever comes first."""
    renamed = moved(luciernaga, "CellCounts.wsp", 'Population name="CD45+"', 'Population name="WBC"')
    rows = both(luciernaga)
    assert assign(rows, renamed).summary == assign(rows[::-1], renamed).summary


def test_run__one_path_that_means_two_things_is_refused(luciernaga: Path) -> None:
    """CD45+ on one channel and CD45+ on another are two populations and never share a column."""
    changed = moved(luciernaga, "CellCounts.wsp", ':name="Comp-B4-A"', ':name="Comp-B3-A"', 'name="CD45+"')
    study = open_study(luciernaga / "study.recon")
    with pytest.raises(InterchangeError, match=r"'Margin/CD45\+': means two things.*gate on B[34]-A, SSC-A"):
        run(both(luciernaga), changed, study)


def test_run__a_file_without_a_tree_costs_no_other(luciernaga: Path) -> None:
    """A file that the workspace does not know fails by itself, and the message lists no other patient's sample."""
    write_fcs(luciernaga / "other.fcs")
    study = open_study(luciernaga / "study.recon")
    rows = sheet(luciernaga, "CellCounts4L-NY071-1.fcs,P1,30,blood,", "other.fcs,P2,30,blood,")
    summary = run(rows, read_workspace(luciernaga / "CellCounts.wsp"), study)
    assert (1, 1) == (summary.done, summary.failed)
    assert "no sample 'other.fcs'" in summary.reasons["other.fcs"]
    assert "NY072" not in summary.reasons["other.fcs"]
    with pytest.raises(InterchangeError, match="has no tree for any file of the sheet"):
        run(rows[1:], read_workspace(luciernaga / "CellCounts.wsp"), study)


def test_run__two_files_for_one_sample_of_the_workspace_both_fail(luciernaga: Path) -> None:
    """Tubes of equal name in two folders: which of them FlowJo saw cannot be told."""
    (luciernaga / "run2").mkdir()
    shutil.copy(luciernaga / "CellCounts4L-NY071-1.fcs", luciernaga / "run2")
    study = open_study(luciernaga / "study.recon")
    name = "CellCounts4L-NY071-1.fcs"
    rows = sheet(luciernaga, f"{name},P1,30,blood,", f"run2/{name},P1,60,blood,")
    with pytest.raises(InterchangeError, match="one of several files of the sheet"):
        run(rows, read_workspace(luciernaga / "CellCounts.wsp"), study)


def test_run__another_file_of_the_same_name_awaits_review(luciernaga: Path) -> None:
    """FlowJo counted other events than the file holds: gated, but a person has to look."""
    shutil.copy(luciernaga / "CellCounts4L-NY072-1.fcs", luciernaga / "CellCounts4L-NY071-1.fcs")
    study = open_study(luciernaga / "study.recon")
    rows = sheet(luciernaga, "CellCounts4L-NY071-1.fcs,P1,30,blood,")
    assert 1 == run(rows, read_workspace(luciernaga / "CellCounts.wsp"), study).needs_review
    findings = json.loads(read_samples(study, "CellCounts")["findings"].values[0])
    assert "flowjo-event-count" in {finding["code"] for finding in findings}


def test_run__overrides_do_not_move_gates_of_a_workspace(luciernaga: Path) -> None:
    """There is one place to move a gate."""
    override = Override(patient="P1", cutpoint="CD3", at=0.5, who="A", when=date(2026, 1, 1), why="low")
    study = open_study(luciernaga / "study.recon")
    with pytest.raises(TemplateError, match="Move them in FlowJo"):
        run(both(luciernaga), read_workspace(luciernaga / "CellCounts.wsp"), study, overrides=Overrides((override,)))


def test_run__a_quadrant_gate_drawn_in_flowjo(shared: Path, tmp_path: Path) -> None:
    """The four quadrants of a real workspace, as FlowJo counted them; no sample's name is in the clear."""
    for name in ("test_data_diamond_01.fcs", "simple_diamond_example_quad_gate.wsp"):
        shutil.copy(shared / "data" / "flowjo_simple_diamond" / name, tmp_path)
    study = open_study(tmp_path / "study.recon")
    workspace = read_workspace(tmp_path / "simple_diamond_example_quad_gate.wsp")
    assert 1 == run(sheet(tmp_path, "test_data_diamond_01.fcs,P1,30,blood,"), workspace, study).done
    samples = read_samples(study, "simple_diamond_example_quad_gate")
    found = dict(zip(samples["path"].values, samples["event_count"].values[0], strict=True))
    assert workspace.samples[0].counts == found
    assert "test_data_diamond_01" not in stored(study)


@pytest.fixture
def marrow(tmp_path: Path) -> Path:
    """A marrow in which the blasts gained CD56, and a LAIP file that says so."""
    cells = counts_of(REGENERATING_MARROW, 5000) | {"AML shifted": 60, "AML": 40}
    simulate_tube(cells, "mrd_aml", seed=4, doublets=0, dead=0, margin=0).write(tmp_path / "m.fcs")
    (tmp_path / "laip.toml").write_text(LAIP, encoding="utf-8")
    return tmp_path


def test_run__counts_a_patients_own_phenotypes(marrow: Path) -> None:
    """With the LAIP file the slots are the patient's; without it another key, another count, the same cube."""
    study = open_study(marrow / "study.recon")
    template = load_template("mrd_aml")
    shutil.copy(marrow / "m.fcs", marrow / "n.fcs")
    rows = sheet(marrow, "m.fcs,Ivanova,28,marrow,laip.toml", "n.fcs,Petrov,28,marrow,")
    summary = run(rows, template, study)
    assert {} == summary.reasons
    samples = read_samples(study, "mrd_aml")
    by_name = samples["event_count"].sel(population=["LAIP_1", "LAIP_2", "MRD"]).values.tolist()
    own, other = by_name
    assert (-1, own[1]) == (own[0], own[2])
    assert 55 <= own[2] <= 65
    assert own != other
    assert ["", True] == [samples["laip"].values[1], len(samples["laip"].values[0]) == 64]
    assert template.sha256 == samples.attrs["template_sha256"]
    assert not verify(study).problems


def test_run__a_changed_laip_file_is_a_new_key(marrow: Path) -> None:
    """Other phenotypes gate again; the same ones, laid out otherwise, do not."""
    study = open_study(marrow / "study.recon")
    rows = sheet(marrow, "m.fcs,Ivanova,28,marrow,laip.toml")
    run(rows, load_template("mrd_aml"), study)
    (marrow / "laip.toml").write_text(LAIP.replace(" = ", "  =  "), encoding="utf-8")
    assert 1 == run(rows, load_template("mrd_aml"), study).skipped
    (marrow / "laip.toml").write_text(LAIP.replace("CD56+", "CD7+"), encoding="utf-8")
    assert 0 == run(rows, load_template("mrd_aml"), study).skipped
    assert any(change.startswith("laip: ") for change in history(study)[-1].changes)


def test_run__a_laip_file_leaves_no_name_in_the_clear(marrow: Path) -> None:
    """The patient, the diagnostic sample, its date and comments are sealed, and forgotten with the patient."""
    study = open_study(marrow / "study.recon")
    run(sheet(marrow, "m.fcs,Ivanova,28,marrow,laip.toml"), load_template("mrd_aml"), study)
    text = stored(study)
    assert "CD33+ CD56+" in text
    assert not [word for word in ("Ivanova", "diagnosis.fcs", "2025-06-02", "gained") if word in text]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Ivanova", "Petrov", "laip.toml: is not this patient's LAIP file"),
        ("mrd_aml", "tbnk", "is for another template"),
        ("LAIP_2", "LAIP_9", "names no slot"),
        ("[[laip]]", "[[laip", "cannot be read"),
    ],
)
def test_run__a_wrong_laip_file_fails_its_samples(marrow: Path, old: str, new: str, message: str) -> None:
    """The reason stands in the record; nothing is counted by the template's examples instead."""
    (marrow / "laip.toml").write_text(LAIP.replace(old, new), encoding="utf-8")
    study = open_study(marrow / "study.recon")
    summary = run(sheet(marrow, "m.fcs,Ivanova,28,marrow,laip.toml"), load_template("mrd_aml"), study)
    assert 1 == summary.failed
    assert message in summary.reasons["m.fcs"]


def test_read_sheet__a_laip_file_lies_in_the_sheets_folder(tmp_path: Path) -> None:
    """No path leads out of it."""
    with pytest.raises(SheetError, match=r"row 2, column laip: leaves the sheet's folder"):
        sheet(tmp_path, "m.fcs,P,28,marrow,../P07.toml")
