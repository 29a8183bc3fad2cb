"""``cytorecon donor``: KIR-ligand mismatch of possible donors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.output import print_json, say, show, table
from cytorecon.cli.prose import any_review, show_end

if TYPE_CHECKING:
    from cytorecon.donor import KirMismatch
    from cytorecon.donor.mismatch import Ligands

MODEL = (
    "Model: ligand-ligand incompatibility; the donor's KIR are assumed. A tie-break between donors who are equal by"
    " the standard criteria (CMV, sex, blood group), nothing more."
)


@click.command("donor")
@click.argument("donors", type=click.Path(path_type=Path))
@click.option(
    "--ligands", type=click.Path(path_type=Path), help="The site's own ligand groups (.csv): allele and group."
)
@click.option("--protocol", default="nct07256210", show_default=True, help="A shipped protocol, or a .toml file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(ctx: click.Context, donors: Path, ligands: Path | None, protocol: str, as_json: bool) -> None:
    """Compare the KIR ligands of every donor in DONORS (.toml) with the recipient's.

    A missing or unresolved allele is never an absent ligand. Exit code 4 means: done, but a typing leaves an answer
    open or doubtful.
    """
    from cytorecon.donor import kir_mismatch, read_donors, read_ligand_table
    from cytorecon.trial import read_protocol, to_mapping

    file, rules = read_donors(donors), read_protocol(protocol)
    own = read_ligand_table(ligands) if ligands else None
    results = [kir_mismatch(donor, file.recipient, rules, file.options, own) for donor in file.donor]
    if as_json:
        print_json({"recipient": file.recipient.name, "donors": [to_mapping(result) for result in results]})
    else:
        _show(file.recipient.name, results)
    if any(result.answer == "unresolved" or any_review(result.findings) for result in results):
        ctx.exit(AWAITS_REVIEW)


def _show(recipient: str, results: list[KirMismatch]) -> None:
    columns = ("donor", "type", "KIR-ligand mismatch", "graft versus host", "host versus graft")
    rows = [
        (
            result.donor,
            result.donor_type.replace("_", " "),
            result.answer.replace("_", " "),
            _groups(result.gvh, result.gvh_possible),
            _groups(result.hvg, result.hvg_possible),
        )
        for result in results
    ]
    show(table(f"Donors for {recipient}" if recipient else "Donors", columns, rows, left=5))
    people = {f"recipient {recipient}".strip(): results[0].recipient_ligands} if results else {}
    people |= {f"donor {result.donor}".strip(): result.donor_ligands for result in results}
    typed = [row for whose, person in people.items() for row in _alleles(whose, person)]
    show(table("Ligands", ("whose", "allele", "group", "basis"), typed, left=4))
    say(MODEL)
    click.echo()
    findings = dict.fromkeys(finding for result in results for finding in result.findings)
    show_end(results[0].ambiguities if results else (), findings, results[0].note if results else "")


def _groups(certain: frozenset[str], possible: frozenset[str]) -> str:
    shown = ", ".join(sorted(certain)) or ("–" if possible else "none")
    return f"{shown} (possible: {', '.join(sorted(possible))})" if possible else shown


def _alleles(whose: str, person: Ligands) -> list[tuple[str, str, str, str]]:
    """One row an allele; the person is named once."""
    return [
        (whose if index == 0 else "", ligand.allele, ligand.group, ligand.basis)
        for index, ligand in enumerate(person.alleles)
    ]
