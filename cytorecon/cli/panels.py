"""How a batch of files is printed before it is gated: markers by panel, file by file, then what differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from cytorecon.cli.output import SEVERITIES, say, show, table

if TYPE_CHECKING:
    from cytorecon.errors import Finding
    from cytorecon.gating import FilePanel

# Panels side by side; more go into another table.
ABREAST = 4


def show_batch(panels: Sequence[FilePanel]) -> None:
    """Print which channel each marker is in, which panel each file has, what differs, and what was found."""
    kinds = _kinds(panels)
    entries = list(kinds.items())
    for start in range(0, len(entries), ABREAST):
        _show_markers(entries[start : start + ABREAST], kinds)
    for label, members in kinds.items():
        if members[0].not_measured:
            names = ", ".join(path.rpartition("/")[2].replace("%2F", "/") for path in members[0].not_measured)
            say(f"{_title(label, members, kinds)}, not measured: {names}", hanging=" " * 5)
            click.echo()
    _show_files(panels, {panel.file: label for label, members in kinds.items() for panel in members})
    _show_differences(panels)
    _show_findings(panels)
    for panel in panels:
        if panel.error:
            say(f"cannot be gated: {_placed(panel)}", hanging=" " * 5)


def _kinds(panels: Iterable[FilePanel]) -> dict[str, list[FilePanel]]:
    """Files whose markers are in the same channels, by the number of their panel."""
    kinds: dict[object, list[FilePanel]] = {}
    for panel in panels:
        if not panel.error:
            where = [(name, channel.name, channel.marker) for name, channel in sorted(panel.channels.items())]
            kinds.setdefault((*where, panel.not_measured), []).append(panel)
    return {str(number): members for number, members in enumerate(kinds.values(), 1)}


def _title(label: str, members: Sequence[FilePanel], kinds: dict[str, list[FilePanel]]) -> str:
    return f"panel {label}, {_files(len(members))}" if len(kinds) > 1 else _files(len(members))


def _show_markers(shown: Sequence[tuple[str, list[FilePanel]]], kinds: dict[str, list[FilePanel]]) -> None:
    """One row a marker, one column a panel; ≠ where panels differ."""
    first = [members[0] for members in kinds.values()]
    markers = dict.fromkeys(marker for panel in first for marker in (*panel.channels, *panel.missing))
    rows = []
    for marker in markers:
        differs = len({panel.channels[marker].name if marker in panel.channels else "" for panel in first}) > 1
        cells = [_cell(members[0], marker) for _, members in shown]
        rows.append((marker, "≠" if differs else "", *cells))
    columns = ["marker", "", *(_title(label, members, kinds) for label, members in shown)]
    show(table("Channel of each marker: $PnN ($PnS)", columns, rows, left=len(columns)))


def _cell(panel: FilePanel, marker: str) -> str:
    channel = panel.channels.get(marker)
    if channel is None:
        return "not carried"
    return f"{channel.name} ({channel.marker})" if channel.marker else channel.name


def _show_files(panels: Sequence[FilePanel], labels: dict[str, str]) -> None:
    several = any(panel.dataset for panel in panels)
    rows = [
        (
            f"{panel.file} (data set {panel.dataset})" if several and panel.dataset else panel.file,
            "cannot be gated" if panel.error else f"panel {labels[panel.file]}",
            "" if panel.error else panel.compensation or "none",
            f"{panel.event_count:,}" if panel.event_count >= 0 else "–",
        )
        for panel in panels
    ]
    show(table("File by file", ("file", "panel", "compensation", "events"), rows, left=3))


def _show_differences(panels: Sequence[FilePanel]) -> None:
    """Print what differs beside the channels, which have their own mark."""
    from cytorecon.gating import differences

    for difference in differences(panels):
        if not difference.what.startswith("channel of "):
            values = "; ".join(f"{value} in {_some(files)}" for value, files in difference.files.items())
            say(f"{difference.what} differs: {values}", hanging=" " * 5)


def _show_findings(panels: Iterable[FilePanel]) -> None:
    """Each finding once, with the files that have it; what the table of markers says is left out."""
    files: dict[Finding, list[str]] = {}
    for panel in panels:
        for finding in panel.findings:
            if finding.code != "marker-missing":
                files.setdefault(finding, []).append(panel.file)
    for finding in sorted(files, key=lambda finding: SEVERITIES.index(finding.severity)):
        where = f" ({finding.where})" if finding.where else ""
        words = f"{finding.severity}: {finding.code}{where}, {_some(files[finding])}: {finding.message}"
        say(words, hanging=" " * 5)


def _placed(panel: FilePanel) -> str:
    name = panel.file.rpartition("/")[2]
    return panel.error if name in panel.error else f"{panel.file}: {panel.error}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _some(files: Sequence[str]) -> str:
    """A few files by name, more by their number."""
    return ", ".join(files) if len(files) <= 3 else f"{_files(len(files))} ({files[0]}, …)"
