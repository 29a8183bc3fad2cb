"""``cytorecon dose``: one infusion planned from a gated product, or the doses of a graft."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytorecon.cli import AWAITS_REVIEW
from cytorecon.cli.gated import read_counts
from cytorecon.cli.output import finding_mapping, print_json, say, show, show_findings, table
from cytorecon.cli.prose import any_review, show_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from cytorecon.product import CellCounts, NkDose, PerKg


@click.command("dose")
@click.argument("request", type=click.Path(path_type=Path))
@click.argument("file")
@click.option("-t", "--template", "template_name", help="By default nk_product; with --graft, graft.")
@click.option("--study", type=click.Path(path_type=Path), help="Take the counts that this study recorded of FILE.")
@click.option("--graft", is_flag=True, help="CD34+, T, B and NK cells of a whole graft per kg.")
@click.option("--protocol", default="nct07256210", show_default=True, help="A shipped protocol, or a .toml file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    request: Path,
    file: str,
    template_name: str | None,
    study: Path | None,
    graft: bool,
    protocol: str,
    as_json: bool,
) -> None:
    """Plan the infusion that REQUEST (.toml) asks for from the product sample FILE.

    FILE is an FCS file, which is gated now; a .json file that `cytorecon gate --json` wrote; or, with --study, a file
    as the study's sheet names it. Exit code 4 means: done, but a check did not pass or a person has to look.
    """
    from cytorecon.product import GRAFT_NAMES, PRODUCT_NAMES, cell_counts

    gated = read_counts(file, template_name or ("graft" if graft else "nk_product"), study)
    counts = cell_counts(gated, GRAFT_NAMES if graft else PRODUCT_NAMES, sample=Path(file).name)
    review = _graft(request, counts, as_json) if graft else _product(request, counts, protocol, as_json)
    if review:
        ctx.exit(AWAITS_REVIEW)


def _product(request: Path, counts: CellCounts, protocol: str, as_json: bool) -> bool:
    from cytorecon.product import plan_dose, read_dose
    from cytorecon.trial import read_protocol, to_mapping

    asked = read_dose(request)
    result = plan_dose(counts, asked, read_protocol(protocol))
    if as_json:
        print_json({"sample": counts.sample, **to_mapping(result)})
    else:
        _show(result, float(asked.confidence))
    failed = not all(check.passed for check in result.checks) or any(row.status == "outside" for row in result.release)
    return failed or any_review(result.findings)


def _graft(request: Path, counts: CellCounts, as_json: bool) -> bool:
    from cytorecon.product import graft_dose, read_cell_number
    from cytorecon.trial import RESEARCH_USE, to_mapping

    cells = read_cell_number(request)
    doses = graft_dose(counts, cells)
    if as_json:
        findings = [finding_mapping(finding) for finding in counts.findings]
        print_json({"sample": counts.sample, "doses": [to_mapping(dose) for dose in doses], "findings": findings})
    else:
        title = f"Graft {counts.sample}, {cells.weight_kg} kg ({cells.weight} weight)"
        show(_dose_table(title, doses, float(cells.confidence)))
        show_findings(counts.findings)
        click.echo(RESEARCH_USE)
    return any_review(counts.findings)


def _show(result: NkDose, confidence: float) -> None:
    from cytorecon.trial.values import scientific

    say(result.text)
    click.echo()
    infusions = [
        (f"{'→ ' if number == result.infusion else ''}{number}", f"{day:+d}", scientific(dose))
        for number, day, dose in result.split
    ]
    show(
        table(f"Level {result.level}", ("infusion", "day", "NK cells per kg"), infusions, left=0),
        _dose_table(f"At {result.volume_ml:.1f} mL", (result.nk, *result.t_cells), confidence),
        table("Checks", ("check", "", "figures"), _check_rows(result), left=3),
        table(
            "Release: measured lines and the site's limits",
            ("line", "result", "limit", "status"),
            ((row.name.replace("_", " "), row.result or "–", row.limit, row.status) for row in result.release),
            left=4,
        ),
    )
    show_end(result.ambiguities, result.findings, result.note)


def _check_rows(result: NkDose) -> Iterable[tuple[str, str, str]]:
    return ((check.name, "passed" if check.passed else "NOT PASSED", check.words) for check in result.checks)


def _dose_table(title: str, doses: Iterable[PerKg], confidence: float) -> Table:
    from cytorecon.trial.values import scientific

    rows = [
        (
            dose.name,
            scientific(dose.per_kg) if dose.event_count else f"< {scientific(dose.high)}",
            f"{scientific(dose.low)} to {scientific(dose.high)}",
            f"{dose.event_count:,}",
            f"{dose.total_count:,}",
        )
        for dose in doses
    ]
    return table(title, ("cells", "per kg", f"{100 * confidence:g} % interval", "events", "of CD45+"), rows)
