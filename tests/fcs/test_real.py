"""Real files of thirty instruments: right events with findings, or a clear error."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from cytorecon.errors import FcsError
from cytorecon.fcs import data_sets, read_fcs

ENDINGS = (".fcs", ".lmd", ".b08", ".001")

# What each file of shared/hard gives: events of each data set, or the code of the error.
HARD: dict[str, tuple[int | str, ...]] = {
    "Accuri - C6.fcs": (60661,),
    "AriaFile1.fcs": ("data-truncated",),
    "Beckman Coulter - Cyan.fcs": ("data-offset-ambiguous",),
    "Beckman Coulter - Cytomics FC500.LMD": (27072, 27072),
    "Beckman Coulter - Gallios.LMD": (26383, 26383),
    "Cytek xP5.fcs": (23126,),
    "Data003.fcs": (25000,),
    "EY_2013-07-19_PBS_FCS_3.1_Custom_Add_Well_A1.001.fcs": (10000,),
    "EY_2013-07-19_PBS_FCS_3.1_Custom_Without_Add_Well_A1.001.fcs": (10000,),
    "EY_2013-07-19_PBS_FCS_3.1_Well_A1.001.fcs": (10000,),
    "Partec - CyFlow v2.9.fcs": (72989,),
    "Partec - PAS.FCS": (33649,),
    "SG_2014-09-26_Duplicate_Names.fcs": (8129,),
    "corrupted.fcs": ("file-not-fcs",),
    "coulter.lmd": (18110, 18110),
    "data_start_offset_discrepancy_example.fcs": (2,),
    "data_stop_offset_discrepancy_example.fcs": (2,),
    "fake_large_fcs.fcs": (11585,),
    "fcsexamples__Accuri - C6.fcs": (63273,),
    "sample001.fcs": (33024,),
    "sample_header.fcs": ("data-truncated",),
    "stabilize.fcs": (25000,),
    "test.FCS": (30000, 30000),
    "test_comp_example.fcs": (10703,),
    "variable_int_example.fcs": (2,),
}


def outcome(path: Path) -> tuple[int | str, ...]:
    """Events of each data set, all decoded, or codes of errors."""
    try:
        summaries = data_sets(path)
    except FcsError as error:
        return (error.code,)
    results: list[int | str] = []
    for summary in summaries:
        if summary.events is None:
            assert summary.error is not None
            results.append(summary.error.code)
        else:
            assert summary.events.array().shape == (summary.events.event_count, len(summary.events.channels))
            results.append(summary.events.event_count)
    return tuple(results)


def real_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)


def test_data_sets__hard_files(shared: Path) -> None:
    """Every file that other readers refuse gives its right events or a clear error."""
    assert HARD == {path.name: outcome(path) for path in real_files(shared / "hard")}


def test_read_fcs__agrees_with_the_counts_of_other_readers(shared: Path) -> None:
    """Where two other readers agree on a count and we read the file, it is ours too."""
    with (shared / "hard" / "errors.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            counts = {row["FlowCal_events_or_error"], row["fcsparser_events_or_error"], row["TOT"]}
            ours = outcome(shared / "hard" / row["file"])[0]
            if len(counts) == 1 and isinstance(ours, int):
                assert counts == {str(ours)}, row["file"]


def test_read_fcs__manifest_of_ordinary_files(shared: Path) -> None:
    """Every ordinary file opens with the events, channels and version that its manifest states."""
    with (shared / "data" / "manifest.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["events"]]
    checked = 0
    for row in rows:
        path = shared / "data" / row["file"]
        if path.suffix.lower() not in ENDINGS or not path.is_file():
            continue
        events = read_fcs(path)
        expected = (int(row["events"]), int(row["channels"]), row["version"])
        assert expected == (events.event_count, len(events.channels), events.version), row["file"]
        checked += 1
    assert checked >= 30


def test_read_fcs__offset_examples_hold_one_and_the_same_data(shared: Path) -> None:
    """Three copies of one file, two with a wrong HEADER, give the same bits."""
    names = ("variable_int", "data_start_offset_discrepancy", "data_stop_offset_discrepancy")
    arrays = [read_fcs(shared / "hard" / f"{name}_example.fcs").raw() for name in names]
    np.testing.assert_array_equal(arrays[0], arrays[1])
    np.testing.assert_array_equal(arrays[0], arrays[2])


def test_read_fcs__fake_large_file_holds_the_original_data(shared: Path) -> None:
    """A HEADER without DATA offsets gives the events of the file it was made from."""
    original = read_fcs(shared / "data" / "instruments" / "FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs")
    np.testing.assert_array_equal(original.array(), read_fcs(shared / "hard" / "fake_large_fcs.fcs").array())


def test_read_fcs__several_data_sets_of_a_real_file_have_to_be_named(shared: Path) -> None:
    """The error lists the data sets and says how to name one."""
    with pytest.raises(FcsError, match=r"1 \(FCS 2.0, 18110 events, 8 channels\), 2 .*dataset=1"):
        read_fcs(shared / "hard" / "coulter.lmd")
