"""FCS files into events, never silently wrong: exact, exact with findings, or a clear error."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cytorecon.errors import FcsError, Finding
from cytorecon.fcs.dataset import Entry, interpret, next_offset, read_entry
from cytorecon.fcs.events import Acquisition, Events
from cytorecon.fcs.findings import DEVIATIONS, REFUSALS, refusal
from cytorecon.fcs.header import Source, open_source
from cytorecon.fcs.keywords import IDENTIFYING, is_public, public
from cytorecon.fcs.parameters import Channel

__all__ = [
    "DEVIATIONS",
    "IDENTIFYING",
    "REFUSALS",
    "Acquisition",
    "Channel",
    "DataSetSummary",
    "Events",
    "data_sets",
    "is_public",
    "public_keywords",
    "read_fcs",
]


@dataclass(frozen=True)
class DataSetSummary:
    """One line of what a file holds.

    Parameters
    ----------
    number
        What to give as ``dataset=``.
    events
        The data set, not decoded; None if it cannot be read.
    error
        Why it cannot be read, else None.
    """

    number: int
    events: Events | None
    error: FcsError | None


def read_fcs(path: str | os.PathLike[str], dataset: int | None = None) -> Events:
    """Read HEADER and TEXT of a data set; values are decoded when asked for.

    Parameters
    ----------
    path
        An FCS 2.0, 3.0, 3.1 or 3.2 file, or an LMD file.
    dataset
        Which data set, from 1; needed only where the file holds several.

    Returns
    -------
    Events
        With a finding for every deviation from the standard that has one safe reading.

    Raises
    ------
    FcsError
        If the file cannot be read without guessing. The message names the keyword or byte.

    Examples
    --------
    >>> events = read_fcs("tube.fcs")  # doctest: +SKIP
    >>> events.event_count, [channel.name for channel in events.channels]  # doctest: +SKIP
    """
    with open_source(Path(path)) as source:
        entry = read_entry(source, 1, 0)
        if dataset is None:
            following, findings = next_offset(source, entry)
            if following is not None:
                raise _several(source)
        else:
            entry, findings = _walk_to(source, entry, dataset)
        return _events(source, entry, findings)


def data_sets(path: str | os.PathLike[str]) -> tuple[DataSetSummary, ...]:
    """Every data set of a file, none of them decoded.

    A data set that cannot be read is listed with its error; one whose place cannot be known ends the list.

    Raises
    ------
    FcsError
        If the file cannot be opened or holds no data set at all.
    """
    with open_source(Path(path)) as source:
        entry = read_entry(source, 1, 0)
        summaries: list[DataSetSummary] = []
        while True:
            following, findings, broken = _next(source, entry)
            try:
                summaries.append(DataSetSummary(entry.number, _events(source, entry, findings), None))
            except FcsError as error:
                summaries.append(DataSetSummary(entry.number, None, error))
            if broken:
                summaries.append(DataSetSummary(entry.number + 1, None, broken))
            if following is None:
                return tuple(summaries)
            try:
                entry = read_entry(source, entry.number + 1, following)
            except FcsError as error:
                summaries.append(DataSetSummary(entry.number + 1, None, error))
                return tuple(summaries)


def public_keywords(events: Events) -> dict[str, str]:
    """The keywords that carry no patient identifier; unknown ones are left out, being possibly identifying."""
    return public(events.keywords)


def _next(source: Source, entry: Entry) -> tuple[int | None, tuple[Finding, ...], FcsError | None]:
    try:
        return *next_offset(source, entry), None
    except FcsError as error:
        return None, (), error


def _walk_to(source: Source, entry: Entry, dataset: int) -> tuple[Entry, tuple[Finding, ...]]:
    """Follow ``$NEXTDATA`` to a data set; the findings are about where it says the next one is."""
    while entry.number != dataset:
        following = next_offset(source, entry)[0] if dataset > 0 else None
        if following is None:
            expected = f"1 to {entry.number}" if dataset > 0 else "1 for the first"
            raise refusal("dataset-unknown", source.name, "dataset", expected=expected, got=str(dataset))
        entry = read_entry(source, entry.number + 1, following)
    return entry, _next(source, entry)[1]


def _several(source: Source) -> FcsError:
    listed = []
    for summary in data_sets(source.path):
        events = summary.events
        listed.append(
            f"{summary.number} (FCS {events.version}, {events.event_count} events, {len(events.channels)} channels)"
            if events
            else f"{summary.number} (unreadable)"
        )
    return refusal(
        "dataset-not-named",
        source.name,
        expected="dataset=",
        got=", ".join(listed[:20]) + (" …" if len(listed) > 20 else ""),
        remedy="Name one: dataset=1, or the column dataset of the sample sheet.",
    )


def _events(source: Source, entry: Entry, findings: tuple[Finding, ...]) -> Events:
    data = interpret(source, entry)
    return Events(
        path=source.path,
        dataset=data.number,
        version=data.version,
        event_count=data.event_count,
        channels=data.channels,
        keywords=data.keywords,
        data=data,
        size=source.size,
        modified=source.modified,
        file_findings=data.findings + findings,
    )
