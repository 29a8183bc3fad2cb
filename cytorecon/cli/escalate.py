"""``cytorecon escalate``: the 3+3 decision of a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.output import print_json, say, show, table
from cytorecon.cli.prose import any_review, show_end

if TYPE_CHECKING:
    from cytorecon.trial import EscalationDecision


@click.command("escalate")
@click.argument("cohort", type=click.Path(path_type=Path))
@click.option("--protocol", default="nct07256210", show_default=True, help="A shipped protocol, or a .toml file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(ctx: click.Context, cohort: Path, protocol: str, as_json: bool) -> None:
    """Say what a trial's dose escalation does next, from the patients in COHORT (.csv), and why.

    Its columns are level, patient, evaluable, dlt and window_open (yes, no, or empty while it is open).
    Exit code 4 means: the rows cannot have come about by the design, a person has to look.
    """
    from cytorecon.trial import escalate, read_cohort, read_protocol, to_mapping

    result = escalate(read_cohort(cohort), read_protocol(protocol))
    if as_json:
        print_json(to_mapping(result))
    else:
        _show(result)
    if result.decision == "review" or any_review(result.findings):
        ctx.exit(AWAITS_REVIEW)


def _show(result: EscalationDecision) -> None:
    say(result.lines[0])
    click.echo()
    columns = ("level", "evaluable", "DLT", "under observation", "not evaluable")
    rows = [(each.level, each.evaluable, each.dlt, each.pending, each.replaced) for each in result.levels]
    show(table("Patients by level", columns, rows, left=0))
    show_end(result.ambiguities, result.findings, result.note)
