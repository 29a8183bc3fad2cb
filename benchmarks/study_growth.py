"""What a study costs as it grows: recording, building the cube, opening it, verifying; figures as a table.

    python benchmarks/study_growth.py [--patients 250 500 1000 2000] [--plot growth.png]

15 visits a patient and 60 populations, timed in one process after all imports. Every cube is compared with the counts
that went in before any time is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from cytorecon.gating import GatedSample, PopulationCounts
from cytorecon.sheet import Sample
from cytorecon.study import Study, open_study, read_cube, verify
from cytorecon.study.recording import begin
from cytorecon.study.schema import connected
from cytorecon.template import GatingTemplate, parse_template

VISITS, POPULATIONS = 15, 60


@dataclass(frozen=True)
class Figures:
    """Times of one study, and what it takes on disk and in memory."""

    patients: int
    record_ms: float
    build_s: float
    open_s: float
    verify_s: float
    ledger_mb: float
    peak_mb: float


def template() -> GatingTemplate:
    """60 populations below the root."""
    head = 'name = "growth"\nversion = "1"\ncompensation = "none"\n'
    gate = 'gate = {{ type = "range", channels = ["FSC-A"], min = {0} }}'
    table = '[[population]]\nname = "Population {0}"\n' + gate + "\n"
    return parse_template(head + "".join(table.format(number) for number in range(POPULATIONS)))


def samples_of(patients: int) -> list[Sample]:
    """Rows of a sheet: every patient at every month."""
    rows = []
    for patient in range(patients):
        for month in range(VISITS):
            name = f"p{patient}_{month}.fcs"
            row = {"file": Path("/", name), "file_name": name, "patient": f"P{patient:05d}", "specimen": "blood"}
            rows.append(Sample(**row, day=30 * month, timepoint=30 * month, wbc_per_ul=4000.0))
    return rows


def gated(sample: Sample, counts: Sequence[int], paths: Sequence[str], used: GatingTemplate) -> GatedSample:
    """One result as gating returns it."""
    found = tuple(
        PopulationCounts(path, path, "", "", int(count), 1_000_000, "counted")
        for path, count in zip(paths, counts, strict=True)
    )
    digest = hashlib.sha256(sample.file_name.encode()).hexdigest()
    return GatedSample(
        sample.file_name, digest, 1_000_000, found, None, used.name, used.version, used.sha256, sample=sample
    )


def timed(action: Callable[[], object]) -> tuple[float, object]:
    """Seconds and result."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def record(study: Study, samples: Sequence[Sample], counts: np.ndarray, used: GatingTemplate) -> None:
    """Record every sample, each on disk before the next."""
    paths = [population.path for population in used.populations]
    with connected(study.ledger, write=True) as connection:
        recorder = begin(connection, samples, used)
        for sample, row in zip(samples, counts, strict=True):
            recorder.record(gated(sample, row, paths, used))


def measure(patients: int, folder: Path) -> Figures:
    """Fill one study and time what is done with it."""
    study, used, samples = open_study(folder / str(patients)), template(), samples_of(patients)
    counts = np.random.default_rng(1).integers(0, 1_000_000, (len(samples), POPULATIONS))
    recording, _ = timed(lambda: record(study, samples, counts, used))
    building, built = timed(lambda: read_cube(study, "growth"))
    opening, opened = timed(lambda: read_cube(study, "growth"))
    assert isinstance(built, xr.Dataset)
    assert built.identical(opened)
    assert np.array_equal(counts.reshape(patients, VISITS, 1, POPULATIONS), built["event_count"].values)
    verifying, found = timed(lambda: verify(study))
    assert not found.problems
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    size = study.ledger.stat().st_size / 1e6
    return Figures(patients, 1000 * recording / len(samples), building, opening, verifying, size, peak)


def plot(figures: Sequence[Figures], path: Path) -> None:
    """Draw seconds against samples: a straight line is linear growth."""
    import matplotlib.pyplot as plt

    samples = [VISITS * one.patients for one in figures]
    figure, axes = plt.subplots()
    for name in ("build_s", "open_s", "verify_s"):
        axes.plot(samples, [getattr(one, name) for one in figures], marker="o", label=name.removesuffix("_s"))
    axes.set(xlabel=f"samples of {POPULATIONS} populations", ylabel="seconds", xlim=0, ylim=0)
    axes.legend()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, nargs="+", default=[250, 500, 1000, 2000])
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(10, Path(folder))  # imports everything
        figures = [measure(patients, Path(folder)) for patients in given.patients]
    print(*asdict(figures[0]), sep="\t")
    for one in figures:
        print(*(f"{value:.4g}" for value in asdict(one).values()), sep="\t")
    if given.plot:
        plot(figures, given.plot)


if __name__ == "__main__":
    main()
