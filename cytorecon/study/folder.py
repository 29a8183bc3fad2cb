"""The study folder: where it is, and whether it can be trusted with a ledger."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cytorecon.errors import StudyError
from cytorecon.study import schema

# File systems of other machines, on which SQLite's locks may not hold (https://www.sqlite.org/faq.html#q5).
NETWORK = ("nfs", "cifs", "smb", "afp", "webdav", "fuse.sshfs", "afs", "ceph", "glusterfs", "lustre", "beegfs")


@dataclass(frozen=True)
class Study:
    """A study folder, known to hold a ledger this version can read. It keeps no connection open.

    Parameters
    ----------
    path
        The folder.
    """

    path: Path

    @property
    def ledger(self) -> Path:
        """The truth: one record a gated sample."""
        return self.path / "ledger.sqlite"

    @property
    def cubes(self) -> Path:
        """Folder of the views built from it."""
        return self.path / "cubes"


def open_study(path: str | Path, *, create: bool = True, network: bool = False) -> Study:
    """Open a study folder, or make a new one.

    Parameters
    ----------
    path
        The folder, for example ``study.recon``.
    create
        Whether to make it where there is none.
    network
        Whether a folder on another machine is accepted, where two processes may write at once without knowing.

    Raises
    ------
    StudyError
        There is no study and none is to be made; it lies on a network share; it cannot be read; its schema is newer
        than this version.
    IntegrityError
        Its ledger is damaged.
    """
    study = Study(Path(path).absolute())
    if not network and (kind := file_system(study.path)).startswith(NETWORK):
        raise StudyError(
            str(path), "lies on a network share, where the ledger's locks may not hold", got=kind,
            remedy="Move the study to a local disk, or pass network=True if only one process ever writes.",
            code="network-share",
        )  # fmt: skip
    if study.ledger.is_file():
        with schema.connected(study.ledger) as connection:
            if schema.version_of(connection) == schema.SCHEMA:
                return study
    elif not create:
        raise StudyError(
            str(path), "is not a study", expected="a folder with ledger.sqlite", code="no-study",
            remedy="Run a sheet into it first, or correct the path.",
        )  # fmt: skip
    _make(study)
    return study


def _make(study: Study) -> None:
    try:
        study.cubes.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(
            str(study.path), "cannot be made", got=error.strerror or str(error), code="cannot-make",
            remedy="Choose a folder that is writable.",
        ) from None  # fmt: skip
    with schema.connected(study.ledger, write=True):
        pass
    # The ledger's name is not on disk before its folder is.
    sync_folder(study.path)


def sync_folder(path: Path) -> None:
    """Put the names in a folder on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_system(path: Path) -> str:
    """Kind of file system a path lies on, or will; empty where the system does not say."""
    if sys.platform == "darwin":
        lines = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout.splitlines()
        mounts = [_darwin_mount(line) for line in lines if " on " in line]
    else:
        table = Path("/proc/self/mountinfo")
        mounts = [_linux_mount(line) for line in table.read_text().splitlines()] if table.exists() else []
    return kind_at(path.resolve(), mounts)


def _linux_mount(line: str) -> tuple[str, str]:
    before, _, after = line.partition(" - ")
    return before.split()[4].replace("\\040", " "), after.split()[0]


def _darwin_mount(line: str) -> tuple[str, str]:
    point, _, options = line.partition(" on ")[2].rpartition(" (")
    return point, options.split(",")[0].rstrip(")")


def kind_at(path: Path, mounts: list[tuple[str, str]]) -> str:
    """File system of the mount point that lies deepest above a path; of two on one point the later."""
    above = [(len(Path(point).parts), kind) for point, kind in mounts if path.is_relative_to(point)]
    deepest = max((depth for depth, _ in above), default=0)
    return next((kind for depth, kind in reversed(above) if depth == deepest), "")
