"""``cytorecon simulate``: a cohort with known truth."""

from __future__ import annotations

from pathlib import Path

import click

from cytorecon.cli.output import message


@click.command("simulate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--patients", type=click.IntRange(1), default=6, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same files.")
@click.option("--events", type=click.IntRange(1), default=20_000, show_default=True, help="Cells in a blood tube.")
@click.option("--marrow-events", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--broken", is_flag=True, help="Also write one file that is cut off in its middle.")
def command(folder: Path, patients: int, seed: int, events: int, marrow_events: int, broken: bool) -> None:
    """Write FCS files, sample sheets and their truth into FOLDER. Everything in it is invented and says so."""
    from cytorecon.simulate import simulate_cohort

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.BadParameter(f"{folder} exists and is not an empty folder", param_hint="FOLDER")
    sheet = simulate_cohort(
        folder, patients=patients, seed=seed, events=events, marrow_events=marrow_events, broken=broken
    )
    message(f"{len(list((folder / 'fcs').iterdir()))} simulated files; sheet {sheet}; truth {folder / 'truth.csv'}")
