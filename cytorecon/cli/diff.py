"""``cytorecon diff``: what another version of a template changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytorecon.cli.output import RESEARCH_USE, message, print_json, show, table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from cytorecon.study import Content, Study

DISEASES = ("aml", "t_all", "mpal")


@click.command("diff")
@click.argument("study_path", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("-t", "--template", "names", nargs=2, metavar="OLD NEW", required=True,
              help="Two versions, each as NAME-VERSION or the beginning of a SHA-256.")  # fmt: skip
@click.option("--disease", type=click.Choice(DISEASES), help="Whose MRD threshold; by default by the template's name.")
@click.option("--identifiers", is_flag=True, help="Show patients as the sheet has them, not as pseudonyms.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(study_path: Path, names: tuple[str, str], disease: str | None, identifiers: bool, as_json: bool) -> None:
    """List every count and every clinical call of STUDY that two versions of a template do not share."""
    from cytorecon.reconstitution.calls import diff_calls
    from cytorecon.study import diff_templates, open_study, pseudonyms, read_cube

    study = open_study(study_path, create=False)
    old, new = (find(study, name) for name in names)
    if old.name != new.name:
        raise click.BadParameter("are no two versions of one template", param_hint="--template")
    counts = diff_templates(study, old.name, old.sha256, new.sha256)
    before, after = (read_cube(study, one.name, version=one.sha256) for one in (old, new))
    calls = diff_calls(before, after, _threshold(old.name, disease, before, after))
    shown = {} if identifiers else pseudonyms(study)
    counts, calls = (_shown(frame, shown) for frame in (counts, calls))
    if as_json:
        print_json({
            "study": study_path.name, "old": _about(old), "new": _about(new), "counts": records(counts),
            "calls": records(calls),
        })  # fmt: skip
        return
    _show(counts, calls, f"{old.name} {old.version} ({old.sha256[:8]}) → {new.version} ({new.sha256[:8]})")


def find(study: Study, text: str) -> Content:
    """The one template content of a study that NAME-VERSION, the name of its cube, or its SHA-256 begins to name."""
    from cytorecon.study import contents

    known = contents(study)
    stem = text.removesuffix(".nc")
    found = [
        one
        for one in known
        if stem
        in (f"{one.name}-{one.version}", f"{one.name} {one.version}", f"{one.name}-{one.version}-{one.sha256[:8]}")
        or (len(text) >= 8 and one.sha256.startswith(text))
    ]
    if len(found) != 1:
        listed = ", ".join(map(_full, known)) or "nothing"
        raise click.BadParameter(
            f"{text} names {'nothing' if not found else 'several'} of what the study holds: {listed}",
            param_hint="--template",
        )
    return found[0]


def _full(content: Content) -> str:
    return f"{content.name}-{content.version}-{content.sha256[:8]}"


def _threshold(name: str, disease: str | None, *cubes: xr.Dataset) -> str | None:
    """The disease whose threshold residual disease is compared with; None where the template counts none."""
    if not any((cube["role"] == "mrd").any() for cube in cubes):
        return None
    named = disease or name.removeprefix("mrd_")
    if named not in DISEASES:
        raise click.UsageError(f"which disease does {name} count? Give --disease {' | '.join(DISEASES)}")
    return named


def _shown(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    return frame.assign(patient=[_pseudonym(str(patient), names) for patient in frame["patient"]])


def _pseudonym(patient: str, names: dict[str, str]) -> str:
    """Also of a second transplant, which a cube writes behind the name."""
    name, mark, transplant = patient.partition(" (transplant ")
    return f"{names.get(name, name)}{mark}{transplant}" if mark and name in names else names.get(patient, patient)


def _about(content: Content) -> dict[str, str]:
    return {"name": content.name, "version": content.version, "sha256": content.sha256}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings of plain values; what is missing is null."""
    import json

    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    return rows


def _show(counts: pd.DataFrame, calls: pd.DataFrame, title: str) -> None:
    rows = [
        (row["patient"], f"{int(row['day']):+d}", row["specimen"], row["path"], _count(row, "old"), _count(row, "new"))
        for row in counts.to_dict("records")
    ]
    said = [
        (row["patient"], _day(row["timepoint"]), row["specimen"], row["statement"], row["old"], row["new"])
        for row in calls.astype(object).where(calls.notna(), None).to_dict("records")
    ]
    if rows:
        show(table(title, ("patient", "day", "specimen", "population", "old", "new"), rows, left=4))
    if said:
        show(table("Clinical calls", ("patient", "timepoint", "specimen", "call", "old", "new"), said, left=6))
    message(f"{title}: {len(rows)} changed in counts, {len(said)} in clinical calls. {RESEARCH_USE}")


def _day(timepoint: int | None) -> str:
    return "" if timepoint is None else f"{int(timepoint):+d}"


def _count(row: dict[Any, Any], side: str) -> str:
    """Events inside of events of the parent, or why there are none."""
    if row[f"status_{side}"] in ("counted", "needs_review", "not_evaluable"):
        parent = row[f"parent_count_{side}"]
        flag = "" if row[f"status_{side}"] == "counted" else f" ({row[f'status_{side}'].replace('_', ' ')})"
        return (
            f"{row[f'event_count_{side}']:,} of {parent:,}{flag}" if parent >= 0 else f"{row[f'event_count_{side}']:,}"
        )
    return str(row[f"status_{side}"]).replace("_", " ")
