"""The inner loop: one block of events through a compiled tree, in plain numpy.

This is the one module that a compiled backend would replace. Every operation works element by element, so that what
is decided about an event does not depend on the events around it. Each test answers twice: who is *surely* inside,
and who *may* be. An event between the two at any gate on its way is marked as deferred; whatever was counted for it
is taken back later and replaced by the literal evaluator's answer, so nothing here has to be right about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from cytorecon.plan.edge import Edge
from cytorecon.plan.raster import UNDECIDED, Raster

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
# Below this share of survivors their values are gathered once instead of masking all the others again and again.
_SPARSE = 0.5


@dataclass(frozen=True)
class Interval:
    """``minimum <= value < maximum`` on one column of the plan; None leaves a side open."""

    column: int
    minimum: Edge | None
    maximum: Edge | None


@dataclass(frozen=True)
class Box:
    """Inside every one of some intervals."""

    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Drawn:
    """Inside the gate that one bit of a raster stands for."""

    raster: int
    bit: int


@dataclass(frozen=True)
class All:
    """Inside every one of some tests."""

    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Any:
    """Inside at least one of some tests."""

    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Outside:
    """Not inside a test."""

    test: Test


@dataclass(frozen=True)
class Inside:
    """Member of a population that was counted before, by its number."""

    population: int


@dataclass(frozen=True)
class Literal:
    """Left to the literal evaluator for every event that reaches it, by the population's number."""

    population: int


Test = Box | Drawn | All | Any | Outside | Inside | Literal


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
        Who is left to the literal evaluator altogether, shape (event,); marked here.
    inside
        Membership of remembered populations by number, shape (event,); filled here. A population that no event
        reached is not in it.
    """

    values: NDArray[np.float32]
    rasters: Sequence[Raster]
    evaluate: Callable[[int, Rows], Mask]
    deferred: Mask
    inside: dict[int, Mask] = field(default_factory=dict)


class Frame:
    """Some rows of a block, with the values looked up so far."""

    def __init__(self, block: Block, rows: Rows | None) -> None:
        self.block, self.rows = block, rows
        self._columns: dict[int, NDArray[np.float32]] = {}
        self._codes: dict[int, NDArray[np.uint8]] = {}

    def column(self, column: int) -> NDArray[np.float32]:
        """Values of one column, shape (row,)."""
        if self.rows is None:
            whole: NDArray[np.float32] = self.block.values[column]
            return whole
        if column not in self._columns:
            self._columns[column] = self.block.values[column].take(self.rows)
        return self._columns[column]

    def code(self, raster: int) -> NDArray[np.uint8]:
        """Raster bytes, shape (row,)."""
        if raster not in self._codes:
            drawn = self.block.rasters[raster]
            self._codes[raster] = drawn.look_up(*(self.column(column) for column in drawn.columns))
        return self._codes[raster]

    def among(self, inside: Mask) -> Frame:
        """The frame of this frame's rows that are inside."""
        chosen = np.flatnonzero(inside)
        return Frame(self.block, chosen if self.rows is None else self.rows.take(chosen))

    def whole(self, chosen: Mask) -> Mask:
        """A choice among this frame's rows as one among the block's events."""
        if self.rows is None:
            return chosen
        every = np.zeros(len(self.block.deferred), dtype=np.bool_)
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
        sure, maybe = decide(node.test, frame)
        certain = maybe is sure
        if mask is not None:
            sure = sure & mask
        if not certain:
            doubt = maybe > sure if mask is None else (maybe & mask) > sure
            if doubt.any():
                frame.block.deferred |= frame.whole(doubt)
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


def decide(test: Test, frame: Frame) -> tuple[Mask, Mask]:
    """Who is surely inside and who may be; the very same array where there is no doubt."""
    match test:
        case Box(intervals):
            return _decide_box(intervals, frame)
        case Drawn(raster, bit):
            code = frame.code(raster)
            sure = (code & np.uint8(bit)) != 0
            return sure, sure | (code >= UNDECIDED)
        case Outside(inner):
            sure, maybe = decide(inner, frame)
            if maybe is sure:
                return (negated := ~sure), negated
            return ~maybe, ~sure
        case All(tests):
            return _combine(np.logical_and, [decide(inner, frame) for inner in tests])
        case Any(tests):
            return _combine(np.logical_or, [decide(inner, frame) for inner in tests])
        case Inside(population):
            nobody = np.zeros(len(frame.block.deferred), dtype=np.bool_)
            inside = frame.block.inside.get(population, nobody)
            sure = inside if frame.rows is None else inside.take(frame.rows)
            return sure, sure
        case Literal(population):
            rows = np.arange(len(frame.block.deferred)) if frame.rows is None else frame.rows
            sure = frame.block.evaluate(population, rows)
            return sure, sure


def _combine(operation: np.ufunc, answers: Sequence[tuple[Mask, Mask]]) -> tuple[Mask, Mask]:
    sure = reduce(operation, [sure for sure, _ in answers])
    if all(maybe is sure for sure, maybe in answers):
        return sure, sure
    return sure, reduce(operation, [maybe for _, maybe in answers])


def _decide_box(intervals: tuple[Interval, ...], frame: Frame) -> tuple[Mask, Mask]:
    sure: list[Mask] = []
    maybe: list[Mask] = []
    for interval in intervals:
        values = frame.column(interval.column)
        if (edge := interval.minimum) is not None:
            sure.append(values >= edge.high)
            maybe.append(sure[-1] if edge.certain else values >= edge.low)
        if (edge := interval.maximum) is not None:
            sure.append(values < edge.low)
            maybe.append(sure[-1] if edge.certain else values < edge.high)
    if not sure:
        everyone = np.ones(len(frame.block.deferred) if frame.rows is None else len(frame.rows), dtype=np.bool_)
        return everyone, everyone
    return _combine(np.logical_and, list(zip(sure, maybe, strict=True)))
