"""Methods that put a cut point on one axis."""

from __future__ import annotations

import numpy as np

from cytorecon.placement.density import Density, density
from cytorecon.placement.result import Place, Values, nothing

Interval = tuple[float, float]

# A spread states a standard deviation; the region found equally good is taken as its 95 % interval.
_SIDES = 2 * 1.96


def mindensity(
    values: Values,
    within: Interval | None = None,
    *,
    adjust: float = 1.0,
    contrast: float = 3.0,
    minimum: int = 20,
    valley: float = 0.5,
) -> Place:
    """Cut in the deepest valley between two modes.

    Use it where a negative and a positive population are both there. The valley is the interval in which the density
    does not rise significantly above its minimum, and the cut its middle.

    Parameters
    ----------
    values
        Display values (event,).
    within
        Lowest and highest position allowed; the two modes may lie outside.
    adjust
        Factor on the width of the smoothing kernel.
    contrast
        By how many standard errors (Poisson) the smaller mode has to stand above the valley.
    minimum
        Least number of events to look at.
    valley
        The valley may be at most so high, as a share of the smaller mode.

    Returns
    -------
    Place
        No position where the density has one mode only, or no valley `within`: a valley is never invented.

    References
    ----------
    The method of openCyto (Finak et al. 2014, doi:10.1371/journal.pcbi.1003806), with a test of significance.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < minimum:
        return nothing(f"{len(finite)} events, fewer than {minimum}")
    # What is too rare for a fine kernel may show under a wide one.
    for factor in (1.0, 3.0):
        place = _deepest(density(finite, _span(finite, within), adjust * factor), within, contrast, valley)
        if place.position is not None:
            break
    return place


def _deepest(found: Density, within: Interval | None, contrast: float, valley: float) -> Place:
    allowed = np.flatnonzero(_allowed(found, within))
    if not len(allowed):
        return nothing("no events near the positions allowed")
    smaller = np.minimum(found.left_peak, found.right_peak)[allowed]
    low = found.height[allowed]
    depth = (smaller - low) / np.sqrt(smaller + low + 1)
    deepest = int(np.argmax(depth))
    if depth[deepest] < contrast or low[deepest] > valley * smaller[deepest]:
        return nothing("no valley between two modes")
    first, last = _plateau(low, smaller, deepest)
    # Candidates on the flanks count less: the middle is where the density leaves it.
    position = float(found.centre[allowed[first]] + found.centre[allowed[last]]) / 2
    width = float(found.centre[allowed[last]] - found.centre[allowed[first]])
    return Place(position, max(width, found.width / 2) / _SIDES)


def _plateau(low: Values, smaller: Values, deepest: int) -> tuple[int, int]:
    """First and last place around the deepest that are as low, but for chance, and lie between the same modes."""
    same = (low <= low[deepest] + 2 * np.sqrt(low[deepest] + 1)) & (smaller >= 0.5 * smaller[deepest])
    left = np.flatnonzero(~same[:deepest])
    right = np.flatnonzero(~same[deepest:])
    first = int(left[-1]) + 1 if len(left) else 0
    last = deepest + int(right[0]) - 1 if len(right) else len(low) - 1
    return first, last


def tailgate(
    values: Values,
    within: Interval | None = None,
    *,
    adjust: float = 1.0,
    tolerance: float = 0.01,
    side: str = "right",
    minimum: int = 50,
) -> Place:
    """Cut where the tail of the main mode ends.

    Use it where the positive population is too small, or too smeared, for a mode of its own. The inner half of the main
    mode, mirrored, gives its width; the cut lies where a normal curve of that width has fallen to `tolerance`.

    Parameters
    ----------
    values, within, adjust, minimum
        As for `mindensity`.
    tolerance
        Share of the mode's height at which its tail ends.
    side
        ``"right"`` or ``"left"``.

    References
    ----------
    openCyto's ``gate_tail`` (doi:10.1371/journal.pcbi.1003806) asks a derivative in place of the mirrored half, which
    a small positive population bends.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < minimum:
        return nothing(f"{len(finite)} events, fewer than {minimum}")
    found = density(finite, _span(finite, within), adjust)
    sign = 1.0 if side == "right" else -1.0
    mode = float(found.centre[int(np.argmax(found.height))])
    inner = (mode - finite) * sign
    inner = inner[inner >= 0]
    sigma = float(np.median(inner)) / 0.6745
    position = mode + sign * sigma * float(np.sqrt(-2 * np.log(tolerance)))
    if within is not None and not within[0] <= position <= within[1]:
        return nothing(f"the tail ends at {position:.3g}, outside {within[0]:g} to {within[1]:g}")
    return Place(position, sigma * float(np.sqrt(8 / len(inner))) + 0.1 * sigma)


def quantile(values: Values, within: Interval | None = None, *, probability: float = 0.99, minimum: int = 100) -> Place:
    """Cut at a quantile of the events.

    Use it on a population known to be negative, such as an internal control. The spread is that of the order
    statistic.

    References
    ----------
    David and Nagaraja 2003, Order Statistics, section 7.1 (distribution-free interval of a quantile).
    """
    finite = np.sort(values[np.isfinite(values)])
    count = len(finite)
    if count < minimum:
        return nothing(f"{count} events, fewer than {minimum}")
    reach = 1.96 * float(np.sqrt(count * probability * (1 - probability)))
    ranks = np.clip(np.rint(count * probability + np.array([-reach, 0.0, reach])).astype(int), 0, count - 1)
    low, position, high = finite[ranks].tolist()
    if within is not None and not within[0] <= position <= within[1]:
        return nothing(f"the quantile lies at {position:.3g}, outside {within[0]:g} to {within[1]:g}")
    return Place(float(position), float(high - low) / _SIDES)


def fmo(values: Values, within: Interval | None = None, *, probability: float = 0.995, minimum: int = 200) -> Place:
    """Cut above the events of a control that lacks the marker (fluorescence minus one).

    Use it for smeared markers without a valley (activation markers, CD25, HLA-DR), where the sheet names a control.

    Parameters
    ----------
    values
        Display values (event,) of the control's events, in the population that the template names.
    within, probability, minimum
        As for `quantile`.

    References
    ----------
    Roederer 2001, doi:10.1002/1097-0320(20011101)45:3<194::AID-CYTO1163>3.0.CO;2-C.
    """
    return quantile(values, within, probability=probability, minimum=minimum)


def reference(position: float, spread: float | None = None, *, shift: float = 0.0) -> Place:
    """Copy another cut point, moved by `shift`: the same antibody against two parents, or bright above dim."""
    return Place(position + shift, spread)


def anchored(
    values: Values,
    within: Interval | None = None,
    *,
    at: float,
    negative: float | None = None,
    positive: float | None = None,
    reach: float = 0.1,
    minimum: int = 20,
    spread: float = 0.02,
) -> Place:
    """Move a reference cut only as far as the sample's own modes justify.

    Use it for samples whose population may be nearly empty, as after transplantation. Modes near those of the reference
    are its landmarks: the cut moves with them as a point between them does on a stretched band. Few events move it
    little, and without a landmark it stays.

    Parameters
    ----------
    values, within, minimum
        As for `mindensity`; a cut that would leave `within` stops at its end.
    at
        The reference: the cut of a pool, or the template's own.
    negative, positive
        Where the reference has its negative and its positive mode; None if not known.
    reach
        How far from there a mode may lie to be taken for the same.
    spread
        Standard deviation of the cut where no landmark is found.

    References
    ----------
    Landmark registration: Hahne et al. 2010, doi:10.1002/cyto.a.20823.
    """
    finite = values[np.isfinite(values)]
    landmarks = [mode for mode in (negative, positive) if mode is not None]
    found = density(finite, (0.0, 1.0)) if len(finite) >= minimum else None
    modes = found.modes() if found is not None else np.empty(0)
    moved: list[tuple[float, float]] = []
    for mode in landmarks:
        near = modes[np.abs(modes - mode) <= reach]
        if len(near):
            nearest = float(near[np.argmin(np.abs(near - mode))])
            moved.append((mode, (nearest - mode) * len(finite) / (len(finite) + minimum)))
        else:
            moved.append((mode, 0.0))
    shift = float(np.interp(at, [mode for mode, _ in moved], [by for _, by in moved])) if moved else 0.0
    position = at + shift
    if within is not None:
        position = min(max(position, within[0]), within[1])
    return Place(position, spread)


def _span(values: Values, within: Interval | None) -> Interval:
    """What the width of the kernel is a share of: the display scale, or on a linear axis what the events cover."""
    if len(values) and float(np.abs(values).max()) > 10:
        low, high = np.quantile(values, [0.005, 0.995]).tolist()
        return (low, high) if high > low else (low, low + 1)
    return (0.0, 1.0)


def _allowed(found: Density, within: Interval | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if within is None:
        return np.ones(len(found.centre), np.bool_)
    return (found.centre >= within[0]) & (found.centre <= within[1])
