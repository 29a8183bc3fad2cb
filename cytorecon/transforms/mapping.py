"""Scales as templates write them, and bounds on any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite

import numpy as np

from cytorecon.errors import TransformError
from cytorecon.transforms.flowjo import Biex, FlowJoLog
from cytorecon.transforms.gatingml import Asinh, Hyperlog, Linear, Log, Logicle
from cytorecon.transforms.scale import Transform, Values, contiguous


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
        values = contiguous(values)
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
        return to_mapping(transform.scale) | {name: value for name, value in bounds.items() if isfinite(value)}
    kind = next(name for name, type_ in TRANSFORMS.items() if type_ is type(transform))
    return {"type": kind} | {field.name: getattr(transform, field.name) for field in fields(transform)}


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TransformError(where, "not a number", got=repr(value), code="scale-parameter")
    try:
        return float(value)
    except OverflowError:
        raise TransformError(where, "number is too large", code="scale-parameter") from None
