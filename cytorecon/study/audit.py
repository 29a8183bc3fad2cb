"""Whether a ledger is what was written: every record, document, key and cube checked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytorecon.errors import CubeError, CytoreconError, IntegrityError
from cytorecon.study import chain, schema, view
from cytorecon.study.folder import Study
from cytorecon.study.patient import unseal

MAX_PROBLEMS = 100


@dataclass(frozen=True)
class Problem:
    """One thing that is not what was written.

    Parameters
    ----------
    message
        What is wrong.
    sequence
        The record it shows at; None if it is no record's.
    """

    message: str
    sequence: int | None = None


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Parameters
    ----------
    record_count
        Records read.
    head
        End of the chain: kept elsewhere, it proves later that no record was cut off.
    problems
        Everything that is wrong, records first and in their order; at most 100.
    """

    record_count: int
    head: chain.Head
    problems: tuple[Problem, ...]

    @property
    def first_bad(self) -> int | None:
        """Number of the first record that is not what was written; None if there is none."""
        return min((one.sequence for one in self.problems if one.sequence is not None), default=None)


def verify(study: Study, heads: Mapping[int, str] | None = None) -> Verification:
    """Check a study against its own hashes.

    Every edit, deletion, insertion and reordering of records is found, and every change of a document, of a patient's
    key, of the ledger's rules and of a cube. Records cut off at the end are found through cubes, and through heads that
    reports carry.

    Parameters
    ----------
    study
        The study.
    heads
        Sequence number -> hash, as a report or an earlier `Verification` gave them.

    Returns
    -------
    Verification
        Nothing is raised for what it finds.
    """
    records: list[tuple[int, str]] = []
    problems: list[Problem] = []
    try:
        with schema.connected(study.ledger) as connection, schema.snapshot(connection):
            connection.text_factory = bytes
            for problem in _ledger_problems(connection, records):
                problems.append(problem)
                if len(problems) >= MAX_PROBLEMS:
                    break
            problems += _storage_problems(connection)
    except IntegrityError as error:
        problems.append(Problem(str(error), len(records) + 1))
    known = dict(records)
    for sequence, digest in (heads or {}).items():
        problems += _head_problems("a head given", sequence, digest, known)
    if not problems:
        for path in sorted(study.cubes.glob("[!.]*.nc")):
            problems += _cube_problems(study, path, known)
    problems.sort(key=lambda one: (one.sequence is None, one.sequence or 0))
    return Verification(len(records), chain.Head(*records[-1]) if records else chain.Head(0, chain.GENESIS),
                        tuple(problems[:MAX_PROBLEMS]))  # fmt: skip


def _ledger_problems(connection: sqlite3.Connection, records: list[tuple[int, str]]) -> Iterator[Problem]:
    """Walk the chain; what was read goes into `records`."""
    documents = _documents(connection)
    keys = {token.decode(): bytes(key) for token, key in connection.execute("SELECT token, key FROM secret")}
    keyless: dict[str, int] = {}
    previous, expected = chain.GENESIS, 1
    for sequence, body, digest in connection.execute("SELECT sequence, body, hash FROM record ORDER BY sequence"):
        if sequence != expected:
            yield Problem(f"record {expected} is missing", expected)
        text, stored = _text(body), _text(digest)
        plain = _plain(text)
        records.append((sequence, stored))
        if chain.link(previous, text) != stored or plain.get("sequence") != sequence:
            yield Problem(f"record {sequence} is not what was written", sequence)
        else:
            yield from _reference_problems(sequence, plain, documents)
            yield from _seal_problems(sequence, plain, keys, keyless)
        previous, expected = stored, sequence + 1
    for token, sequence in keyless.items():
        yield Problem(
            f"the key of the patient of record {sequence} is gone, and no record says so ({token[:8]})", sequence
        )


def _text(value: object) -> str:
    """Text as stored; what is no text becomes one that no hash fits."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)


def _plain(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _documents(connection: sqlite3.Connection) -> dict[str, bool]:
    """Which documents there are, and whether each is what its name says."""
    rows = connection.execute("SELECT sha256, body FROM document")
    return {_text(name): chain.sha256(_text(body)) == _text(name) for name, body in rows}


def _reference_problems(sequence: int, body: Mapping[str, Any], documents: Mapping[str, bool]) -> Iterator[Problem]:
    for kind, digest in body.get("documents", {}).items():
        if not documents.get(digest, False):
            problem = "was changed" if digest in documents else "is missing"
            yield Problem(f"the {kind} document of record {sequence} {problem}", sequence)


def _seal_problems(
    sequence: int, body: Mapping[str, Any], keys: Mapping[str, bytes], keyless: dict[str, int]
) -> Iterator[Problem]:
    if body["kind"] == "forget":
        for token in body["tokens"]:
            keyless.pop(token, None)
    elif "sealed" in body:
        key = keys.get(body["token"])
        if key is None:
            keyless.setdefault(body["token"], sequence)
            return
        try:
            unseal(key, body["sealed"])
        except IntegrityError:
            yield Problem(f"the key of the patient of record {sequence} was changed", sequence)


def _storage_problems(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Damage below the records: pages, indexes, and the rules that keep the ledger append-only."""
    for (line,) in connection.execute("PRAGMA integrity_check(20)"):
        if _text(line) != "ok":
            yield Problem(f"the ledger's file is damaged: {_text(line)}")
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    found = {_text(name): _text(sql) for name, sql in connection.execute(query)}
    with sqlite3.connect(":memory:") as fresh:
        for script in schema.MIGRATIONS:
            fresh.executescript(script)
        declared = dict(fresh.execute(query))
    fresh.close()
    for name in sorted(declared.keys() | found.keys()):
        if declared.get(name) != found.get(name):
            yield Problem(f"the ledger's {name} is not as this version declares it")


def _head_problems(where: str, sequence: int, digest: str, known: Mapping[int, str]) -> Iterator[Problem]:
    last = max(known, default=0)
    if sequence > last:
        yield Problem(f"{where} knows record {sequence}, but the ledger ends at {last}", last + 1)
    elif sequence and known.get(sequence) != digest:
        yield Problem(f"{where} knows record {sequence} by another hash", sequence)


def _cube_problems(study: Study, path: Path, known: Mapping[int, str]) -> Iterator[Problem]:
    try:
        cube, samples = view.load(path), view.load(path, "samples")
    except (OSError, ValueError, RuntimeError) as error:
        yield Problem(f"{path.name} cannot be read: {error}")
        return
    sequence, digest = int(cube.attrs.get("ledger_sequence", 0)), str(cube.attrs.get("ledger_head", ""))
    missing = list(_head_problems(path.name, sequence, digest, known))
    yield from missing
    if missing:
        return
    try:
        name, version = cube.attrs["template"], cube.attrs["template_sha256"]
        rebuilt = view.read_samples(study, name, sequence, version=version)
        same = rebuilt.identical(samples) and view.read_cube(study, name, sequence, version=version).identical(cube)
    except (CubeError, KeyError) as error:
        yield Problem(f"{path.name} cannot be rebuilt: {error}")
    except CytoreconError as error:
        yield Problem(f"{path.name} has no records in the ledger: {error}")
    else:
        if not same:
            yield Problem(f"{path.name} is not what the ledger's records give; delete it, it will be rebuilt")
