"""Whether a template's parts fit together: references, cycles, order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cytorecon.errors import TemplateError
from cytorecon.gates import Member, Term
from cytorecon.template.definition import leaves
from cytorecon.template.names import fold
from cytorecon.template.placed import PlacedGate

if TYPE_CHECKING:
    from cytorecon.template.model import Cutpoint, GatingTemplate, Population

MAX_POPULATIONS = 1000
MAX_DEPTH = 64


def unknown(where: str, what: str, name: str, known: Iterable[str], remedy: str = "") -> TemplateError:
    """Build the error for a name that refers to nothing, with the nearest that exists."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else remedy
    listed = ", ".join(map(repr, names[:20])) or "none are defined"
    return TemplateError(
        where,
        f"unknown {what} {name!r}",
        expected=f"one of {listed}",
        remedy=hint,
        code=f"unknown-{what.replace(' ', '-')}",
    )


def check_references(template: GatingTemplate) -> None:
    """Refuse a template in which a name refers to nothing, or to two things.

    Raises
    ------
    TemplateError
        Two siblings share a name; a parent, cut point, matrix or population is unknown; a term puts a marker
        against another marker's cut point; an alias belongs to two markers; there are too many populations.
    """
    _check_size(template.populations)
    _check_aliases(template.markers)
    compensations = {"file", "none", *template.matrices}
    if template.compensation not in compensations:
        raise unknown("compensation", "matrix", template.compensation, compensations, "Add its [matrix] table.")
    paths = _unique_paths(template.populations)
    for cutpoint in template.cutpoints.values():
        if cutpoint.on and cutpoint.on not in paths:
            raise unknown(f"cutpoint {cutpoint.name!r}, on", "population", cutpoint.on, paths)
    for population in template.populations:
        if population.parent and population.parent not in paths:
            raise unknown(f"population {population.path!r}, parent", "parent", population.parent, paths)
        _check_definition(population, template, paths, compensations)


def in_order(populations: Sequence[Population], cutpoints: Mapping[str, Cutpoint]) -> tuple[Population, ...]:
    """Order populations so that each follows all it depends on, else as written.

    It depends on its parent, on populations its Boolean names, and on those that place its cut points.

    Raises
    ------
    TemplateError
        They depend on each other in a circle, or the tree is deeper than 64.
    """
    waiting = {population.path: set(_needs(population, cutpoints)) for population in populations}
    depth = {"": 0}
    ordered: list[Population] = []
    left = list(populations)
    while left:
        ready = next((population for population in left if waiting[population.path] <= depth.keys()), None)
        if ready is None:
            raise cycle_error({path: waiting[path] - depth.keys() for path in waiting.keys() - depth.keys()})
        left.remove(ready)
        depth[ready.path] = depth[ready.parent] + 1
        if depth[ready.path] > MAX_DEPTH:
            raise TemplateError(
                f"population {ready.path[:80]!r}", "lies too deep", expected=f"at most {MAX_DEPTH} levels"
            )
        ordered.append(ready)
    return tuple(ordered)


def _needs(population: Population, cutpoints: Mapping[str, Cutpoint]) -> Iterator[str]:
    yield population.parent
    for leaf in leaves(population.definition):
        if isinstance(leaf, Member):
            yield leaf.path
        elif isinstance(leaf, Term):
            yield cutpoints[leaf.cutpoint].on or ""
        elif isinstance(leaf, PlacedGate):
            yield leaf.on or ""


def cycle_error(needs: Mapping[str, set[str]]) -> TemplateError:
    """Name one circle among things that each still need others of them."""
    walk = [min(needs)]
    while walk[-1] not in walk[:-1]:
        walk.append(min(needs[walk[-1]]))
    circle = walk[walk.index(walk[-1]) :]
    return TemplateError(
        f"population {circle[0]!r}",
        "depends on itself: a cycle",
        got=" -> ".join(circle),
        expected="a tree",
        remedy="Change the parent, boolean or cut point of one of them.",
        code="cycle",
    )


def _check_size(populations: Sequence[Population]) -> None:
    if not 0 < len(populations) <= MAX_POPULATIONS:
        raise TemplateError(
            "population",
            "a template of this size is refused",
            got=str(len(populations)),
            expected=f"1 to {MAX_POPULATIONS} populations",
        )


def _check_aliases(markers: Mapping[str, Sequence[str]]) -> None:
    owner: dict[str, str] = {}
    for marker, aliases in markers.items():
        for alias in (marker, *aliases):
            if not fold(alias):
                raise TemplateError(f"marker {marker!r}", "has an empty name", got=repr(alias), expected="a name")
            if owner.setdefault(fold(alias), marker) != marker:
                raise TemplateError(
                    f"marker {marker!r}",
                    f"shares the name {alias!r} with marker {owner[fold(alias)]!r}",
                    expected="each name at one marker",
                    code="shared-alias",
                    remedy='Two cut points on one marker are written [cutpoint.NAME] with marker = "…".',
                )


def _unique_paths(populations: Sequence[Population]) -> set[str]:
    paths: set[str] = set()
    for population in populations:
        if population.path in paths:
            raise TemplateError(
                f"population {population.path!r}",
                "two siblings share this name",
                expected="unique names under one parent",
                remedy="Rename one of them.",
                code="siblings",
            )
        paths.add(population.path)
    return paths


def _check_definition(
    population: Population, template: GatingTemplate, paths: set[str], compensations: set[str]
) -> None:
    where = f"population {population.path!r}"
    for leaf in leaves(population.definition):
        if isinstance(leaf, Term):
            _check_term(leaf, template, where)
        elif isinstance(leaf, Member):
            if leaf.path not in paths:
                raise unknown(f"{where}, boolean", "population", leaf.path, paths)
        else:
            if isinstance(leaf, PlacedGate) and leaf.on and leaf.on not in paths:
                raise unknown(f"{where}, gate, on", "population", leaf.on, paths)
            for dimension in leaf.dimensions:
                if dimension.compensation is not None and dimension.compensation not in compensations:
                    raise unknown(f"{where}, gate", "matrix", dimension.compensation, compensations)


def _check_term(term: Term, template: GatingTemplate, where: str) -> None:
    cutpoint = template.cutpoints.get(term.cutpoint)
    if cutpoint is None:
        raise unknown(
            f"{where}, phenotype term {str(term)!r}",
            "cut point",
            term.cutpoint,
            template.cutpoints,
            f"Add [cutpoint.{term.cutpoint}]; several terms need a blank between them.",
        )
    if cutpoint.marker != term.marker:
        raise TemplateError(
            f"{where}, phenotype term {str(term)!r}",
            f"puts marker {term.marker!r} against a cut point of another",
            expected=f"marker {cutpoint.marker!r}",
            code="wrong-marker",
        )
