"""Methods that draw a gate on two axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytorecon.gates import AnyDimension, PolygonGate
from cytorecon.placement.density import density
from cytorecon.placement.result import Drawn, Values

Vertices = Sequence[Sequence[float]]

_BINS = 256
_ITERATIONS = 30


def draw_singlets(
    values: Values,
    dimensions: tuple[AnyDimension, ...],
    *,
    deviations: float = 5.0,
    top: float = 262_144.0,
    minimum: int = 200,
) -> Drawn:
    """Draw a band around the line of height on area, open above.

    Use it on FSC-A and FSC-H (or SSC): two cells one behind the other add their areas, hardly their heights. The line
    is a robust regression through the origin (Tukey's biweight); the band reaches `deviations` robust standard
    deviations of height over area below it.

    Parameters
    ----------
    values
        Linear values (event, 2): area and height.
    dimensions
        The two axes.
    deviations
        Width of the band below the line.
    top
        Largest value on the area axis; the gate holds nothing beyond.
    minimum
        Least number of events to look at.

    References
    ----------
    flowStats' ``gate_singlet`` regresses height on area by `rlm` (Hahne et al. 2009, doi:10.1186/1471-2105-10-106).
    """
    area, height = values[np.isfinite(values).all(axis=1) & (values > 0).all(axis=1)].T
    on_scale = area < 0.98 * top
    ratio = height[on_scale] / area[on_scale]
    if len(ratio) < minimum:
        return Drawn(None, reason=f"{len(ratio)} events on scale, fewer than {minimum}")
    slope, sigma = _robust(ratio)
    if not 0 < sigma < 0.25 * slope:
        return Drawn(None, reason=f"height over area varies by {sigma / max(slope, 1e-9):.0%}")

    def band(width: float) -> PolygonGate:
        low = slope - width * sigma
        return PolygonGate(dimensions, ((0.0, 0.0), (top, low * top), (top, 4 * slope * top), (0.0, 4 * slope * top)))

    return Drawn(band(deviations), ((band(deviations - 1.0), band(deviations + 1.0)),))


def _robust(ratio: Values) -> tuple[float, float]:
    """Centre and standard deviation of most values by Tukey's biweight, from counts in bins."""
    middle = float(np.median(ratio))
    counts, edges = np.histogram(ratio, 4 * _BINS, (0.5 * middle, 1.5 * middle))
    centre = (edges[:-1] + edges[1:]) / 2
    sigma = 1.4826 * float(np.median(np.abs(ratio - middle)))
    for _ in range(_ITERATIONS):
        step = np.clip((centre - middle) / max(4.685 * sigma, 1e-12), -1, 1)
        weight = counts * (1 - step**2) ** 2
        moved = float(weight @ centre / max(weight.sum(), 1e-12))
        if abs(moved - middle) < 1e-9 * abs(middle):
            break
        middle = moved
    return middle, sigma


def draw_anchored(
    values: Values,
    dimensions: tuple[AnyDimension, ...],
    *,
    vertices: Vertices,
    landmark: Sequence[float],
    reach: Sequence[float] = (0.12, 2.5),
    spread: Sequence[float] = (0.008, 0.06),
    unmoved: Sequence[float] = (0.03, 0.15),
    minimum: int = 30,
) -> Drawn:
    """Move a reference polygon with a landmark: the mode of events known to belong inside.

    Use it for lymphocytes on CD45 and SSC, with CD3+ or CD19+ events as landmark (back-gating). On the first axis, a
    display scale, the polygon is shifted; on the second, linear, it is stretched from 0. It moves only as far as the
    landmark does, less where few events say so, and not at all where there are too few.

    Parameters
    ----------
    values
        Values (event, 2) of the landmark's events: display scale, linear.
    dimensions
        The two axes.
    vertices
        The reference polygon.
    landmark
        Where the mode lies with respect to `vertices`.
    reach
        How far the landmark may move: to both sides on the first axis, by a factor on the second.
    spread
        Standard deviation of the gate's place: on the first axis, and relative on the second.
    unmoved
        The same where there are too few events.
    minimum
        Fewer events than this move nothing.

    References
    ----------
    Landmark registration: Hahne et al. 2010, doi:10.1002/cyto.a.20823.
    """
    finite = values[np.isfinite(values).all(axis=1) & (values[:, 1] > 0)]
    reason = ""
    shift, factor = 0.0, 1.0
    if len(finite) < minimum:
        reason = f"{len(finite)} events to go by, fewer than {minimum}"
    else:
        shift, factor = _moved(finite, landmark, reach, minimum)
    wide = [1.96 * sigma for sigma in (spread if not reason else unmoved)]

    def moved(by: float, times: float) -> PolygonGate:
        return PolygonGate(dimensions, tuple((x + shift + by, y * factor * times) for x, y in vertices))

    pairs = ((moved(-wide[0], 1.0), moved(wide[0], 1.0)), (moved(0.0, 1 - wide[1]), moved(0.0, 1 + wide[1])))
    return Drawn(moved(0.0, 1.0), pairs, reason)


def _moved(values: Values, landmark: Sequence[float], reach: Sequence[float], minimum: int) -> tuple[float, float]:
    """Shift on the first and factor on the second axis that bring the landmark to the events' mode."""
    x, y = landmark[0], float(np.log(landmark[1]))
    ends = float(np.log(reach[1]))
    height = np.log(values[:, 1])
    near = (np.abs(height - y) <= ends) & (np.abs(values[:, 0] - x) <= reach[0])
    if near.sum() < minimum:
        return 0.0, 1.0
    # The lowest mode that a twentieth of the events hold: activated cells are more granular than resting ones.
    found = density(height[near], (y - ends, y + ends), 1.5, (y - ends, y + ends))
    modes = [
        mode
        for mode in found.modes().tolist()
        if np.interp(mode, found.centre, found.height) > 0.1 * found.height.max()
    ]
    mode = min(modes, default=y)
    resting = near & (np.abs(height - mode) <= 0.35)
    places = values[resting, 0]
    top = density(places, (0.0, 1.0), 2.0)
    trust = len(places) / (len(places) + minimum)
    shift = float(top.centre[int(np.argmax(top.height))]) - x
    return trust * shift, float(np.exp(trust * (mode - y)))
