"""Checks on events: was the acquisition steady, and did the signals stay on scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import Finding
from cytorecon.fcs import Channel, Events
from cytorecon.gating.exclusion import CLOCKS
from cytorecon.quality.counts import Limits, number_of
from cytorecon.template.names import fold, is_linear_by_nature

Values = NDArray[np.float64]

_ROWS = 32768
_SHORTEST = 100


@dataclass(frozen=True)
class Stretch:
    """A stretch of time in which something was not as in the rest.

    Parameters
    ----------
    first, last
        Time from and to, in the units of the file's Time channel.
    share
        Share of the file's events in it.
    words
        What was unusual.
    """

    first: float
    last: float
    share: float
    words: str


def check_events(
    events: Events, quality: Mapping[str, Limits], found: tuple[Stretch, ...] | None = None
) -> Iterator[Finding]:
    """Look for unsteady flow, drifting signals and events at the ends of scales.

    Parameters
    ----------
    events
        The file.
    quality
        The template's checks; ``time`` and ``margin`` concern the events.
    found
        What `stretches` found, if it was asked before.

    Yields
    ------
    Finding
        With the number found and the limit it exceeds.
    """
    if "margin" in quality:
        yield from _margin(events, number_of(quality["margin"], "maximum", 1.0))
    if "time" in quality:
        bad = stretches(events, quality["time"]) if found is None else found
        percent, limit = 100 * sum(one.share for one in bad), number_of(quality["time"], "maximum", 5.0)
        if percent > limit:
            words = ", ".join(dict.fromkeys(one.words for one in bad))
            message = f"{percent:.1f} % of the events lie in unsteady stretches (limit {limit:g}): {words}"
            yield Finding("unsteady", message, "warning", "Time")


def stretches(events: Events, limits: Limits) -> tuple[Stretch, ...]:
    """Stretches of time whose flow rate or signals differ from the rest; empty if the file has no time.

    Time is cut into parts of equally many events. A part is unusual whose rate, or whose median of some channel, lies
    `deviations` robust standard deviations from the median of all parts, and by more than `change` of it.

    References
    ----------
    flowAI (Monaco et al. 2016, doi:10.1093/bioinformatics/btw191) and PeacoQC (doi:10.1002/cyto.a.24501) look for the
    same with other statistics.
    """
    clock = next((channel for channel in events.channels if fold(channel.name) in CLOCKS), None)
    parts = min(100, events.event_count // int(number_of(limits, "events", 500)))
    if clock is None or parts < 10:
        return ()
    signals = [c for c in events.channels if not is_linear_by_nature(c.name)]
    columns = [clock, *signals]
    table = np.concatenate([b.copy() for b in events.blocks(_ROWS, [c.index for c in columns], out=_buffer(columns))])
    order = np.argsort(table[:, 0], kind="stable")
    pieces = np.array_split(table[order], parts)
    times = np.array([(piece[0, 0], piece[-1, 0]) for piece in pieces], dtype=np.float64)
    length = times[:, 1] - times[:, 0]
    found = {"flow rate": 1 / np.maximum(length, np.median(length) / 100 or 1e-9)}
    found |= {
        f"signal of {c.marker or c.name}": np.array([np.median(piece[:, n]) for piece in pieces], np.float64)
        for n, c in enumerate(signals, 1)
    }
    spreads = {f"signal of {c.marker or c.name}": _width(table[:, n]) for n, c in enumerate(signals, 1)}
    unusual: dict[int, str] = {}
    for words, values in found.items():
        for part in np.flatnonzero(_far(values, limits, spreads.get(words, 0.0))).tolist():
            unusual.setdefault(part, words)
    return tuple(
        Stretch(float(times[part, 0]), float(times[part, 1]), len(pieces[part]) / len(table), words)
        for part, words in sorted(unusual.items())
    )


def to_exclude(events: Events, quality: Mapping[str, Limits]) -> tuple[tuple[float, float], ...]:
    """Stretches that a template asks to leave out (``time = { exclude = true }``): first and last time of each."""
    limits = quality.get("time", {})
    if limits.get("exclude") is not True:
        return ()
    return tuple((one.first, one.last) for one in stretches(events, limits))


def _buffer(columns: list[Channel]) -> NDArray[np.float32]:
    return np.empty((_ROWS, len(columns)), np.float32)


def _width(values: NDArray[np.float32]) -> float:
    low, high = np.quantile(values, [0.16, 0.84]).tolist()
    return float(high - low) / 2


def _far(values: Values, limits: Limits, spread: float) -> NDArray[np.bool_]:
    """Parts that lie far from the median of all: in robust deviations, and in the share that it changed."""
    middle = float(np.median(values))
    off = np.abs(values - middle)
    sigma = 1.4826 * float(np.median(off))
    change = number_of(limits, "change", 0.5)
    scale = max(abs(middle), spread)
    far: NDArray[np.bool_] = (off > number_of(limits, "deviations", 6.0) * sigma) & (off > change * scale)
    return far


def _margin(events: Events, limit: float) -> Iterator[Finding]:
    """Events in the last value of a channel's range, channel by channel."""
    channels = [c for c in events.channels if fold(c.name) not in CLOCKS and np.isfinite(c.range) and c.range > 1]
    tops = np.array([c.range - 1 for c in channels], np.float32)
    count = np.zeros(len(channels), np.int64)
    for block in events.blocks(_ROWS, [c.index for c in channels], out=_buffer(channels), linear=False):
        over = block >= tops
        if over.any():
            count += np.count_nonzero(over, axis=0)
    for channel, number in zip(channels, count.tolist(), strict=True):
        percent = 100 * number / max(events.event_count, 1)
        if percent > limit:
            message = f"{percent:.2f} % of the events are at the end of the scale (limit {limit:g})"
            yield Finding("margin-events", message, "warning", channel.name)
