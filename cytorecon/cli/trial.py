"""``cytorecon trial``: every objective of the trial, from a study and a table of outcomes."""

from __future__ import annotations

from pathlib import Path

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.output import print_json, say
from cytorecon.cli.reconstitution import renamed, shown_names


@click.command("trial")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--outcomes", type=click.Path(path_type=Path), required=True, help="CSV, one row a patient.")
@click.option("--protocol", default="nct07256210", show_default=True, help="A shipped protocol, or a .toml file.")
@click.option("-t", "--template", "blood_name", default="tbnk", show_default=True, help="The blood template.")
@click.option("--identifiers", is_flag=True, help="Show patients as the sheet has them, not as pseudonyms.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    study_path: Path,
    outcomes: Path,
    protocol: str,
    blood_name: str,
    identifiers: bool,
    as_json: bool,
) -> None:
    """Answer every objective of the trial from STUDY and the outcomes of its patients.

    Feasibility, safety and the 3+3 decision, response, reconstitution, survival and incidences. Single arm, small
    numbers: associations, never tests. Exit code 4 means: the 3+3 decision needs a person.
    """
    from cytorecon.study import open_study
    from cytorecon.trial import read_outcomes, read_protocol, study_cubes
    from cytorecon.trial.objectives import trial_mapping, trial_result

    names = {} if identifiers else shown_names(study_path)
    rows = [one.model_copy(update={"patient": names.get(one.patient, one.patient)}) for one in read_outcomes(outcomes)]
    blood, marrow = study_cubes(open_study(study_path, create=False), blood_name)
    blood = None if blood is None else renamed(blood, names)
    marrow = {disease: renamed(cube, names) for disease, cube in marrow.items()}
    result = trial_result(rows, read_protocol(protocol), blood, marrow)
    if as_json:
        print_json(trial_mapping(result))
    else:
        for line in result.lines:
            say(line, hanging="  ") if line else click.echo()
    if result.escalation.decision == "review":
        ctx.exit(AWAITS_REVIEW)
