"""The truth of a simulated cohort as a table: written beside the sheets, read back to compare with what was counted."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytorecon.simulate.truth import TRUTH
from cytorecon.simulate.tube import SimulatedTube

ANSWER_COLUMNS = ("file", "template", "population", "path", "event_count", "cells_per_ul", "mrd_fraction")


@dataclass(frozen=True)
class Answer:
    """What is true of one population in one file.

    Parameters
    ----------
    file
        As the sample sheet names it.
    template, population, path
        The shipped template, and the population's name and path in it.
    event_count
        Living single cells (or beads) in the file.
    cells_per_ul
        Concentration the blood was drawn from; None for other specimens and for beads.
    mrd_fraction
        Leukaemic share of the living nucleated cells in the file; None except for the MRD population.
    """

    file: str
    template: str
    population: str
    path: str
    event_count: int
    cells_per_ul: float | None
    mrd_fraction: float | None


def read_answers(path: str | Path) -> tuple[Answer, ...]:
    """Read the ``truth.csv`` that `simulate_cohort` wrote."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return tuple(
            Answer(
                file=row["file"],
                template=row["template"],
                population=row["population"],
                path=row["path"],
                event_count=int(row["event_count"]),
                cells_per_ul=float(row["cells_per_ul"]) if row["cells_per_ul"] else None,
                mrd_fraction=float(row["mrd_fraction"]) if row["mrd_fraction"] else None,
            )
            for row in csv.DictReader(file)
        )


def answers(
    tube: SimulatedTube, file: str, template_name: str, per_ul: Mapping[str, float], *, leukemic: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Rows of the table for one tube: one a population of the template that the tube can measure.

    Parameters
    ----------
    tube, file
        The tube and its file's name in the sheet.
    template_name
        The shipped template.
    per_ul
        Concentration by cell type; empty if the specimen is not blood.
    leukemic
        Cell types that are this patient's leukaemia.
    """
    from cytorecon.fcs import Channel
    from cytorecon.template import read_template, resolve, template_dir

    template = read_template(template_dir() / f"{template_name}.toml")
    channels = [Channel(i, name, marker, 32, 262_144.0) for i, (name, marker) in enumerate(tube.channels)]
    not_measured = resolve(template, channels).not_measured
    members, masks = TRUTH[template_name], tube.truth(template_name)
    blasts = sum(tube.counts.get(kind, 0) for kind in leukemic)
    nucleated = int(tube.is_cell(TRUTH["mrd_aml"]["Nucleated"]).sum())
    for population in template.populations:
        if population.path in not_measured or population.name not in members:
            continue
        of_cells = per_ul and "bead" not in members[population.name]
        concentration = sum(per_ul.get(name, 0.0) for name in members[population.name])
        yield {
            "file": file,
            "template": template_name,
            "population": population.name,
            "path": population.path,
            "event_count": int(masks[population.name].sum()),
            "cells_per_ul": f"{concentration:.6g}" if of_cells else "",
            "mrd_fraction": f"{blasts / nucleated:.9g}" if population.role == "mrd" else "",
        }
