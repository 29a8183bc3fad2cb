"""Quadrants: dividers that cut each of n channels into intervals, and every combination of intervals a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import isfinite, prod

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import GateError
from cytorecon.gates.dimension import AnyDimension, Mask, Values, check_dimensions, columns, numbers, place

MAX_PARTS = 127  # part numbers are int8


@dataclass(frozen=True)
class QuadrantGate:
    """Dividers on n channels; a value on a divider belongs to the interval above it.

    Parts are numbered with the first dimension slowest: for one divider on each of two channels 0 is −−, 1 is
    −+, 2 is +− and 3 is ++.

    Parameters
    ----------
    dimensions
        The axes.
    dividers
        For each dimension its dividers on the display scale, increasing and finite.
    names
        A name a part, in their order; left out, parts are called after their channels (`part_names`).

    Raises
    ------
    GateError
        If dividers are missing, not increasing or not finite, a channel comes twice, there are more than 127
        parts, or names are too few, repeated or empty.
    """

    dimensions: tuple[AnyDimension, ...]
    dividers: tuple[tuple[float, ...], ...]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        where = place("quadrant", self.dimensions)
        object.__setattr__(self, "dividers", tuple(numbers(values, "dividers", where) for values in self.dividers))
        object.__setattr__(self, "names", tuple(self.names))
        check_dimensions(self.dimensions, "quadrant")
        _check_dividers(self)
        _check_names(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of intervals of each dimension."""
        return tuple(len(values) + 1 for values in self.dividers)

    @property
    def part_count(self) -> int:
        """Number of parts."""
        return prod(self.shape)

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts: those given, else for example ``CD4-CD8+``, or ``CD4[1]`` with several dividers."""
        if self.names:
            return self.names
        labels = [
            [f"{dimension.label}{sign}" for sign in ("-+" if count == 2 else map("[{}]".format, range(count)))]
            for dimension, count in zip(self.dimensions, self.shape, strict=True)
        ]
        return tuple("".join(combination) for combination in product(*labels))

    def part(self, values: Values) -> NDArray[np.int8]:
        """Number of the part of each event (event, dimension); −1 if it is not finite."""
        axes, finite = columns(values, self.dimensions, "quadrant")
        number = np.zeros(len(finite), dtype=np.int8)
        for column, dividers in zip(axes, self.dividers, strict=True):
            interval = np.zeros(len(finite), dtype=np.int8)
            for divider in dividers:
                interval += column >= divider
            number = number * np.int8(len(dividers) + 1) + interval
        return np.where(finite, number, np.int8(-1))

    def contains(self, values: Values) -> Mask:
        """Which events (event, dimension) are in any part: all that are finite."""
        return self.part(values) >= 0

    def parts_where(self, intervals: Sequence[int | None]) -> tuple[int, ...]:
        """Numbers of the parts in these intervals; None in a dimension takes all of its intervals.

        Raises
        ------
        GateError
            If there is no such interval.
        """
        where = place("quadrant", self.dimensions)
        if len(intervals) != len(self.dimensions):
            raise GateError(where, "an interval for each dimension is needed", code="gate-quadrant")
        for interval, count in zip(intervals, self.shape, strict=True):
            if interval is not None and not 0 <= interval < count:
                raise GateError(
                    where,
                    "no such interval",
                    expected=f"0 to {count - 1}",
                    got=str(interval),
                    code="gate-quadrant",
                )
        combinations = product(*map(range, self.shape))
        return tuple(
            number
            for number, combination in enumerate(combinations)
            if all(asked in (None, own) for asked, own in zip(intervals, combination, strict=True))
        )


@dataclass(frozen=True)
class QuadrantPart:
    """One part of a quadrant gate as a gate of its own, or several of them together.

    Parameters
    ----------
    gate
        The quadrant gate.
    parts
        Numbers of the parts. Gating-ML's quadrants may leave a dimension open: see `QuadrantGate.parts_where`.

    Raises
    ------
    GateError
        If there is no such part.
    """

    gate: QuadrantGate
    parts: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts or not all(0 <= part < self.gate.part_count for part in self.parts):
            raise GateError(
                place("quadrant", self.gate.dimensions),
                "no such part",
                expected=f"0 to {self.gate.part_count - 1}",
                got=str(self.parts),
                code="gate-quadrant",
            )

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """Axes of the quadrant gate."""
        return self.gate.dimensions

    def contains(self, values: Values) -> Mask:
        """Which events (event, dimension) are in one of the parts."""
        number = self.gate.part(values)
        inside = np.zeros(len(number), dtype=np.bool_)
        for part in self.parts:
            inside |= number == part
        return inside


def _check_dividers(gate: QuadrantGate) -> None:
    where = place("quadrant", gate.dimensions)
    increasing = all(
        values and all(map(isfinite, values)) and all(low < high for low, high in pairwise(values))
        for values in gate.dividers
    )
    if len(gate.dividers) != len(gate.dimensions) or not increasing:
        raise GateError(
            where,
            "dividers do not cut the dimensions into intervals",
            expected="for each dimension one or more finite numbers, increasing",
            got=str(gate.dividers),
            code="gate-quadrant",
        )
    if gate.part_count > MAX_PARTS:
        raise GateError(
            where, "too many parts", expected=f"at most {MAX_PARTS}", got=str(gate.part_count), code="gate-quadrant"
        )


def _check_names(gate: QuadrantGate) -> None:
    names = gate.names
    if names and (len(names) != gate.part_count or len(set(names)) < len(names) or "" in names):
        raise GateError(
            place("quadrant", gate.dimensions),
            "names do not fit the parts",
            expected=f"{gate.part_count} different names, first dimension slowest",
            got=", ".join(map(repr, names)),
            code="gate-quadrant",
        )
