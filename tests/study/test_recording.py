"""Runs into a study: what is recorded, skipped, replaced, and what a cube then shows."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr
from made import TEMPLATE, gated, record_all, sample, write_fcs

from cytorecon.cube import STATUS
from cytorecon.errors import SheetError, StudyError
from cytorecon.sheet import Sample, read_sheet
from cytorecon.study import Study, forget_patient, open_study, read_cube, read_samples, run
from cytorecon.study.recording import begin, digest_of
from cytorecon.study.schema import connected
from cytorecon.study.view import write_cube

ROWS = "file,patient,day,specimen,wbc_per_ul\na.fcs,P1,-7,blood,4200\nb.fcs,P1,30,blood,5100\n"
LEDGER_ATTRS = ("ledger_sequence", "ledger_head")


def sheet(folder: Path, text: str = ROWS) -> tuple[Sample, ...]:
    (folder / "sheet.csv").write_text(text)
    return read_sheet(folder / "sheet.csv")


def records(study: Study, kind: str = "gated") -> list[dict]:
    with connected(study.ledger) as connection:
        rows = connection.execute("SELECT body FROM record WHERE kind = ? ORDER BY sequence", (kind,))
        return [json.loads(body) for (body,) in rows]


def without_ledger(cube: xr.Dataset) -> xr.Dataset:
    attrs = {name: value for name, value in cube.attrs.items() if name not in LEDGER_ATTRS}
    bare = cube.copy()
    bare.attrs = attrs
    return bare


def test_run__records_every_file_and_builds_the_cube(tmp_path: Path, study: Study) -> None:
    """The main job: counts and reasons in the ledger, the cube in its file, progress on the way."""
    (tmp_path / "c.fcs").write_text("not an FCS file")
    seen: list[tuple[int, int]] = []
    summary = run(
        sheet(tmp_path, ROWS + "c.fcs,P2,30,blood,\n"), TEMPLATE, study, progress=lambda *step: seen.append(step)
    )
    assert (2, 1, 0, 0) == (summary.done, summary.failed, summary.skipped, summary.needs_review)
    assert ["c.fcs"] == list(summary.reasons)
    assert [(0, 3), (1, 3), (2, 3), (3, 3)] == seen
    assert summary.cube == study.cubes / f"small-1.0.0-{TEMPLATE.sha256[:8]}.nc"
    cube = read_cube(study, "small")
    cell = cube.sel(patient="P1", timepoint=30, specimen="blood")
    assert [90, 50, 10, 2] == cell["event_count"].values.tolist()
    assert 5100.0 == cell["wbc_per_ul"].item()
    assert STATUS["failed"] == cube["status"].sel(patient="P2", timepoint=30, specimen="blood")[0]


def test_run__cube_opens_in_a_fresh_process_without_this_package(tmp_path: Path, study: Study) -> None:
    """The cube's file needs nothing but xarray."""
    path = run(sheet(tmp_path), TEMPLATE, study).cube
    code = (
        "import sys, xarray as xr\n"
        "cube = xr.open_dataset(sys.argv[1]); samples = xr.open_dataset(sys.argv[1], group='samples')\n"
        "assert 'cytorecon' not in sys.modules\n"
        "where = dict(patient='P1', specimen='blood', population='Cells')\n"
        "print(cube.event_count.sel(where).values.tolist(), cube.event_count.dtype, samples.day.values.tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "[100, 90] int32 [-7.0, 30.0]" == done.stdout.strip()


def test_run__again_skips_what_the_study_holds(tmp_path: Path, study: Study) -> None:
    """Resume is the sheet minus successful keys; nothing is recorded twice."""
    run(sheet(tmp_path), TEMPLATE, study)
    again = run(sheet(tmp_path), TEMPLATE, study)
    assert (0, 2, 2) == (again.done, again.skipped, len(records(study)))


def test_run__failed_never_satisfies_resume(tmp_path: Path, study: Study) -> None:
    """A file that failed is tried again, and its success replaces the failure."""
    good = (tmp_path / "a.fcs").read_bytes()
    (tmp_path / "a.fcs").write_bytes(good[:300])
    assert 1 == run(sheet(tmp_path), TEMPLATE, study).failed
    (tmp_path / "a.fcs").write_bytes(good)
    assert (1, 0, 1) == (lambda s: (s.done, s.failed, s.skipped))(run(sheet(tmp_path), TEMPLATE, study))
    assert [100, 90] == read_samples(study, "small")["event_count"].sel(population="Cells").values.tolist()


def test_run__a_sample_gated_again_replaces_all_its_cells_also_where_it_fails(tmp_path: Path, study: Study) -> None:
    """An older success never shines through a newer failure; as it was before, it stands again."""
    run(sheet(tmp_path), TEMPLATE, study)
    good = (tmp_path / "a.fcs").read_bytes()
    (tmp_path / "a.fcs").write_bytes(good[:300])
    run(sheet(tmp_path), TEMPLATE, study)
    cell = read_cube(study, "small").sel(patient="P1", timepoint=-7, specimen="blood")
    assert ({-1}, {STATUS["failed"]}) == (set(cell["event_count"].values), set(cell["status"].values))
    (tmp_path / "a.fcs").write_bytes(good)
    again = run(sheet(tmp_path), TEMPLATE, study)
    assert (2, 1) == (again.skipped, len(records(study, "reinstate")))
    cell = read_cube(study, "small").sel(patient="P1", timepoint=-7, specimen="blood")
    assert [100, 60, 20, 5] == cell["event_count"].values.tolist()


def test_run__corrected_wbc_is_a_new_record_and_back_again(tmp_path: Path, study: Study) -> None:
    """A corrected row is a new key; corrected back, the first record stands again without gating."""
    for wbc, expected in (("4200", 4200.0), ("4300", 4300.0), ("4200", 4200.0)):
        run(sheet(tmp_path, ROWS.replace("4200", wbc)), TEMPLATE, study)
        cell = read_cube(study, "small").sel(patient="P1", timepoint=-7, specimen="blood")
        assert expected == cell["wbc_per_ul"].item()
    assert (3, 1) == (len(records(study)), len(records(study, "reinstate")))
    first, _, corrected = records(study)
    assert ([first["sequence"]], "gated again") == (corrected["supersedes"], corrected["reason"])


def test_run__corrected_identity_leaves_no_ghost(tmp_path: Path, study: Study) -> None:
    """A day corrected in the sheet moves the sample; the wrong day does not stay behind."""
    run(sheet(tmp_path), TEMPLATE, study)
    run(sheet(tmp_path, ROWS.replace("P1,30", "P2,31")), TEMPLATE, study)
    samples = read_samples(study, "small")
    assert [("P1", -7.0), ("P2", 31.0)] == list(zip(samples["patient"].values, samples["day"].values, strict=True))
    assert "identity corrected in the sheet" == records(study)[-1]["reason"]


def test_run__same_bytes_of_two_patients_stay_two_samples(tmp_path: Path, study: Study) -> None:
    """Equal files under two names are two samples, not a correction."""
    (tmp_path / "b.fcs").write_bytes((tmp_path / "a.fcs").read_bytes())
    run(sheet(tmp_path), TEMPLATE, study)
    assert 2 == read_samples(study, "small").sizes["sample"]


def test_run__a_file_that_is_gone_keeps_its_result(tmp_path: Path, study: Study) -> None:
    """Archived raw data cost nothing as long as the row is the same; a changed row is not believed."""
    run(sheet(tmp_path), TEMPLATE, study)
    (tmp_path / "a.fcs").unlink()
    again = run(sheet(tmp_path), TEMPLATE, study)
    assert (2, ["file-gone"]) == (again.skipped, [finding.code for finding in again.findings])
    assert 1 == run(sheet(tmp_path, ROWS.replace("4200", "4300")), TEMPLATE, study).failed


def test_run__other_template_content_is_another_cube(tmp_path: Path, study: Study) -> None:
    """Results of differing template content never share a cube; the newest version is read."""
    newer = replace(TEMPLATE, version="1.10.0", populations=TEMPLATE.populations[:2])
    for template in (newer, replace(TEMPLATE, version="1.9.0"), TEMPLATE):
        run(sheet(tmp_path), template, study)
    assert 3 == len(list(study.cubes.glob("*.nc")))
    assert ("1.10.0", 2) == (
        read_cube(study, "small").attrs["template_version"], read_cube(study, "small").sizes["population"]
    )  # fmt: skip
    assert 4 == read_cube(study, "small", version="1.0.0").sizes["population"]
    assert 4 == read_cube(study, "small", version=TEMPLATE.sha256[:10]).sizes["population"]


def test_run__any_order_batching_and_workers_give_the_same_cube(tmp_path: Path) -> None:
    """The cube is the same whatever brought the records, and its file is too."""
    for index in range(5):
        write_fcs(tmp_path / f"f{index}.fcs", (100 - index, 60, 20, 5))
    rows = [f"f{index}.fcs,P{index % 2},{index},blood" for index in range(5)]
    cubes = []
    for name, order, workers in (("one", rows, 1), ("two", rows[::-1], 1), ("three", rows[2:] + rows[:2], 2)):
        samples = sheet(tmp_path, "\n".join(["file,patient,day,specimen", *order]))
        study = open_study(tmp_path / name)
        run(samples[:2], TEMPLATE, study)
        run(samples, TEMPLATE, study, workers=workers)
        cubes.append((without_ledger(read_cube(study, "small")), without_ledger(read_samples(study, "small"))))
    for cube, samples in cubes[1:]:
        assert cubes[0][0].identical(cube)
        assert cubes[0][1].identical(samples)


def test_run__refuses_samples_that_contradict_each_other(tmp_path: Path, study: Study) -> None:
    """What read_sheet would refuse is refused here too, before anything is gated."""
    samples = sheet(tmp_path)
    with pytest.raises(SheetError, match="uses the same file and data set"):
        run([*samples, samples[0].model_copy(update={"day": 99})], TEMPLATE, study)
    assert [] == records(study)


def test_run__two_claims_are_recorded_and_said(tmp_path: Path, study: Study) -> None:
    """A cube that cannot be built costs no record; the summary names both files."""
    run(sheet(tmp_path, "file,patient,day,specimen,timepoint\na.fcs,P1,29,blood,30\n"), TEMPLATE, study)
    summary = run(sheet(tmp_path, "file,patient,day,specimen,timepoint\nb.fcs,P1,31,blood,30\n"), TEMPLATE, study)
    assert (1, None) == (summary.done, summary.cube)
    assert "a.fcs and b.fcs: claim the same timepoint 30" in summary.findings[0].message
    assert 2 == read_samples(study, "small").sizes["sample"]


def test_run__several_processes_may_record_at_once(tmp_path: Path, study: Study) -> None:
    """Two processes with one sheet: every sample is recorded once, no lock is lost."""
    rows = ["file,patient,day,specimen"]
    for index in range(20):
        write_fcs(tmp_path / f"f{index}.fcs", (100 - index, 60, 20, 5))
        rows.append(f"f{index}.fcs,P{index % 3},{index},blood")
    sheet(tmp_path, "\n".join(rows))
    code = (
        "import sys; from made import TEMPLATE; import cytorecon.study as s; from cytorecon.sheet import read_sheet\n"
        "print(s.run(read_sheet(sys.argv[1]), TEMPLATE, s.open_study(sys.argv[2])).done)"
    )
    tests = str(Path(__file__).parents[1])
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "sheet.csv"), str(tmp_path / "new.recon")],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": tests},
        )
        for _ in range(2)
    ]  # fmt: skip
    done = [int(writer.communicate(timeout=120)[0]) for writer in writers]
    assert (20, 20) == (sum(done), len(records(open_study(tmp_path / "new.recon"))))


def test_run__says_how_many_await_review(study: Study) -> None:
    """A count that needs review is recorded as such and masked, never lost."""
    statuses = ("counted", "needs_review", "counted", "counted")
    record_all(study, [gated(sample(), statuses=statuses)])
    assert "needs_review" == records(study)[0]["status"]
    cell = read_cube(study, "small").isel(patient=0, timepoint=0, specimen=0)
    assert (60, STATUS["needs_review"]) == (cell["event_count"][1].item(), cell["status"][1].item())


def test_record__successful_key_is_unique(study: Study) -> None:
    """The same success recorded twice is one record, and the ledger itself enforces it."""
    record_all(study, [gated(sample())])
    record_all(study, [gated(sample())])
    (only,) = records(study)
    body = json.dumps({**only, "sequence": 99})
    insert = "INSERT INTO record (sequence, body, hash) SELECT max(sequence) + 1, ?, '' FROM record"
    with connected(study.ledger, write=True) as connection, pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        connection.execute(insert, (body,))


def test_record__holds_what_an_auditor_needs(tmp_path: Path, study: Study) -> None:
    """Who, when, with which software and documents; and no patient, file name or comment in the clear."""
    run(sheet(tmp_path, ROWS.replace("P1", "Ivanova")), TEMPLATE, study)
    body = records(study)[0]
    assert {"user", "time", "key", "identity", "documents", "counts", "sha256", "cutpoints"} <= body.keys()
    assert {"template", "summary", "sheet", "software", "channels"} == body["documents"].keys()
    assert [100, 200, STATUS["counted"]] == body["counts"]["Cells"]
    with connected(study.ledger) as connection:
        everything = "\n".join(connection.iterdump())
    assert "Ivanova" not in everything
    assert "a.fcs" not in everything
    assert "Ivanova" == read_samples(study, "small")["patient"].values[0]


def test_digest_of__remembers_by_size_and_time_only(tmp_path: Path, study: Study) -> None:
    """A remembered hash is used only for an unchanged, settled file."""
    path = tmp_path / "a.fcs"
    with connected(study.ledger, write=True) as connection:
        fresh = digest_of(connection, path)
        assert 0 == connection.execute("SELECT count(*) FROM seen").fetchone()[0]
        os.utime(path, ns=(0, 10**18))
        assert fresh == digest_of(connection, path) == digest_of(connection, path)
        assert 1 == connection.execute("SELECT count(*) FROM seen").fetchone()[0]
        path.write_bytes(b"changed")
        assert fresh != digest_of(connection, path)
        assert "" == digest_of(connection, tmp_path / "none.fcs")


def test_run__a_matrix_that_is_not_there_fails_its_sample(tmp_path: Path, study: Study) -> None:
    """A matrix beside the sheet that cannot be read is the sample's error; once it is there, the sample is gated."""
    text = "file,patient,day,specimen,compensation\na.fcs,P1,-7,blood,m.csv\n"
    summary = run(sheet(tmp_path, text), TEMPLATE, study)
    assert "m.csv: cannot be read as CSV" in summary.reasons["a.fcs"]
    (tmp_path / "m.csv").write_text("CD3,CD56\n1,0\n0,1\n")
    assert 1 == run(sheet(tmp_path, text), TEMPLATE, study).done


def test_read_samples__a_failure_of_a_forgotten_patient_keeps_its_code(tmp_path: Path, study: Study) -> None:
    """The error's text may name the file and is gone with the key; that and how it failed stays."""
    (tmp_path / "a.fcs").write_text("no FCS file")
    run(sheet(tmp_path), TEMPLATE, study)
    forget_patient(study, "P1", "asked for")
    samples = read_samples(study, "small")
    failed = samples["error"].values[samples["error"].values != ""]
    assert [samples["error_code"].values[0]] == failed.tolist()


def test_record__needs_a_row(study: Study) -> None:
    """A result that belongs to no sample is not recorded."""
    row = sample("P1", 30)
    with connected(study.ledger, write=True) as connection:
        recorder = begin(connection, [row], TEMPLATE)
        with pytest.raises(StudyError, match="has no sheet row"):
            recorder.record(replace(gated(row), sample=None))
    assert write_cube(study, TEMPLATE.sha256) is None
