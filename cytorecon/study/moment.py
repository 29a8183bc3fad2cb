"""A moment in a ledger: a sequence number, a time, or the end of a day."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, time, timedelta

from cytorecon.errors import StudyError

Moment = int | str | date | datetime | None


def sequence_at(connection: sqlite3.Connection, as_of: Moment) -> int | None:
    """Last sequence number recorded at a moment; None for now.

    Parameters
    ----------
    connection
        The ledger.
    as_of
        A sequence number; a time, or its text in ISO 8601 (UTC unless it says otherwise); a date, meaning the end of
        that day in UTC.

    Raises
    ------
    StudyError
        It is no moment: a sequence number is whole and counts from 1.
    """
    if as_of is None:
        return None
    if isinstance(as_of, str):
        as_of = int(as_of) if as_of.isdigit() and len(as_of) < 8 else _parsed(as_of)
    if isinstance(as_of, int) and not isinstance(as_of, bool) and as_of >= 1:
        return as_of
    if not isinstance(as_of, date):  # a datetime is a date, too
        raise _no_moment(as_of)
    if not isinstance(as_of, datetime):
        as_of = datetime.combine(as_of + timedelta(days=1), time.min, UTC) - timedelta(microseconds=1)
    moment = (as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)).astimezone(UTC)
    (sequence,) = connection.execute(
        "SELECT coalesce(max(sequence), 0) FROM record WHERE json_extract(body, '$.time') <= ?",
        (moment.isoformat(timespec="microseconds"),),
    ).fetchone()
    return int(sequence)


def _parsed(text: str) -> date | datetime:
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        raise _no_moment(text) from None


def _no_moment(given: object) -> StudyError:
    return StudyError(
        f"as of {str(given)[:40]!r}", "is no moment", code="bad-moment",
        expected="a sequence number, a date (2026-01-31) or a time (2026-01-31T12:00)",
    )  # fmt: skip
