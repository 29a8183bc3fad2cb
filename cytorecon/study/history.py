"""Who recorded what, when, what changed and why."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cytorecon.study import chain, schema
from cytorecon.study.folder import Study
from cytorecon.study.patient import Patients, read_patients, unsealed

_SUBJECTS = {
    "patient": "new patient",
    "rename": "patient renamed",
    "merge": "patients merged",
    "forget": "patient forgotten",
    "visits": "visit windows set",
    "pool": "cut points placed on a pool of samples",
}


@dataclass(frozen=True)
class HistoryEntry:
    """One record, in words.

    Parameters
    ----------
    sequence, time, user, kind
        Its number, UTC time (ISO 8601), who ran it, and what kind of record it is.
    patient
        Present name; a forgotten patient is a number; empty if it concerns none.
    what
        The sample or patient concerned, and what became of it.
    changes
        What differs from the record it replaces: one line a field or population.
    why
        The reason given.
    supersedes
        Numbers of the records that no longer stand because of it.
    """

    sequence: int
    time: str
    user: str
    kind: str
    patient: str
    what: str
    changes: tuple[str, ...]
    why: str
    supersedes: tuple[int, ...]


def history(study: Study, patient: str | None = None, *, files: bool = True) -> tuple[HistoryEntry, ...]:
    """Read the ledger as a story, oldest first.

    Parameters
    ----------
    study
        The study.
    patient
        Only what concerns this patient (under any name it had).
    files
        Whether to name files and their errors, which may name a patient.

    Raises
    ------
    IntegrityError
        A record is not what was written.
    """
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        patients = read_patients(connection)
        wanted = None if patient is None else patients.standing(patients.tokens.get(patient, patient))
        entries = (
            _entry(connection, body, patients, files)
            for body in chain.bodies(connection)
            if _concerns(body, wanted, patients)
        )
        return tuple(entries)


def _tokens(body: Mapping[str, Any]) -> Iterator[str]:
    if "identity" in body:
        yield json.loads(body["identity"])[0]
    yield from body.get("tokens", ())
    if "token" in body:
        yield body["token"]


def _concerns(body: Mapping[str, Any], wanted: str | None, patients: Patients) -> bool:
    return wanted is None or wanted in {patients.standing(token) for token in _tokens(body)}


def _entry(connection: sqlite3.Connection, body: Mapping[str, Any], patients: Patients, files: bool) -> HistoryEntry:
    token = next(_tokens(body), None)
    return HistoryEntry(
        sequence=body["sequence"],
        time=body["time"],
        user=body["user"],
        kind=body["kind"],
        patient=patients.label(token) if token else "",
        what=_SUBJECTS.get(body["kind"]) or _what(body, patients, files),
        changes=tuple(_changes(connection, body)),
        why=body.get("reason", ""),
        supersedes=tuple(body.get("supersedes", ())),
    )


def _what(body: Mapping[str, Any], patients: Patients, files: bool) -> str:
    if body["kind"] != "gated":
        return f"record {body.get('reinstates') or body['supersedes'][0]} {body['kind']}d"
    row = body["row"]
    personal = unsealed(patients, body["token"], body["sealed"]) if files else {}
    parts = [f"day {row['day']:+d}", row["specimen"], row.get("panel", ""), str(personal.get("file_name", ""))]
    error = str(personal.get("error") or body["error_code"])
    return f"{' '.join(filter(None, parts))}: {body['status']}{f' ({error})' if body['status'] == 'failed' else ''}"


def _changes(connection: sqlite3.Connection, body: Mapping[str, Any]) -> Iterator[str]:
    if body["kind"] != "gated" or not body.get("supersedes"):
        return
    old = next(chain.bodies(connection, "record.sequence = ?", (body["supersedes"][-1],)))
    before, after = _flat(old), _flat(body)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'none')} → {after.get(name, 'none')}"


def _flat(body: Mapping[str, Any]) -> dict[str, object]:
    """What is worth comparing of a record, by name."""
    counts = {path: f"{cell[0]} of {cell[1]}" for path, cell in body["counts"].items()}
    own = {kind: digest[:12] for kind, digest in body["documents"].items() if kind in ("laip", "tree")}
    return {"status": body["status"], "file": body["sha256"][:12], **own, **body["row"], **counts}
