"""Stretches of time left out of every population, on request and with a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cytorecon.errors import Finding, PanelError
from cytorecon.fcs import Channel
from cytorecon.gates import And, Dimension, Or, Threshold
from cytorecon.plan.literal import Axis, BoundPopulation, BoundTemplate
from cytorecon.template import fold

# Path of the events that are kept; a population cannot have it, since a name is not blank.
KEPT = " "
# Names of the channel of time, folded.
CLOCKS = ("time", "hdrt")


def without_stretches(
    bound: BoundTemplate, channels: Sequence[Channel], clock: Channel, stretches: Sequence[tuple[float, float]]
) -> BoundTemplate:
    """Bind every root population to the events outside some stretches of time.

    Parameters
    ----------
    bound, channels
        The bound template, and the channels of its file.
    clock
        The channel of time.
    stretches
        First and last time of each, both left out.
    """
    time = Dimension(clock.name)
    outside = [
        Or((Threshold(time, first, positive=False), Threshold(time, float(np.nextafter(last, np.inf)))))
        for first, last in stretches
    ]
    kept = BoundPopulation(KEPT, "", And(tuple(outside)))
    roots = [replace(one, parent=KEPT) if not one.parent else one for one in bound.populations]
    columns = tuple(sorted({*bound.columns, clock.index}))
    names = tuple(channels[column].name for column in columns)
    axes = {**bound.axes, time: Axis((clock.name,), None, None)}
    return replace(bound, columns=columns, names=names, axes=axes, populations=(kept, *roots))


def clock_of(channels: Sequence[Channel]) -> Channel:
    """Find the channel of time.

    Raises
    ------
    PanelError
        There is none.
    """
    for channel in channels:
        if fold(channel.name) in CLOCKS:
            return channel
    raise PanelError("Time", "no channel carries it, so no stretch can be left out", code="no-time")


def excluded_finding(event_count: int, kept: int) -> Finding:
    """Say how many events were left out."""
    left_out = event_count - kept
    message = f"{left_out} events ({left_out / event_count:.1%}) of unsteady stretches are left out, as was asked"
    return Finding("events-excluded", message, "warning", "Time")
