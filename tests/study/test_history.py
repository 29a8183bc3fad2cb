"""The ledger as a story: who, when, what changed, why; and the cube as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from made import gated, record_all, sample

from cytorecon.errors import StudyError
from cytorecon.study import Study, history, read_cube, read_samples


@pytest.fixture
def filled(study: Study) -> Study:
    """A result, its correction, and a failure."""
    record_all(study, [gated(sample("P1", 30, wbc_per_ul=4200))])
    record_all(study, [gated(sample("P1", 30, wbc_per_ul=4300), (100, 58, 20, 5))])
    record_all(study, [gated(sample("P2", -7), error="cut short")])
    return study


def test_history__says_who_when_what_changed_and_why(filled: Study) -> None:
    """Every record is one entry; a correction names each field and count it changed."""
    entries = history(filled)
    assert ["patient", "gated", "gated", "patient", "gated"] == [entry.kind for entry in entries]
    assert ["P1", "P1", "P1", "P2", "P2"] == [entry.patient for entry in entries]
    correction = entries[2]
    expected = ("Cells/T: 60 of 100 → 58 of 100", "Cells/T/NK: 5 of 60 → 5 of 58", "wbc_per_ul: 4200.0 → 4300.0")
    assert (expected, "gated again", (2,)) == (correction.changes, correction.why, correction.supersedes)
    assert "day -7 blood P2_-7_1.fcs: failed (cut short)" == entries[4].what
    assert all(entry.user for entry in entries)
    assert sorted(entry.time for entry in entries) == [entry.time for entry in entries]


def test_history__of_one_patient(filled: Study) -> None:
    """Only what concerns the patient is told."""
    assert [4, 5] == [entry.sequence for entry in history(filled, "P2")]
    assert () == history(filled, "nobody")


def test_read_cube__as_of_a_sequence_number(filled: Study) -> None:
    """The cube as of a record shows that record and no later one, and leaves the file alone."""
    read_cube(filled, "small")
    before = {path: path.read_bytes() for path in filled.cubes.iterdir()}
    for sequence, wbc in ((2, 4200.0), (3, 4300.0)):
        cube = read_cube(filled, "small", sequence)
        assert (wbc, sequence) == (cube["wbc_per_ul"].item(), cube.attrs["ledger_sequence"])
    assert before == {path: path.read_bytes() for path in filled.cubes.iterdir()}


def test_read_samples__as_of_a_time(filled: Study) -> None:
    """A time means what had been recorded by then; a date means the end of that day."""
    times = [datetime.fromisoformat(entry.time) for entry in history(filled)]
    assert 4200.0 == read_samples(filled, "small", times[1])["wbc_per_ul"].item()
    assert (
        4300.0 == read_samples(filled, "small", (times[4] - timedelta(microseconds=1)).isoformat())["wbc_per_ul"].item()
    )
    today = datetime.now(UTC).date()
    for moment in (today, today.isoformat(), times[4].replace(tzinfo=None), str(5)):
        assert 2 == read_samples(filled, "small", moment).sizes["sample"]
    with pytest.raises(StudyError, match="small: has no results in this study; got no results at all"):
        read_samples(filled, "small", date(2020, 1, 1))
    with pytest.raises(StudyError, match="as of 'yesterday': is no moment; expected a sequence number, a date"):
        read_samples(filled, "small", "yesterday")
