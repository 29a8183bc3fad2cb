"""Cubes as views of the ledger: built from its records, kept as netCDF, replaced in one rename."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cytorecon.cube import TemplateSummary, Visit, build_samples, grid
from cytorecon.errors import Finding, StudyError
from cytorecon.study import chain, moment, record, schema
from cytorecon.study.folder import Study, sync_folder
from cytorecon.study.moment import Moment
from cytorecon.study.patient import read_patients
from cytorecon.study.standing import Standing

if TYPE_CHECKING:
    import xarray as xr

# Kinds of records without a template that change how samples of every template are shown.
_TOUCHING = ("rename", "merge", "forget", "visits")


@dataclass(frozen=True)
class Recorded:
    """A template content that a ledger holds results of.

    Parameters
    ----------
    sha256
        Its content.
    summary
        Name, version and populations.
    first
        Number of its first record.
    """

    sha256: str
    summary: TemplateSummary
    first: int

    @property
    def file_name(self) -> str:
        """Name of its cube's file."""
        return f"{self.summary.name}-{self.summary.version}-{self.sha256[:8]}.nc"


def read_cube(
    study: Study,
    name: str,
    as_of: Moment = None,
    *,
    version: str | None = None,
    visits: Sequence[Visit] | None = None,
) -> xr.Dataset:
    """Read the cube of a template, rebuilt first if the ledger has grown.

    Parameters
    ----------
    study
        The study.
    name
        The template's name. Of several versions the newest is read; ``attrs["template_version"]`` and
        ``attrs["template_sha256"]`` say which.
    as_of
        Show what was recorded up to a sequence number, a time, or the end of a day (UTC); default: everything.
    version
        Another version, or the beginning (8 characters or more) of a template's SHA-256.
    visits
        Windows that give an actual day its nominal day, where the sheet gives none; default: those of the study.

    Returns
    -------
    xarray.Dataset
        In memory; dims (patient, timepoint, specimen, population), see `cytorecon.cube.VARIABLES`.

    Raises
    ------
    StudyError
        The study holds no results of that template, or several contents of one name and version, of which only a
        SHA-256 says which is meant.
    CubeError
        Two samples claim the same timepoint.
    IntegrityError
        A record is not what was written.
    """
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        last = moment.sequence_at(connection, as_of)
        chosen = choose(connection, name, version, last)
        kept = as_of is None and visits is None
        path = study.cubes / chosen.file_name
        if kept and is_fresh(path, relevant_head(connection, chosen.sha256)):
            return load(path)
        samples = build(connection, chosen, last)
        cube = grid(samples, visits_of(connection, last) if visits is None else visits)
    if kept:
        replace_file(path, cube, samples)
    return cube


def read_samples(study: Study, name: str, as_of: Moment = None, *, version: str | None = None) -> xr.Dataset:
    """Read one row a gated sample, without loss; parameters and errors as `read_cube`.

    Returns
    -------
    xarray.Dataset
        In memory; dims (sample, population) and (sample, cutpoint).
    """
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        last = moment.sequence_at(connection, as_of)
        chosen = choose(connection, name, version, last)
        path = study.cubes / chosen.file_name
        if as_of is None and is_fresh(path, relevant_head(connection, chosen.sha256)):
            return load(path, "samples")
        return build(connection, chosen, last)


@dataclass(frozen=True)
class Content:
    """What a study holds of one template content.

    Parameters
    ----------
    name, version, sha256
        The template.
    done, needs_review, failed
        Standing samples by what became of them.
    """

    name: str
    version: str
    sha256: str
    done: int
    needs_review: int
    failed: int


def contents(study: Study) -> tuple[Content, ...]:
    """List what a study holds, one entry a template content, in the order in which they were first used."""
    found = []
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        patients = read_patients(connection)
        for one in recorded(connection):
            standing = Standing(one.sha256, patients).read_on(connection)
            count = Counter(entry.status for entry in standing.entries.values())
            numbers = (count["done"], count["needs_review"], count["failed"])
            found.append(Content(one.summary.name, one.summary.version, one.sha256, *numbers))
    return tuple(found)


def write_cube(study: Study, template_sha256: str) -> Path | None:
    """Build the cube of a template content and replace its file; None if the file cannot be written."""
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        chosen = next((one for one in recorded(connection) if one.sha256 == template_sha256), None)
        if chosen is None:
            return None
        path = study.cubes / chosen.file_name
        if is_fresh(path, relevant_head(connection, template_sha256)):
            return path
        samples = build(connection, chosen)
        cube = grid(samples, visits_of(connection))
    return path if replace_file(path, cube, samples) else None


def findings_of(study: Study, template_sha256: str) -> tuple[Finding, ...]:
    """What the cube of a template content says of its samples: which were not pooled, or have no cell."""
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        chosen = next((one for one in recorded(connection) if one.sha256 == template_sha256), None)
    if chosen is None:
        return ()
    cube = read_cube(study, chosen.summary.name, version=template_sha256)
    return tuple(Finding(**one) for one in json.loads(cube.attrs["findings"]))


def recorded(connection: sqlite3.Connection, as_of: int | None = None) -> Iterator[Recorded]:
    """Every template content with results, in the order in which they were first used."""
    rows = connection.execute(
        "SELECT template, min(sequence) AS first FROM record WHERE template IS NOT NULL AND sequence <= ? "
        "GROUP BY template ORDER BY first",
        (2**62 if as_of is None else as_of,),
    ).fetchall()
    for sha256, first in rows:
        body = next(chain.bodies(connection, "record.sequence = ?", (first,)))
        text = chain.document(connection, body["documents"]["summary"])
        yield Recorded(sha256, record.read_summary_document(text), first)


def choose(connection: sqlite3.Connection, name: str, version: str | None, as_of: int | None) -> Recorded:
    """Newest version of a template, or the one asked for; of two contents of one version none is taken for the other.

    Raises
    ------
    StudyError
        There is none, or there are several contents and no SHA-256 says which.
    """
    found = list(recorded(connection, as_of))
    named = [one for one in found if one.summary.name == name]
    if version is not None:
        named = [one for one in named if version == one.summary.version or is_prefix(version, one.sha256)]
    if not named:
        known = ", ".join(sorted(f"{one.summary.name} {one.summary.version}" for one in found))
        raise StudyError(
            " ".join(filter(None, [name, version])), "has no results in this study", got=known or "no results at all",
            remedy="Run a sheet with that template, or name one of these.", code="unknown-template",
        )  # fmt: skip
    newest = max(version_order(one.summary.version) for one in named)
    chosen = [one for one in named if version_order(one.summary.version) == newest]
    if len(chosen) > 1:
        listed = ", ".join(one.sha256[:12] for one in chosen)
        raise StudyError(
            f"{name} {chosen[0].summary.version}", "is the name of several template contents", got=listed,
            remedy="Give the beginning of the SHA-256 that is meant as version.", code="ambiguous-template",
        )  # fmt: skip
    return chosen[0]


def namesakes(connection: sqlite3.Connection, template_sha256: str) -> list[Recorded]:
    """Other contents that a ledger holds under the name and version of one."""
    found = list(recorded(connection))
    names = {(one.summary.name, one.summary.version) for one in found if one.sha256 == template_sha256}
    return [one for one in found if (one.summary.name, one.summary.version) in names and one.sha256 != template_sha256]


def is_prefix(text: str, sha256: str) -> bool:
    """Tell whether a text is the beginning of a SHA-256 long enough to mean it."""
    return len(text) >= 8 and sha256.startswith(text)


def version_order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Order of versions: numbers as numbers (1.10 after 1.9), a suffix (1.0-rc1) before the version without it."""
    parts = [(1, int(part), "") if part.isdigit() else (-1, 0, part) for part in re.findall(r"\d+|[^\W\d_]+", version)]
    return (*parts, (0, 0, ""))


def build(connection: sqlite3.Connection, chosen: Recorded, as_of: int | None = None) -> xr.Dataset:
    """Read the standing samples of one template content from the ledger, one record after another."""
    patients = read_patients(connection, as_of)
    standing = Standing(chosen.sha256, patients).read_on(connection, as_of)
    bodies = chain.bodies(
        connection, "record.template = ? AND record.kind = 'gated' AND record.sequence <= ?",
        (chosen.sha256, standing.sequence),
    )  # fmt: skip
    rows = (record.decode(body, patients) for body in bodies if body["sequence"] in standing.entries)
    samples = build_samples(rows, chosen.summary)
    head = relevant_head(connection, chosen.sha256, as_of)
    return samples.assign_attrs(ledger_sequence=head.sequence, ledger_head=head.hash)


def visits_of(connection: sqlite3.Connection, as_of: int | None = None) -> tuple[Visit, ...]:
    """Visit windows of the study, as last recorded."""
    where = (
        "record.sequence = (SELECT max(sequence) FROM record "
        "WHERE template IS NULL AND kind = 'visits' AND sequence <= ?)"
    )
    for body in chain.bodies(connection, where, (2**62 if as_of is None else as_of,)):
        return tuple(Visit(*days) for days in body["visits"])
    return ()


def relevant_head(connection: sqlite3.Connection, template_sha256: str, as_of: int | None = None) -> chain.Head:
    """Last record that can change what the cube of a template shows."""
    last = 2**62 if as_of is None else as_of
    marks = ", ".join("?" * len(_TOUCHING))
    (sequence,) = connection.execute(
        "SELECT max(sequence) FROM (SELECT max(sequence) AS sequence FROM record WHERE template = ? AND sequence <= ? "
        f"UNION ALL SELECT max(sequence) FROM record WHERE template IS NULL AND kind IN ({marks}) AND sequence <= ?)",
        (template_sha256, last, *_TOUCHING, last),
    ).fetchone()
    return chain.head(connection, sequence)


def is_fresh(path: Path, head: chain.Head) -> bool:
    """Tell whether a cube's file shows the ledger up to a record."""
    import xarray as xr

    if not path.is_file():
        return False
    try:
        with xr.open_dataset(path, engine="netcdf4") as cube:
            return (cube.attrs.get("ledger_sequence"), cube.attrs.get("ledger_head")) == (head.sequence, head.hash)
    except (OSError, ValueError):  # a damaged file is replaced like a stale one
        return False


def load(path: Path, group: str | None = None) -> xr.Dataset:
    """Read a cube's file into memory."""
    import xarray as xr

    with xr.open_dataset(path, group=group, engine="netcdf4") as cube:
        return cube.load()


def replace_file(path: Path, cube: xr.Dataset, samples: xr.Dataset) -> bool:
    """Write both forms into one file and put it in place in one rename; False if the folder cannot be written."""
    path.parent.mkdir(exist_ok=True)
    remove_stale_drafts(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}")
    try:
        cube.to_netcdf(draft, engine="netcdf4", encoding=_encoding(cube))
        samples.to_netcdf(draft, mode="a", group="samples", engine="netcdf4", encoding=_encoding(samples))
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except (OSError, RuntimeError):  # RuntimeError: how HDF5 reports a full disk
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def remove_stale_drafts(folder: Path) -> None:
    """Remove what a process that was killed left half written: its number is in the draft's name."""
    for draft in folder.glob(".*.nc.*"):
        process = draft.name.split(".")[-2]
        if not (process.isdigit() and _is_running(int(process))):
            with contextlib.suppress(OSError):  # another process was faster, or the folder cannot be written
                draft.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, object]]:
    return {
        str(name): {"zlib": True, "complevel": 1}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "if" and variable.ndim > 1
    }
