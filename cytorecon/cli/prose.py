"""What the trial's commands print alike: ambiguities of the record, findings, and the note on use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from cytorecon.cli.output import say, show_findings
from cytorecon.errors import Finding

if TYPE_CHECKING:
    from cytorecon.trial.protocol import Ambiguity


def show_ambiguities(ambiguities: Iterable[Ambiguity]) -> None:
    """Print what the trial's record leaves open where it matters, and how it is treated."""
    entries = list(ambiguities)
    if entries:
        click.echo("What the record leaves open, and how it is treated")
        for entry in entries:
            say(f"{entry.number:<4}{entry.record} → {entry.treatment}", indent=" ", hanging=" " * 5)
        click.echo()


def show_end(ambiguities: Iterable[Ambiguity], findings: Iterable[Finding], note: str) -> None:
    """Print the end of a result: findings, ambiguities, the note on use."""
    show_findings(findings)
    show_ambiguities(ambiguities)
    click.echo(note)


def any_review(findings: Iterable[Finding]) -> bool:
    """Whether a finding asks for a person before the result is used."""
    return any(finding.severity == "review" for finding in findings)
