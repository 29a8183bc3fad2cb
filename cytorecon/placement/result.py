"""What a placement method answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytorecon.gates import Gate

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Where a method put a cut point, or why it could not.

    Parameters
    ----------
    position
        On the display scale; None if there is nothing to find.
    spread
        Standard deviation of the position, display scale, as the data's density gives it: within 1.96 of it to both
        sides other positions would have been about as good. None if the method cannot say.
    reason
        Why there is no position; empty if there is one.
    """

    position: float | None
    spread: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Drawn:
    """Which gate a method drew, or why it could not.

    Parameters
    ----------
    gate
        The gate; None if there is nothing to draw it around.
    variants
        Pairs of gates, each 1.96 standard deviations of the drawing away to one side and to the other.
    reason
        Why there is no gate; empty if there is one.
    """

    gate: Gate | None
    variants: tuple[tuple[Gate, Gate], ...] = ()
    reason: str = ""


def nothing(reason: str) -> Place:
    """Say that there is nothing to find."""
    return Place(None, None, reason)
