"""Scales: from linear fluorescence to the display scale on which gates are drawn, and back.

All follow Gating-ML 2.0 (Spidlen et al. 2015, doi:10.1002/cyto.a.22690): ``t`` is the top of the linear
scale and lands on 1, ``m`` the decades, ``w`` the decades that are nearly linear, ``a`` additional negative
decades. FlowJo's own two scales are brought onto 0 to 1 as well.

Three promises hold for every scale. ``apply`` works element by element, so the bits do not depend on which
other events are in the batch. What is not finite stays what it is, and what a scale cannot show (the
logarithm of a negative number) becomes NaN: such events are in no gate. A scale never decreases, up to the
last bit or two (flowutils' compiled logicle is not monotone there; whoever pulls an edge back must allow for
it). Exponentials and logarithms are those of the platform's library, so that two machines may differ in the
last bit of a display value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from functools import lru_cache
from math import exp, isfinite, log, log10, sinh
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from flowutils import logicle_c
from numpy.typing import NDArray

from cytorecon.errors import TransformError

Values = NDArray[np.float64]

LN10 = log(10.0)
MAX_DECADES = 100.0  # far beyond any instrument, and well inside what exp() can hold


@runtime_checkable
class Transform(Protocol):
    """A scale, a frozen dataclass: ``apply`` to the display scale and ``inverse`` back to linear values."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def apply(self, values: Values) -> Values:
        """Display values of linear ``values`` of any shape; NaN where the scale has none."""
        ...

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values`` of any shape."""
        ...


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
        _require(self, self.t + self.a > 0, "t + a must be positive")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        return (_contiguous(values) + self.a) / (self.t + self.a)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        return _contiguous(values) * (self.t + self.a) - self.a


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
        _require_scale(self, self.t, self.m)

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (1.0 / self.m) * np.log10(_contiguous(values) / self.t) + 1.0

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        with np.errstate(over="ignore"):
            return self.t * np.power(10.0, (_contiguous(values) - 1.0) * self.m)


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
        _require_scale(self, self.t, self.m)
        _require(self, 0 <= self.a <= self.m, "a must lie between 0 and m")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        steep = sinh(self.m * LN10) / self.t
        with np.errstate(over="ignore"):
            return (np.arcsinh(_contiguous(values) * steep) + self.a * LN10) / ((self.m + self.a) * LN10)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        steep = sinh(self.m * LN10) / self.t
        with np.errstate(over="ignore"):
            return np.sinh(_contiguous(values) * ((self.m + self.a) * LN10) - self.a * LN10) / steep


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
        return _compiled(logicle_c.logicle_inverse, self, _contiguous(values))


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
        _require(self, self.w > 0, "w must be positive")
        _require_biexponential(self, self.t, self.w, self.m, self.a)

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        return _solved(logicle_c.hyperlog_scale, logicle_c.hyperlog_inverse, self, values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        return _compiled(logicle_c.hyperlog_inverse, self, _contiguous(values))


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
        _require(self, self.length == 256, "length must be 256")
        _require(self, 0 <= self.negative <= MAX_DECADES, "negative must be 0 or more decades")
        _require(self, -1000 <= self.width <= -1, "width must lie between -1000 and -1")
        _require(
            self, log10(-self.width) / 2 < self.positive <= MAX_DECADES, "positive is too small for width"
        )
        _require(self, self.max_value > 0, "max_value must be positive")
        _require(self, bool(np.all(np.diff(_biex_table(self)[0]) > 0)), "the scale does not increase")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        linear, display = _biex_table(self)
        values = _contiguous(values)
        return np.where(np.isfinite(values), np.interp(values, linear, display), values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        linear, display = _biex_table(self)
        values = _contiguous(values)
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
        _require_scale(self, self.offset, self.decades, "offset", "decades")

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        values = _contiguous(values)
        shown = (1.0 / self.decades) * (np.log10(np.maximum(values, self.offset)) - np.log10(self.offset))
        return np.where(np.isfinite(values), shown, values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``."""
        with np.errstate(over="ignore"):
            return self.offset * np.power(10.0, _contiguous(values) * self.decades)


@dataclass(frozen=True)
class Bounded:
    """Any other scale with its result held between two bounds (Gating-ML ``boundMin``, ``boundMax``).

    Parameters
    ----------
    scale
        The scale that is bounded.
    minimum, maximum
        Bounds on the display scale. A bounded `Log` shows zero, but not a negative value, at ``minimum``.

    Raises
    ------
    TransformError
        If a bound is NaN, the bounds are in the wrong order, or ``scale`` is bounded already.
    """

    scale: Transform
    minimum: float = -np.inf
    maximum: float = np.inf

    def __post_init__(self) -> None:
        if isinstance(self.scale, Bounded):
            raise TransformError("bounded scale", "a bounded scale cannot be bounded again")
        if not self.minimum <= self.maximum:
            raise TransformError(
                "bounded scale",
                "bound_min is above bound_max or NaN",
                expected="bound_min ≤ bound_max",
                got=f"{self.minimum}, {self.maximum}",
            )

    def apply(self, values: Values) -> Values:
        """Display values of ``values``."""
        values = _contiguous(values)
        held = np.clip(self.scale.apply(values), self.minimum, self.maximum)
        return np.where(np.isfinite(values), held, values)

    def inverse(self, values: Values) -> Values:
        """Linear values of display ``values``; a bound stands for all that was held at it."""
        return self.scale.inverse(values)


TRANSFORMS: dict[str, type[Transform]] = {
    "linear": Linear,
    "log": Log,
    "logicle": Logicle,
    "asinh": Asinh,
    "hyperlog": Hyperlog,
    "biex": Biex,
    "flowjo_log": FlowJoLog,
}

_BOUNDS = {"bound_min": "minimum", "bound_max": "maximum"}


def transform_from(mapping: Mapping[str, object], where: str = "scale") -> Transform:
    """Read a scale as templates write it: ``{"type": "logicle", "t": 262144, "w": 0.5, "m": 4.5, "a": 0}``.

    Parameters
    ----------
    mapping
        ``type``, one of `TRANSFORMS`, and parameters of that scale; those left out keep their defaults.
        ``bound_min`` and ``bound_max`` may be added to any scale.
    where
        What to call the place in an error.

    Raises
    ------
    TransformError
        If the type or a parameter is unknown or no number, or describes no scale.
    """
    kind = mapping.get("type")
    if not isinstance(kind, str) or kind not in TRANSFORMS:
        raise TransformError(
            where, "unknown type of scale", expected=", ".join(TRANSFORMS), got=repr(kind), code="scale-type"
        )
    names = [field.name for field in fields(TRANSFORMS[kind])]
    for name in mapping:
        if name not in ("type", *names, *_BOUNDS):
            raise TransformError(
                where, f"{kind} has no parameter {name!r}", expected=", ".join(names), code="scale-parameter"
            )
    numbers = {name: _number(value, f"{where}: {name}") for name, value in mapping.items() if name != "type"}
    bounds = {_BOUNDS[name]: numbers.pop(name) for name in list(numbers) if name in _BOUNDS}
    try:
        scale = TRANSFORMS[kind](**numbers)
        return Bounded(scale, **bounds) if bounds else scale
    except TransformError as error:
        raise TransformError(
            where, f"{error.where}: {error.problem}", expected=error.expected, got=error.got, code=error.code
        ) from None


def to_mapping(transform: Transform) -> dict[str, str | float]:
    """Write a scale as templates do; `transform_from` reads it back to an equal scale."""
    if isinstance(transform, Bounded):
        bounds = {name: getattr(transform, field) for name, field in _BOUNDS.items()}
        return to_mapping(transform.scale) | {
            name: value for name, value in bounds.items() if isfinite(value)
        }
    kind = next(name for name, type_ in TRANSFORMS.items() if type_ is type(transform))
    return {"type": kind} | {field.name: getattr(transform, field.name) for field in fields(transform)}


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TransformError(where, "not a number", got=repr(value), code="scale-parameter")
    try:
        return float(value)
    except OverflowError:
        raise TransformError(where, "number is too large", code="scale-parameter") from None


def _require(scale: Transform, satisfied: bool, rule: str) -> None:
    """Refuse parameters that are not finite or break ``rule``; a comparison with NaN breaks every rule."""
    numbers = {field.name: getattr(scale, field.name) for field in fields(scale)}
    if not satisfied or not all(isfinite(number) for number in numbers.values()):
        raise TransformError(
            type(scale).__name__.lower(),
            "parameters describe no scale",
            expected=f"finite numbers; {rule}",
            got=", ".join(f"{name} = {number}" for name, number in numbers.items()),
            code="scale-parameter",
        )


def _require_scale(scale: Transform, t: float, m: float, top: str = "t", decades: str = "m") -> None:
    _require(scale, t > 0, f"{top} must be positive")
    _require(scale, 0 < m <= MAX_DECADES, f"{decades} must be above 0 and at most {MAX_DECADES:g}")


def _require_biexponential(scale: Transform, t: float, w: float, m: float, a: float) -> None:
    _require_scale(scale, t, m)
    _require(scale, 0 <= 2 * w <= m, "w must lie between 0 and m / 2")
    _require(scale, -w <= a <= m - 2 * w, "a must lie between -w and m - 2 w")
    _require(scale, m + a > 0, "m + a must be positive")


def _contiguous(values: Values) -> Values:
    """Values side by side in memory: numpy takes another path, with other last bits, through strided ones."""
    return np.asarray(values, dtype=np.float64, order="C")


def _compiled(function: Callable[..., object], scale: Logicle | Hyperlog, values: Values) -> Values:
    """Run one of flowutils' compiled functions, which work in place, on a copy of ``values``."""
    result = np.array(values, dtype=np.float64, order="C").ravel()
    if result.size:
        function(scale.t, scale.w, scale.m, scale.a, result)
    return result.reshape(np.shape(values))


def _solved(
    forward: Callable[..., object], backward: Callable[..., object], scale: Logicle | Hyperlog, values: Values
) -> Values:
    """Apply a scale that is the root of its inverse, and mend what flowutils gives up on.

    flowutils answers -1 for NaN, for infinities and wherever its iteration does not settle in the last bit,
    which in a gate would be a number like any other.
    """
    values = _contiguous(values)
    result = np.where(np.isfinite(values), _compiled(forward, scale, values), values)
    lost = (result == -1.0) & np.isfinite(values)
    if lost.any():
        result[lost] = _bisected(backward, scale, values[lost])
    return result


def _bisected(backward: Callable[..., object], scale: Logicle | Hyperlog, values: Values) -> Values:
    """Display values by halving an interval until it is as narrow as float64 allows."""
    reach = 2.0 + 1500.0 / ((scale.m + scale.a) * LN10)  # exp() of twice what a float64 can hold
    low, high = np.full(values.shape, -reach), np.full(values.shape, reach)
    for _ in range(120):
        middle = low + (high - low) / 2
        below = _compiled(backward, scale, middle) < values
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


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
