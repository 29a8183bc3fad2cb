"""Cut points and gates that the data place: pure functions on arrays of display values.

Each method is deterministic, independent of the order of the events, and says so where there is nothing to find; what
then happens is the template's to say. To add one: write the function, give it a line in `PLACEMENTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cytorecon.placement.cuts import anchored, fmo, mindensity, quantile, reference, tailgate
from cytorecon.placement.mixture import draw_gaussian_mixture, gaussian_mixture
from cytorecon.placement.result import Drawn, Place
from cytorecon.placement.shapes import draw_anchored, draw_singlets


@dataclass(frozen=True)
class Method:
    """One way to let the data decide.

    Parameters
    ----------
    cut
        Places a cut point: ``cut(values, within, **parameters) -> Place``; None if it cannot.
    draw
        Draws a gate: ``draw(values, dimensions, **parameters) -> Drawn``; None if it cannot.
    words
        When to use it, in one line.
    """

    cut: Callable[..., Place] | None
    draw: Callable[..., Drawn] | None
    words: str


PLACEMENTS: Mapping[str, Method] = {
    "mindensity": Method(mindensity, None, "a negative and a positive population are both there"),
    "tailgate": Method(tailgate, None, "the positive population is too small or smeared for a mode of its own"),
    "quantile": Method(quantile, None, "the events are known to be negative"),
    "gaussian_mixture": Method(gaussian_mixture, draw_gaussian_mixture, "components overlap, or a cluster is compact"),
    "singlets": Method(None, draw_singlets, "height against area, to leave doublets out"),
    "fmo": Method(fmo, None, "a control without the marker is named in the sheet"),
    "reference": Method(reference, None, "another cut point says it"),
    "anchored": Method(anchored, draw_anchored, "the population may be nearly empty"),
}

__all__ = [
    "PLACEMENTS",
    "Drawn",
    "Method",
    "Place",
    "anchored",
    "draw_anchored",
    "draw_gaussian_mixture",
    "draw_singlets",
    "fmo",
    "gaussian_mixture",
    "mindensity",
    "quantile",
    "reference",
    "tailgate",
]
