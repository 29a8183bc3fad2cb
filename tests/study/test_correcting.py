"""Rows that were corrected, and files that only look like it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made import TEMPLATE, write_fcs

from cytorecon.sheet import read_sheet
from cytorecon.study import RunSummary, Study, read_cube, read_samples, run, verify

HEADER = "file,patient,day,specimen\n"


def run_sheet(study: Study, folder: Path, rows: str, header: str = HEADER) -> RunSummary:
    (folder / "sheet.csv").write_text(header + rows)
    return run(read_sheet(folder / "sheet.csv"), TEMPLATE, study)


def standing(study: Study) -> list[tuple[str, int, str]]:
    samples = read_samples(study, "small")
    names = ("patient", "day", "file")
    return [(who, int(day), file) for who, day, file in zip(*(samples[name].values for name in names), strict=True)]


def codes(summary: RunSummary) -> list[str]:
    return [finding.code for finding in summary.findings]


@pytest.mark.parametrize(("row", "wrong"), [("a.fcs,ALICE,1", "a.fcs,BOB,1"), ("a.fcs,ALICE,1", "a.fcs,ALICE,2")])
def test_run__identity_corrected_and_back_leaves_one(tmp_path: Path, study: Study, row: str, wrong: str) -> None:
    """A row changed to another patient or day and back holds its file once, and every step is told."""
    for text, told in ((row, []), (wrong, ["identity-corrected"]), (row, ["identity-corrected"])):
        assert told == codes(run_sheet(study, tmp_path, f"{text},blood\n"))
        file, patient, day = text.split(",")
        assert [(patient, int(day), file)] == standing(study)
    assert () == verify(study).problems


def test_run__two_rows_exchanged_and_back(tmp_path: Path, study: Study) -> None:
    """Patients exchanged between two files hold one file each, there and back."""
    there, back = "a.fcs,P,1,blood\nb.fcs,Q,1,blood\n", "a.fcs,Q,1,blood\nb.fcs,P,1,blood\n"
    for rows in (there, back, there):
        run_sheet(study, tmp_path, rows)
        expected = [("P", 1, "a.fcs"), ("Q", 1, "b.fcs")] if rows is there else [("P", 1, "b.fcs"), ("Q", 1, "a.fcs")]
        assert expected == standing(study)


@pytest.mark.parametrize("first", ["one", "two"])
def test_run__a_file_of_two_sheets_is_no_correction(tmp_path: Path, study: Study, first: str) -> None:
    """A control copied from run to run stands for both days, whichever sheet comes first; that is told."""
    rows = {"one": "control.fcs,CTRL,1,control\n", "two": "control.fcs,CTRL,8,control\n"}
    for name in rows:
        (tmp_path / name).mkdir()
        shutil.copy(tmp_path / "a.fcs", tmp_path / name / "control.fcs")
    order = sorted(rows, key=lambda name: name != first)
    told = [codes(run_sheet(study, tmp_path / name, rows[name])) for name in (*order, *order)]
    assert [("CTRL", 1, "control.fcs"), ("CTRL", 8, "control.fcs")] == standing(study)
    assert [[], ["same-bytes"], ["same-bytes"], ["same-bytes"]] == told


def test_run__the_same_bytes_for_two_patients_await_review(tmp_path: Path, study: Study) -> None:
    """A file copied to another patient's name is two samples, and a person has to look."""
    shutil.copy(tmp_path / "a.fcs", tmp_path / "c.fcs")
    summary = run_sheet(study, tmp_path, "a.fcs,P1,1,blood\nc.fcs,P2,1,blood\nb.fcs,P3,1,blood\n")
    (finding,) = summary.findings
    assert ("same-bytes", "review") == (finding.code, finding.severity)
    assert "are of the same bytes but of different patients" in finding.message
    assert 3 == len(standing(study))


def test_run__a_file_that_is_gone_and_its_row_changed_and_back(tmp_path: Path, study: Study) -> None:
    """What is said of a file that is gone is true, and a row as before brings the result back."""
    header = "file,patient,day,specimen,wbc_per_ul\n"
    run_sheet(study, tmp_path, "a.fcs,P,28,blood,4000\n", header)
    (tmp_path / "a.fcs").unlink()
    changed = run_sheet(study, tmp_path, "a.fcs,P,28,blood,8000\n", header)
    assert (1, []) == (changed.failed, codes(changed))
    back = run_sheet(study, tmp_path, "a.fcs,P,28,blood,4000\n", header)
    assert (1, 0, ["file-gone"]) == (back.skipped, back.failed, codes(back))
    cell = read_cube(study, "small").isel(patient=0, timepoint=0, specimen=0)
    assert (100, 4000.0) == (cell["event_count"].values[0], cell["wbc_per_ul"].item())


def test_run__a_file_that_failed_before_it_was_gone_stays_failed(tmp_path: Path, study: Study) -> None:
    """An older success is not brought back over bytes that were seen to fail."""
    run_sheet(study, tmp_path, "a.fcs,P,28,blood\n")
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "a.fcs").write_bytes(b"no FCS file")
    assert 1 == run_sheet(study, tmp_path, "a.fcs,P,28,blood\n").failed
    (tmp_path / "a.fcs").unlink()
    assert (1, []) == (lambda one: (one.failed, codes(one)))(run_sheet(study, tmp_path, "a.fcs,P,28,blood\n"))


def test_run__replicates_with_two_matrices_await_review(tmp_path: Path, study: Study) -> None:
    """Two matrices beside the sheet are two compensations, though both are the sheet's."""
    for name, spill in (("m1.csv", 0), ("m2.csv", 0.1)):
        (tmp_path / name).write_text(f"CD3,CD56\n1,{spill}\n0,1\n")
    rows = "a.fcs,P,1,blood,1,m1.csv\nb.fcs,P,1,blood,2,m2.csv\n"
    run_sheet(study, tmp_path, rows, "file,patient,day,specimen,replicate,compensation\n")
    assert "compensated differently (sheet " in read_cube(study, "small").attrs["findings"]


def test_run__tells_what_its_cube_says(tmp_path: Path, study: Study) -> None:
    """Replicates that were not pooled as they stand are told by every run, not only in the cube's attributes."""
    header = "file,patient,day,specimen,replicate,wbc_per_ul\n"
    rows = "a.fcs,P,1,blood,1,4000\nb.fcs,P,1,blood,2,5000\n"
    for _ in range(2):
        summary = run_sheet(study, tmp_path, rows, header)
        assert (["replicates-differ"], True, 0) == (codes(summary), summary.awaits_review, summary.needs_review)
    (tmp_path / "a.fcs").write_bytes(b"no FCS file")
    assert ["replicate-left-out"] == codes(run_sheet(study, tmp_path, rows, header))
