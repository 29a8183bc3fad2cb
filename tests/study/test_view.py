"""Cubes as views: rebuilt from the ledger when stale, missing or damaged, replaced in one rename."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
from made import SUMMARY, TEMPLATE, gated, record_all, sample

from cytorecon.cube import Visit, build_samples, grid, validate
from cytorecon.errors import CubeError, StudyError
from cytorecon.sheet import read_sheet
from cytorecon.study import Content, Study, contents, open_study, read_cube, read_samples, run
from cytorecon.study.view import version_order

LEDGER_ATTRS = ("ledger_sequence", "ledger_head")


def results() -> list:
    rows = [sample("P1", -7, timepoint=-7), sample("P2", 30), sample("P2", 30, replicate=2), sample("Ä/é", 100)]
    return [gated(row, (100 - i, 60, 20, 5)) for i, row in enumerate(rows)]


@pytest.fixture
def filled(study: Study) -> Study:
    """A study with results of three patients."""
    record_all(study, results())
    return study


def path_of(study: Study) -> Path:
    (path,) = study.cubes.iterdir()
    return path


def test_read_cube__is_what_was_recorded(filled: Study) -> None:
    """Through ledger and file, both forms are what the results themselves give, and are valid."""
    samples = build_samples(results(), SUMMARY)
    for read, expected in ((read_samples, samples), (read_cube, grid(samples))):
        for _ in range(2):  # built, then from its file
            found = validate(read(filled, "small"))
            found.attrs = {name: value for name, value in found.attrs.items() if name not in LEDGER_ATTRS}
            assert expected.identical(found)
            read_cube(filled, "small")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x" * 100)])
def test_read_cube__a_missing_or_damaged_file_is_built_again(filled: Study, damage) -> None:
    """The file is only a view: the ledger gives it again, the same to the byte."""
    expected = read_cube(filled, "small")
    before = path_of(filled).read_bytes()
    damage(path_of(filled))
    assert expected.identical(read_cube(filled, "small"))
    assert before == path_of(filled).read_bytes()


def test_read_cube__a_stale_file_is_built_again(filled: Study) -> None:
    """Records added since are in the cube; the file is exchanged whole, and no draft is left."""
    before = read_cube(filled, "small")
    record_all(filled, [gated(sample("P3", 1))])
    assert 3 + 1 == read_cube(filled, "small").sizes["patient"]
    assert 4 == xr.load_dataset(path_of(filled)).sizes["patient"]
    assert 3 == before.sizes["patient"]


def test_read_cube__drafts_of_killed_processes_are_removed(filled: Study) -> None:
    """The next cube that is written clears them away, and leaves alone what a living process writes."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    dead = filled.cubes / f".small-1.0.0-0.nc.{gone.stdout.strip()}.ab"
    older = filled.cubes / ".small-1.0.0-0.nc.ab"
    others = [filled.cubes / f".small-1.0.0-0.nc.{process}.ab" for process in (os.getpid(), 1)]
    for draft in (dead, older, *others):
        draft.write_bytes(b"x")
    read_cube(filled, "small")
    assert [False, False, True, True] == [draft.exists() for draft in (dead, older, *others)]


def test_read_cube__visits_are_of_the_call_not_of_the_file(filled: Study) -> None:
    """Windows given for one reading leave the file as it is."""
    read_cube(filled, "small")
    before = path_of(filled).read_bytes()
    assert [-7, 28, 100] == read_cube(filled, "small", visits=[Visit(28, 20, 40)])["timepoint"].values.tolist()
    assert before == path_of(filled).read_bytes()


def test_cube_file__counts_are_integers_without_fill_value(filled: Study) -> None:
    """On disk, -1 is a stored integer with its valid minimum and status flags, never a fill value."""
    read_cube(filled, "small")
    with netCDF4.Dataset(path_of(filled)) as file:
        for group in (file, file["samples"]):
            count, status = group["event_count"], group["status"]
            assert (np.dtype("int32"), 0) == (count.dtype, count.valid_min)
            assert "_FillValue" not in count.ncattrs() + status.ncattrs()
            assert "not_sampled counted not_measured not_evaluable failed needs_review" == status.flag_meanings
            assert (np.dtype("int8"), list(range(6))) == (status.dtype, status.flag_values.tolist())
        assert ("patient", "timepoint", "specimen", "population") == file["event_count"].dimensions
        assert file["timepoint"].dtype.kind == "i"


def test_read_cube__a_copied_cube_stands_alone(filled: Study, tmp_path: Path) -> None:
    """A cube's file says of itself what it was made from."""
    read_cube(filled, "small")
    copy = shutil.copy(path_of(filled), tmp_path / "copy.nc")
    attrs = xr.load_dataset(copy).attrs
    expected = {
        "template",
        "template_version",
        "template_sha256",
        "cytorecon_version",
        "ledger_sequence",
        "ledger_head",
    }
    assert expected <= attrs.keys()


def test_read_cube__unknown_name_lists_what_there_is(filled: Study) -> None:
    """A misspelt name is answered with the names there are."""
    with pytest.raises(StudyError, match=r"smal: has no results in this study; got small 1.0.0. Run a sheet"):
        read_cube(filled, "smal")
    with pytest.raises(StudyError, match=r"small 2.0: has no results"):
        read_cube(filled, "small", version="2.0")


def test_read_cube__two_claims_name_both_files_and_samples_stay_readable(study: Study) -> None:
    """What cannot stand in one cell is an error of the cube; the samples are all there."""
    record_all(study, [gated(sample("P1", day, timepoint=30)) for day in (29, 31)])
    with pytest.raises(CubeError, match=r"P1_29_1.fcs and P1_31_1.fcs: claim the same timepoint 30"):
        read_cube(study, "small")
    assert 2 == read_samples(study, "small").sizes["sample"]


def test_cube_file__is_the_same_whatever_the_order(tmp_path: Path) -> None:
    """Two studies filled in opposite orders have the same cubes, heads of their ledgers apart."""
    cubes = []
    for name, order in (("one", results()), ("two", results()[::-1])):
        study = open_study(tmp_path / name)
        for result in order:
            record_all(study, [result])
        cube = read_cube(study, "small")
        cubes.append(cube.assign_attrs(dict.fromkeys(LEDGER_ATTRS, 0)))
    assert cubes[0].identical(cubes[1])
    for index, cube in enumerate(cubes):
        cube.to_netcdf(tmp_path / f"{index}.nc")
    assert (tmp_path / "0.nc").read_bytes() == (tmp_path / "1.nc").read_bytes()


def test_contents__counts_standing_samples(filled: Study) -> None:
    """A template content is listed once, with what became of its samples."""
    record_all(filled, [gated(sample("P1", -7, timepoint=-7), error="cut short")])
    assert (Content("small", "1.0.0", SUMMARY.sha256, done=3, needs_review=0, failed=1),) == contents(filled)


def test_version_order__numbers_count_as_numbers() -> None:
    """1.10 is newer than 1.9, and a release newer than its candidate."""
    versions = ["1.10.0", "1.9.0", "1.10.0-rc1", "2", "1.10"]
    assert ["1.9.0", "1.10", "1.10.0-rc1", "1.10.0", "2"] == sorted(versions, key=version_order)


def test_read_cube__two_contents_of_one_version_are_never_taken_for_each_other(tmp_path: Path, study: Study) -> None:
    """Which of them is meant has to be said by SHA-256; the run that made the second one says so."""
    (tmp_path / "sheet.csv").write_text("file,patient,day,specimen\na.fcs,P1,1,blood\n")
    samples = read_sheet(tmp_path / "sheet.csv")
    other = replace(TEMPLATE, populations=TEMPLATE.populations[:2])
    assert () == run(samples, TEMPLATE, study).findings
    for template in (other, TEMPLATE):
        (finding,) = run(samples, template, study).findings
        assert ("same-version", "review") == (finding.code, finding.severity)
    for read in (read_cube, read_samples):
        for version in (None, "1.0.0"):
            listed = f"several template contents; got {TEMPLATE.sha256[:12]}, {other.sha256[:12]}"
            with pytest.raises(StudyError, match=listed):
                read(study, "small", version=version)
        for template in (TEMPLATE, other):
            cube = read(study, "small", version=template.sha256[:12])
            assert (template.sha256, len(template.populations)) == (
                cube.attrs["template_sha256"], cube.sizes["population"]
            )  # fmt: skip
