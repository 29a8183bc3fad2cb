"""Which records stand: those that no later record superseded."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from cytorecon.study.patient import Patients


@dataclass(frozen=True)
class Entry:
    """What the ledger's index knows of one gated sample.

    Parameters
    ----------
    sequence
        Number of its record.
    identity, content, key, status
        As the record has them.
    """

    sequence: int
    identity: str
    content: str
    key: str
    status: str


@dataclass
class Standing:
    """The standing samples of one template content, as far as the ledger was read.

    Parameters
    ----------
    template
        SHA-256 of the template.
    patients
        Who is who: a sample of a patient who was merged into another is the other's.
    sequence
        Last record that was looked at.
    entries
        Standing samples by their record's number.
    successes
        Every successful key ever recorded -> its entry, standing or not.
    succeeded
        Identities of these, each with its entries in the order in which they came to stand.
    withdrawn
        Key of a result that a person withdrew -> the record that says so.
    """

    template: str
    patients: Patients
    sequence: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    successes: dict[str, Entry] = field(default_factory=dict)
    succeeded: dict[str, list[Entry]] = field(default_factory=dict)
    withdrawn: dict[str, int] = field(default_factory=dict)
    by_identity: dict[str, int] = field(default_factory=dict)
    by_content: dict[str, set[int]] = field(default_factory=dict)

    def read_on(self, connection: sqlite3.Connection, as_of: int | None = None) -> Standing:
        """Take in what was recorded since."""
        rows = connection.execute(
            "SELECT sequence, kind, status, identity, content, key, supersedes FROM record "
            "WHERE template = ? AND sequence > ? AND sequence <= ? ORDER BY sequence",
            (self.template, self.sequence, 2**62 if as_of is None else as_of),
        )
        for sequence, kind, status, identity, content, key, supersedes in rows:
            for old in json.loads(supersedes or "[]"):
                self._remove(old)
            if kind == "gated":
                self._add(Entry(sequence, self.patients.standing_identity(identity), content, key, status))
            elif kind == "reinstate":
                self._add(self.successes[key])
                self.withdrawn.pop(key, None)
            elif kind == "supersede":
                self.withdrawn[key] = sequence
            self.sequence = sequence
        return self

    def _add(self, entry: Entry) -> None:
        self.entries[entry.sequence] = entry
        self.by_identity[entry.identity] = entry.sequence
        self.by_content.setdefault(entry.content, set()).add(entry.sequence)
        if entry.status != "failed":
            self.successes[entry.key] = entry
            self.succeeded.setdefault(entry.identity, []).append(entry)

    def _remove(self, sequence: int) -> None:
        entry = self.entries.pop(sequence, None)
        if entry is not None:
            self.by_content[entry.content].discard(sequence)
            if self.by_identity.get(entry.identity) == sequence:
                del self.by_identity[entry.identity]

    def of(self, identity: str) -> Entry | None:
        """Standing record of a sample."""
        sequence = self.by_identity.get(identity)
        return None if sequence is None else self.entries[sequence]

    def twins(self, content: str, identity: str) -> list[Entry]:
        """Standing records of the same bytes under another identity."""
        found = (self.entries[sequence] for sequence in sorted(self.by_content.get(content, ())))
        return [entry for entry in found if entry.identity != identity]
