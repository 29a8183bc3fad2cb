"""What every scale is, and what its parameters have to be."""

from __future__ import annotations

from dataclasses import Field, fields
from math import isfinite, log
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
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


def require(scale: Transform, satisfied: bool, rule: str) -> None:
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


def require_scale(scale: Transform, t: float, m: float, top: str = "t", decades: str = "m") -> None:
    """Refuse a top that is not positive, or decades that are not above 0 or more than any instrument has."""
    require(scale, t > 0, f"{top} must be positive")
    require(scale, 0 < m <= MAX_DECADES, f"{decades} must be above 0 and at most {MAX_DECADES:g}")


def contiguous(values: Values) -> Values:
    """Values side by side in memory: numpy takes another path, with other last bits, through strided ones."""
    return np.asarray(values, dtype=np.float64, order="C")
