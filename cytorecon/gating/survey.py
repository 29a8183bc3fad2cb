"""What a template will meet in a file, found out before anything is gated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cytorecon.compensation import Spillover
from cytorecon.errors import CytoreconError, FcsError, Finding
from cytorecon.fcs import Channel, Events, read_fcs
from cytorecon.gating.file import chosen_compensation
from cytorecon.gating.findings import compensation_of, findings_of
from cytorecon.gating.placing import closed
from cytorecon.plan.literal import BoundTemplate, bind
from cytorecon.template import GatingTemplate, Panel, resolve
from cytorecon.template.tables import located


@dataclass(frozen=True)
class FilePanel:
    """How a template's names resolve in one file, or why the file cannot be gated.

    Parameters
    ----------
    file
        The file, as it was named.
    dataset
        Which data set of it; None where it holds one.
    event_count
        Events in it; −1 if it cannot be read.
    channels
        Marker or channel as the template writes it -> the file's channel, in the order of the template's use.
    not_measured
        Paths of the populations that will not be measured, and `missing`, the markers they lack.
    compensation
        The matrix that will be used, in the words of `GatedSample.compensation`.
    findings
        What will be accepted, and how.
    error, error_code
        Why it cannot be gated, in one line; empty if it can.
    """

    file: str
    dataset: int | None = None
    event_count: int = -1
    channels: Mapping[str, Channel] = field(default_factory=dict)
    not_measured: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    compensation: str | None = None
    findings: tuple[Finding, ...] = ()
    error: str = ""
    error_code: str = ""


def survey_file(
    path: str | Path,
    template: GatingTemplate,
    *,
    name: str = "",
    dataset: int | None = None,
    spillover: Spillover | str | None = None,
) -> FilePanel:
    """Find the channel of every marker in a file, without reading its events; never raises for the file's sake.

    Parameters
    ----------
    path, template, dataset, spillover
        As for `gate_file`.
    name
        What to call the file; its own name if empty.
    """
    shown = name or Path(path).name
    try:
        events = read_fcs(path, dataset)
    except CytoreconError as error:
        return FilePanel(shown, dataset, error=_line(error), error_code=error.code)
    try:
        return _survey(shown, dataset, events, template, spillover)
    except CytoreconError as error:
        return FilePanel(
            shown, dataset, events.event_count, findings=events.findings, error=_line(error), error_code=error.code
        )


def _survey(
    name: str, dataset: int | None, events: Events, template: GatingTemplate, spillover: Spillover | str | None
) -> FilePanel:
    if events.event_count == 0:
        raise FcsError(events.path.name, "has no events to gate", code="no-events")
    with located(events.path.name, keep=True):
        chosen, matrix = chosen_compensation(events, template, spillover)
        panel = resolve(chosen, events.channels)
        bound, met = _met(events, chosen, panel, matrix)
    return FilePanel(
        file=name,
        dataset=dataset,
        event_count=events.event_count,
        channels=panel.channels,
        not_measured=tuple(each.path for each in template.populations if each.path in panel.not_measured),
        missing=panel.missing,
        compensation=compensation_of(chosen, matrix, bound),
        findings=tuple(dict.fromkeys((*events.findings, *(matrix.findings if matrix else ()), *met))),
    )


def _met(
    events: Events, template: GatingTemplate, panel: Panel, matrix: Spillover | None
) -> tuple[BoundTemplate, tuple[Finding, ...]]:
    """How gating would take the file and what it would say; a place that only the events can give counts as found."""
    anywhere = {
        name: 0.5 if cutpoint.at is None else cutpoint.at
        for name, cutpoint in template.cutpoints.items()
        if cutpoint.method is not None
    }
    bound = bind(closed(template), panel, events.channels, matrix, anywhere)
    return bound, tuple(findings_of(template, panel, bound, anywhere))


def _line(error: CytoreconError) -> str:
    return " ".join(str(error).split())


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in all files of a batch.

    Parameters
    ----------
    what
        ``channel of CD3``, ``range of CD3`` or ``compensation``.
    files
        What it is (a channel's name, ``not carried``, a number, …) -> the files in which it is that, in order.
    """

    what: str
    files: Mapping[str, tuple[str, ...]]


def differences(panels: Iterable[FilePanel]) -> tuple[Difference, ...]:
    """What differs between the files that can be gated: a marker's channel, its range, the compensation.

    Parameters
    ----------
    panels
        From `survey_file`.
    """
    sound = [panel for panel in panels if not panel.error]
    markers = dict.fromkeys(marker for panel in sound for marker in (*panel.channels, *panel.missing))
    found = [
        difference
        for marker in markers
        for difference in (
            _difference(f"channel of {marker}", [(panel, _channel(panel, marker)) for panel in sound]),
            _difference(f"range of {marker}", [(panel, _range(panel, marker)) for panel in sound]),
        )
    ]
    found.append(_difference("compensation", [(panel, panel.compensation or "none") for panel in sound]))
    return tuple(difference for difference in found if len(difference.files) > 1)


def _difference(what: str, values: Iterable[tuple[FilePanel, str]]) -> Difference:
    files: dict[str, tuple[str, ...]] = {}
    for panel, value in values:
        files[value] = (*files.get(value, ()), panel.file)
    files.pop("", None)
    return Difference(what, files)


def _channel(panel: FilePanel, marker: str) -> str:
    return panel.channels[marker].name if marker in panel.channels else "not carried"


def _range(panel: FilePanel, marker: str) -> str:
    """A channel's range; empty where there is none to compare."""
    return f"{panel.channels[marker].range:g}" if marker in panel.channels else ""
