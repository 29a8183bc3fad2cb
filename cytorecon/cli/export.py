"""``cytorecon export``: the counts of a study as one long table, and the final gates of its samples."""

from __future__ import annotations

import sys
from io import StringIO, TextIOWrapper
from pathlib import Path

import click

from cytorecon.cli.output import message


@click.command("export")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("-t", "--template", "name", required=True, help="Name of the template that counted.")
@click.option("--version", help="Its version, or the beginning of its SHA-256; the newest by default.")
@click.option("--as-of", help="As it was at a record's number, at a time, or at the end of a day (UTC).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; standard output by default.")
@click.option("--gates", "folder", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Write the final gates of every sample there instead, as Gating-ML 2.0.")  # fmt: skip
@click.option("--identifiers", is_flag=True, help="Write patients, files and comments as the sheet has them.")
def command(
    study_path: Path,
    name: str,
    version: str | None,
    as_of: str | None,
    output: Path | None,
    folder: Path | None,
    identifiers: bool,
) -> None:
    """Write the counts of STUDY as CSV, one row a sample and population.

    Patients are pseudonyms, the same in every export of a study, unless --identifiers is given. Files of --gates are
    named by pseudonym, day, specimen and record.
    """
    from cytorecon.export import long_table, write_csv
    from cytorecon.study import open_study, pseudonyms, read_samples, write_gates

    study = open_study(study_path, create=False)
    if folder is not None:
        if output is not None or identifiers:
            raise click.UsageError("--gates goes with neither --output nor --identifiers")
        written = write_gates(study, name, folder, as_of, version=version)
        message(f"{len(written)} files in {folder}. Research use only.")
        return
    samples = read_samples(study, name, as_of, version=version)
    frame = long_table(samples, None if identifiers else pseudonyms(study))
    if output is not None:
        write_csv(frame, output)
    else:
        text = StringIO()
        write_csv(frame, text)
        if isinstance(sys.stdout, TextIOWrapper):  # UTF-8 whatever the terminal speaks
            sys.stdout.reconfigure(encoding="utf-8")
        click.echo(text.getvalue(), nl=False)
    message(f"{samples.sizes['sample']} samples, {samples.sizes['population']} populations. Research use only.")
