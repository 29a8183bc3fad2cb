"""``cytorecon inspect``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .conftest import Run


def test_inspect__json(run: Run, tube: Path) -> None:
    """The document describes each data set: identity, channels, spillover, findings, keywords."""
    document = run("inspect", tube, "--json").document
    (one,) = document["data_sets"]
    assert ("tube.fcs", 200, hashlib.sha256(tube.read_bytes()).hexdigest()) == (
        document["file"], one["event_count"], one["sha256"],
    )  # fmt: skip
    assert ["FSC-A", "CD3", "CD56"] == [channel["name"] for channel in one["channels"]]


def test_inspect__text_says_what_a_person_reads(run: Run, tube: Path) -> None:
    """Events and channels; not where the bytes lie, and nothing left blank without a word."""
    done = run("inspect", tube)
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert ("events 200" in lines, "acquired not stated" in lines, "spillover none" in lines) == (True, True, True)
    assert "$BEGINDATA" not in done.out


def test_inspect__names_the_data_set_that_is_missing(run: Run, tube: Path) -> None:
    """Asking for a data set that the file lacks is a usage error."""
    done = run("inspect", tube, "--dataset", "2")
    assert (2, True) == (done.code, "tube.fcs has no data set 2" in done.err)


def test_inspect__missing_file(run: Run, tmp_path: Path) -> None:
    """A file that is not there is one message."""
    done = run("inspect", tmp_path / "none.fcs")
    assert (3, 1) == (done.code, done.err.count("error: "))


def test_inspect__every_real_file_ends_well(run: Run, shared: Path) -> None:
    """Readable or refused, a real file never ends in a fault of the software."""
    files = [path for path in sorted((shared / "hard").rglob("*")) if path.suffix.lower() in (".fcs", ".lmd")]
    assert files
    assert {path.name: True for path in files} == {
        path.name: run("inspect", path).code in (0, 3) for path in files if path.stat().st_size < 20_000_000
    } | {path.name: True for path in files}
