"""The ledger's settings and rules: on disk before it is acknowledged, appended to and never edited."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from made import gated, record_all, sample

from cytorecon.errors import IntegrityError, StudyError
from cytorecon.study import Study, open_study, read_cube, verify
from cytorecon.study.chain import append, canonical
from cytorecon.study.schema import SCHEMA, connected, transaction


@pytest.mark.parametrize("write", [True, False])
def test_connected__settings_that_survive_a_power_cut_are_in_force(study: Study, write: bool) -> None:
    """A kill cannot show what a power cut does, so every connection's settings are looked at."""
    with connected(study.ledger, write=write) as connection:
        value = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "recursive_triggers",
                         "secure_delete")
        }  # fmt: skip
    full = 2
    assert ("wal", full, 1, 1, 1, 1) == tuple(value.values())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET hash = ''",
        "DELETE FROM record",
        "UPDATE document SET body = ''",
        "DELETE FROM document",
        "INSERT OR REPLACE INTO record (sequence, body, hash) VALUES (1, '{}', '')",
        "INSERT INTO record (sequence, body, hash) VALUES (99, '{}', '')",
    ],
)
def test_ledger__is_append_only_by_its_own_rules(study: Study, statement: str) -> None:
    """Whoever opens the ledger with SQLite meets the same rules."""
    record_all(study, [gated(sample())])
    connection = sqlite3.connect(study.ledger)
    with closing(connection), pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


def test_ledger__documents_are_stored_once(study: Study) -> None:
    """The same document again, or another under its name, changes nothing."""
    record_all(study, [gated(sample())])
    with closing(sqlite3.connect(study.ledger)) as connection:
        before = connection.execute("SELECT * FROM document ORDER BY sha256").fetchall()
        connection.execute("INSERT OR REPLACE INTO document SELECT sha256, kind, 'other' FROM document")
        assert before == connection.execute("SELECT * FROM document ORDER BY sha256").fetchall()


def test_append__time_never_runs_backwards(study: Study) -> None:
    """A clock set back does not make a later record earlier."""
    with connected(study.ledger, write=True) as connection:
        with transaction(connection):
            append(connection, {"kind": "note"})
            body = canonical({"kind": "note", "time": "2999-01-01T00:00:00.000000+00:00", "sequence": 2})
            connection.execute("INSERT INTO record (sequence, body, hash) VALUES (2, ?, '')", (body,))
            append(connection, {"kind": "note"})
        (last,) = connection.execute("SELECT body FROM record WHERE sequence = 3").fetchone()
    assert "2999-01-01T00:00:00.000000+00:00" == json.loads(last)["time"]


def append_all(connection: sqlite3.Connection, bodies: list[dict]) -> None:
    with transaction(connection):
        for body in bodies:
            append(connection, body)


def test_transaction__is_all_or_nothing(study: Study) -> None:
    """An error inside leaves no part behind."""
    with connected(study.ledger, write=True) as connection:
        with pytest.raises(TypeError, match="not JSON"):
            append_all(connection, [{"kind": "note"}, {"kind": object()}])
        assert 0 == connection.execute("SELECT count(*) FROM record").fetchone()[0]


def test_canonical__is_one_text_for_one_value() -> None:
    """Order of keys, tuples and numbers that are not finite do not matter; odd names survive."""
    assert '{"a":[1,null],"b":"µ"}' == canonical({"b": "µ", "a": (1, float("nan"))})
    assert "a\udc80.fcs" == json.loads(canonical("a\udc80.fcs"))


def test_open_study__newer_schema_is_a_clear_error(study: Study) -> None:
    """A ledger of a later version is refused, not misread."""
    with closing(sqlite3.connect(study.ledger)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(StudyError, match=r"newer version of cytorecon; expected schema 1 or older, got schema 2. Upd"):
        open_study(study.path)


def test_open_study__something_else_is_not_a_ledger(tmp_path: Path) -> None:
    """Another program's database and a file that is none are refused."""
    other = tmp_path / "other"
    other.mkdir()
    with closing(sqlite3.connect(other / "ledger.sqlite")) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(StudyError, match="is not a ledger of cytorecon"):
        open_study(other)
    (other / "ledger.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(IntegrityError, match=r"is damaged or is not a ledger.*Restore"):
        open_study(other)


def append_until_full(study: Study, acknowledged: list[int]) -> None:
    """Append to a ledger whose disk has room for ten more pages."""
    with connected(study.ledger, write=True) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 10}")
        while True:
            with transaction(connection):
                head = append(connection, {"kind": "note", "text": "x" * 2000})
            acknowledged.append(head.sequence)


def test_connected__a_full_disk_is_a_clear_error_and_loses_nothing(study: Study) -> None:
    """What was acknowledged before the disk was full is there; the error says what to do."""
    record_all(study, [gated(sample("P1", 1))])
    acknowledged: list[int] = []
    with pytest.raises(StudyError, match=r"the disk is full; got database or disk is full. Free some space"):
        append_until_full(study, acknowledged)
    assert acknowledged
    assert (acknowledged[-1], ()) == (verify(study).head.sequence, verify(study).problems)
    assert 1 == read_cube(study, "small").sizes["patient"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("SQLITE_FULL", "the disk is full"), ("SQLITE_READONLY_DBMOVED", "cannot be written"),
     ("SQLITE_BUSY", "is held by another process"), ("SQLITE_IOERR_WRITE", "cannot be read or written")],
)  # fmt: skip
def test_connected__says_what_to_do(study: Study, name: str, message: str) -> None:
    """SQLite's own words become a problem and a remedy."""
    error = sqlite3.OperationalError("disk")
    error.sqlite_errorname = name
    with pytest.raises(StudyError, match=message), connected(study.ledger):
        raise error
