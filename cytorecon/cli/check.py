"""``cytorecon check``: is a template sound, and what does it meet in each file, before anything is gated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli import SOME_FAILED
from cytorecon.cli.output import depth_first, finding_mapping, message, print_json, say, show, table

if TYPE_CHECKING:
    from cytorecon.compensation import Spillover
    from cytorecon.gating import FilePanel
    from cytorecon.template import GatingTemplate


@dataclass(frozen=True)
class Tube:
    """A file to be checked, and what a sheet says of it."""

    path: Path
    name: str
    dataset: int | None = None
    compensation: str = ""
    matrix: Path | None = None

    @property
    def spillover(self) -> Spillover | str | None:
        """What takes the place of the template's compensation; read only when it is needed."""
        if self.matrix is None:
            return self.compensation or None
        from cytorecon.sheet.matrix import read_matrix

        return read_matrix(self.matrix)


@click.command("check")
@click.argument("template_name", metavar="TEMPLATE")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Check every file of this sample sheet.")
@click.option("--panel", help="Only rows of this panel, where a sheet lists several.")
@click.option("--sample", help="Which sample of a FlowJo workspace; by default each file's own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    template_name: str,
    files: tuple[Path, ...],
    sheet: Path | None,
    panel: str | None,
    sample: str | None,
    as_json: bool,
) -> None:
    """Say whether TEMPLATE is sound; with files, which channel each marker is in, file by file, and what differs.

    TEMPLATE is what `cytorecon gate -t` takes. For a FlowJo workspace with files, the counts of this software are
    printed beside those that FlowJo stored. Exit code 1 means: done, but some files cannot be gated.
    """
    if sheet is not None and files:
        raise click.UsageError("Give files or --sheet, not both.")
    if panel is not None and sheet is None:
        raise click.UsageError("--panel chooses rows of a sheet: give --sheet.")
    tubes = list(_of_sheet(sheet, panel)) if sheet else [Tube(path, path.name) for path in files]
    if template_name.lower().endswith(".wsp"):
        from cytorecon.cli.workspace import check_workspace

        failed = check_workspace(Path(template_name), tubes, sample, as_json)
    else:
        failed = _check(template_name, tubes, sample, as_json, sheet)
    if failed:
        ctx.exit(SOME_FAILED)


def _of_sheet(sheet: Path, panel: str | None) -> Iterator[Tube]:
    from cytorecon.sheet import read_sheet

    rows = read_sheet(sheet)
    chosen = [row for row in rows if panel in (None, row.panel)]
    if not chosen:
        panels = ", ".join(sorted({row.panel or "(none)" for row in rows}))
        raise click.BadParameter(f"no row has it; the sheet has {panels}", param_hint="--panel")
    for row in chosen:
        yield Tube(row.file, row.file_name, row.dataset, row.compensation, row.compensation_file)


def _check(template_name: str, tubes: list[Tube], sample: str | None, as_json: bool, sheet: Path | None) -> bool:
    from cytorecon.interchange import load_template

    template = load_template(template_name, sample=sample)
    overrides = [] if sheet is None else _overrides(sheet, template)
    panels = [survey(tube, template) for tube in tubes]
    if as_json:
        shown = {"template": template_mapping(template), "files": [panel_mapping(panel) for panel in panels]}
        shown |= {"differences": difference_mapping(panels)}
        print_json(shown | ({"overrides": overrides} if overrides else {}))
    elif panels:
        _show_panels(template, panels)
    else:
        show_template(template)
    if overrides and not as_json:
        show(table("Overrides", ("for", "change"), [tuple(one.values()) for one in overrides], left=2))
    return any(panel.error for panel in panels)


def _overrides(sheet: Path, template: GatingTemplate) -> list[dict[str, str]]:
    """What overrides.toml beside a sheet changes, for whom, and who says so.

    Raises
    ------
    TemplateError
        The template has nothing that one of them could change.
    """
    from cytorecon.gating.overrides import beside, check_override

    found = []
    for entry in beside(sheet).entries:
        check_override(entry, template)
        given = {"file": entry.file, "patient": entry.patient, "panel": entry.panel, "day": entry.day}
        samples = ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)
        found.append({"for": samples, "change": entry.words})
    return found


def survey(tube: Tube, template: GatingTemplate) -> FilePanel:
    """Survey one file; a matrix that cannot be read is its error."""
    from cytorecon.errors import CytoreconError
    from cytorecon.gating import FilePanel, survey_file

    try:
        spillover = tube.spillover
    except CytoreconError as error:
        return FilePanel(tube.name, tube.dataset, error=str(error), error_code=error.code)
    return survey_file(tube.path, template, name=tube.name, dataset=tube.dataset, spillover=spillover)


def template_mapping(template: GatingTemplate) -> dict[str, Any]:
    """A sound template as JSON has it."""
    return {
        "name": template.name,
        "version": template.version,
        "sha256": template.sha256,
        "title": template.title,
        "reference": template.reference,
        "compensation": template.compensation,
        "sound": True,
        "populations": [
            {
                "name": each.name,
                "path": each.path,
                "parent": each.parent,
                "definition": each.words,
                "role": each.role,
                "optional": each.optional,
            }
            for each in template.populations
        ],
        "cutpoints": {
            each.name: {"marker": each.marker, "at": each.at, "method": each.method, "on": each.on}
            for each in template.cutpoints.values()
        },
        "markers": {marker: list(aliases) for marker, aliases in template.markers.items()},
    }


def panel_mapping(panel: FilePanel) -> dict[str, Any]:
    """What a template meets in one file as JSON has it."""
    return {
        "file": panel.file,
        "dataset": panel.dataset,
        "event_count": panel.event_count,
        "error": panel.error,
        "error_code": panel.error_code,
        "channels": {
            name: {"name": channel.name, "marker": channel.marker, "range": channel.range}
            for name, channel in panel.channels.items()
        },
        "not_measured": list(panel.not_measured),
        "missing": list(panel.missing),
        "compensation": panel.compensation,
        "findings": [finding_mapping(finding) for finding in panel.findings],
    }


def difference_mapping(panels: list[FilePanel]) -> list[dict[str, Any]]:
    """What differs across a batch as JSON has it."""
    from cytorecon.gating import differences

    return [
        {"what": each.what, "values": {value: list(files) for value, files in each.files.items()}}
        for each in differences(panels)
    ]


def show_template(template: GatingTemplate) -> None:
    """Print what a sound template counts, and by what."""
    rows = [
        ("  " * each.path.count("/") + each.name, each.words, each.role, "optional" if each.optional else "")
        for each in depth_first(template.populations)
    ]
    title = f"{template.name} {template.version}: sound, {len(rows)} populations"
    show(table(f"{title}. {template.title}".rstrip(". "), ("population", "definition", "role", ""), rows, left=4))
    cuts = [
        (each.name, each.marker, "–" if each.at is None else f"{each.at:g}", each.method or "fixed", each.on or "")
        for each in template.cutpoints.values()
    ]
    if cuts:
        show(table("Cut points (display scale)", ("name", "marker", "at", "method", "on"), cuts, left=5))
    message(f"SHA-256 {template.sha256}; compensation: {template.compensation}")


def _show_panels(template: GatingTemplate, panels: list[FilePanel]) -> None:
    from cytorecon.cli.panels import show_batch

    show_batch(panels)
    failed = sum(bool(panel.error) for panel in panels)
    files = "1 file" if len(panels) == 1 else f"{len(panels)} files"
    say(f"{template.name} {template.version} is sound; {files}, {failed or 'none'} that cannot be gated.")
