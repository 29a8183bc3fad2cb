"""``cytorecon gate``: one file through one template."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.output import (
    RESEARCH_USE,
    depth_first,
    finding_mapping,
    message,
    print_json,
    show,
    show_findings,
    table,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cytorecon.compensation import Spillover
    from cytorecon.gating import GatedSample


# Leukaemic events that count as detected; `cytorecon mrd` has it as a parameter.
LOD_EVENTS = 20


@click.command("gate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-t", "--template", "template_name", required=True, help="A shipped name, or a file.")
@click.option("--dataset", type=int, help="Which data set, where the file holds several (1 is the first).")
@click.option("--sample", help="Which sample of a workspace; by default the one of this file's name.")
@click.option("--compensation", help="In place of the template's: file, none, one of its matrices, or a .csv matrix.")
@click.option("--membership", "membership_path", type=click.Path(path_type=Path), help="Write OUT.npz.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    template_name: str,
    dataset: int | None,
    sample: str | None,
    compensation: str | None,
    membership_path: Path | None,
    as_json: bool,
) -> None:
    """Gate FILE with a template and print the count of every population.

    A template is a shipped name (such as tbnk), a .toml file, Gating-ML (.xml), a FlowJo 10 workspace
    (.wsp) or an openCyto table (.csv). Exit code 4 means: done, but a result awaits review.
    """
    from cytorecon.fcs import read_fcs
    from cytorecon.interchange import load_template
    from cytorecon.quality import gate_checked

    template = load_template(template_name, sample=sample, file=file)
    wanted = membership_path is not None
    gated = gate_checked(read_fcs(file, dataset), template, membership=wanted, spillover=_matrix(compensation))
    if membership_path is not None and gated.membership is not None:
        write_membership(membership_path, gated.membership)
    if as_json:
        print_json(gated_mapping(gated))
    else:
        _show(gated)
    if awaits_review(gated):
        ctx.exit(AWAITS_REVIEW)


def awaits_review(gated: GatedSample) -> bool:
    """Whether a person has to look before the result is used."""
    return any(counts.status == "needs_review" for counts in gated.counts) or any(
        finding.severity == "review" for finding in gated.findings
    )


def _matrix(compensation: str | None) -> Spillover | str | None:
    if compensation is None or not compensation.lower().endswith(".csv"):
        return compensation
    from cytorecon.sheet.matrix import read_matrix

    return read_matrix(Path(compensation))


def gated_mapping(gated: GatedSample) -> dict[str, Any]:
    """The result of gating one file as JSON has it."""
    return {
        "file": gated.file,
        "sha256": gated.sha256,
        "event_count": gated.event_count,
        "compensation": {"matrix": gated.compensation},
        "template": {
            "name": gated.template_name,
            "version": gated.template_version,
            "sha256": gated.template_sha256,
        },
        "populations": [
            {
                "name": counts.name,
                "path": counts.path,
                "parent": counts.parent,
                "role": counts.role,
                "event_count": counts.event_count,
                "parent_count": counts.parent_count,
                "status": counts.status,
            }
            for counts in gated.counts
        ],
        "cutpoints": {
            placed.name: {
                "marker": placed.marker,
                "channel": placed.channel,
                "display": placed.display,
                "raw": placed.raw,
                "method": placed.method,
                "spread": placed.spread,
            }
            for placed in gated.cutpoints
        },
        "findings": [finding_mapping(finding) for finding in gated.findings],
    }


def write_membership(path: Path, membership: Mapping[str, NDArray[np.bool_]]) -> None:
    """Write one boolean array a population path, readable by ``numpy.load``.

    Written entry by entry, since ``numpy.savez`` cannot hold a population whose name is one of its arguments.
    """
    from numpy.lib import format as npy

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in membership.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                npy.write_array(entry, inside, allow_pickle=False)


def _show(gated: GatedSample) -> None:
    rows = []
    for counts in depth_first(gated.counts):
        depth = counts.path.count("/")
        measured = counts.event_count >= 0
        percent = f"{100 * counts.event_count / counts.parent_count:.2f}" if counts.parent_count > 0 else "–"
        if counts.role == "mrd" and counts.event_count < LOD_EVENTS:  # never "0 %": cytorecon mrd says what it means
            percent = "< LOD"
        rows.append(
            (
                "  " * depth + counts.name,
                f"{counts.event_count:,}" if measured else "–",
                percent if measured else "–",
                counts.status,
            )
        )
    template = f"{gated.template_name} {gated.template_version}"
    title = f"{Path(gated.file).name}: {gated.event_count:,} events, {template}"
    show(table(title, ("population", "events", "% of parent", "status"), rows))
    show_findings(gated.findings)
    message(f"compensation: {gated.compensation or 'none (uncompensated)'}. {RESEARCH_USE}")
