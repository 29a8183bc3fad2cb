"""How commands print: one JSON document for programs, tables for people, messages apart."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from cytorecon.errors import Finding

if TYPE_CHECKING:
    from rich.table import Table

RESEARCH_USE = "Research use only."
SEVERITIES = ("review", "warning", "info")
WIDE, READABLE = 160, 100


class _HasPlace(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def parent(self) -> str: ...


Branch = TypeVar("Branch", bound=_HasPlace)


def print_json(document: object) -> None:
    """Write one JSON document to standard output; NaN and infinities become null, as JSON has none."""
    click.echo(json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def message(text: str) -> None:
    """Say something to the person, on standard error."""
    click.echo(text, err=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> Table:
    """A table whose first ``left`` columns are text and the others numbers, set to the right."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=escape(title), box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(columns))
    for index, column in enumerate(columns):
        made.add_column(escape(column), justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(escape(printable(str(cell))) for cell in row))
    return made


def show(*tables: Table) -> None:
    """Print tables to standard output, wide enough for their content where the output is no terminal."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)
    for item in tables:
        title, item.title = item.title, None
        with console.capture() as captured:  # a title is a line of its own: rich would fold it to the table's width
            console.print(title or "", style="bold", soft_wrap=True)
            console.print(item)
        lines = [line.rstrip() for line in captured.get().splitlines()]
        click.echo("\n".join(line for line in lines if line) + "\n")


def depth_first(items: Iterable[Branch]) -> list[Branch]:
    """Put each item right below its parent, siblings in their order: templates list what is counted first."""
    below: dict[str, list[Branch]] = {}
    for item in items:
        below.setdefault(item.parent, []).append(item)
    ordered: list[Branch] = []
    waiting = below.get("", [])[::-1]
    while waiting:
        ordered.append(waiting.pop())
        waiting += below.get(ordered[-1].path, [])[::-1]
    return ordered


def printable(text: str) -> str:
    """Text from a file without the control characters that could rewrite a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def show_findings(findings: Iterable[Finding]) -> None:
    """Print findings, those that a person has to look at first."""
    ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    if ordered:
        click.echo("Findings")
        for finding in ordered:
            where = f" ({finding.where})" if finding.where else ""
            say(f"{finding.severity:<8} {finding.code}{where}: {finding.message}", indent=" ", hanging=" " * 10)
        click.echo()


def say(text: str, *, indent: str = "", hanging: str | None = None) -> None:
    """Print a paragraph, folded to a readable width; lines after the first are indented by ``hanging``."""
    width = min(shutil.get_terminal_size().columns, READABLE) if sys.stdout.isatty() else READABLE
    rest = indent if hanging is None else hanging
    fill = textwrap.fill(
        printable(text), width, initial_indent=indent, subsequent_indent=rest, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
    click.echo(fill)


def finding_mapping(finding: Finding) -> dict[str, str]:
    """A finding as JSON has it."""
    return {name: getattr(finding, name) for name in ("code", "severity", "where", "message")}
