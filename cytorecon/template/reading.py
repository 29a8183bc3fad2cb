"""Template files: TOML text into a `GatingTemplate`. Never executes anything, never reads another file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cytorecon.compensation import Spillover
from cytorecon.errors import TemplateError
from cytorecon.gates import And, Expression, Gate, Member, Not, Or, Term
from cytorecon.template.definition import Definition
from cytorecon.template.geometry import gate_from, parameter_from, quadrant_parts, scale_from, threshold_from
from cytorecon.template.model import Cutpoint, GatingTemplate, Population
from cytorecon.template.phenotype import Phenotype, parse_phenotype, parse_term
from cytorecon.template.placed import PlacedGate
from cytorecon.template.references import References
from cytorecon.template.soundness import MAX_DEPTH, MAX_POPULATIONS
from cytorecon.template.tables import (
    CutpointTable,
    Document,
    MatrixTable,
    PartTable,
    PopulationTable,
    located,
    parse_table,
)

_KINDS = ("phenotype", "gate", "boolean", "quadrant")
_OF_A_PART = ("name", "role", "cell_ontology", "loinc", "definition")
MAX_BYTES = 8 * 2**20


def read_template(path: str | Path) -> GatingTemplate:
    """Read a TOML template file.

    Parameters
    ----------
    path
        The file, at most 8 MiB.

    Raises
    ------
    TemplateError
        The file cannot be read, is not TOML, or is not a sound template; the message names the population and field.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(
            path.name, "cannot be read", expected="a text file in UTF-8", got=str(error), code="unreadable"
        ) from error
    if len(content) > MAX_BYTES:
        raise TemplateError(path.name, "is too large for a template", expected=f"at most {MAX_BYTES} bytes")
    return parse_template(text, where=path.name)


def parse_template(text: str, where: str = "template") -> GatingTemplate:
    """Read the text of a TOML template.

    Parameters
    ----------
    text
        TOML as README and ``gating/`` show it.
    where
        What messages call the text.

    Raises
    ------
    TemplateError
        It is not TOML, or is not a sound template.
    """
    with located(where):
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise TemplateError(
                "", "is not TOML", got=str(error)[:200], expected="a TOML document", code="not-toml"
            ) from error
        if len(data.get("population", ())) > MAX_POPULATIONS:
            raise TemplateError("population", "are too many", expected=f"at most {MAX_POPULATIONS}")
        return _template(parse_table(Document, data, ""))


def from_canonical(text: str) -> GatingTemplate:
    """Read back what `canonical_json` wrote: a template of the same hash.

    Raises
    ------
    TemplateError
        The text is no such document.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise TemplateError("template", "is no document of a template", got=str(error), code="not-json") from error
    return _template(parse_table(Document, data, "template"))


class _Row(NamedTuple):
    """One population to be: a table, or one named part of a quadrant's table."""

    name: str
    table: PopulationTable
    part: PartTable | None = None
    definition: Gate | None = None


def _template(document: Document) -> GatingTemplate:
    rows = [row for index, table in enumerate(document.population, 1) for row in _rows(table, index)]
    references = References([(row.name, row.table.parent) for row in rows], document.cutpoint)
    return GatingTemplate(
        name=document.name,
        version=document.version,
        title=document.title,
        reference=document.reference,
        compensation=document.compensation,
        matrices={name: _matrix(name, table) for name, table in document.matrix.items()},
        markers={marker: tuple(aliases) for marker, aliases in document.markers.items()},
        scales={name: scale_from(table, f"scales, {name!r}") for name, table in document.scales.items()},
        cutpoints={name: _cutpoint(name, table, references) for name, table in document.cutpoint.items()},
        quality={
            check: {key: parameter_from(value, f"quality, {check!r}, {key}") for key, value in table.items()}
            for check, table in document.quality.items()
        },
        populations=tuple(
            _population(row, parent, references) for row, parent in zip(rows, references.parents, strict=True)
        ),
    )


def _rows(table: PopulationTable, index: int) -> Iterator[_Row]:
    where = f"population {table.name!r}" if table.name else f"population number {index}"
    given = [key for key in _KINDS if getattr(table, key) is not None]
    if len(given) != 1:
        raise TemplateError(
            where,
            "needs exactly one definition",
            expected=" or ".join(_KINDS),
            got=" and ".join(given) or "none",
            remedy="Nest populations instead of combining definitions.",
            code="not-one-definition",
        )
    if table.quadrant is None:
        if table.name is None:
            raise TemplateError(where, "has no name", expected='name = "…"', code="no-name")
        yield _Row(table.name, table)
        return
    misplaced = [key for key in _OF_A_PART if getattr(table, key)]
    if misplaced:
        raise TemplateError(
            where,
            f"is a quadrant with a {misplaced[0]!r} of its own",
            expected="this at its parts only",
            remedy=f'Write parts = {{ "+-" = {{ name = "…", {misplaced[0]} = "…" }} }}.',
            code="quadrant-key",
        )
    for definition, part in quadrant_parts(table.quadrant, where):
        yield _Row(part.name, table, part, definition)


def _population(row: _Row, parent: str, references: References) -> Population:
    table, own = row.table, row.part or row.table
    with located(f"population {row.name!r}"):
        return Population(
            name=row.name,
            parent=parent,
            definition=row.definition or _definition(table, references),
            role=own.role,
            cell_ontology=own.cell_ontology,
            loinc=own.loinc,
            reference=own.reference or table.reference,
            description=own.definition,
            optional=table.optional,
            transparent=table.transparent,
        )


def _definition(table: PopulationTable, references: References) -> Definition:
    if table.phenotype is not None:
        return parse_phenotype(table.phenotype)
    if table.gate is not None:
        gate = gate_from(table.gate)
        if isinstance(gate, PlacedGate) and gate.on:
            return replace(gate, on=references.population(gate.on, "gate, on"))
        return gate
    boolean = expression_from(table.boolean, references)
    return Phenotype((boolean,)) if isinstance(boolean, Term) else boolean


def expression_from(item: object, references: References, depth: int = 0) -> Expression:
    """Read one item of a Boolean: a term, a population, or ``{ and | or | not | population | phenotype = … }``.

    Raises
    ------
    TemplateError
        It is none of these, names nothing or two things, or is nested deeper than 64.
    """
    if depth > MAX_DEPTH:
        raise TemplateError("boolean", "is nested too deep", expected=f"at most {MAX_DEPTH} levels")
    match item:
        case str():
            return references.term_or_member(item)
        case {"and": list(items), **rest} if not rest and items:
            return And(tuple(expression_from(part, references, depth + 1) for part in items))
        case {"or": list(items), **rest} if not rest and items:
            return Or(tuple(expression_from(part, references, depth + 1) for part in items))
        case {"not": part, **rest} if not rest:
            return Not(expression_from(part, references, depth + 1))
        case {"threshold": dict(table), **rest} if not rest:
            return threshold_from(table)
        case {"population": str(name), **rest} if not rest:
            return Member(references.population(name, "boolean"))
        case {"phenotype": str(text), **rest} if not rest:
            return parse_term(text)
    raise TemplateError(
        "boolean",
        "cannot be read",
        got=str(item)[:80],
        code="bad-boolean",
        expected="a term, a population, or one of { and = […] }, { or = […] }, { not = … }, "
        '{ population = "…" }, { phenotype = "…" }',
    )


def _cutpoint(name: str, table: CutpointTable, references: References) -> Cutpoint:
    where = f"cutpoint {name!r}"
    extra = table.model_extra or {}
    if extra and table.method is None:
        raise TemplateError(
            where,
            f"has an unknown key {min(extra)!r}",
            expected="marker, at, method, on, within",
            remedy="Further keys are parameters of a method.",
            code="unknown-key",
        )
    return Cutpoint(
        name=name,
        marker=table.marker or name,
        at=table.at,
        method=table.method,
        on=None if table.on is None else table.on and references.population(table.on, f"{where}, on"),
        within=None if table.within is None else (table.within[0], table.within[1]),
        parameters={key: parameter_from(value, f"{where}, {key}") for key, value in extra.items()},
    )


def _matrix(name: str, table: MatrixTable) -> Spillover:
    with located(f"matrix {name!r}"):
        return Spillover(
            detectors=tuple(table.detectors),
            matrix=np.array(table.values),
            fluorochromes=tuple(table.fluorochromes or table.detectors),
            source="template",
        )
