"""Gaussian mixtures on binned events: one deterministic start, the same answer whatever the order of the events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytorecon.gates import AnyDimension, EllipseGate
from cytorecon.placement.result import Drawn, Place, Values, nothing

_BINS_1D, _BINS_2D = 512, 96
_ITERATIONS, _TOLERANCE = 200, 1e-7


def gaussian_mixture(
    values: Values,
    within: tuple[float, float] | None = None,
    *,
    components: int = 2,
    target: float | None = None,
    minimum: int = 100,
    separation: float = 2.0,
) -> Place:
    """Cut between two neighbouring components of a one-dimensional mixture, where each is as likely as the other.

    Use it where negative and positive overlap and the valley between them is no guide.

    Parameters
    ----------
    values
        Display values (event,).
    within
        Lowest and highest position allowed.
    components
        How many normal components.
    target
        The cut lies below the component whose mean is nearest to this; by default below the one on top.
    minimum
        Least number of events to look at.
    separation
        Least distance of the two means, as a multiple of the root of their mean variance (Ashman's D).

    References
    ----------
    Lo, Brinkman and Gottardo 2008, doi:10.1002/cyto.a.20531; Ashman, Bird and Zepf 1994, doi:10.1086/117248.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < minimum or components < 2:
        return nothing(f"{len(finite)} events, fewer than {minimum}")
    points, counts = _binned_1d(finite)
    weight, mean, covariance = fit(points, counts, components)
    order = np.argsort(mean[:, 0])
    weight, centre, variance = weight[order], mean[order, 0], covariance[order, 0, 0]
    upper = components - 1 if target is None else max(1, int(np.argmin(np.abs(centre - target))))
    lower = upper - 1
    apart = (centre[upper] - centre[lower]) / np.sqrt((variance[upper] + variance[lower]) / 2)
    if apart < separation:
        return nothing(f"the two components lie {apart:.2g} standard deviations apart")
    grid = np.linspace(centre[lower], centre[upper], 513)
    log = [
        np.log(weight[k]) - 0.5 * np.log(variance[k]) - 0.5 * (grid - centre[k]) ** 2 / variance[k]
        for k in (lower, upper)
    ]
    position = float(grid[int(np.argmin(np.abs(log[0] - log[1])))])
    if within is not None and not within[0] <= position <= within[1]:
        return nothing(f"the components meet at {position:.3g}, outside {within[0]:g} to {within[1]:g}")
    count = len(finite)
    spread = float(np.sqrt(sum(variance[k] / max(weight[k] * count, 1) for k in (lower, upper))))
    return Place(position, spread + 0.1 * float(np.sqrt(min(variance[lower], variance[upper]))))


def draw_gaussian_mixture(
    values: Values,
    dimensions: tuple[AnyDimension, ...],
    *,
    components: int = 2,
    target: Sequence[float] | None = None,
    probability: float = 0.95,
    minimum: int = 100,
) -> Drawn:
    """Draw an ellipse around the component of a two-dimensional mixture that lies nearest to a target.

    Use it for a compact cluster whose surroundings vary, such as lymphocytes on scatter.

    Parameters
    ----------
    values
        Display values (event, 2).
    dimensions
        The two axes.
    components, minimum
        As for `gaussian_mixture`.
    target
        Where the component is expected; by default the heaviest is meant.
    probability
        Share of the component inside the ellipse.

    References
    ----------
    Lo, Brinkman and Gottardo 2008, doi:10.1002/cyto.a.20531.
    """
    finite = values[np.isfinite(values).all(axis=1)]
    if len(finite) < minimum:
        return Drawn(None, reason=f"{len(finite)} events, fewer than {minimum}")
    low, high = np.quantile(finite, [0.001, 0.999], axis=0)
    size = np.where(high > low, high - low, 1.0)
    points, counts = _binned_2d((finite - low) / size)
    weight, mean, covariance = fit(points, counts, components)
    if target is None:
        chosen = int(np.argmax(weight))
    else:
        offset = mean - (np.asarray(target, dtype=np.float64) - low) / size
        chosen = int(np.argmin(np.einsum("ki,ki->k", offset, offset)))
    centre = mean[chosen] * size + low
    shape = covariance[chosen] * np.outer(size, size)
    distance = -2 * float(np.log1p(-probability))

    def ellipse(distance_square: float) -> EllipseGate:
        return EllipseGate(
            dimensions, tuple(centre.tolist()), tuple(map(tuple, shape.tolist())), distance_square=distance_square
        )

    return Drawn(ellipse(distance), ((ellipse(0.8 * distance), ellipse(1.25 * distance)),))


def fit(points: Values, counts: Values, components: int) -> tuple[Values, Values, Values]:
    """Fit normal components to weighted points by expectation and maximisation.

    It starts from slices of equal weight along the axis of greatest variance, so there is no chance in it.

    Parameters
    ----------
    points
        Positions (point, dimension), about 0 to 1.
    counts
        Events at each point.
    components
        How many.

    Returns
    -------
    weight, mean, covariance
        Shapes (component,), (component, dimension), (component, dimension, dimension).
    """
    member = _slices(points, counts, components)
    last = -np.inf
    floor = 1e-5 * np.eye(points.shape[1])
    for _ in range(_ITERATIONS):
        share = member * counts[:, None]
        total = np.maximum(share.sum(axis=0), 1e-9)
        mean = (share.T @ points) / total[:, None]
        offset = points[:, None, :] - mean
        covariance = np.einsum("pk,pki,pkj->kij", share, offset, offset) / total[:, None, None] + floor
        weight = total / total.sum()
        inverse = np.linalg.inv(covariance)
        square = np.einsum("pki,kij,pkj->pk", offset, inverse, offset)
        log = np.log(weight) - 0.5 * (square + np.log(np.linalg.det(covariance)))
        peak = log.max(axis=1, keepdims=True)
        likelihood = np.exp(log - peak)
        norm = likelihood.sum(axis=1, keepdims=True)
        member = likelihood / norm
        score = float(counts @ (np.log(norm) + peak)[:, 0]) / float(counts.sum())
        if score - last < _TOLERANCE:
            break
        last = score
    return weight, mean, covariance


def _slices(points: Values, counts: Values, components: int) -> Values:
    average = counts @ points / counts.sum()
    variance = counts @ (points - average) ** 2
    order = np.argsort(points[:, int(np.argmax(variance))], kind="stable")
    rank = np.cumsum(counts[order]) / counts.sum()
    part = np.minimum((rank * components).astype(int), components - 1)
    member = np.full((len(points), components), 1e-3)
    member[order, part] = 1.0
    return np.asarray(member / member.sum(axis=1, keepdims=True))


def _binned_1d(values: Values) -> tuple[Values, Values]:
    low, high = np.quantile(values, [0.0005, 0.9995]).tolist()
    counts, edges = np.histogram(values, _BINS_1D, (low, max(high, low + 1e-9)))
    kept = np.flatnonzero(counts)
    return ((edges[:-1] + edges[1:]) / 2)[kept, None], counts[kept].astype(np.float64)


def _binned_2d(values: Values) -> tuple[Values, Values]:
    counts, *edges = np.histogram2d(values[:, 0], values[:, 1], _BINS_2D, ((-0.02, 1.02), (-0.02, 1.02)))
    centres = [(edge[:-1] + edge[1:]) / 2 for edge in edges]
    rows, columns = np.nonzero(counts)
    return np.column_stack([centres[0][rows], centres[1][columns]]), counts[rows, columns]
