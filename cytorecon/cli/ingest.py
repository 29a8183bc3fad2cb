"""``cytorecon ingest``: counts that someone else made, into a study."""

from __future__ import annotations

from pathlib import Path

import click

from cytorecon.cli.output import print_json
from cytorecon.cli.run import show_summary, summary_mapping


@click.command("ingest")
@click.argument("counts", type=click.Path(path_type=Path))
@click.option("--into", "study_path", type=click.Path(path_type=Path), required=True, help="The study folder.")
@click.option("--name", required=True, help="What their cube is called, as if it were a template's name.")
@click.option("--version", default="1", show_default=True, help="Its version.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(counts: Path, study_path: Path, name: str, version: str, as_json: bool) -> None:
    """Record the table COUNTS: one row a sample and population, events inside and events of the parent.

    Columns patient, day, specimen, population and event_count are required. Percentages are not taken.
    """
    from cytorecon.study import ingest, open_study

    summary = ingest(open_study(study_path), counts, name, version)
    if as_json:
        print_json(summary_mapping(summary))
    else:
        show_summary(summary, f"{counts.name} as {name} {version}", noun="samples", verb="recorded")
