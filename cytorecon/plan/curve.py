"""From a plan's column to the display: stored values of one channel, or compensated ones, through a scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs import Channel
from cytorecon.plan.edge import Edge, domain_edge, exact_edge, pull_back
from cytorecon.transforms import Linear, Transform


@dataclass(frozen=True)
class Curve:
    """What happens to a value of one column before a gate sees it; increasing, and cheap to compare.

    Parameters
    ----------
    scale
        The display scale; None leaves linear values.
    gain, timestep, amplification, range
        As `Channel` has them, for a column of stored values; left out for a compensated one.
    limit
        No value of the column is larger in size.
    error
        Largest difference between the single-precision value and the true one.
    """

    scale: Transform | None
    limit: float
    error: float
    gain: float = 1.0
    timestep: float | None = None
    amplification: tuple[float, float] | None = None
    range: float = 0.0

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Display values of column values, any shape; the same as the literal evaluator up to the last bits."""
        with np.errstate(all="ignore"):
            if self.amplification is not None:
                decades, floor = self.amplification
                values = np.power(10.0, decades * values / self.range) * floor
            else:
                values = values * linear_factor(self)
            return values if self.scale is None else self.scale.apply(np.ascontiguousarray(values))

    def inverse(self, display: NDArray[np.float64]) -> NDArray[np.float64]:
        """Column values near to display values; NaN where there are none."""
        with np.errstate(all="ignore"):
            values = display if self.scale is None else self.scale.inverse(display)
            if self.amplification is None:
                return values / linear_factor(self)
            decades, floor = self.amplification
            return np.asarray(np.log10(values / floor) * self.range / decades)

    @property
    def is_identity(self) -> bool:
        """Whether the display shows the column's values as they are, bit for bit."""
        shown = self.scale is None or self.scale == Linear()
        return shown and self.error == 0 and self.amplification is None and linear_factor(self) == 1.0


def linear_factor(channel: Channel | Curve) -> float:
    """What stored values of a linear channel are multiplied by."""
    return channel.timestep if channel.timestep is not None else 1.0 / channel.gain


@lru_cache(maxsize=4096)
def edge_of(curve: Curve, value: float, above: bool = False) -> Edge:
    """The edge at a display position; `above`: of what is greater, not at or above."""
    if curve.is_identity:
        return exact_edge(value, above=above)
    return pull_back(value, curve, curve.limit, curve.error)


@lru_cache(maxsize=512)
def domain_of(curve: Curve) -> Edge | None:
    """Where the display begins to be finite; None if it always is."""
    return domain_edge(curve, curve.limit, curve.error)
