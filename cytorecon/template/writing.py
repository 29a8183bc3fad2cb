"""A template back into the words of its file: one canonical form, for hashing and for `convert`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from cytorecon.compensation import Spillover
from cytorecon.gates import And, Expression, Member, Not, Or, QuadrantPart, Term, Threshold
from cytorecon.template.geometry import gate_table, part_key, quadrant_table, threshold_table
from cytorecon.template.model import Cutpoint, GatingTemplate, Population
from cytorecon.template.phenotype import Phenotype
from cytorecon.transforms import to_mapping

Table = dict[str, object]

_BARE = re.compile(r"[A-Za-z0-9_\-]+")


def canonical_json(template: GatingTemplate) -> bytes:
    """Content of a template as JSON with sorted keys and every number a float: equal content, equal bytes."""
    plain = _floats(template_document(template))
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_toml(template: GatingTemplate) -> str:
    """Write a template as TOML that `parse_template` reads back to an equal template."""
    document = template_document(template)
    lines = [f"{key} = {_value(value)}" for key, value in document.items() if not isinstance(value, dict | list)]
    for key in ("matrix", "markers", "scales", "cutpoint", "quality"):
        lines += _tables(key, document.get(key))
    for population in _population_tables(template.populations):
        lines += ["", "[[population]]", *(f"{_key(key)} = {_value(value)}" for key, value in population.items())]
    return "\n".join(lines) + "\n"


def template_document(template: GatingTemplate) -> dict[str, object]:
    """Write a template as the nested tables of its TOML file, defaults left out."""
    header: Table = {
        "name": template.name,
        "version": template.version,
        "title": template.title,
        "reference": template.reference,
        "compensation": template.compensation,
    }
    tables: Table = {
        "matrix": {name: _matrix_table(matrix) for name, matrix in template.matrices.items()},
        "markers": {marker: list(aliases) for marker, aliases in template.markers.items()},
        "scales": {name: to_mapping(scale) for name, scale in template.scales.items()},
        "cutpoint": {name: _cutpoint_table(cutpoint) for name, cutpoint in template.cutpoints.items()},
        "quality": {check: dict(limits) for check, limits in template.quality.items()},
    }
    populations = list(_population_tables(template.populations))
    return _without_empty(header | tables) | {"population": populations}


def _population_tables(populations: Sequence[Population]) -> Iterator[Table]:
    """One table a population, parts of one quadrant gate that follow each other in one table together."""
    run: list[Population] = []
    for population in populations:
        if run and not _continues(run, population):
            yield _run_table(run)
            run = []
        run.append(population)
    if run:
        yield _run_table(run)


def _continues(run: Sequence[Population], population: Population) -> bool:
    first, one = run[0], population.definition
    return (
        isinstance(first.definition, QuadrantPart)
        and isinstance(one, QuadrantPart)
        and one.gate == first.definition.gate
        and _place(population) == _place(first)
        and all(isinstance(d := before.definition, QuadrantPart) and d.parts != one.parts for before in run)
    )


def _run_table(run: Sequence[Population]) -> Table:
    first = run[0]
    place = _place(first)
    if not isinstance(first.definition, QuadrantPart):
        return _without_empty(_labels(first) | place | _definition_table(first))
    parts = {
        part_key(population.definition): _without_empty(_labels(population))
        for population in run
        if isinstance(population.definition, QuadrantPart)
    }
    return _without_empty(place) | {"quadrant": quadrant_table(first.definition.gate) | {"parts": parts}}


def _place(population: Population) -> Table:
    return {"parent": population.parent, "optional": population.optional, "transparent": population.transparent}


def _labels(population: Population) -> Table:
    return {
        "name": population.name,
        "role": population.role,
        "cell_ontology": population.cell_ontology,
        "loinc": population.loinc,
        "reference": population.reference,
        "definition": population.description,
    }


def _definition_table(population: Population) -> Table:
    definition = population.definition
    match definition:
        case Phenotype():
            return {"phenotype": str(definition)}
        case And() | Or() | Not() | Member() | Threshold():
            return {"boolean": _expression_table(definition)}
    return {"gate": gate_table(definition)}


def _expression_table(expression: Expression) -> Table:
    match expression:
        case And(terms):
            return {"and": [_expression_table(term) for term in terms]}
        case Or(terms):
            return {"or": [_expression_table(term) for term in terms]}
        case Not(term):
            return {"not": _expression_table(term)}
        case Member(path):
            return {"population": path}
        case Term():
            return {"phenotype": str(expression)}
        case Threshold():
            return {"threshold": threshold_table(expression)}


def _cutpoint_table(cutpoint: Cutpoint) -> Table:
    marker = None if cutpoint.marker == cutpoint.name else cutpoint.marker
    named = {
        "marker": marker,
        "at": cutpoint.at,
        "method": cutpoint.method,
        "on": cutpoint.on,
        "within": cutpoint.within,
    }
    return {key: value for key, value in named.items() if value is not None} | dict(cutpoint.parameters)


def _matrix_table(matrix: Spillover) -> Table:
    table: Table = {"detectors": list(matrix.detectors), "values": matrix.matrix.tolist()}
    if matrix.fluorochromes != matrix.detectors:
        table["fluorochromes"] = list(matrix.fluorochromes)
    return table


def _without_empty(table: Mapping[str, object]) -> Table:
    return {key: value for key, value in table.items() if value not in ("", False, None, {}, ())}


def _floats(value: object) -> object:
    """Numbers as floats, so that 1 and 1.0, and 0.0 and -0.0, are the same content."""
    match value:
        case bool() | str():
            return value
        case int() | float():
            return float(value) + 0.0
        case Mapping():
            return {str(key): _floats(item) for key, item in value.items()}
        case Sequence():
            return [_floats(item) for item in value]
    raise TypeError(type(value))


def _tables(key: str, entries: object) -> Iterator[str]:
    """Write the entries of [markers] and [scales] as lines, the others as tables of their own."""
    if not isinstance(entries, Mapping):
        return
    if key in ("markers", "scales"):
        yield from ["", f"[{key}]", *(f"{_key(name)} = {_value(entry)}" for name, entry in entries.items())]
    else:
        for name, entry in entries.items():
            yield from ["", f"[{key}.{_key(name)}]"]
            yield from (f"{_key(field)} = {_value(value)}" for field, value in entry.items())


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Write a TOML basic string: JSON's escapes, and the one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case int() | float():
            return repr(value)  # also inf and -inf, which TOML spells as Python does
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
        case Sequence():
            return "[" + ", ".join(map(_value, value)) + "]"
    raise TypeError(type(value))
