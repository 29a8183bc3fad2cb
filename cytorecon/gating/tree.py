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
Rows = NDArray[np.intp]
Variants = tuple[tuple[Gate, Gate], ...]


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

    def values(self, dimension: AnyDimension, rows: Rows) -> Values:
        """Display values of some events; each is computed once, when first asked for."""
        if dimension not in self._columns:
            self._columns[dimension] = np.full(len(self.block), np.nan)
            self._known[dimension] = np.zeros(len(self.block), np.bool_)
        column, known = self._columns[dimension], self._known[dimension]
        todo = rows[~known[rows]]
        if len(todo):
            column[todo] = self.bound.axes[dimension].values(self.block[todo], self.bound.names)
            known[todo] = True
        return np.asarray(column[rows])

    def table(self, dimensions: Sequence[AnyDimension], rows: Rows) -> Values:
        """Display values (event, dimension) of some events."""
        return np.column_stack([self.values(dimension, rows) for dimension in dimensions])

    def known(self, dimension: AnyDimension) -> Values:
        """Display values of all events (event,), NaN where none was asked for."""
        return self._columns.get(dimension, np.full(len(self.block), np.nan))

    def rows(self, path: str) -> Rows:
        """Which events are in a population, or in the one that stands for it."""
        return np.flatnonzero(self.inside[self.bound.stand_ins.get(path, path)])

    def enter(self, population: Population) -> None:
        """Find out who is in a population, once all that it needs has a place."""
        parent = self.rows(population.parent)
        holds = self._holds(population, parent, self.inside, parent)
        mask = np.zeros(len(self.block), np.bool_)
        mask[parent[holds]] = True
        self.inside[population.path] = mask

    def recount(self, rows: Rows, moved: Sequence[Population]) -> Mapping[str, int]:
        """How many of some events each moved population holds now; all others hold what they held."""
        inside: dict[str, Mask] = _Lazy(self.inside, rows)
        for population in moved:
            parent = np.flatnonzero(inside[self.bound.stand_ins.get(population.parent, population.parent)])
            mask = np.zeros(len(rows), np.bool_)
            if len(parent):
                mask[parent[self._holds(population, rows[parent], inside, parent)]] = True
            inside[population.path] = mask
        return {population.path: int(np.count_nonzero(inside[population.path])) for population in moved}

    def _holds(self, population: Population, rows: Rows, inside: Mapping[str, Mask], places: Rows) -> Mask:
        """Which of some events answer a population's definition; `places` is where `inside` has them."""

        def holds(definition: Definition | Expression) -> Mask:
            match definition:
                case Phenotype(terms) | And(terms):
                    return _all([holds(term) for term in terms])
                case Or(terms):
                    return ~_all([~holds(term) for term in terms])
                case Not(term):
                    return ~holds(term)
                case Member(path):
                    return np.asarray(inside[self.bound.stand_ins.get(path, path)][places])
                case Term():
                    side = self.values(Dimension(definition.marker), rows) >= self.places[definition.cutpoint]
                    return side if definition.sign == "+" else ~side
                case Threshold():
                    return definition.contains(self.values(definition.dimension, rows))
            return definition.contains(self.table(definition.dimensions, rows))

        return holds(self.gates.get(population.path, population.definition))


class _Lazy(dict[str, Mask]):
    """Who of some events is in each population, looked up when asked for."""

    def __init__(self, inside: Mapping[str, Mask], rows: Rows) -> None:
        super().__init__()
        self._inside, self._rows = inside, rows

    def __missing__(self, path: str) -> Mask:
        self[path] = self._inside[path][self._rows]
        return self[path]


def _all(masks: Sequence[Mask]) -> Mask:
    held: Mask = np.logical_and.reduce(masks)
    return held
