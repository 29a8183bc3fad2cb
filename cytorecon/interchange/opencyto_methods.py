"""What openCyto's methods are called here, and on which scale its templates give positions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cytorecon.errors import InterchangeError
from cytorecon.interchange.rvalues import RScalar, RValue
from cytorecon.template.names import is_linear_by_nature

# openCyto's method, without ``gate_`` and in lower case -> the method here. Its arguments keep their names.
METHODS: Mapping[str, str] = {
    "mindensity": "mindensity",
    "mindensity2": "mindensity",
    "tailgate": "tailgate",
    "tail": "tailgate",
    "cytokine": "tailgate",
    "quantilegate": "quantile",
    "quantile": "quantile",
    "flowclust": "gaussian_mixture",
    "flowclust.1d": "gaussian_mixture",
    "flowclust.2d": "gaussian_mixture",
    "flowclust_1d": "gaussian_mixture",
    "flowclust_2d": "gaussian_mixture",
    "singletgate": "singlets",
    "boundary": "boundary",
    "refgate": "refGate",
    "boolgate": "boolGate",
    "polyfunctions": "polyFunctions",
}
PREPROCESSING = frozenset({"prior_flowClust", "prior_flowclust", "standardize_flowset"})

_POSITIONS = ("gate_range", "min", "max", "target", "target_centroid", "bias")


@dataclass(frozen=True)
class PositionScale:
    """Top of the scale on which a template writes positions of fluorescence channels.

    openCyto gates data that were transformed before, and its templates do not say how. Two scales are in use:
    flowCore's logicle, which runs from 0 to 4.5, and FlowJo's channels, from 0 to 4096. A template's own numbers tell
    them apart; where they do not, it is refused. Scatter and time are linear, and their positions stay as they are.

    Parameters
    ----------
    top
        4.5 or 4096: the position that is 1 here.
    """

    top: float

    @classmethod
    def of(cls, rows: Iterable[tuple[Sequence[str], Mapping[str, RValue]]]) -> PositionScale:
        """Tell from all the positions of a template which scale they are on.

        Raises
        ------
        InterchangeError
            Some positions fit one scale only and some the other only, or one fits neither.
        """
        positions = [
            abs(value)
            for dims, parameters in rows
            for name, given in parameters.items()
            if name in _POSITIONS
            for dim, value in _by_dim(given, dims, name)
            if not is_linear_by_nature(dim) and isinstance(value, float) and math.isfinite(value) and value != 0
        ]
        if all(value <= 4.5 for value in positions):
            return cls(4.5)
        if all(4.5 < value <= 4096 for value in positions):
            return cls(4096.0)
        raise InterchangeError(
            "openCyto template",
            "positions on fluorescence channels are on no one known scale",
            expected="all of them 0 to 4.5 (flowCore's logicle) or all of them 4.5 to 4096 (FlowJo's channels)",
            got=f"{min(positions):g} to {max(positions):g}",
            code="position-scale",
        )

    def converted(self, parameters: Mapping[str, RValue], dims: Sequence[str], where: str) -> dict[str, RValue]:
        """Parameters with positions on our display scale, those that are None left out.

        Raises
        ------
        InterchangeError
            A position is no number, or one for two dimensions of different scales.
        """
        return {
            name: self._position(name, value, dims, where) if name in _POSITIONS else value
            for name, value in parameters.items()
            if value is not None
        }

    def _position(self, name: str, given: RValue, dims: Sequence[str], where: str) -> RValue:
        moved = []
        for dim, value in _by_dim(given, dims, name):
            if not isinstance(value, float) or isinstance(value, bool):
                raise InterchangeError(
                    where, f"{name} is no position", expected="numbers", got=str(given), code="r-value"
                )
            moved.append(value if is_linear_by_nature(dim) else value / self.top)
        if isinstance(given, tuple):
            return tuple(moved)
        if len(set(moved)) != 1:
            raise InterchangeError(where, f"{name} is one number for dimensions of different scales", code="r-value")
        return moved[0]


def _by_dim(given: RValue, dims: Sequence[str], name: str) -> list[tuple[str, RScalar]]:
    """Pair positions with dimensions: both ends of a `gate_range` with each, other vectors one to one."""
    values = given if isinstance(given, tuple) else (given,) * len(dims)
    if name == "gate_range" or len(dims) != len(values):
        return [(dims[0] if dims else "", value) for value in values]
    return list(zip(dims, values, strict=True))


def fixed_bounds(
    parameters: Mapping[str, RValue], count: int, where: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Bounds of openCyto's ``boundary``: `min` and `max`, a number a dimension.

    Raises
    ------
    InterchangeError
        There are neither, too few or too many numbers, or other arguments.
    """
    if not parameters or not parameters.keys() <= {"min", "max"}:
        raise InterchangeError(
            where, "boundary has other arguments", expected="min, max", got=", ".join(parameters), code="r-value"
        )
    bounds = []
    for name, open_side in (("min", -math.inf), ("max", math.inf)):
        given = parameters.get(name, open_side)
        values = given if isinstance(given, tuple) else (given,) * count
        if len(values) != count or not all(isinstance(value, float) for value in values):
            raise InterchangeError(
                where, f"boundary: {name} is not one number a dimension", got=str(given), code="r-value"
            )
        bounds.append(tuple(value for value in values if isinstance(value, float)))
    return bounds[0], bounds[1]
