"""Edges pulled back through the scales: from display positions to intervals of raw single-precision values.

A scale is increasing up to a little noise in its last bits, so the events above an edge are those above one raw
value, once the noise and the rounding of single precision are allowed for. An `Edge` keeps both sides of that doubt:
below ``low`` an event is certainly below the edge, from ``high`` on it is certainly at or above it, and an event
between the two is left to the literal evaluator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Scale = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Far above the noise of any scale (1e-15 of its range) and far below what single precision resolves on a display.
NOISE = 1e-9
# Evaluating a scale costs as much for one value as for about so many.
_AT_ONCE = 48


@dataclass(frozen=True, eq=False)
class Edge:
    """Where on the raw single-precision line an edge lies, with its doubt.

    Parameters
    ----------
    low
        An event below is certainly below the edge.
    high
        An event at or above is certainly at or above the edge. Never less than `low`.
    """

    low: np.float32
    high: np.float32

    @cached_property
    def certain(self) -> bool:
        """True if no event can fall between the two sides."""
        return bool(self.low == self.high)


def exact_edge(value: float, *, above: bool = False) -> Edge:
    """The edge of an unscaled, uncompensated channel: the least float32 at or above (or strictly above) a value."""
    if np.isinf(value):
        return Edge(np.float32(value), np.float32(value))
    with np.errstate(over="ignore"):
        candidate = np.float32(value)
    # float(): numpy would round the float64 to float32 before comparing the two.
    step_up = float(candidate) <= value if above else float(candidate) < value
    edge = np.nextafter(candidate, np.float32(np.inf)) if step_up else candidate
    return Edge(edge, edge)


def pull_back(value: float, scale: Scale, limit: float, error: float) -> Edge:
    """The edge of a scaled or compensated channel.

    Parameters
    ----------
    value
        Position on the display scale.
    scale
        Raw to display, increasing up to `NOISE`; where it is not finite it counts as below every edge.
    limit
        No raw value lies outside ``[-limit, limit]``.
    error
        Largest difference between the single-precision value and the true one.
    """
    noise = NOISE * max(1.0, abs(value))
    below = _last(lambda x: _finite(scale(x)) < value - noise, limit)
    reached = _last(lambda x: _finite(scale(x)) < value + noise, limit)
    return _widen(below, reached, limit, error)


def domain_edge(scale: Scale, limit: float, error: float) -> Edge | None:
    """Where a scale begins to be finite (a logarithm above 0); None if it is finite everywhere."""
    if np.isfinite(scale(np.array([-limit]))[0]):
        return None
    last = _last(lambda x: ~np.isfinite(scale(x)), limit)
    return _widen(last, last, limit, error)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, -np.inf)


def _widen(below: float, reached: float, limit: float, error: float) -> Edge:
    """An edge from the last raw value certainly below it and the last not certainly at or above it."""
    low, high = np.float32(-np.inf), np.float32(np.inf)
    if below >= limit:
        low = high
    elif below >= -limit:
        low = down(below - error)
    if reached < -limit:
        high = low
    elif reached < limit:
        high = up(float(np.nextafter(np.float32(reached), high)) + error)
    return Edge(low, max(low, high))


def _last(is_below: Callable[[NDArray[np.float64]], NDArray[np.bool_]], limit: float) -> float:
    """The last float32 in ``[-limit, limit]`` of the kind that comes first; less than ``-limit`` if there is none.

    Searches the ordered bit patterns, many at a time, so that a few evaluations find it whatever the magnitude.
    """
    first, last = _ordinal(-limit) - 1, _ordinal(limit) + 1
    while last - first > 1:
        step = max(1, (last - first) // _AT_ONCE)
        tried = np.arange(first + step, last, step)
        # Up to the first that is not below: noise beyond it does not matter.
        count = int(np.argmin(np.append(is_below(_at(tried)), False)))
        first, last = first + count * step, min(last, first + (count + 1) * step)
    return float(_at(np.array([first]))[0])


def _ordinal(value: float) -> int:
    """Position of a float32 among all of them, in ascending order; 0 is 0."""
    bits = int(np.float32(value).view(np.uint32))
    return -(bits & 0x7FFFFFFF) if bits >> 31 else bits


def _at(ordinals: NDArray[np.int64]) -> NDArray[np.float64]:
    magnitude = np.abs(ordinals).astype(np.uint32).view(np.float32).astype(np.float64)
    return np.where(ordinals < 0, -magnitude, magnitude)


def down(value: float) -> np.float32:
    """The largest float32 at or below a number."""
    with np.errstate(over="ignore"):
        rounded = np.float32(value)
    return np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > value else rounded


def up(value: float) -> np.float32:
    """The smallest float32 at or above a number."""
    with np.errstate(over="ignore"):
        rounded = np.float32(value)
    return np.nextafter(rounded, np.float32(np.inf)) if float(rounded) < value else rounded
