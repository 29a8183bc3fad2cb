"""Changes by a person: records with a reason, never an edit; and a patient who is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made import TEMPLATE, gated, record_all, sample

from cytorecon.cube import Visit
from cytorecon.errors import CubeError, StudyError
from cytorecon.sheet import read_sheet
from cytorecon.study import (
    Study,
    forget_patient,
    history,
    merge_patients,
    read_cube,
    read_samples,
    reinstate,
    rename_patient,
    run,
    set_visits,
    supersede,
    verify,
)

ROWS = "file,patient,day,specimen,comment\na.fcs,Ivanova,-7,blood,hazy\nb.fcs,Petrov,30,blood,\n"


@pytest.fixture
def filled(tmp_path: Path, study: Study) -> Study:
    """A study of two patients from a sheet."""
    (tmp_path / "sheet.csv").write_text(ROWS)
    run(read_sheet(tmp_path / "sheet.csv"), TEMPLATE, study)
    return study


def result_of(study: Study, patient: str) -> int:
    return next(entry.sequence for entry in history(study, patient) if entry.kind == "gated")


def rerun(study: Study):
    return run(read_sheet(study.path.parent / "sheet.csv"), TEMPLATE, study)


def patients(study: Study) -> list[str]:
    return read_samples(study, "small")["patient"].values.tolist()


def test_supersede__takes_a_result_out_for_good(filled: Study) -> None:
    """A withdrawn result leaves the cube, says why, and no run brings it back; a person can."""
    sequence = result_of(filled, "Petrov")
    supersede(filled, sequence, "tubes were swapped")
    assert ["Ivanova"] == patients(filled)
    again = rerun(filled)
    assert (2, ["result-withdrawn"]) == (again.skipped, [finding.code for finding in again.findings])
    assert ["Ivanova"] == patients(filled)
    reinstate(filled, sequence, "they were not")
    assert ["Ivanova", "Petrov"] == patients(filled)
    assert [("supersede", "tubes were swapped"), ("reinstate", "they were not")] == [
        (entry.kind, entry.why) for entry in history(filled)[-2:]
    ]
    assert () == verify(filled).problems


def test_set_visits__gives_actual_days_their_nominal_day(filled: Study) -> None:
    """Windows of the study hold in its cubes from their record on, and can be taken away again."""
    before = history(filled)[-1].sequence
    set_visits(filled, [Visit(28, 20, 40)], "protocol 1.0")
    assert [-7, 28] == read_cube(filled, "small")["timepoint"].values.tolist()
    assert [-7, 30] == read_cube(filled, "small", before)["timepoint"].values.tolist()
    assert () == verify(filled).problems
    assert ("visit windows set", "protocol 1.0") == (history(filled)[-1].what, history(filled)[-1].why)
    set_visits(filled, [], "protocol 2.0")
    assert [-7, 30] == read_cube(filled, "small")["timepoint"].values.tolist()
    with pytest.raises(CubeError, match="lies in the windows of visits 28 and 35"):
        set_visits(filled, [Visit(28, 20, 40), Visit(35, 30, 45)], "protocol 3.0")


def test_rename_patient__shows_the_new_name_and_knows_both(filled: Study) -> None:
    """Cubes show the new name; the sheet's old one still means the same patient."""
    rename_patient(filled, "Petrov", "P-002", "pseudonym")
    assert ["Ivanova", "P-002"] == patients(filled)
    assert 2 == rerun(filled).skipped
    assert ["Ivanova", "Petrov"] == read_samples(filled, "small", history(filled)[-2].sequence)[
        "patient"
    ].values.tolist()


def test_merge_patients__makes_one_of_two(filled: Study) -> None:
    """Samples of both are one patient's, and stay so when gated again."""
    merge_patients(filled, "Petrov", "Ivanova", "maiden name")
    cube = read_cube(filled, "small")
    assert (["Ivanova"], [-7, 30]) == (cube["patient"].values.tolist(), cube["timepoint"].values.tolist())
    assert 2 == rerun(filled).skipped
    record_all(filled, [gated(sample("Petrov", 30, file_name="new.fcs"), (50, 1, 1, 1))])
    samples = read_samples(filled, "small")
    assert [100, 50] == samples["event_count"].sel(population="Cells").values.tolist()


def test_merge_patients__refuses_samples_that_would_be_one(filled: Study) -> None:
    """Two samples never become one by merging."""
    record_all(filled, [gated(sample("Ivanova", 30))])
    with pytest.raises(StudyError, match=r"records \d+ and \d+ would be the same sample.*Supersede"):
        merge_patients(filled, "Petrov", "Ivanova", "maiden name")
    assert ["Ivanova", "Ivanova", "Petrov"] == patients(filled)


def test_forget_patient__destroys_the_name_and_keeps_the_chain(filled: Study) -> None:
    """After forgetting no byte of the study says who it was, counts stay, and the ledger is sound."""
    rename_patient(filled, "Ivanova", "Smirnova", "married")
    read_cube(filled, "small")
    counts = read_samples(filled, "small")["event_count"].values.sum()
    forget_patient(filled, "Smirnova", "withdrew consent")
    forgotten, known = patients(filled)[::-1]
    assert (True, "Petrov") == (forgotten.startswith("forgotten-"), known)
    samples = read_samples(filled, "small")
    assert counts == samples["event_count"].values.sum()
    assert ["", "forgotten"] == [
        samples[name].sel(sample=1).item() for name in ("comment", "file")
    ]  # fmt: skip
    read_cube(filled, "small")
    everything = b"".join(path.read_bytes() for path in filled.path.rglob("*") if path.is_file())
    assert not any(text in everything for text in (b"Ivanova", b"Smirnova", b"hazy", b"a.fcs"))
    assert () == verify(filled).problems
    assert "withdrew consent" == history(filled)[-1].why


def test_forget_patient__destroys_the_key_itself(filled: Study) -> None:
    """The key's bytes are gone from the ledger's files, not only its row."""
    from cytorecon.study.schema import connected

    with connected(filled.ledger) as connection:
        keys = [bytes(key) for (key,) in connection.execute("SELECT key FROM secret")]
    forget_patient(filled, "Petrov", "withdrew consent")
    everything = b"".join(path.read_bytes() for path in filled.path.glob("ledger*"))
    assert 1 == sum(key in everything for key in keys)


def test_forget_patient__after_a_merge_forgets_both_names(filled: Study) -> None:
    """All keys of a merged patient go together."""
    merge_patients(filled, "Petrov", "Ivanova", "maiden name")
    forget_patient(filled, "Petrov", "withdrew consent")
    assert all(name.startswith("forgotten-") for name in patients(filled))
    assert 1 == len(set(patients(filled)))


def test_run__a_forgotten_patient_named_again_is_new(filled: Study) -> None:
    """Nothing links a forgotten patient to the same name in a later sheet."""
    forget_patient(filled, "Petrov", "withdrew consent")
    summary = rerun(filled)
    assert (1, 1) == (summary.done, summary.skipped)
    assert 3 == len(set(patients(filled)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda study: supersede(study, 1, "why"), "record 1: is no result of a sample"),
        (lambda study: supersede(study, 99, "why"), "record 99: is no result of a sample"),
        (lambda study: supersede(study, result_of(study, "Petrov"), " "), "reason: is empty; expected why"),
        (lambda study: reinstate(study, result_of(study, "Petrov"), "why"), "failed, or stands already"),
        (lambda study: rename_patient(study, "Nobody", "X", "why"), "patient: is not in this study"),
        (lambda study: rename_patient(study, "Petrov", "Ivanova", "why"), "another patient has or had that name"),
        (lambda study: merge_patients(study, "Petrov", "Petrov", "why"), "are one patient already"),
        (lambda study: forget_patient(study, "Nobody", "why"), "patient: is not in this study"),
    ],
)
def test_changes__refuse_what_cannot_be(filled: Study, change: Callable[[Study], object], message: str) -> None:
    """A change that makes no sense leaves no record."""
    before = len(history(filled))
    with pytest.raises(StudyError, match=message):
        change(filled)
    assert before == len(history(filled))


def test_supersede__only_what_stands(filled: Study) -> None:
    """A result that was withdrawn cannot be withdrawn again."""
    sequence = result_of(filled, "Petrov")
    supersede(filled, sequence, "swapped")
    with pytest.raises(StudyError, match=f"record {sequence}: does not stand any more"):
        supersede(filled, sequence, "swapped")
