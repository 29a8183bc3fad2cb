"""``cytorecon reconstitution``: what a study says about immune reconstitution."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytorecon.cli.output import message, print_json, say

if TYPE_CHECKING:
    import xarray as xr


@click.command("reconstitution")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("-t", "--template", "name", default="tbnk", show_default=True, help="The template that counted blood.")
@click.option("--patient", help="Only this patient, sample by sample.")
@click.option("--endpoint", "endpoints", multiple=True, help="A named endpoint, once each; all by default.")
@click.option("--reference", "references", multiple=True, help="shearer2003, schatorje2012, or a .toml file.")
@click.option("--age", "age_years", type=float, help="The patient's age at transplant, years (for --reference).")
@click.option("--identifiers", is_flag=True, help="Show patients as the sheet has them, not as pseudonyms.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(
    study_path: Path,
    name: str,
    patient: str | None,
    endpoints: tuple[str, ...],
    references: tuple[str, ...],
    age_years: float | None,
    identifiers: bool,
    as_json: bool,
) -> None:
    """Print cells per µL over time, endpoints reached or not, and for a cohort quartiles and cumulative incidence."""
    from cytorecon.reconstitution import ENDPOINTS, read_reference, reconstitution_mapping, reconstitution_result
    from cytorecon.study import open_study, read_samples

    if references and (patient is None or age_years is None):
        raise click.UsageError("--reference needs --patient and --age: reference ranges go by age")
    names = {} if identifiers or patient is not None else shown_names(study_path)
    samples = renamed(read_samples(open_study(study_path, create=False), name), names)
    result = reconstitution_result(
        samples,
        patient,
        endpoints=endpoints or tuple(ENDPOINTS),
        references=[read_reference(one) for one in references],
        age_years={patient: age_years} if patient is not None and age_years is not None else None,
    )
    if as_json:
        print_json(reconstitution_mapping(result))
        return
    message(f"{study_path.name}: {samples.attrs['template']} {samples.attrs['template_version']}")
    for line in result.lines:
        say(line, hanging="  ")


def shown_names(study_path: Path) -> Mapping[str, str]:
    """Patient -> pseudonym of a study."""
    from cytorecon.study import open_study, pseudonyms

    return pseudonyms(open_study(study_path, create=False))


def renamed(dataset: xr.Dataset, names: Mapping[str, str]) -> xr.Dataset:
    """Samples or a cube with its patients named as they are shown; a second transplant keeps its words."""
    coordinate = dataset["patient"]
    shown = []
    for patient in map(str, coordinate.values):
        name, separator, transplant = patient.partition(" (transplant ")
        shown.append(names.get(name, name) + separator + transplant)
    return dataset.assign_coords(patient=(coordinate.dims, shown, coordinate.attrs))
