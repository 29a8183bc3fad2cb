"""What gating one file returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import Finding

if TYPE_CHECKING:
    from cytorecon.compensation import Spillover
    from cytorecon.fcs import Channel
    from cytorecon.gates import Gate
    from cytorecon.sheet import Sample

Status = Literal["counted", "not_measured", "not_evaluable", "failed", "needs_review"]


@dataclass(frozen=True)
class PopulationCounts:
    """How many events of one file belong to one population.

    Parameters
    ----------
    name, path, parent, role
        The population as the template has it; `parent` is a path, ``""`` for the root.
    event_count
        Events inside; −1 if they were not counted.
    parent_count
        Events of the parent; −1 if they were not counted.
    status
        ``counted``; ``not_measured`` (a marker is not in the tube); ``not_evaluable`` (0 of 0: `event_count` is
        0); ``failed``; ``needs_review`` (counted, but a person has to look before the count is used).
    low, high
        Interval (95 %) of the count from where its cut points and gates lie, beside what chance in counting adds; None
        where nothing was left to the data.
    """

    name: str
    path: str
    parent: str
    role: str
    event_count: int
    parent_count: int
    status: Status
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class PlacedCutpoint:
    """Where a cut point lay for one file.

    Parameters
    ----------
    name, marker, channel
        The cut point, its marker, and the file's channel ($PnN) that carries it.
    display
        Position on the display scale.
    raw
        The same in compensated raw units.
    method
        ``fixed``, the method that placed it, ``anchored`` where it fell back on that, or ``override``.
    spread
        Its uncertainty on the display scale as the method estimates it; None if it does not.
    """

    name: str
    marker: str
    channel: str
    display: float
    raw: float
    method: str
    spread: float | None = None


@dataclass(frozen=True)
class GatedSample:
    """One file through one template: counts or an error, never both.

    Parameters
    ----------
    file
        The file's name.
    sha256
        SHA-256 (hex) of the bytes read; empty if it was not computed.
    event_count
        Events in the file.
    counts
        One a population, in the template's order; empty if there is an `error`.
    compensation
        The matrix used: ``$SPILLOVER`` (the file's own, whichever keyword holds it), ``template``, ``sheet``, or
        None for none.
    template_name, template_version, template_sha256
        The template's identity.
    cutpoints
        Where each cut point lay.
    findings
        What was accepted, and how.
    error, error_code
        Why there are no counts, in one line; empty if there are.
    membership
        Population path -> boolean (event,); None unless asked for.
    sample
        The sheet row it came from; None if there was none.
    gates
        Population path -> the gate it was counted by, where that is not the template's: drawn by the data, or moved
        by a person.
    channels
        Channels of the file.
    matrix
        The matrix given beside the sheet; None if there was none.
    """

    file: str
    sha256: str
    event_count: int
    counts: tuple[PopulationCounts, ...]
    compensation: str | None
    template_name: str
    template_version: str
    template_sha256: str
    cutpoints: tuple[PlacedCutpoint, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: str = ""
    error_code: str = ""
    membership: Mapping[str, NDArray[np.bool_]] | None = field(default=None, compare=False)
    sample: Sample | None = None
    gates: Mapping[str, Gate] = field(default_factory=dict)
    channels: tuple[Channel, ...] = field(default=(), compare=False)
    matrix: Spillover | None = field(default=None, compare=False)


class HasPlace(Protocol):
    """A population, whatever else is known of it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def path(self) -> str:
        """Names from the root joined by ``/``."""
        ...

    @property
    def parent(self) -> str:
        """Path of the parent."""
        ...

    @property
    def role(self) -> str:
        """What it is for."""
        ...


class HasTree(Protocol):
    """A template, or what is kept of one."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of its content."""
        ...

    @property
    def populations(self) -> Sequence[HasPlace]:
        """Its populations, parents first."""
        ...


def under(gated: GatedSample, template: HasTree) -> GatedSample:
    """A result of a tree of the sample's own, as one of the template that all samples share.

    Parameters
    ----------
    gated
        Counted by a tree that lacks some of the template's populations.
    template
        Whose name, version and hash the result carries; its populations that were not counted are ``not_measured``.
    """
    found = {counts.path: counts for counts in gated.counts}
    counts = tuple(
        found.get(each.path, PopulationCounts(each.name, each.path, each.parent, each.role, -1, -1, "not_measured"))
        for each in template.populations
    )
    return replace(
        gated,
        counts=() if gated.error else counts,
        template_name=template.name,
        template_version=template.version,
        template_sha256=template.sha256,
    )
