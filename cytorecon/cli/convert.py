"""``cytorecon convert``: a template from one format into another."""

from __future__ import annotations

from pathlib import Path

import click

from cytorecon.cli.output import message, print_json


@click.command("convert")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--sample", help="Which sample of a FlowJo workspace; needed where it holds several.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(source: str, target: Path, sample: str | None, as_json: bool) -> None:
    """Convert the template IN to OUT; the endings tell the formats.

    IN is a shipped name, .toml, Gating-ML 2.0 (.xml), a FlowJo 10 workspace (.wsp) or an openCyto table (.csv).
    OUT is .toml or Gating-ML (.xml), and replaced if it is there. Gating-ML holds fixed cut points only.
    """
    from cytorecon.interchange import convert

    if target.exists() and target.resolve() == Path(source).resolve():
        raise click.UsageError("IN and OUT are the same file: name another OUT.")
    template = convert(source, target, sample=sample)
    if as_json:
        print_json(
            {
                "source": Path(source).name,
                "target": target.name,
                "template": {"name": template.name, "version": template.version, "sha256": template.sha256},
                "population_count": len(template.populations),
            }
        )
    message(f"{target}: {template.name} {template.version}, {len(template.populations)} populations")
