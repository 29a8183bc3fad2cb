"""``cytorecon mrd``: what two numbers say about residual leukaemia."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.output import print_json, say, show, show_findings, table

if TYPE_CHECKING:
    from cytorecon.mrd import MrdAssessment


@click.command("mrd")
@click.option("--events", type=int, required=True, help="Leukaemic events.")
@click.option("--total", type=int, required=True, help="Cells of the denominator.")
@click.option("--disease", type=click.Choice(["aml", "t_all", "mpal"]), required=True)
@click.option(
    "--denominator",
    required=True,
    type=click.Choice(
        ["nucleated", "nucleated_dye", "nucleated_scatter", "cd45", "wbc", "mononuclear", "lineage"],
    ),
    help="What --total counts; nucleated means by nucleic-acid dye.",
)
@click.option("--nucleated-total", type=int, help="Nucleated cells (by dye) of the same acquisition.")
@click.option("--cd45-total", type=int, help="CD45+ cells of the same acquisition (ELN 2021's denominator).")
@click.option("--blast-region", type=int, help="Viable cells in the blast region (ELN 2021 needs 100).")
@click.option("--lod-events", type=int, default=20, show_default=True, help="Events that count as detected.")
@click.option("--lloq-events", type=int, default=50, show_default=True, help="Events that count as quantifiable.")
@click.option("--lob-count", type=int, help="Background events that controls explain in this acquisition.")
@click.option("--validated-lod", type=float, help="LOD of this phenotype in controls, a fraction of 1.")
@click.option(
    "--interval",
    "interval_method",
    default="clopper-pearson",
    show_default=True,
    type=click.Choice(["clopper-pearson", "wilson", "clopper-pearson-one-sided", "wilson-one-sided"]),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    events: int,
    total: int,
    disease: str,
    denominator: str,
    nucleated_total: int | None,
    cd45_total: int | None,
    blast_region: int | None,
    lod_events: int,
    lloq_events: int,
    lob_count: int | None,
    validated_lod: float | None,
    interval_method: str,
    as_json: bool,
) -> None:
    """Say what EVENTS leukaemic cells among TOTAL mean for the trial's threshold (and, for AML, ELN 2021's).

    Exit code 4 means: done, but the trial's answer needs adjudication by a person. Research use only.
    """
    from cytorecon.mrd import mrd_call, mrd_json

    result = mrd_call(
        events,
        total,
        disease,
        denominator,
        lod_events=lod_events,
        lloq_events=lloq_events,
        lob_count=lob_count,
        validated_lod=validated_lod,
        interval_method=interval_method,
        nucleated_count=nucleated_total,
        cd45_count=cd45_total,
        blast_region_count=blast_region,
    )
    if as_json:
        print_json(mrd_json(result))
    else:
        _show(result)
    if result.protocol == "needs_adjudication":
        ctx.exit(AWAITS_REVIEW)


def _show(result: MrdAssessment) -> None:
    rows = [
        (
            each.source,
            f"{'>' if each.threshold.strict else '≥'} {100 * float(each.threshold.fraction):g} %",
            each.position,
            each.adequacy,
            each.call,
            each.protocol,
        )
        for each in result.assessments
    ]
    show(table("", ("source", "threshold", "position", "adequacy", "call", "protocol's answer"), rows, left=6))
    say(result.text)
    click.echo()
    show_findings(result.findings)
