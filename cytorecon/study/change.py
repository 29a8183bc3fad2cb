"""Changes that a person makes: each is a record with a reason, and none edits another."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cytorecon.cube import Visit
from cytorecon.cube.grid import windows
from cytorecon.errors import StudyError
from cytorecon.study import chain, schema
from cytorecon.study.folder import Study
from cytorecon.study.patient import Patients, read_patients, seal
from cytorecon.study.standing import Standing


def supersede(study: Study, sequence: int, reason: str) -> chain.Head:
    """Withdraw the result of one record: its sample leaves the cubes, and no later run brings that result back.

    Parameters
    ----------
    study
        The study.
    sequence
        Number of the record, as `history` shows it.
    reason
        Why.

    Raises
    ------
    StudyError
        There is no such result, it does not stand, or no reason is given.
    """
    with _changing(study, reason) as connection:
        entry_template = _result(connection, sequence)
        standing = Standing(entry_template, read_patients(connection)).read_on(connection)
        entry = standing.entries.get(sequence)
        if entry is None:
            raise StudyError(f"record {sequence}", "does not stand any more", code="not-standing")
        body = {
            "kind": "supersede", "template": entry_template, "identity": entry.identity, "key": entry.key,
            "supersedes": [sequence], "reason": reason,
        }  # fmt: skip
        return chain.append(connection, body)


def reinstate(study: Study, sequence: int, reason: str) -> chain.Head:
    """Let the result of an older record stand again, in place of what stands for its sample now.

    Parameters and errors as `supersede`; a result that failed cannot be reinstated.
    """
    with _changing(study, reason) as connection:
        template = _result(connection, sequence)
        standing = Standing(template, read_patients(connection)).read_on(connection)
        entry = next((one for one in standing.successes.values() if one.sequence == sequence), None)
        if entry is None or sequence in standing.entries:
            raise StudyError(f"record {sequence}", "failed, or stands already", code="not-reinstatable")
        present = standing.of(entry.identity)
        body = {
            "kind": "reinstate", "template": template, "identity": entry.identity, "key": entry.key,
            "reinstates": sequence, "supersedes": [present.sequence] if present else [], "reason": reason,
        }  # fmt: skip
        return chain.append(connection, body)


def set_visits(study: Study, visits: Sequence[Visit], reason: str) -> chain.Head:
    """Give the study visit windows: actual days inside get the nominal day, where the sheet says none.

    They hold for every cube of the study from this record on; an empty sequence takes them away again.

    Raises
    ------
    CubeError
        Two windows overlap.
    StudyError
        No reason is given.
    """
    windows(visits)
    with _changing(study, reason) as connection:
        days = [[visit.day, visit.first, visit.last] for visit in visits]
        return chain.append(connection, {"kind": "visits", "visits": days, "reason": reason})


def rename_patient(study: Study, old: str, new: str, reason: str) -> chain.Head:
    """Give a patient another name; sheets may go on using either.

    Raises
    ------
    StudyError
        There is no such patient, or another one has the new name (merge them instead).
    """
    with _changing(study, reason) as connection:
        patients = read_patients(connection)
        token = _token(patients, old)
        if patients.tokens.get(new, token) != token:
            raise StudyError(
                "rename", "another patient has or had that name", remedy="Merge the two patients.", code="name-taken"
            )
        body = {"kind": "rename", "token": token, "sealed": seal(patients.keys[token], new), "reason": reason}
        return chain.append(connection, body)


def merge_patients(study: Study, patient: str, into: str, reason: str) -> chain.Head:
    """Let all samples of one patient be another's, because the two are one person.

    Raises
    ------
    StudyError
        There is no such patient, both are one already, or both have a sample of the same transplant, day, specimen,
        panel and replicate.
    """
    with _changing(study, reason) as connection:
        patients = read_patients(connection)
        token, target = _token(patients, patient), _token(patients, into)
        if token == target:
            raise StudyError("merge", "the two are one patient already", code="merged-already")
        patients.into[token] = target
        for clash in _clashes(connection, patients):
            raise StudyError(
                "merge", f"records {clash[0]} and {clash[1]} would be the same sample", code="merge-clash",
                remedy="Supersede one of them, or correct its row in the sheet and run again.",
            )  # fmt: skip
        return chain.append(connection, {"kind": "merge", "token": token, "into": target, "reason": reason})


def forget_patient(study: Study, patient: str, reason: str) -> chain.Head:
    """Destroy the key of a patient's name, file names and comments: counts stay, nobody can say whose.

    The chain stays valid. Cubes are removed, to be rebuilt without the name. Copies of the ledger made before still
    hold the key, and sheets and FCS files are no part of the study: they are for the user to remove.

    Raises
    ------
    StudyError
        There is no such patient.
    """
    with schema.connected(study.ledger, write=True) as connection:
        _need_reason(reason)
        with schema.transaction(connection):
            patients = read_patients(connection)
            token = _token(patients, patient)
            tokens = sorted(one for one in patients.keys if patients.standing(one) == token)
            head = chain.append(connection, {"kind": "forget", "tokens": tokens, "reason": reason})
            connection.executemany("DELETE FROM secret WHERE token = ?", [(one,) for one in tokens])
            connection.execute("DELETE FROM seen")
        # The log still holds the page with the key until it is emptied.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in study.cubes.glob("*.nc*"):
        path.unlink(missing_ok=True)
    return head


@contextmanager
def _changing(study: Study, reason: str) -> Iterator[sqlite3.Connection]:
    _need_reason(reason)
    with schema.connected(study.ledger, write=True) as connection, schema.transaction(connection):
        yield connection


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise StudyError("reason", "is empty", expected="why this is changed, without a patient's name")


def _token(patients: Patients, name: str) -> str:
    token = patients.tokens.get(name)
    if token is None:
        raise StudyError("patient", "is not in this study", remedy="See `history` for who is.", code="no-patient")
    return patients.standing(token)


def _result(connection: sqlite3.Connection, sequence: int) -> str:
    row = connection.execute("SELECT template, kind FROM record WHERE sequence = ?", (sequence,)).fetchone()
    if row is None or row[1] != "gated":
        raise StudyError(f"record {sequence}", "is no result of a sample", remedy="See `history`.", code="no-result")
    return str(row[0])


def _clashes(connection: sqlite3.Connection, patients: Patients) -> Iterator[tuple[int, int]]:
    templates = connection.execute("SELECT DISTINCT template FROM record WHERE template IS NOT NULL").fetchall()
    for (template,) in templates:
        entries: Mapping[int, Any] = Standing(template, patients).read_on(connection).entries
        yield from _pairs(entries.values())


def _pairs(entries: Iterable[Any]) -> Iterator[tuple[int, int]]:
    first: dict[str, int] = {}
    for entry in entries:
        if (earlier := first.setdefault(entry.identity, entry.sequence)) != entry.sequence:
            yield earlier, entry.sequence
