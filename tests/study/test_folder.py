"""Opening study folders: new ones, absent ones, read-only ones, network shares."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from made import gated, record_all, sample

from cytorecon.errors import StudyError
from cytorecon.study import Study, open_study, read_cube
from cytorecon.study.folder import file_system, kind_at
from cytorecon.study.schema import connected

HERE = Path(__file__).parents[1]


def test_open_study__makes_a_folder_and_opens_it_again(tmp_path: Path) -> None:
    """A new study has a ledger and a place for cubes; opening it again changes nothing."""
    study = open_study(tmp_path / "new" / "study.recon")
    assert ["cubes", "ledger.sqlite"] == sorted(path.name for path in study.path.iterdir())
    before = study.ledger.read_bytes()
    assert study == open_study(study.path, create=False)
    assert before == study.ledger.read_bytes()


def test_open_study__does_not_make_what_is_to_be_there(tmp_path: Path) -> None:
    """A misspelt path is not a new study."""
    with pytest.raises(StudyError, match=r"none.recon: is not a study.*Run a sheet"):
        open_study(tmp_path / "none.recon", create=False)
    assert [] == list(tmp_path.iterdir())


def test_open_study__says_where_it_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way is a clear error."""
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match="cannot be made; got Not a directory"):
        open_study(tmp_path / "file" / "study.recon")


# Everything is imported by use on another study before the process gives up the rights to write.
READ_ONLY = """
import os, sys, tempfile
from pathlib import Path
from cytorecon.errors import StudyError
from cytorecon.study import Study, open_study, read_cube
from made import gated, record_all, sample
with tempfile.TemporaryDirectory() as warm:
    other = open_study(warm)
    record_all(other, [gated(sample("P1", 1))])
    read_cube(other, "small"), read_cube(other, "small")
folder = Path(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)
cube = read_cube(open_study(folder), "small")
print(cube.event_count.values.ravel().tolist(), list(folder.glob("cubes/*")))
try:
    record_all(Study(folder), [gated(sample("P9", 9))])
except StudyError as error:
    print(error)
"""


@pytest.mark.parametrize("closed", [True, False], ids=["at rest", "with a log not yet checkpointed"])
def test_read_cube__works_in_memory_where_it_cannot_write(study: Study, closed: bool) -> None:
    """A read-only folder is read, never silently as of an older moment, and recording says what is wrong."""
    record_all(study, [gated(sample("P1", 1))])
    with ExitStack() as stack:
        if not closed:  # an open connection keeps the log from being emptied
            stack.enter_context(connected(study.ledger, write=True))
            record_all(study, [gated(sample("P1", 1, wbc_per_ul=5000), (77, 60, 20, 5))])
        for path in [study.path, *study.path.rglob("*"), *study.path.parents[:4]]:
            stack.callback(path.chmod, path.stat().st_mode)
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(study.path)], capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(HERE)},
        )  # fmt: skip
    assert "" == done.stderr
    counts, error = done.stdout.splitlines()
    assert f"[{100 if closed else 77}, 60, 20, 5] []" == counts
    assert "ledger.sqlite: cannot be" in error


def test_open_study__refuses_a_network_share_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks may not hold there: the message says so and what to do."""
    monkeypatch.setattr("cytorecon.study.folder.NETWORK", (file_system(tmp_path),))
    with pytest.raises(StudyError, match=r"network share, where the ledger's locks may not hold.*network=True"):
        open_study(tmp_path / "study.recon")
    assert open_study(tmp_path / "study.recon", network=True).ledger.is_file()


def test_kind_at__takes_the_deepest_mount_point() -> None:
    """The file system is that of the mount point nearest above; of two mounts on one point the later counts."""
    mounts = [("/", "ext4"), ("/home", "nfs4"), ("/home/local", "xfs"), ("/home/local", "cifs")]
    assert ["ext4", "nfs4", "cifs", "ext4"] == [
        kind_at(Path(path), mounts) for path in ("/data", "/home/a", "/home/local/b", "/homely")
    ]


def test_file_system__is_known_here(tmp_path: Path) -> None:
    """This machine says what its temporary folder lies on."""
    assert file_system(tmp_path)


def test_study__is_a_plain_value(study: Study) -> None:
    """It holds no connection, so it can be compared, hashed and sent to another process."""
    assert {study} == {Study(study.path)}
    with pytest.raises(StudyError, match="has no results in this study"):
        read_cube(study, "small")
