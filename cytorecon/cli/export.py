"""``cytorecon export``: the counts of a study as one long table."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cytorecon.cli.output import message


@click.command("export")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("-t", "--template", "name", required=True, help="Name of the template that counted.")
@click.option("--version", help="Its version; the newest by default.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; standard output by default.")
@click.option("--identifiers", is_flag=True, help="Write patients, files and comments as the sheet has them.")
def command(study_path: Path, name: str, version: str | None, output: Path | None, identifiers: bool) -> None:
    """Write the counts of STUDY as CSV, one row a sample and population.

    Patients are pseudonyms, the same in every export of a study, unless --identifiers is given.
    """
    from cytorecon.export import long_table, write_csv
    from cytorecon.study import open_study, pseudonyms, read_samples

    study = open_study(study_path, create=False)
    samples = read_samples(study, name, version=version)
    frame = long_table(samples, None if identifiers else pseudonyms(study))
    write_csv(frame, output or sys.stdout)
    message(f"{samples.sizes['sample']} samples, {samples.sizes['population']} populations. Research use only.")
