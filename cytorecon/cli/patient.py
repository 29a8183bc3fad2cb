"""``cytorecon patient``: rename, merge or forget a patient of a study, each by a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli.output import message, print_json

if TYPE_CHECKING:
    from cytorecon.study import Study
    from cytorecon.study.chain import Head

_study = click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
_reason = click.option("--reason", required=True, help="Why, without a patient's name: it stays in the ledger.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.group("patient")
def command() -> None:
    """Rename, merge or forget a patient of a study; a patient is a name of the sheet or a pseudonym (P-1a2b3c4d).

    Names that are typed here stay in the history of the shell; pseudonyms do not tell.
    """


@command.command("rename")
@_study
@click.argument("old")
@click.argument("new")
@_reason
@_json
def rename(study_path: Path, old: str, new: str, reason: str, as_json: bool) -> None:
    """Give the patient OLD the name NEW; sheets may go on using either."""
    from cytorecon.study import open_study, rename_patient

    study = open_study(study_path, create=False)
    _tell(rename_patient(study, named(study, old), new, reason), "renamed", as_json)


@command.command("merge")
@_study
@click.argument("patient")
@click.argument("into")
@_reason
@_json
def merge(study_path: Path, patient: str, into: str, reason: str, as_json: bool) -> None:
    """Let all samples of PATIENT be those of INTO, because the two are one person."""
    from cytorecon.study import merge_patients, open_study

    study = open_study(study_path, create=False)
    _tell(merge_patients(study, named(study, patient), named(study, into), reason), "merged", as_json)


@command.command("forget")
@_study
@click.argument("patient")
@_reason
@click.option("--yes", is_flag=True, help="Do not ask.")
@_json
def forget(study_path: Path, patient: str, reason: str, yes: bool, as_json: bool) -> None:
    """Destroy the key of PATIENT's name, file names and comments. Counts stay; nobody can say whose they are.

    It cannot be undone. Sheets, FCS files and older copies of the study are not reached.
    """
    from cytorecon.study import forget_patient, open_study

    study = open_study(study_path, create=False)
    name = named(study, patient)
    if not yes:
        click.confirm("The name cannot be brought back. Forget this patient?", abort=True, err=True)
    _tell(forget_patient(study, name, reason), "forgotten", as_json)


def named(study: Study, text: str) -> str:
    """A patient's name, from it or from the pseudonym."""
    from cytorecon.study import pseudonyms

    return {pseudonym: name for name, pseudonym in pseudonyms(study).items()}.get(text, text)


def _tell(head: Head, what: str, as_json: bool) -> None:
    told: dict[str, Any] = {"record": head.sequence, "hash": head.hash, "result": what}
    if as_json:
        print_json(told)
    else:
        message(f"The patient is {what}: record {head.sequence}.")
