"""Appending to the ledger: records chained by their hashes, documents stored once."""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cytorecon.errors import IntegrityError

GENESIS = "0" * 64


@dataclass(frozen=True)
class Head:
    """The end of a chain: with it a ledger that lost its tail is recognised.

    Parameters
    ----------
    sequence
        Number of the last record; 0 if there is none.
    hash
        Its hash.
    """

    sequence: int
    hash: str


def canonical(value: Any) -> str:
    """Write plain values as JSON in one way only: sorted keys, no blanks; a number that is not finite is null."""
    text = json.dumps(_finite(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # Half a surrogate pair, as bytes of a file name may leave behind, becomes an escape that JSON reads back.
    return text.encode("utf-8", "backslashreplace").decode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def sha256(text: str) -> str:
    """SHA-256 (hex) of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def link(previous: str, body: str) -> str:
    """Hash of a record: of the hash before it and its own bytes as stored."""
    return sha256(previous + body)


def head(connection: sqlite3.Connection, as_of: int | None = None) -> Head:
    """Last record, or the last up to a sequence number."""
    row = connection.execute(
        "SELECT sequence, hash FROM record WHERE sequence <= ? ORDER BY sequence DESC LIMIT 1",
        (2**62 if as_of is None else as_of,),
    ).fetchone()
    return Head(*row) if row else Head(0, GENESIS)


def append(connection: sqlite3.Connection, body: Mapping[str, Any]) -> Head:
    """Append one record inside a transaction; number, user and UTC time are added here.

    Time never runs backwards along the chain, also if the clock does, so that a date always means one place.
    """
    last = connection.execute("SELECT sequence, hash, body FROM record ORDER BY sequence DESC LIMIT 1").fetchone()
    sequence, previous, before = (last[0] + 1, last[1], json.loads(last[2])["time"]) if last else (1, GENESIS, "")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    text = canonical({**body, "sequence": sequence, "time": max(now, before), "user": _user()})
    digest = link(previous, text)
    connection.execute("INSERT INTO record (sequence, body, hash) VALUES (?, ?, ?)", (sequence, text, digest))
    return Head(sequence, digest)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def store(connection: sqlite3.Connection, kind: str, text: str) -> str:
    """Store a document unless it is there, and return its SHA-256."""
    digest = sha256(text)
    connection.execute("INSERT INTO document (sha256, kind, body) VALUES (?, ?, ?)", (digest, kind, text))
    return digest


def document(connection: sqlite3.Connection, digest: str) -> str:
    """Text of a document.

    Raises
    ------
    IntegrityError
        It is not there, or its content is not what its name says.
    """
    row = connection.execute("SELECT body FROM document WHERE sha256 = ?", (digest,)).fetchone()
    if row is None or sha256(row[0]) != digest:
        problem = "is missing" if row is None else "was changed"
        raise IntegrityError(f"document {digest[:12]}", problem, remedy="Restore the ledger from a backup.")
    return str(row[0])


def bodies(
    connection: sqlite3.Connection, where: str = "1", parameters: tuple[Any, ...] = ()
) -> Iterator[dict[str, Any]]:
    """Read records in their order, each checked against its own hash.

    Raises
    ------
    IntegrityError
        A record is not what was written; it is named.
    """
    rows = connection.execute(
        "SELECT record.sequence, record.body, record.hash, before.hash FROM record "
        "LEFT JOIN record AS before ON before.sequence = record.sequence - 1 "
        f"WHERE {where} ORDER BY record.sequence",
        parameters,
    )
    for sequence, body, digest, previous in rows:
        if link(previous or GENESIS, body) != digest:
            raise IntegrityError(
                f"record {sequence}", "is not what was written", remedy="Run verify; restore the ledger.",
                code="changed-record",
            )  # fmt: skip
        yield json.loads(body)
