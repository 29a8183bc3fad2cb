"""A template's tree over a sample of events, filled in while its cut points find their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cytorecon.gates import And, AnyDimension, Dimension, Expression, Gate, Member, Not, Or, Term, Threshold
from cytorecon.plan.literal import BoundTemplate
from cytorecon.template import Definition, Phenotype, Population

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass
class Tree:
    """Events of a sample, what was computed of them, and who is in which population.

    Parameters
    ----------
    bound
        The template bound to the file; its axes say how display values are computed.
    block
        Linear values (event, `bound.columns`).
    places
        Position of each cut point that has one.
    gates
        Path of a population -> the gate drawn for it.
    """

    bound: BoundTemplate
    block: Values
    places: dict[str, float] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    inside: dict[str, Mask] = field(default_factory=dict)
    _columns: dict[AnyDimension, Values] = field(default_factory=dict)
    _known: dict[AnyDimension, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inside[""] = np.ones(len(self.block), np.bool_)

    def values(self, dimension: AnyDimension, rows: Mask) -> Values:
        """Display values of some events; each is computed once, when first asked for."""
        if dimension not in self._columns:
            self._columns[dimension] = np.full(len(self.block), np.nan)
            self._known[dimension] = np.zeros(len(self.block), np.bool_)
        column, known = self._columns[dimension], self._known[dimension]
        todo = rows & ~known
        if todo.any():
            column[todo] = self.bound.axes[dimension].values(self.block[todo], self.bound.names)
            known |= todo
        return np.asarray(column[rows])

    def member(self, path: str) -> Mask:
        """Who is in a population, or in the one that stands for it."""
        return self.inside[self.bound.stand_ins.get(path, path)]

    def enter(self, population: Population) -> None:
        """Find out who is in a population, once all that it needs has a place."""
        parent = self.member(population.parent)
        mask = parent.copy()
        mask[parent] = self._holds(self.gates.get(population.path, population.definition), parent, self.places)
        self.inside[population.path] = mask

    def known(self, dimension: AnyDimension) -> Values:
        """Display values of all events (event,), NaN where none was asked for."""
        return self._columns.get(dimension, np.full(len(self.block), np.nan))

    def recount(self, rows: Mask, populations: tuple[Population, ...]) -> Mapping[str, int]:
        """How many of some events each population holds."""
        inside: dict[str, Mask] = {"": rows}
        for population in populations:
            path = self.bound.stand_ins.get(population.parent, population.parent)
            parent = inside[path]
            mask = np.zeros(len(rows), np.bool_)
            definition = self.gates.get(population.path, population.definition)
            if parent.any():
                mask[parent] = self._holds(definition, parent, self.places, inside)
            inside[population.path] = mask
        return {population.path: int(np.count_nonzero(inside[population.path])) for population in populations}

    def _holds(
        self,
        definition: Definition | Expression,
        rows: Mask,
        places: Mapping[str, float],
        inside: Mapping[str, Mask] | None = None,
    ) -> Mask:
        members = self.inside if inside is None else inside
        match definition:
            case Phenotype(terms) | And(terms):
                return _all([self._holds(term, rows, places, inside) for term in terms])
            case Or(terms):
                return ~_all([~self._holds(term, rows, places, inside) for term in terms])
            case Not(term):
                return ~self._holds(term, rows, places, inside)
            case Member(path):
                return np.asarray(members[self.bound.stand_ins.get(path, path)][rows])
            case Term():
                side = self.values(Dimension(definition.marker), rows) >= places[definition.cutpoint]
                return side if definition.sign == "+" else ~side
            case Threshold():
                return definition.contains(self.values(definition.dimension, rows))
        table = np.column_stack([self.values(dimension, rows) for dimension in definition.dimensions])
        return definition.contains(table)


def _all(masks: Sequence[Mask]) -> Mask:
    held: Mask = np.logical_and.reduce(masks)
    return held
