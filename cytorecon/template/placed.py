"""A gate on several channels whose shape the data give, as a cut point's place is on one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import GateError, TemplateError
from cytorecon.gates import AnyDimension


@dataclass(frozen=True)
class PlacedGate:
    """A gate that a method draws around data.

    Parameters
    ----------
    dimensions
        The axes, two or more.
    method
        What draws it, such as ``gaussian_mixture`` or ``singlets``.
    on
        Path of the population whose events it is drawn around; ``""`` for all events, None for the population's parent.
    parameters
        Parameters of the method: numbers, texts, truth values and tuples of them; positions on the display scale.

    Raises
    ------
    TemplateError
        There are fewer than two dimensions or no method.
    """

    dimensions: tuple[AnyDimension, ...]
    method: str
    on: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        if len(self.dimensions) < 2 or not self.method:
            raise TemplateError("placed gate", "needs a method and two channels or more", code="placed-gate")

    def __hash__(self) -> int:
        return hash((self.dimensions, self.method, self.on, tuple(sorted(self.parameters))))

    def contains(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Refuse: only the gate that the method draws holds events."""
        raise GateError(
            f"gate placed by {self.method!r} on {', '.join(dimension.label for dimension in self.dimensions)}",
            "has no shape until the data give it",
            expected="a fixed gate",
            remedy="Replace it by the gate that was drawn for this sample",
            code="open-gate",
        )
