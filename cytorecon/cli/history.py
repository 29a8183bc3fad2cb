"""``cytorecon history``: who recorded what, when and why."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cytorecon.cli.output import message, print_json, show, table
from cytorecon.errors import IntegrityError


@click.command("history")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--patient", help="Only what concerns this patient.")
@click.option("--identifiers", is_flag=True, help="Name patients and files; else pseudonyms, and no files.")
@click.option("--verify", "check", is_flag=True, help="Check every record and cube against its hash first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(study_path: Path, patient: str | None, identifiers: bool, check: bool, as_json: bool) -> None:
    """Tell what was recorded in STUDY, oldest first. Exit code 5 means: it is not what was written."""
    from cytorecon.study import history, open_study, pseudonyms, verify

    study = open_study(study_path, create=False)
    if check:
        verified = verify(study)
        if verified.problems:
            first = verified.problems[0]
            raise IntegrityError(
                f"{study_path.name}, record {first.sequence}" if first.sequence is not None else study_path.name,
                first.message,
                got=f"{len(verified.problems)} problems in {verified.record_count} records",
                remedy="Restore the folder from a backup; do not go on recording into it.",
            )
        message(f"{verified.record_count} records and all cubes are what was written.")
    names = {} if identifiers else pseudonyms(study)
    entries = [asdict(entry) for entry in history(study, patient, files=identifiers)]
    for entry in entries:
        entry["patient"] = names.get(entry["patient"], entry["patient"])
    if as_json:
        print_json({"study": study_path.name, "entries": entries})
        return
    rows = [
        (
            entry["sequence"],
            entry["time"][:16].replace("T", " "),
            entry["user"],
            entry["patient"],
            entry["what"],
            "\n".join([*entry["changes"], *([f"because {entry['why']}"] if entry["why"] else [])]),
        )
        for entry in entries
    ]
    show(table(study_path.name, ("", "UTC", "who", "patient", "what", "changes"), rows, left=6))
