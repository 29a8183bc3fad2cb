"""The scales that Gating-ML 2.0 defines (doi:10.1002/cyto.a.22690)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sinh

import numpy as np
from flowutils import logicle_c

from cytorecon.transforms.scale import LN10, Transform, Values, contiguous, require, require_scale


@dataclass(frozen=True)
class Linear:
    """``(x + a) / (t + a)``: Gating-ML *flin*. Without parameters it is the identity.

    Parameters
    ----------
    t
        The linear value shown at 1.
    a
        The linear value ``-a`` is shown at 0.

    Raises
    ------
    TransformError
        If a parameter is not finite or ``t + a`` is not positive.
    """

    t: float = 1.0
    a: float = 0.0

    def __post_init__(self) -> None:
        require(self, self.t + self.a > 0, "t + a must be positive")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        return (contiguous(values) + self.a) / (self.t + self.a)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        return contiguous(values) * (self.t + self.a) - self.a


@dataclass(frozen=True)
class Log:
    """``log10(x / t) / m + 1``: Gating-ML *flog*. Zero is shown at −∞ and negative values at NaN.

    Parameters
    ----------
    t
        The linear value shown at 1.
    m
        Decades between 0 and 1.

    Raises
    ------
    TransformError
        If ``t`` or ``m`` is not positive and finite.
    """

    t: float = 262144.0
    m: float = 4.5

    def __post_init__(self) -> None:
        require_scale(self, self.t, self.m)

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (1.0 / self.m) * np.log10(contiguous(values) / self.t) + 1.0

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        with np.errstate(over="ignore"):
            return self.t * np.power(10.0, (contiguous(values) - 1.0) * self.m)


@dataclass(frozen=True)
class Asinh:
    """``(asinh(x · sinh(m ln 10) / t) + a ln 10) / ((m + a) ln 10)``: Gating-ML *fasinh*, and FlowJo's.

    Parameters
    ----------
    t
        The linear value shown at 1.
    m
        Decades above the nearly linear region.
    a
        Additional negative decades, 0 to ``m``.

    Raises
    ------
    TransformError
        If ``t`` or ``m`` is not positive and finite or ``a`` is not between 0 and ``m``.
    """

    t: float = 262144.0
    m: float = 4.5
    a: float = 0.0

    def __post_init__(self) -> None:
        require_scale(self, self.t, self.m)
        require(self, 0 <= self.a <= self.m, "a must lie between 0 and m")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        steep = sinh(self.m * LN10) / self.t
        with np.errstate(over="ignore"):
            return (np.arcsinh(contiguous(values) * steep) + self.a * LN10) / ((self.m + self.a) * LN10)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        steep = sinh(self.m * LN10) / self.t
        with np.errstate(over="ignore"):
            return np.sinh(contiguous(values) * ((self.m + self.a) * LN10) - self.a * LN10) / steep


@dataclass(frozen=True)
class Logicle:
    """Gating-ML *logicle*: logarithmic at both ends, linear around zero (doi:10.1002/cyto.a.22030).

    Parameters
    ----------
    t
        The linear value shown at 1.
    w
        Decades of the nearly linear region, 0 to ``m / 2``.
    m
        Decades the scale approaches at its high end.
    a
        Additional negative decades, ``-w`` to ``m - 2 w``.

    Raises
    ------
    TransformError
        If the parameters are outside those ranges or not finite.
    """

    t: float = 262144.0
    w: float = 0.5
    m: float = 4.5
    a: float = 0.0

    def __post_init__(self) -> None:
        _require_biexponential(self, self.t, self.w, self.m, self.a)

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        return _solved(logicle_c.logicle_scale, logicle_c.logicle_inverse, self, values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        return _compiled(logicle_c.logicle_inverse, self, contiguous(values))


@dataclass(frozen=True)
class Hyperlog:
    """Gating-ML *hyperlog*: the logicle's predecessor (doi:10.1002/cyto.a.20114).

    Parameters
    ----------
    t, m, a
        As for `Logicle`.
    w
        Decades of the nearly linear region, above 0 and up to ``m / 2``.

    Raises
    ------
    TransformError
        If the parameters are outside those ranges or not finite.
    """

    t: float = 262144.0
    w: float = 0.5
    m: float = 4.5
    a: float = 0.0

    def __post_init__(self) -> None:
        require(self, self.w > 0, "w must be positive")
        _require_biexponential(self, self.t, self.w, self.m, self.a)

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        return _solved(logicle_c.hyperlog_scale, logicle_c.hyperlog_inverse, self, values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        return _compiled(logicle_c.hyperlog_inverse, self, contiguous(values))


def _require_biexponential(scale: Transform, t: float, w: float, m: float, a: float) -> None:
    require_scale(scale, t, m)
    require(scale, 0 <= 2 * w <= m, "w must lie between 0 and m / 2")
    require(scale, -w <= a <= m - 2 * w, "a must lie between -w and m - 2 w")
    require(scale, m + a > 0, "m + a must be positive")


def _solved(
    forward: Callable[..., object], backward: Callable[..., object], scale: Logicle | Hyperlog, values: Values
) -> Values:
    """Apply a scale that is the root of its inverse, and mend what flowutils gives up on.

    flowutils answers -1 for NaN, for infinities and wherever its iteration does not settle in the last bit,
    which in a gate would be a number like any other.
    """
    values = contiguous(values)
    result = np.where(np.isfinite(values), _compiled(forward, scale, values), values)
    lost = (result == -1.0) & np.isfinite(values)
    if lost.any():
        result[lost] = _bisected(backward, scale, values[lost])
    return result


def _compiled(function: Callable[..., object], scale: Logicle | Hyperlog, values: Values) -> Values:
    """Run one of flowutils' compiled functions, which work in place, on a copy of ``values``."""
    result = np.array(values, dtype=np.float64, order="C").ravel()
    if result.size:
        function(scale.t, scale.w, scale.m, scale.a, result)
    return result.reshape(np.shape(values))


def _bisected(backward: Callable[..., object], scale: Logicle | Hyperlog, values: Values) -> Values:
    """Display values by halving an interval until it is as narrow as float64 allows."""
    reach = 2.0 + 1500.0 / ((scale.m + scale.a) * LN10)  # exp() of twice what a float64 can hold
    low, high = np.full(values.shape, -reach), np.full(values.shape, reach)
    for _ in range(120):
        middle = low + (high - low) / 2
        below = _compiled(backward, scale, middle) < values
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high
