"""The axes of gates, and what all gates have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import GateError
from cytorecon.transforms import Transform

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Dimension:
    """One axis of a gate.

    Parameters
    ----------
    channel
        Marker or channel name.
    scale
        Its scale; None for the template's scale of that channel.
    compensation
        ``none``, ``file`` or the name of a matrix; None for the template's.
    """

    channel: str
    scale: Transform | None = None
    compensation: str | None = None

    def __post_init__(self) -> None:
        if not self.channel:
            raise GateError("gate", "a dimension has no channel", code="gate-dimension")

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels the axis is computed from."""
        return (self.channel,)

    @property
    def label(self) -> str:
        """How to call the axis in a message."""
        return self.channel


@dataclass(frozen=True)
class RatioDimension:
    """An axis ``a · ((x − b) / (y − c))`` of two channels: Gating-ML *fratio*.

    Parameters
    ----------
    numerator, denominator
        Channels x and y, compensated but on the linear scale.
    a, b, c
        Factor and the two offsets.
    scale
        Scale of the ratio; None for none.
    compensation
        As for `Dimension`.

    Raises
    ------
    GateError
        If a parameter is not finite, ``a`` is 0, or both channels are the same.
    """

    numerator: str
    denominator: str
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    scale: Transform | None = None
    compensation: str | None = None

    def __post_init__(self) -> None:
        if not all(map(isfinite, (self.a, self.b, self.c))) or self.a == 0:
            raise GateError(
                self.label,
                "a ratio's parameters are not usable",
                expected="finite a, b and c with a ≠ 0",
                got=f"a = {self.a}, b = {self.b}, c = {self.c}",
                code="gate-ratio",
            )
        if not self.numerator or not self.denominator or self.numerator == self.denominator:
            raise GateError(self.label, "a ratio needs two different channels", code="gate-ratio")

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels the axis is computed from."""
        return (self.numerator, self.denominator)

    @property
    def label(self) -> str:
        """How to call the axis in a message."""
        return f"{self.numerator}/{self.denominator}"

    def ratio(self, numerator: Values, denominator: Values) -> Values:
        """Ratio of linear values, infinite or NaN where the denominator is zero: such events are in no gate."""
        with np.errstate(all="ignore"):
            return self.a * ((numerator - self.b) / (denominator - self.c))


AnyDimension = Dimension | RatioDimension


@runtime_checkable
class Gate(Protocol):
    """A region of display space."""

    @property
    def dimensions(self) -> tuple[AnyDimension, ...]:
        """Axes, in the order of the columns that ``contains`` takes."""
        ...

    def contains(self, values: Values) -> Mask:
        """Which events (event, dimension) are inside."""
        ...


def check_dimensions(dimensions: Sequence[AnyDimension], kind: str, least: int = 1, most: int = 64) -> None:
    """Refuse a wrong number of dimensions and two that are the same channel, compensated the same way."""
    where = place(kind, dimensions)
    if not least <= len(dimensions) <= most:
        expected = f"{least} dimensions" if least == most else f"{least} to {most} dimensions"
        raise GateError(
            where, "wrong number of dimensions", expected=expected, got=str(len(dimensions)), code="gate-dimension"
        )
    seen = [(dimension.channels, dimension.compensation) for dimension in dimensions]
    if len(set(seen)) < len(seen):
        raise GateError(where, "the same channel twice", expected="a different channel each", code="gate-dimension")


def place(kind: str, dimensions: Sequence[AnyDimension]) -> str:
    """Where a gate's error is: its type and its channels."""
    return f"{kind} gate on {', '.join(dimension.label for dimension in dimensions)}"


def numbers(values: Iterable[float], what: str, where: str) -> tuple[float, ...]:
    """Floats of a sequence, or an error that says what is not a number."""
    try:
        given = tuple(values)
        if not any(isinstance(value, str | bytes | bool) for value in given):
            return tuple(float(value) for value in given)
    except (TypeError, ValueError, OverflowError):
        pass
    raise GateError(where, f"{what}: not numbers", got=repr(values)[:80], code="gate-number")


def columns(values: Values, dimensions: Sequence[AnyDimension], kind: str) -> tuple[list[Values], Mask]:
    """Split (event, dimension) values into columns, and tell which events are finite in all of them."""
    table = np.asarray(values, dtype=np.float64)
    if table.ndim == 1 and len(dimensions) == 1:
        table = table[:, None]
    if table.ndim != 2 or table.shape[1] != len(dimensions):
        raise GateError(
            place(kind, dimensions),
            "values do not fit the gate",
            expected=f"(event, {len(dimensions)})",
            got=str(table.shape),
            code="gate-values",
        )
    finite = np.ones(len(table), dtype=np.bool_)
    for index in range(len(dimensions)):
        finite &= np.isfinite(table[:, index])
    return [table[:, index] for index in range(len(dimensions))], finite
