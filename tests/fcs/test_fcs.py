"""The public functions: choosing a data set, and listing what a file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.errors import FcsError
from cytorecon.fcs import data_sets, read_fcs
from fcs.files import INTEGERS, make, of_type

FIRST = make({"$NEXTDATA": "{size}"})
SECOND = make(of_type("I", "16", "1024"), INTEGERS)


def listed(folder: Path, content: bytes) -> list[tuple[int, int | str]]:
    path = folder / "tube.fcs"
    path.write_bytes(content)
    return [
        (each.number, each.events.event_count if each.events else str(each.error.code if each.error else ""))
        for each in data_sets(path)
    ]


def test_data_sets__lists_without_decoding(tmp_path: Path) -> None:
    """Each data set with its number, which is what ``dataset=`` takes."""
    assert [(1, 3), (2, 3)] == listed(tmp_path, FIRST + SECOND)
    summaries = data_sets(tmp_path / "tube.fcs")
    for summary in summaries:
        assert summary.events is not None
        again = read_fcs(tmp_path / "tube.fcs", summary.number)
        assert summary.events.channels == again.channels
        assert summary.events.array().tobytes() == again.array().tobytes()


def test_data_sets__a_broken_one_does_not_hide_the_others(tmp_path: Path) -> None:
    """A data set that cannot be read is listed with its error, in its place."""
    broken = make({"$NEXTDATA": "{size}", "$TOT": "4"})
    assert [(1, "data-size"), (2, 3)] == listed(tmp_path, broken + SECOND)
    assert [(1, 3), (2, "version-unknown")] == listed(tmp_path, FIRST + b"FCS9.9" + SECOND[6:])
    assert [(1, 3), (2, "nextdata-broken")] == listed(tmp_path, make({"$NEXTDATA": "58"}))


def test_read_fcs__the_error_lists_the_data_sets(tmp_path: Path) -> None:
    """It says which there are, and how to name one."""
    path = tmp_path / "tube.fcs"
    path.write_bytes(FIRST + SECOND[:-1])
    expected = r"expected dataset=, got 1 \(FCS 3.1, 3 events, 2 channels\), 2 \(unreadable\)\. Name one: dataset=1"
    with pytest.raises(FcsError, match=expected):
        read_fcs(path)
    with pytest.raises(FcsError, match="no such data set; expected 1 to 2, got 3"):
        read_fcs(path, 3)


def test_read_fcs__takes_text_paths(tmp_path: Path) -> None:
    """A path may be a string."""
    path = tmp_path / "tube.fcs"
    path.write_bytes(make())
    assert read_fcs(path).channels == read_fcs(str(path)).channels
