"""A patient's leukaemia-associated immunophenotypes (LAIP), in place of the examples of an MRD template.

A LAIP file (TOML) says which aberrant phenotypes the patient's diagnostic sample had::

    patient = "P07"
    template = "mrd_aml"
    coverage = 0.85                         # share of the diagnostic blasts that the phenotypes cover together

    [diagnosis]
    file = "P07_diagnosis.fcs"
    date = 2025-06-02
    blast_percent = 62.0

    [controls]                              # regenerating marrows without leukaemia, gated the same way
    lob = 0.00001                           # fractions of nucleated cells
    lod = 0.00004
    samples = "12 marrows, days 28 to 90"

    [[laip]]
    slot = "LAIP_1"
    phenotype = "CD33+ CD7+"

The template's tree, mimics and denominators stay; its slots are the populations that its population of role ``mrd``
unites. The patient's phenotypes are no part of the template's hash, so patients of one template share a cube.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cytorecon.errors import Finding, TemplateError
from cytorecon.gates import Member, Or
from cytorecon.template.model import GatingTemplate, Population
from cytorecon.template.phenotype import parse_phenotype
from cytorecon.template.tables import Table, located, parse_table

_MAX_BYTES = 2**20

Share = Annotated[float, Field(gt=0, le=1)]
Fraction01 = Annotated[float, Field(ge=0, lt=1)]


class Diagnosis(Table):
    """The diagnostic sample that the phenotypes come from.

    Parameters
    ----------
    file
        The file or the laboratory's name of the sample.
    sha256
        Of the file's bytes; may be empty.
    date
        When it was drawn; None if not known.
    blast_percent
        Blasts in percent of nucleated cells; None if not known.
    """

    file: Annotated[str, Field(min_length=1)]
    sha256: str = ""
    date: datetime.date | None = None
    blast_percent: Annotated[float, Field(gt=0, le=100)] | None = None


class Controls(Table):
    """Background of the phenotypes' union in controls, fractions of nucleated cells.

    Parameters
    ----------
    lob, lod, loq
        Limits of blank, detection and quantification; the last two None if not known.
    samples
        What the controls were.
    """

    lob: Fraction01
    lod: Fraction01 | None = None
    loq: Fraction01 | None = None
    samples: Annotated[str, Field(min_length=1)]


class Slot(Table):
    """One aberrant phenotype and the template's slot that it takes."""

    slot: Annotated[str, Field(min_length=1)]
    phenotype: Annotated[str, Field(min_length=1)]
    comment: str = ""


class LaipFile(Table):
    """A patient's phenotypes over a shipped MRD template.

    Parameters
    ----------
    patient, template
        Whose they are, and the name of the template they are for.
    diagnosis
        The sample they come from; None: "no diagnostic sample", different-from-normal only.
    laip
        The phenotypes, at least one.
    coverage
        Share of the diagnostic blasts that they cover together, fraction of 1; None if not known.
    controls
        Their background; None: specificity not established.
    """

    patient: Annotated[str, Field(min_length=1)]
    template: Annotated[str, Field(min_length=1)]
    diagnosis: Diagnosis | None = None
    laip: Annotated[tuple[Slot, ...], Field(min_length=1, strict=False)]
    coverage: Share | None = None
    controls: Controls | None = None
    comment: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the canonical content, by which a result says whose phenotypes it used."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def canonical(self) -> str:
        """The content as JSON with sorted keys: equal content, equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def read_laip(path: str | Path) -> LaipFile:
    """Read a patient's LAIP file.

    Raises
    ------
    TemplateError
        It cannot be read, is not TOML, or a field is missing, unknown or wrong; the message names it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise TemplateError(path.name, "is too large for a LAIP file", expected=f"at most {_MAX_BYTES} bytes")
        data: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TemplateError(path.name, "cannot be read", expected="TOML in UTF-8", got=str(error)) from error
    return parse_table(LaipFile, data, path.name)


def parse_laip(text: str) -> LaipFile:
    """Read back what `LaipFile.canonical` wrote.

    Raises
    ------
    TemplateError
        A field is missing, unknown or wrong.
    """
    data = json.loads(text)
    diagnosis = data.get("diagnosis") or {}
    if diagnosis.get("date"):
        diagnosis["date"] = datetime.date.fromisoformat(diagnosis["date"])
    return parse_table(LaipFile, data, "LAIP document")


def with_laip(template: GatingTemplate, laip: LaipFile) -> GatingTemplate:
    """The template with the patient's phenotypes in its slots; slots that the patient does not use are left out.

    Raises
    ------
    TemplateError
        The file is for another template, names a slot twice or one that there is not, or a phenotype uses a marker
        without a cut point.
    """
    if laip.template != template.name:
        raise TemplateError("LAIP file", "is for another template", expected=template.name, got=laip.template)
    mrd = _union(template)
    slots = {template.by_path[path].name: path for path in _slots(mrd)}
    wanted = {slot.slot: slot for slot in laip.laip}
    if len(wanted) < len(laip.laip):
        raise TemplateError("LAIP file", "names a slot twice", got=", ".join(slot.slot for slot in laip.laip))
    unknown = [name for name in wanted if name not in slots]
    if unknown:
        raise TemplateError(
            "LAIP file",
            f"names no slot of {template.name}",
            expected=" or ".join(slots),
            got=", ".join(unknown),
            remedy="More phenotypes than slots need a template with more slots.",
        )
    populations = []
    for population in template.populations:
        if population.path == mrd.path:
            used = tuple(Member(path) for name, path in slots.items() if name in wanted)
            populations.append(replace(population, definition=Or(used)))
        elif population.path not in slots.values():
            populations.append(population)
        elif population.name in wanted:
            populations.append(_filled(population, wanted[population.name]))
    with located("LAIP file"):
        return replace(template, populations=tuple(populations))


def _union(template: GatingTemplate) -> Population:
    found = [population for population in template.populations if population.role == "mrd"]
    if len(found) != 1 or not isinstance(found[0].definition, Or):
        raise TemplateError(
            template.name,
            "has no slots for a patient's phenotypes",
            expected='one population of role "mrd" that is the "or" of its slots',
        )
    return found[0]


def _slots(union: Population) -> tuple[str, ...]:
    assert isinstance(union.definition, Or)  # by `_union`
    return tuple(term.path for term in union.definition.terms if isinstance(term, Member))


def _filled(population: Population, slot: Slot) -> Population:
    with located(f"LAIP file, slot {slot.slot}"):
        definition = parse_phenotype(slot.phenotype)
    return replace(population, definition=definition, description=slot.comment)


def laip_finding(laip: LaipFile) -> Finding:
    """Say by which phenotypes a sample was counted, and by the hash of which file."""
    phenotypes = "; ".join(f"{slot.slot} {slot.phenotype}" for slot in laip.laip)
    origin = "from a diagnostic sample" if laip.diagnosis else "without a diagnostic sample"
    return Finding("laip", f"{phenotypes} ({origin}, LAIP file {laip.sha256})", "info", "mrd")
