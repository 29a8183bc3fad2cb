"""How far counts move when cut points and gates move by what their places are uncertain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cytorecon.gates import Dimension, Member, Term
from cytorecon.gating.given import Found
from cytorecon.gating.tree import Rows, Tree, Variants
from cytorecon.template import Population, leaves

# A spread is a standard deviation; an interval of 95 % reaches so many of them to both sides.
_TWO_SIDED = 1.96


def shifts_of(
    populations: Sequence[Population],
    tree: Tree,
    found: Mapping[str, Found],
    variants: Mapping[str, Variants],
    weight: float,
) -> dict[str, tuple[float, float]]:
    """How far each population's count may lie below and above, by path, in events of the file.

    Parameters
    ----------
    populations, tree
        What is measured, and who of the sample is in it.
    found
        Each cut point with its spread.
    variants
        Path -> pairs of gates to both sides of the one that was drawn.
    weight
        Events of the file that one of the sample stands for.
    """
    total = {population.path: np.zeros(2) for population in populations}
    for rows, moved, trees in _moves(populations, tree, found, variants):
        counts = [one.recount(rows, moved) for one in trees]
        for population in moved:
            here = int(np.count_nonzero(tree.inside[population.path][rows]))
            differences = [count[population.path] - here for count in counts]
            total[population.path] += np.array([min(0, *differences), max(0, *differences)], np.float64) ** 2
    ends = {path: np.sqrt(squares) * weight for path, squares in total.items()}
    return {path: (float(below), float(above)) for path, (below, above) in ends.items()}


def _moves(
    populations: Sequence[Population], tree: Tree, found: Mapping[str, Found], variants: Mapping[str, Variants]
) -> Iterator[tuple[Rows, Sequence[Population], Sequence[Tree]]]:
    """Events and populations that a move concerns, and the tree moved to both sides."""
    for name, one in found.items():
        moved = dependents(populations, {name}) if one.spread else []
        if moved and one.spread:
            ends = [one.position + side * _TWO_SIDED * one.spread for side in (-1, 1)]
            column = tree.known(_axis(name, moved[0]))
            rows = np.flatnonzero((column >= ends[0]) & (column < ends[1]))
            yield rows, moved, [replace(tree, places={**tree.places, name: end}) for end in ends]
    by_path = {population.path: population for population in populations}
    for path, pairs in variants.items():
        parent = tree.rows(by_path[path].parent)
        for pair in pairs:
            table = tree.table(pair[0].dimensions, parent)
            here = tree.inside[path][parent]
            rows = parent[(pair[0].contains(table) != here) | (pair[1].contains(table) != here)]
            trees = [replace(tree, gates={**tree.gates, path: gate}) for gate in pair]
            yield rows, dependents(populations, {path}), trees


def _axis(cutpoint: str, population: Population) -> Dimension:
    """The axis of a cut point, from a population that uses it."""
    markers = [
        leaf.marker for leaf in leaves(population.definition) if isinstance(leaf, Term) and leaf.cutpoint == cutpoint
    ]
    return Dimension(markers[0])


def dependents(populations: Sequence[Population], sources: set[str]) -> list[Population]:
    """Populations that are, use, lie in or refer to one of some populations (by path) and cut points (by name)."""
    touched = set(sources)
    found = []
    for population in populations:
        names = {population.path, population.parent}
        for leaf in leaves(population.definition):
            if isinstance(leaf, Term):
                names.add(leaf.cutpoint)
            elif isinstance(leaf, Member):
                names.add(leaf.path)
        if names & touched:
            touched.add(population.path)
            found.append(population)
    return found
