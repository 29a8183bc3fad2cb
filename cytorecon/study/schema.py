"""The ledger's tables, and connections to it on which what was acknowledged is on disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cytorecon.errors import IntegrityError, StudyError

APPLICATION_ID = 0x63797472  # "cytr"
BUSY_SECONDS = 60

# Columns other than body and hash are views of the body: there is one source of truth, and the chain covers it.
# `secret` and `seen` lie outside the chain: keys that may be destroyed, and a cache that only saves hashing.
_FIRST = """
CREATE TABLE document (
    sha256 TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE record (
    sequence INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT AS (json_extract(body, '$.kind')) VIRTUAL,
    template TEXT AS (json_extract(body, '$.template')) VIRTUAL,
    identity TEXT AS (json_extract(body, '$.identity')) VIRTUAL,
    content TEXT AS (json_extract(body, '$.content')) VIRTUAL,
    key TEXT AS (json_extract(body, '$.key')) VIRTUAL,
    status TEXT AS (json_extract(body, '$.status')) VIRTUAL,
    supersedes TEXT AS (json_extract(body, '$.supersedes')) VIRTUAL
);
CREATE INDEX record_standing
    ON record (template, sequence, kind, status, identity, content, key, supersedes)
    WHERE template IS NOT NULL;
CREATE UNIQUE INDEX record_success ON record (key) WHERE kind = 'gated' AND status != 'failed';
CREATE INDEX record_kind ON record (kind, sequence) WHERE template IS NULL;
CREATE TABLE secret (token TEXT PRIMARY KEY NOT NULL, key BLOB NOT NULL);
CREATE TABLE seen (
    path TEXT PRIMARY KEY NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE TRIGGER record_is_appended BEFORE INSERT ON record
    WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM record)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER record_is_not_updated BEFORE UPDATE ON record
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER record_is_not_deleted BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER document_is_stored_once BEFORE INSERT ON document
    WHEN EXISTS (SELECT 1 FROM document WHERE sha256 = NEW.sha256)
    BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER document_is_not_updated BEFORE UPDATE ON document
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER document_is_not_deleted BEFORE DELETE ON document
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""

# One script a schema version; a later change appends one and never edits an earlier.
MIGRATIONS = (_FIRST,)
SCHEMA = len(MIGRATIONS)

_FOLDER = "Check that the folder exists, is writable, and that its disk has room."
_REMEDIES = {
    "SQLITE_FULL": ("the disk is full", "Free some space and run again: what was recorded is kept."),
    "SQLITE_READONLY": ("cannot be written", "Check the permissions of the folder and of its files."),
    "SQLITE_CANTOPEN": ("cannot be opened", _FOLDER),
    "SQLITE_IOERR": ("cannot be read or written", f"{_FOLDER} What was recorded is kept."),
    "SQLITE_BUSY": ("is held by another process", "Wait for the other run to end, then run again."),
}


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite reports into what a person can do about it."""
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter: a message that quotes damaged bytes
        name = getattr(error, "sqlite_errorname", "") or ""
        for prefix, (problem, remedy) in _REMEDIES.items():
            if name.startswith(prefix):
                raise StudyError(str(path), problem, got=str(error), remedy=remedy, code=prefix.lower()) from error
        raise IntegrityError(
            str(path), "is damaged or is not a ledger", got=str(error), remedy="Restore it from a backup.",
            code="damaged-ledger",
        ) from error  # fmt: skip


@contextmanager
def connected(path: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the ledger, with the settings under which an acknowledged record survives a power cut.

    Raises
    ------
    StudyError
        It cannot be opened or written, its disk is full, or its schema is newer than this version.
    IntegrityError
        It is damaged, or not a ledger.
    """
    with clear_errors(path):
        connection = _open(path, write)
        try:
            yield connection
        finally:
            connection.close()


def _open(path: Path, write: bool) -> sqlite3.Connection:
    if not write and not path.is_file():
        raise StudyError(str(path), "does not exist", remedy="Run a sheet into the study first.", code="no-ledger")
    uri = path.resolve().as_uri()
    try:
        connection = sqlite3.connect(f"{uri}?mode={'rwc' if write else 'rw'}", timeout=BUSY_SECONDS, uri=True)
        return _prepared(connection, path, write)
    except sqlite3.OperationalError as error:
        if write or error.sqlite_errorname not in _UNWRITABLE:
            raise
        return _opened_unwritable(path, uri)


_UNWRITABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_READONLY_DIRECTORY", "SQLITE_READONLY_CANTINIT")


def _opened_unwritable(path: Path, uri: str) -> sqlite3.Connection:
    """Open a ledger in a folder that cannot be written.

    Without its write-ahead log it would read as of the last checkpoint: refused rather than silently old.
    """
    log = path.with_name(path.name + "-wal")
    immutable = "" if log.exists() and log.stat().st_size else "&immutable=1"
    connection = sqlite3.connect(f"{uri}?mode=ro{immutable}", timeout=BUSY_SECONDS, uri=True)
    return _prepared(connection, path, write=False)


def _prepared(connection: sqlite3.Connection, path: Path, write: bool) -> sqlite3.Connection:
    try:
        connection.isolation_level = None
        for pragma in ("synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON", "recursive_triggers=ON",
                       "secure_delete=ON", "trusted_schema=ON"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        _check_version(connection, path)
        if write:
            _enter_wal(connection)
            _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait for other processes that are switching too."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def version_of(connection: sqlite3.Connection) -> int:
    """Schema version of an open ledger; 0 if it is empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise StudyError(str(path), "is not a ledger of cytorecon", got=f"application {application:#x}")
    if version_of(connection) > SCHEMA:
        raise StudyError(
            str(path), "was written by a newer version of cytorecon", expected=f"schema {SCHEMA} or older",
            got=f"schema {version_of(connection)}", remedy="Update cytorecon.", code="newer-schema",
        )  # fmt: skip


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if version_of(connection) == SCHEMA:
        return
    with transaction(connection):
        # Another process may have migrated it while this one waited.
        for version in range(version_of(connection), SCHEMA):
            for statement in _statements(MIGRATIONS[version]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")


def _statements(script: str) -> Iterator[str]:
    """Split a script: `executescript` would commit the transaction it runs in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the right to write taken at once so that two processes queue instead of clashing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read as of one moment, whatever other processes record meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
