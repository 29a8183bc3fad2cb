"""``cytorecon demo``: the main job from files to answers, beside the truth that only a simulation knows."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from cytorecon.cli.output import message, show, table
from cytorecon.cli.run import progress_bar

if TYPE_CHECKING:
    import xarray as xr

    from cytorecon.simulate import Answer
    from cytorecon.study import Study

LINEAGES = ("T cells", "B cells", "NK cells")
DISEASES = {"mrd_aml": "aml", "mrd_t_all": "t_all", "mrd_mpal": "mpal"}
# Below this many true events a relative error says more about chance than about gating.
FEWEST = 50


@click.command("demo")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the cohort and the study here.")
@click.option("--patients", type=click.IntRange(1), default=6, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
def command(folder: Path | None, patients: int, seed: int, workers: int) -> None:
    """Simulate a cohort, gate it into a study, and print what was found against the known truth.

    Everything shown is simulated: it says that the line works, not how well it does on patients.
    """
    if folder is not None:
        if folder.exists() and any(folder.iterdir()):
            raise click.BadParameter(f"{folder} is not empty", param_hint="--folder")
        _demonstrate(folder, patients, seed, workers)
        return
    with tempfile.TemporaryDirectory(prefix="cytorecon-demo-") as temporary:
        _demonstrate(Path(temporary), patients, seed, workers)


def _demonstrate(folder: Path, patients: int, seed: int, workers: int) -> None:
    from cytorecon.simulate import read_answers, simulate_cohort
    from cytorecon.study import open_study

    cohort = folder / "cohort"
    message(f"Simulating {patients} patients (invented, seed {seed}) …")
    simulate_cohort(cohort, patients=patients, seed=seed, marrow_events=200_000, broken=True)
    truth = {(answer.file, answer.path): answer for answer in read_answers(cohort / "truth.csv")}
    study = open_study(folder / "study.recon")
    failed = _gate_every_panel(cohort, study, workers)
    _show_lineages(study, truth)
    _show_one_patient(study, truth)
    _show_residual_disease(study, truth)
    if failed:
        show(table("Could not be gated, recorded with the reason", ("file", "why"), failed.items(), left=2))
    message("Simulated data: wiring, not accuracy on patients. Research use only.")


def _gate_every_panel(cohort: Path, study: Study, workers: int) -> dict[str, str]:
    from cytorecon.interchange import load_template
    from cytorecon.sheet import read_sheet
    from cytorecon.study import run

    failed: dict[str, str] = {}
    samples = read_sheet(cohort / "cohort.csv")
    for panel in dict.fromkeys(sample.panel for sample in samples):
        with progress_bar(panel) as report:
            chosen = [sample for sample in samples if sample.panel == panel]
            summary = run(chosen, load_template(panel), study, workers=workers, progress=report)
        failed |= summary.reasons
    return failed


def _counted(samples: xr.Dataset, population: str) -> dict[str, int]:
    """File -> events counted in a population, where they were."""
    counts = samples["event_count"].sel(population=population).values
    return {str(file): int(count) for file, count in zip(samples["file"].values, counts, strict=True) if count >= 0}


def _show_lineages(study: Study, truth: Mapping[tuple[str, str], Answer]) -> None:
    from cytorecon.study import read_samples

    samples = read_samples(study, "tbnk")
    rows = []
    for population in LINEAGES:
        path = str(samples["path"].sel(population=population).values)
        pairs = [(count, truth[file, path].event_count) for file, count in _counted(samples, population).items()]
        errors = [100 * abs(found - true) / true for found, true in pairs if true >= FEWEST]
        rows.append((population, len(pairs), _thousands(pairs, 1), _thousands(pairs, 0), *_summary(errors)))
    columns = ("blood", "tubes", "true events", "counted", "median error %", "worst error %")
    show(table(f"Counted against the truth (errors where there are at least {FEWEST} events)", columns, rows))


def _thousands(pairs: Sequence[tuple[int, int]], which: int) -> str:
    return f"{sum(pair[which] for pair in pairs):,}"


def _summary(errors: Sequence[float]) -> tuple[str, str]:
    return (f"{median(errors):.2f}", f"{max(errors):.2f}") if errors else ("–", "–")


def _show_one_patient(study: Study, truth: Mapping[tuple[str, str], Answer]) -> None:
    from cytorecon.counts import cells_per_ul
    from cytorecon.study import read_samples

    samples = read_samples(study, "tbnk")
    patient = str(samples["patient"].values[0])
    own = samples.isel(sample=(samples["patient"] == patient).values & (samples["error"] == "").values).sortby("day")
    found = cells_per_ul(own)
    rows = []
    for row in range(own.sizes["sample"]):
        file = str(own["file"].values[row])
        cells: list[str] = [f"{int(own['day'].values[row]):+d}"]
        for population in LINEAGES:
            true = truth[file, str(own["path"].sel(population=population).values)].cells_per_ul
            counted = float(found.sel(population=population).values[row])
            cells.append(f"{counted:,.1f} ({true:,.1f})")
        rows.append(cells)
    show(table(f"{patient}: cells per µL by day, in brackets the truth", ("day", *LINEAGES), rows))


def _show_residual_disease(study: Study, truth: Mapping[tuple[str, str], Answer]) -> None:
    from cytorecon.mrd import assess_mrd
    from cytorecon.study import contents, read_samples

    rows = []
    for panel in (content.name for content in contents(study) if content.name in DISEASES):
        samples = read_samples(study, panel)
        result = assess_mrd(samples, DISEASES[panel])
        path = next(
            path for path, role in zip(samples["path"].values, samples["role"].values, strict=True) if role == "mrd"
        )
        for row in range(samples.sizes["sample"]):
            true = truth[str(samples["file"].values[row]), str(path)].mrd_fraction or 0.0
            one = result.isel(sample=row)
            rows.append(
                (
                    str(samples["patient"].values[row]),
                    f"{int(samples['day'].values[row]):+d}",
                    DISEASES[panel],
                    f"{100 * true:.4f}" if true else "none",
                    f"{int(one['event_count'])} of {int(one['total_count']):,}",
                    f"{100 * float(one['low']):.4f} – {100 * float(one['high']):.4f}",
                    str(one["call"].values),
                    str(one["protocol"].values),
                )
            )
    columns = ("marrow", "day", "disease", "true %", "counted", "95 % interval", "call", "protocol's answer")
    show(table("Residual leukaemia, % of nucleated cells", columns, rows, left=1))
