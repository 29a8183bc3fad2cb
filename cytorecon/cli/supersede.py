"""``cytorecon supersede``: withdraw a result of a study, or let an older one stand again."""

from __future__ import annotations

from pathlib import Path

import click

from cytorecon.cli.output import message, print_json


@click.command("supersede")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.argument("sequence", metavar="RECORD", type=int)
@click.option("--reason", required=True, help="Why, without a patient's name: it stays in the ledger.")
@click.option("--undo", is_flag=True, help="Let the result of RECORD stand again, in place of what stands now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(study_path: Path, sequence: int, reason: str, undo: bool, as_json: bool) -> None:
    """Withdraw the result of RECORD (its number in `cytorecon history`): its sample leaves the cubes.

    Nothing is deleted: the change is a record of its own, with who, when and why.
    """
    from cytorecon.study import open_study, reinstate, supersede

    study = open_study(study_path, create=False)
    head = (reinstate if undo else supersede)(study, sequence, reason)
    done = "stands again" if undo else "is withdrawn"
    if as_json:
        print_json({"record": head.sequence, "hash": head.hash, "concerns": sequence, "result": done})
    else:
        message(f"The result of record {sequence} {done}: record {head.sequence}.")
