"""Rows of a sheet that were corrected: which older result a row takes along, and which only looks like one.

The same bytes may be recorded twice for good reasons: a control that is copied from run to run. A correction is
inferred only where the row itself changed: the same file of the same sheet under another identity, which the sheet no
longer has. All else stays, and is told.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container
from typing import TYPE_CHECKING

from cytorecon.errors import Finding
from cytorecon.study import chain
from cytorecon.study.patient import Patients, unsealed
from cytorecon.study.standing import Entry, Standing

if TYPE_CHECKING:
    from cytorecon.sheet import Sample


def lineage(sample: Sample) -> str:
    """Which sheet a row is of, whatever its content at the time; empty for a sample of no sheet."""
    return "" if sample.sheet is None else chain.sha256(str(sample.sheet))


def corrected(
    connection: sqlite3.Connection,
    standing: Standing,
    sample: Sample,
    content: str,
    identity: str,
    present: Container[str],
) -> list[Entry]:
    """Standing results that were of this row before it was corrected.

    Parameters
    ----------
    connection
        To the ledger.
    standing
        What stands of the template.
    sample, content, identity
        The row, the bytes it was counted from, and its identity.
    present
        Identities that the sheet has now: their results are no one else's.
    """
    if not content or sample.sheet is None:
        return []
    row = (sample.file_name, lineage(sample))
    twins = (entry for entry in standing.twins(content, identity) if entry.identity not in present)
    return [entry for entry in twins if _row_of(connection, standing.patients, entry) == row]


def _row_of(connection: sqlite3.Connection, patients: Patients, entry: Entry) -> tuple[object, object]:
    body = next(chain.bodies(connection, "record.sequence = ?", (entry.sequence,)))
    personal = unsealed(patients, body["token"], body["sealed"])
    return personal.get("file_name"), personal.get("sheet")


def correction_finding(sample: Sample, old: list[Entry]) -> Finding:
    """Say that results no longer stand because their row was corrected."""
    numbers = ", ".join(str(entry.sequence) for entry in old)
    message = f"{sample.file_name} has another patient, day, specimen, panel or replicate in this sheet than before"
    return Finding(
        "identity-corrected", f"{message}: record {numbers} no longer stands", "warning", f"row {sample.row}"
    )


def same_bytes(standing: Standing, present: Container[str]) -> list[Finding]:
    """Samples of a run whose bytes also stand for another patient or visit; replicates are the cube's to tell."""
    findings = []
    for content, sequences in standing.by_content.items():
        entries = [standing.entries[sequence] for sequence in sorted(sequences)] if content else []
        counted = [entry for entry in entries if entry.status != "failed"]
        if len({_visit(entry) for entry in counted}) > 1 and any(entry.identity in present for entry in counted):
            numbers = ", ".join(str(entry.sequence) for entry in counted)
            message = (
                f"records {numbers} are of the same bytes but of different patients or visits; if one of them is "
                "mistaken, correct its row or withdraw it (cytorecon supersede)"
            )
            findings.append(Finding("same-bytes", message, "review"))
    return findings


def _visit(entry: Entry) -> str:
    return chain.canonical(json.loads(entry.identity)[:-1])
