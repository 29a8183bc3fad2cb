"""Quality checks: each a finding with a number and a limit from the template, and nothing left out in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cytorecon.errors import Finding, TemplateError
from cytorecon.quality.acquisition import Stretch, check_events, stretches, to_exclude
from cytorecon.quality.control import levey_jennings
from cytorecon.quality.counts import COUNT_CHECKS, compensation

if TYPE_CHECKING:
    from cytorecon.compensation import Spillover
    from cytorecon.fcs import Events
    from cytorecon.gating import GatedSample, Given
    from cytorecon.template import GatingTemplate

CHECKS = (*COUNT_CHECKS, "compensation", "time", "margin")


def check_sample(gated: GatedSample, template: GatingTemplate, events: Events | None = None) -> GatedSample:
    """Add what the template's quality checks find to a gated sample.

    Parameters
    ----------
    gated, template
        The sample, and the template it was gated by.
    events
        Its file; without it the checks of time and margin are left out.

    Raises
    ------
    TemplateError
        The template asks for a check that there is not, or states a limit that is no number.
    """
    if gated.error or not template.quality:
        return gated
    return replace(gated, findings=tuple(dict.fromkeys((*gated.findings, *_findings(gated, template, events)))))


def gate_checked(
    events: Events,
    template: GatingTemplate,
    *,
    membership: bool = False,
    spillover: Spillover | str | None = None,
    given: Given | None = None,
) -> GatedSample:
    """Gate a file as a study does: bad stretches left out if the template says so, digested, and checked.

    Parameters
    ----------
    events, template, membership, spillover, given
        As for `gate_events`.

    Raises
    ------
    FcsError, SpilloverError, TemplateError
        As for `gate_events` and `check_sample`.
    """
    from cytorecon.gating import Given, gate_events

    given = given or Given()
    if excluded := to_exclude(events, template.quality):
        given = replace(given, excluded=excluded)
    gated = gate_events(events, template, membership=membership, digest=True, spillover=spillover, given=given)
    return check_sample(gated, template, events)


def _findings(gated: GatedSample, template: GatingTemplate, events: Events | None) -> Iterator[Finding]:
    by_name = {one.name: one for one in gated.counts}
    for name, limits in template.quality.items():
        if name not in CHECKS:
            raise TemplateError("quality", f"unknown check {name!r}", expected=", ".join(CHECKS), code="unknown-check")
        if name in COUNT_CHECKS:
            yield from COUNT_CHECKS[name](by_name, limits)
        elif name == "compensation":
            yield from compensation(gated, limits)
    if events is not None:
        yield from check_events(events, template.quality)


__all__ = [
    "CHECKS",
    "Stretch",
    "check_events",
    "check_sample",
    "gate_checked",
    "levey_jennings",
    "stretches",
    "to_exclude",
]
