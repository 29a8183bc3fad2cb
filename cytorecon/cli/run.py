"""``cytorecon run``: every file of a sheet into a study."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli.output import RESEARCH_USE, finding_mapping, message, print_json, show, show_findings, table

if TYPE_CHECKING:
    from cytorecon.interchange.flowjo import Workspace
    from cytorecon.study import RunSummary
    from cytorecon.template import GatingTemplate

SOME_FAILED = 1
AWAITS_REVIEW = 4


@click.command("run")
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("-t", "--template", "template_name", required=True, help="A shipped name, or a file.")
@click.option("--into", "study_path", type=click.Path(path_type=Path), required=True, help="The study folder.")
@click.option("--panel", help="Only rows of this panel, where a sheet lists several.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that gate.")
@click.option("--repool", is_flag=True, help="Place pooled cut points anew, on the files of this sheet.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    sheet: Path,
    template_name: str,
    study_path: Path,
    panel: str | None,
    workers: int,
    repool: bool,
    as_json: bool,
) -> None:
    """Gate every file of SHEET into a study; what the study holds already is skipped.

    Of a FlowJo workspace (.wsp) each file takes the tree of its own sample. The column laip of SHEET names a patient's
    LAIP file. An overrides.toml beside SHEET moves cut points and gates of the samples it names.

    A file that fails is recorded with its reason and costs no other file. Exit code 1 means: done, but some files
    failed; 4: done, but a result or a finding awaits review.
    """
    from cytorecon.gating.overrides import beside
    from cytorecon.sheet import read_sheet
    from cytorecon.study import open_study, run

    template, title = _template(template_name)
    samples = [sample for sample in read_sheet(sheet) if panel in (None, sample.panel)]
    if not samples:
        raise click.BadParameter(f"no row of {sheet.name} has the panel {panel!r}", param_hint="--panel")
    study = open_study(study_path)
    with progress_bar(title) as report:
        summary = run(
            samples, template, study, workers=workers, progress=report, overrides=beside(sheet), repool=repool
        )
    if as_json:
        print_json(summary_mapping(summary))
    else:
        show_summary(summary, f"{sheet.name} with {title}")
    ctx.exit(SOME_FAILED if summary.failed else AWAITS_REVIEW if summary.awaits_review else 0)


def _template(source: str) -> tuple[GatingTemplate | Workspace, str]:
    """What is to gate, and what to call it; a workspace is not yet one sample's tree."""
    from cytorecon.interchange import load_template
    from cytorecon.interchange.flowjo import read_workspace

    if Path(source).suffix.lower() == ".wsp":
        return read_workspace(source), Path(source).name
    template = load_template(source)
    return template, f"{template.name} {template.version}"


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error where that is a terminal, else nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda settled, total: bar.update(task, completed=settled, total=total)


def summary_mapping(summary: RunSummary) -> dict[str, Any]:
    """What became of the samples, as JSON has it."""
    return {
        "done": summary.done,
        "needs_review": summary.needs_review,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "reasons": dict(summary.reasons),
        "findings": [finding_mapping(finding) for finding in summary.findings],
        "cube": str(summary.cube) if summary.cube else None,
    }


def show_summary(summary: RunSummary, title: str, *, noun: str = "files", verb: str = "gated") -> None:
    """Print what became of the samples."""
    rows = [
        (verb, summary.done),
        (f"{verb}, awaits review", summary.needs_review),
        ("failed", summary.failed),
        ("held already, skipped", summary.skipped),
    ]
    show(table(title, ("", noun), rows))
    if summary.reasons:
        show(table("Failed", ("file", "why"), sorted(summary.reasons.items()), left=2))
    show_findings(summary.findings)
    message(f"cube: {summary.cube or 'not written'}. {RESEARCH_USE}")
