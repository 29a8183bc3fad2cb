"""Compensation of events, in the written order of additions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from cytorecon.compensation.inversion import Values
from cytorecon.compensation.reading import resolved_for
from cytorecon.compensation.spillover import Spillover
from cytorecon.errors import SpilloverError


class Named(Protocol):
    """A channel's two names."""

    @property
    def name(self) -> str:
        """``$PnN``."""
        ...

    @property
    def marker(self) -> str:
        """``$PnS``, empty if there is none."""
        ...


class Channeled(Protocol):
    """What `compensate` needs of the events of a file."""

    @property
    def channels(self) -> Sequence[Named]:
        """Channels, in column order."""
        ...

    def array(self) -> Values:
        """Linear values (event, channel)."""
        ...

    def spillover(self) -> Spillover | None:
        """The matrix of the file, or None."""
        ...


def compensate(events: Channeled, spillover: Spillover | None = None) -> Values:
    """Compensate the events of a file.

    Parameters
    ----------
    events
        Events of a file.
    spillover
        The matrix; the file's own if left out. Its names may be ``$PnN``, ``$PnS`` or numbers of channels.

    Returns
    -------
    array
        Linear values (event, channel); channels outside the matrix, and the additional detectors of a
        spectrum matrix, are unchanged. A value that is not finite makes every fluorochrome of its event so.

    Raises
    ------
    SpilloverError
        If there is no matrix, it is unusable, or its names are no channels of the file.
    """
    matrix = events.spillover() if spillover is None else spillover
    if matrix is None:
        raise SpilloverError(
            "spillover",
            "the file has no matrix",
            expected="$SPILLOVER, $SPILL, SPILL or $COMP",
            remedy="Pass a Spillover, or use events.array() and say that the result is uncompensated.",
            code="spillover-missing",
        )
    names = [channel.name for channel in events.channels]
    resolved = resolved_for(matrix, names, [channel.marker for channel in events.channels])
    values = np.array(events.array(), dtype=np.float64)
    columns = _output_columns(resolved, names)
    sources = [values[:, names.index(detector)].copy() for detector in resolved.detectors]
    for number, column in enumerate(columns):
        values[:, column] = _combined(sources, resolved.unmixing[:, number])
    return values


def compensate_columns(
    values: Values, channel_names: Sequence[str], spillover: Spillover, wanted: Sequence[str]
) -> Values:
    """Compensate only the wanted channels of a block of events.

    Parameters
    ----------
    values
        Linear values (event, channel).
    channel_names
        ``$PnN`` of the columns; every detector of the matrix must be among them.
    spillover
        The matrix, with ``$PnN`` names.
    wanted
        Fluorochromes, detectors of a square matrix, or channels outside the matrix (returned unchanged).

    Returns
    -------
    array
        (event, wanted), the same bits as the columns of `compensate`.

    Raises
    ------
    SpilloverError
        If a detector or a wanted name is not there.
    """
    position = {name: column for column, name in enumerate(channel_names)}
    outputs = spillover.outputs
    _require_channels(spillover.detectors, position, spillover.source)
    _require_channels([name for name in wanted if name not in outputs], position, spillover.source)
    sources = [values[:, position[detector]] for detector in spillover.detectors]
    result = np.empty((len(values), len(wanted)))
    for place, name in enumerate(wanted):
        if name in outputs:
            result[:, place] = _combined(sources, spillover.unmixing[:, outputs[name]])
        else:
            result[:, place] = values[:, position[name]]
    return result


def _combined(sources: Sequence[Values], weights: Values) -> Values:
    """Add up weighted columns from left to right."""
    with np.errstate(over="ignore", invalid="ignore"):
        total: Values = sources[0] * weights[0]
        for source, weight in zip(sources[1:], weights[1:], strict=True):
            total += source * weight
    return total


def _output_columns(spillover: Spillover, names: Sequence[str]) -> list[int]:
    """Column of the array in which each fluorochrome is put: the one of its name, else its detector's."""
    square = len(spillover.detectors) == len(spillover.fluorochromes)
    targets = spillover.fluorochromes
    if square and not set(targets) <= set(names):
        targets = spillover.detectors
    _require_channels(targets, names, spillover.source)
    return [names.index(target) for target in targets]


def _require_channels(wanted: Sequence[str], names: Sequence[str] | Mapping[str, int], source: str) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise SpilloverError(
            source or "spillover",
            f"no channel for {', '.join(missing)}",
            expected=f"one of {', '.join(names)}",
            code="spillover-name",
        )
