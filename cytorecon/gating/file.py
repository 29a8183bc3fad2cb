"""One file through one template: events in blocks, counts in integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from cytorecon.compensation import Spillover
from cytorecon.errors import FcsError, Finding
from cytorecon.fcs import Channel, Events, read_fcs
from cytorecon.gates import Gate
from cytorecon.gating.doubt import with_doubt
from cytorecon.gating.exclusion import KEPT, clock_of, excluded_finding, without_stretches
from cytorecon.gating.findings import compensation_of, findings_of, uses_file_matrix
from cytorecon.gating.given import Found, Given
from cytorecon.gating.placing import Placing, is_open, place, redrawn
from cytorecon.gating.sample import GatedSample, PlacedCutpoint, PopulationCounts, Status
from cytorecon.plan.literal import BoundTemplate, bind
from cytorecon.plan.run import Outcome, run
from cytorecon.template import GatingTemplate, Panel, resolve
from cytorecon.template.tables import located


def gate_file(
    path: str | Path,
    template: GatingTemplate,
    membership: bool = False,
    digest: bool = False,
    dataset: int | None = None,
    spillover: Spillover | str | None = None,
    placed: Mapping[str, float] | None = None,
    given: Given | None = None,
) -> GatedSample:
    """Count a template's populations in one file.

    Parameters
    ----------
    path
        An FCS file.
    template
        The template.
    membership
        Also return who belongs to each population.
    digest
        Also compute the SHA-256 of the file.
    dataset
        Which data set of the file, from 1; None where it has one.
    spillover
        In place of the template's compensation: a matrix (of the sheet), ``"file"``, ``"none"``, or the name of one
        of the template's matrices. Dimensions that state their own compensation keep it.
    placed
        Positions of cut points, display scale, by name; nothing moves them.
    given
        What persons, pools and control files settle before the events are asked.

    Returns
    -------
    GatedSample
        Its `counts` hold one entry a population; never an error, which is raised.

    Raises
    ------
    FcsError
        The file cannot be read, or has no events.
    SpilloverError
        Its matrix, or the one given, cannot be used for it.
    TemplateError
        The file lacks a marker (`PanelError`), or a cut point has no position.
    """
    events = read_fcs(path, dataset)
    return gate_events(
        events, template, membership=membership, digest=digest, spillover=spillover, placed=placed, given=given
    )


def gate_events(
    events: Events,
    template: GatingTemplate,
    *,
    membership: bool = False,
    digest: bool = False,
    spillover: Spillover | str | None = None,
    placed: Mapping[str, float] | None = None,
    given: Given | None = None,
    rows: int = 0,
) -> GatedSample:
    """Count a template's populations in events already opened.

    Parameters
    ----------
    events
        What `read_fcs` returned.
    template, membership, digest, spillover, placed, given
        As for `gate_file`.
    rows
        Events a block, 0 to choose: memory, never results, depends on it.

    Raises
    ------
    FcsError, SpilloverError, TemplateError
        As for `gate_file`.
    """
    name = events.path.name
    if events.event_count == 0:
        raise FcsError(
            name,
            "has no events to gate",
            expected="at least one event",
            got="$TOT 0",
            remedy="Leave the file out, or acquire it again.",
            code="no-events",
        )
    with located(name, keep=True):
        chosen, matrix = chosen_compensation(events, template, spillover)
        panel = resolve(chosen, events.channels)
        placing = _placing(events, chosen, panel, matrix, _joined(template, placed or {}, given or Given()))
        bound = _bound(placing.template, events.channels, matrix, tuple(placing.positions.items()))
        if given is not None and given.excluded:
            bound = without_stretches(bound, events.channels, clock_of(events.channels), given.excluded)
    outcome = run(events, bound, membership=membership, digest=digest, rows=rows)
    kept = outcome.counts.get(KEPT, events.event_count)
    counts = {**outcome.counts, "": kept}
    findings = (
        *events.findings,
        *(matrix.findings if matrix else ()),
        *findings_of(chosen, panel, bound, placing.positions),
        *placing.findings,
        *([excluded_finding(events.event_count, kept)] if kept < events.event_count else []),
        *_not_finite(outcome, events.event_count, bound),
    )
    return GatedSample(
        file=name,
        sha256=events.sha256 if digest else "",
        event_count=events.event_count,
        counts=tuple(with_doubt(_counts(template, bound, counts), placing)),
        compensation=compensation_of(chosen, matrix, bound),
        template_name=template.name,
        template_version=template.version,
        template_sha256=template.sha256,
        cutpoints=tuple(_placed_cutpoints(template, panel, bound, placing)),
        findings=tuple(dict.fromkeys(findings)),
        membership=outcome.membership,
        gates=_drawn_gates(template, placing.template),
        channels=events.channels,
    )


@lru_cache(maxsize=4)
def _bound(
    template: GatingTemplate,
    channels: tuple[Channel, ...],
    matrix: Spillover | None,
    positions: tuple[tuple[str, float], ...],
) -> BoundTemplate:
    """The template bound to a panel; files of one panel share it, and the plan that is made of it."""
    return bind(template, resolve(template, channels), channels, matrix, dict(positions))


def _drawn_gates(template: GatingTemplate, placed: GatingTemplate) -> dict[str, Gate]:
    """Gates by which a file's populations were counted, where they are not the template's."""
    return {
        population.path: population.definition
        for population in placed.populations
        if population.definition != template.by_path[population.path].definition
        and isinstance(population.definition, Gate)
    }


def _placing(events: Events, template: GatingTemplate, panel: Panel, matrix: Spillover | None, given: Given) -> Placing:
    """What the data decide; nothing where the template leaves nothing to them."""
    if is_open(template):
        placing = place(events, template, panel, matrix, given)
        return replace(placing, findings=(*given.findings, *placing.findings))
    return Placing(redrawn(template, given), given.cutpoints, given.findings)


def _joined(template: GatingTemplate, placed: Mapping[str, float], given: Given) -> Given:
    found = {
        name: Found(position, None, template.cutpoints[name].method or "given")
        for name, position in placed.items()
        if name in template.cutpoints
    }
    return replace(given, cutpoints={**given.cutpoints, **found})


def chosen_compensation(
    events: Events, template: GatingTemplate, spillover: Spillover | str | None
) -> tuple[GatingTemplate, Spillover | None]:
    """The template with the compensation asked for, and the matrix that it calls ``file``."""
    if isinstance(spillover, Spillover):
        return replace(template, compensation="file"), spillover
    chosen = template if spillover is None else replace(template, compensation=spillover)
    return chosen, events.spillover() if uses_file_matrix(chosen) else None


def _counts(template: GatingTemplate, bound: BoundTemplate, counts: Mapping[str, int]) -> Iterator[PopulationCounts]:
    for population in template.populations:
        parent_count = counts.get(bound.stand_ins.get(population.parent, population.parent), -1)
        event_count = counts.get(population.path, -1)
        status: Status = "not_measured" if event_count < 0 else "counted" if parent_count else "not_evaluable"
        yield PopulationCounts(
            name=population.name,
            path=population.path,
            parent=population.parent,
            role=population.role,
            event_count=event_count,
            parent_count=parent_count,
            status=status,
        )


def _placed_cutpoints(
    template: GatingTemplate, panel: Panel, bound: BoundTemplate, placing: Placing
) -> Iterator[PlacedCutpoint]:
    for name, position in bound.places.items():
        cutpoint = template.cutpoints[name]
        channel = panel.channels.get(cutpoint.marker)
        yield PlacedCutpoint(
            name=name,
            marker=cutpoint.marker,
            channel=channel.name if channel else cutpoint.marker,
            display=position,
            raw=float(template.scale_of(cutpoint.marker).inverse(np.array([position]))[0]),
            method=placing.found[name].method if name in placing.found else "fixed",
            spread=placing.found[name].spread if name in placing.found else None,
        )


def _not_finite(outcome: Outcome, event_count: int, bound: BoundTemplate) -> Iterator[Finding]:
    if outcome.not_finite:
        yield Finding(
            "events-not-finite",
            f"{outcome.not_finite} of {event_count} events have no finite value on some axis of a gate; they are in no "
            "population that uses it, nor in its complement",
            "warning",
            ", ".join(bound.names),
        )
