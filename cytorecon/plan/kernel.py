"""The inner loop: one block of events through a compiled tree, in plain numpy.

This is the one module that a compiled backend would replace. Every operation works element by element, so that what
is decided about an event does not depend on the events around it. Each test answers twice: who is *surely* inside,
and about whom it is in *doubt*. An event in doubt at any gate on its way is deferred; whatever was counted for it is
taken back later, so nothing here has to be right about it. It is then looked at a second time, together with all
others of its kind, and the literal evaluator answers every test that is in doubt about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cytorecon.plan.axis import Axis
from cytorecon.plan.edge import Edge
from cytorecon.plan.raster import FIRST_DOUBT, Raster

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
# Who is surely inside, and the few who may or may not be, by row; none of these is surely inside.
Answer = tuple[Mask, Rows]
_NOBODY: Rows = np.empty(0, dtype=np.intp)
# Below this share of survivors their values are gathered once instead of masking all the others again and again.
_SPARSE = 0.5


class Test(Protocol):
    """Whether a population holds an event of its parent."""

    def decide(self, frame: Frame) -> Answer:
        """Who is surely inside, and about whom there is doubt."""
        ...


@dataclass(frozen=True)
class Side:
    """One border of a box: values of a column at or above an edge (`above`), or below it."""

    column: int
    above: bool
    edge: Edge

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        answer = frame.reached(self.column, self.edge)
        return answer if self.above else _outside(answer)


@dataclass(frozen=True)
class Box:
    """On the inner side of every border; without borders, everyone."""

    sides: tuple[Side, ...]

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        return _every(self.sides, frame)


@dataclass(frozen=True)
class Drawn:
    """Inside a gate of a raster: its bits for inside and for doubt."""

    raster: int
    inside: np.uint8
    doubt: np.uint8

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        code, open_rows = frame.code(self.raster)
        return (code & self.inside) != 0, open_rows[(code.take(open_rows) & self.doubt) != 0]


@dataclass(frozen=True)
class All:
    """Inside every one of some tests."""

    tests: tuple[Test, ...]

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        return _every(self.tests, frame)


@dataclass(frozen=True)
class Any:
    """Inside at least one of some tests."""

    tests: tuple[Test, ...]

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        return _outside(_every([Outside(test) for test in self.tests], frame))


@dataclass(frozen=True)
class Outside:
    """Not inside a test."""

    test: Test

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        return _outside(self.test.decide(frame))


@dataclass(frozen=True)
class Inside:
    """Member of a population that was counted before, by its number."""

    population: int

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        members = frame.block.inside.get(self.population)
        if members is None:
            return np.zeros(len(frame), dtype=np.bool_), _NOBODY
        return members if frame.rows is None else members.take(frame.rows), _NOBODY


@dataclass(frozen=True)
class Literal:
    """Left to the literal evaluator for every event that reaches it, by the population's number."""

    population: int

    def decide(self, frame: Frame) -> Answer:
        """See `Test`."""
        rows = np.arange(len(frame)) if frame.rows is None else frame.rows
        return frame.block.evaluate(self.population, rows), _NOBODY


@dataclass(frozen=True)
class Node:
    """One population of the compiled tree."""

    population: int
    test: Test
    children: tuple[Node, ...]
    remembered: bool


@dataclass
class Block:
    """One block on its way through the tree.

    Parameters
    ----------
    values
        Single-precision values, shape (column, event).
    rasters
        The plan's rasters.
    evaluate
        The literal evaluator: population number and rows of this block to membership, shape (row,).
    deferred
        Who is in doubt at some gate, shape (event,); marked here. None: the literal evaluator answers at once.
    inside
        Membership of remembered populations by number, shape (event,); filled here. A population that no event
        reached is not in it.
    """

    values: NDArray[np.float32]
    rasters: Sequence[Raster]
    evaluate: Callable[[int, Rows], Mask]
    deferred: Mask | None
    inside: dict[int, Mask] = field(default_factory=dict)


class Frame:
    """Some rows of a block, with the values looked up so far."""

    def __init__(self, block: Block, rows: Rows | None) -> None:
        self.block, self.rows = block, rows
        self._columns: dict[int, NDArray[np.float32]] = {}
        self._reached: dict[tuple[int, Edge], Answer] = {}
        self._bins: dict[tuple[int, Axis], NDArray[np.int32]] = {}
        self._codes: dict[int, tuple[NDArray[np.uint8], Rows]] = {}

    def __len__(self) -> int:
        return self.block.values.shape[1] if self.rows is None else len(self.rows)

    def column(self, column: int) -> NDArray[np.float32]:
        """Values of one column, shape (row,)."""
        if self.rows is None:
            whole: NDArray[np.float32] = self.block.values[column]
            return whole
        if column not in self._columns:
            self._columns[column] = self.block.values[column].take(self.rows)
        return self._columns[column]

    def reached(self, column: int, edge: Edge) -> Answer:
        """Whose values are at or above an edge."""
        found = self._reached.get((column, edge))
        if found is None:
            values = self.column(column)
            surely = values >= edge.high
            doubt = _NOBODY if edge.certain else ((values >= edge.low) > surely).nonzero()[0]
            found = self._reached[column, edge] = surely, doubt
        return found

    def bins(self, column: int, axis: Axis) -> NDArray[np.int32]:
        """Bins of a column's values, shape (row,)."""
        if (column, axis) not in self._bins:
            self._bins[column, axis] = axis.bin(self.column(column))
        return self._bins[column, axis]

    def code(self, raster: int) -> tuple[NDArray[np.uint8], Rows]:
        """Raster bytes, shape (row,), and the rows in doubt about any of its gates."""
        if raster not in self._codes:
            drawn = self.block.rasters[raster]
            bins = (self.bins(column, axis) for column, axis in zip(drawn.columns, drawn.axes, strict=True))
            code = drawn.look_up(*bins)
            self._codes[raster] = code, (code >= FIRST_DOUBT).nonzero()[0]
        return self._codes[raster]

    def settle(self, population: int, sure: Mask, doubt: Rows) -> Mask:
        """Who is inside, as far as it matters: the doubtful are deferred, or else answered for literally."""
        rows = doubt if self.rows is None else self.rows.take(doubt)
        if self.block.deferred is not None:
            self.block.deferred[rows] = True
            return sure
        settled = sure.copy()
        settled[doubt] = self.block.evaluate(population, rows)
        return settled

    def among(self, inside: Mask) -> Frame:
        """The frame of this frame's rows that are inside."""
        chosen = inside.nonzero()[0]
        return Frame(self.block, chosen if self.rows is None else self.rows.take(chosen))

    def whole(self, chosen: Mask) -> Mask:
        """A choice among this frame's rows as one among the block's events."""
        if self.rows is None:
            return chosen
        every = np.zeros(self.block.values.shape[1], dtype=np.bool_)
        every[self.rows] = chosen
        return every


def walk(nodes: Sequence[Node], frame: Frame, mask: Mask | None, counts: NDArray[np.int64]) -> None:
    """Count a frame's events through sibling populations and all below them.

    Parameters
    ----------
    nodes
        Siblings.
    frame
        The rows to look at.
    mask
        Which of them belong to the parent; None for all.
    counts
        Count by population number; added to.
    """
    for node in nodes:
        sure, doubt = node.test.decide(frame)
        if len(doubt) and mask is not None:
            doubt = doubt[mask.take(doubt)]
        if len(doubt):
            sure = frame.settle(node.population, sure, doubt)
        if mask is not None:
            sure = sure & mask
        count = int(np.count_nonzero(sure))
        counts[node.population] += count
        if node.remembered:
            frame.block.inside[node.population] = frame.whole(sure)
        if not node.children or count == 0:
            continue
        if count < _SPARSE * len(sure):
            walk(node.children, frame.among(sure), None, counts)
        else:
            walk(node.children, frame, sure, counts)


def _outside(answer: Answer) -> Answer:
    """The complement. Doubt stays doubt."""
    sure, doubt = answer
    outside = ~sure
    outside[doubt] = False
    return outside, doubt


def _every(tests: Sequence[Test], frame: Frame) -> Answer:
    """The intersection; everyone, of no tests. Who is surely outside one is in no doubt."""
    if not tests:
        return np.ones(len(frame), dtype=np.bool_), _NOBODY
    answers = [test.decide(frame) for test in tests]
    sure = answers[0][0]
    for held, _ in answers[1:]:
        sure = sure & held
    if not any(len(doubt) for _, doubt in answers):
        return sure, _NOBODY
    possible = np.ones(len(frame), dtype=np.bool_)
    for held, doubt in answers:
        held = held.copy()
        held[doubt] = True
        possible &= held
    return sure, (possible > sure).nonzero()[0]
