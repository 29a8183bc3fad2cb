"""FlowJo 10's own scales, brought onto 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, log10

import numpy as np

from cytorecon.transforms.scale import LN10, MAX_DECADES, Values, contiguous, require, require_scale


@dataclass(frozen=True)
class Biex:
    """FlowJo 10's biexponential: a table of 4097 points with straight lines between them.

    FlowJo shows 0 to 4096; here that is 0 to 1, an exact division. Values beyond the table pile up on its
    ends, as in FlowJo, so ``inverse`` does not bring those back.

    Parameters
    ----------
    negative
        Additional negative decades (``neg``).
    width
        FlowJo's width basis: minus the value up to which the scale is nearly linear, -1 to -1000.
    positive
        Decades (``pos``).
    max_value
        The linear value at the top (``maxRange``).
    length
        FlowJo writes 256; nothing is known of other lengths.

    Raises
    ------
    TransformError
        If the parameters describe no increasing scale.
    """

    negative: float = 0.0
    width: float = -10.0
    positive: float = 4.418540
    max_value: float = 262144.000029
    length: int = 256

    def __post_init__(self) -> None:
        require(self, self.length == 256, "length must be 256")
        require(self, 0 <= self.negative <= MAX_DECADES, "negative must be 0 or more decades")
        require(self, -1000 <= self.width <= -1, "width must lie between -1000 and -1")
        require(self, log10(-self.width) / 2 < self.positive <= MAX_DECADES, "positive is too small for width")
        require(self, self.max_value > 0, "max_value must be positive")
        require(self, bool(np.all(np.diff(_biex_table(self)[0]) > 0)), "the scale does not increase")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        linear, display = _biex_table(self)
        values = contiguous(values)
        return np.where(np.isfinite(values), np.interp(values, linear, display), values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        linear, display = _biex_table(self)
        values = contiguous(values)
        return np.where(np.isfinite(values), np.interp(values, display, linear), values)


@dataclass(frozen=True)
class FlowJoLog:
    """FlowJo 10's logarithm: ``log10(max(x, offset) / offset) / decades``, low values piled up at 0.

    Parameters
    ----------
    offset
        The linear value shown at 0.
    decades
        Decades between 0 and 1.

    Raises
    ------
    TransformError
        If a parameter is not positive and finite.
    """

    offset: float = 1.0
    decades: float = 4.5

    def __post_init__(self) -> None:
        require_scale(self, self.offset, self.decades, "offset", "decades")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        values = contiguous(values)
        shown = (1.0 / self.decades) * (np.log10(np.maximum(values, self.offset)) - np.log10(self.offset))
        return np.where(np.isfinite(values), shown, values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        with np.errstate(over="ignore"):
            return self.offset * np.power(10.0, contiguous(values) * self.decades)


@lru_cache(maxsize=256)
def _biex_table(scale: Biex) -> tuple[Values, Values]:
    """Linear values and display values of FlowJo's table, both increasing.

    The construction is the one that cytolib published from FlowJo's own code (biexpTrans::computCalTbl).
    """
    channels = 4096
    width = log10(-scale.width)
    extra = scale.negative + width / 2
    decades = scale.positive - width / 2
    zero = min(int(extra * channels / (extra + decades)), channels // 2)
    if zero > 0:
        decades = extra * channels / zero
    width /= 2 * decades
    rise = LN10 * decades
    fall = _log_root(rise, width)
    step = np.arange(channels + 1) / float(channels + 1)
    curve = np.exp(step * rise) - np.exp(step * -fall) * exp((rise + fall) * (width + extra / decades))
    upper = (scale.max_value / exp(rise)) * (curve[zero:] - curve[zero])
    linear = np.concatenate([-upper[zero:0:-1], upper])
    display = np.arange(channels + 1) / float(channels)
    for array in (linear, display):
        array.setflags(write=False)
    return linear, display


def _log_root(rise: float, width: float) -> float:
    """Solve ``2 ln(fall / rise) + width · (fall + rise) = 0`` for ``fall`` between 0 and ``rise``."""
    low, high = 0.0, rise
    for _ in range(100):
        middle = low + (high - low) / 2
        if middle > 0 and 2 * log(middle / rise) + width * (middle + rise) > 0:
            high = middle
        else:
            low = middle
    return high
