"""F1 by population on two real files with an expert's label an event: placed cut points against fixed defaults.

One healthy donor each: a smoke test, no validation. Prints that the files are absent where they are.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytorecon.gating import GatedSample, gate_file
from cytorecon.template import GatingTemplate, read_template

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"
EUROFLOW: Mapping[str, tuple[str, ...]] = {
    "T cells": ("CD4+CD8-", "CD8+CD4-", "CD4+CD8+", "CD4+CD8dim", "TCRgd+", "TCRgd-"),
    "B cells": ("Mature SIg Kappa", "Mature SIg Lambda"),
    "NK cells": ("CD56dim", "CD56bright"),
    "CD4 T cells": ("CD4+CD8-",),
    "CD8 T cells": ("CD8+CD4-",),
}
HIPC: Mapping[str, tuple[str, ...]] = {
    f"{lineage} {subset}": (f"{lineage} {subset}",)
    for lineage in ("CD4", "CD8")
    for subset in ("Naive", "Central Memory", "Effector Memory", "Effector", "Activated")
}
FILES = {
    "euroflow_lst": ("euroflow_lst/Cytometry1_HD.fcs", EUROFLOW),
    "hipc_tcell": ("hipc_stanford_tcell/HIPC_Stanford_1369_1A.fcs", HIPC),
}


def fixed(template: GatingTemplate) -> GatingTemplate:
    """The template with every cut point at its fixed default."""
    cutpoints = {name: replace(one, method=None, parameters={}) for name, one in template.cutpoints.items()}
    return replace(template, cutpoints=cutpoints)


def scores(name: str) -> dict[str, tuple[float, float, int]]:
    """F1 of placed and of fixed cut points, and the number of events labelled, by population; of all events."""
    place, classes = FILES[name]
    path = DATA / place
    with gzip.open(f"{path}.labels.csv.gz", "rt") as file:
        labels = np.array([row[0] for row in csv.reader(file)][1:])
    template = read_template(HERE / f"{name}.toml")
    samples = [gate_file(path, one, membership=True) for one in (template, fixed(template))]
    found = {}
    for population, names in classes.items():
        true = np.isin(labels, names)
        pair = [_f1(_members(sample, population), true) for sample in samples]
        found[population] = (*pair, int(true.sum()))
    return found


def _members(sample: GatedSample, population: str) -> np.ndarray:
    assert sample.membership is not None
    path = next(one.path for one in sample.counts if one.name == population)
    return sample.membership[path]


def _f1(found: np.ndarray, true: np.ndarray) -> float:
    return float(2 * np.count_nonzero(found & true) / max(np.count_nonzero(found) + np.count_nonzero(true), 1))


def report() -> None:
    for name in FILES:
        if not DATA.is_dir():
            print(f"{name}: the real file is not here")
            continue
        print(f"{name}: one healthy donor, a smoke test; F1 against the expert's labels, of all events")
        print(f"{'population':24}{'labelled':>9}{'placed':>8}{'fixed':>8}")
        for population, (placed, by_default, count) in scores(name).items():
            print(f"{population:24}{count:9}{placed:8.3f}{by_default:8.3f}")


if __name__ == "__main__":
    report()
