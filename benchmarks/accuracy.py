"""Counts of the shipped T, B and NK template on simulated tubes, against the true events of each file.

``make accuracy`` runs it. Everything it gates is invented: it says what the placement does in constructed cases, not
how it does on patients. Numbers are judged by stratum, and every figure is printed beside its bar.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.quality import check_sample
from cytorecon.simulate import HARD_CASES, PANELS, simulate_tube
from cytorecon.simulate.hard import EARLY_BLOOD, HEALTHY_BLOOD, counts_of

# Customary detection limit of flow cytometry, in events.
LOD = 20
TUBES = ("tbnk_6", "tbnk_8", "tbnk_10", "tbnk_11")
NK_NAMES = {"tbnk_6": "NK clinical one colour"}
ANTIGENS = ("CD45", "CD3", "CD4", "CD8", "CD19", "CD20", "CD16", "CD56", "CD14", "HLA-DR", "TCRgd")
T = {"CD4 T": 55, "CD8 T": 35, "gd T": 4, "DN T": 1, "DP T": 1, "NKT-like": 4}
NK = {"NK dim": 70, "NK dim CD16-": 4, "NK bright": 14, "NK bright CD16+": 3, "expanded NK": 9}
B = {"B": 100}
MYELOID = {"monocyte": 8, "CD16+ monocyte": 0.8, "neutrophil": 60, "eosinophil": 2, "basophil": 0.6, "pDC": 0.1}
BARS = {"T": (0.03, 0.10, 0.01), "B": (0.05, 0.15, 0.02), "NK": (0.07, 0.20, 0.03)}


@dataclass(frozen=True)
class Job:
    """One tube to be made and gated."""

    number: int
    stratum: str
    panel: str
    counts: dict[str, int] = field(default_factory=dict)
    knobs: dict[str, Any] = field(default_factory=dict)
    case: str = ""


@dataclass(frozen=True)
class Row:
    """One lineage of one tube."""

    number: int
    stratum: str
    panel: str
    lineage: str
    true: int
    found: int
    low: int
    high: int
    review: bool
    sample_review: bool


def jobs(count: int, seed: int = 1) -> Iterator[Job]:
    """Tubes by stratum, each with the day-to-day differences of pipettes and lasers on top."""
    rng = np.random.default_rng(seed)
    strata = ["in control", "hard", "gain", "titration", "spill", "share", "few", "drift", "scatter"]
    cases = [name for name, case in HARD_CASES.items() if case.template == "tbnk"]
    for number in range(count):
        stratum = strata[number % len(strata)]
        panel = TUBES[int(rng.integers(len(TUBES)))]
        case = cases[int(rng.integers(len(cases)))] if stratum == "hard" else ""
        shares = _shares(rng, stratum)
        knobs = _knobs(rng, stratum, panel)
        cells = int(np.exp(rng.uniform(np.log(8_000), np.log(60_000))))
        counts = counts_of(shares, cells) | _few(rng, stratum)
        if panel == "tbnk_6" and rng.random() < 0.5:
            knobs["beads"] = int(rng.integers(500, 5_000))
        yield Job(number, stratum, HARD_CASES[case].panel if case else panel, counts, {} if case else knobs, case)


def _mixed(rng: np.random.Generator, shares: dict[str, float], sigma: float = 0.3) -> dict[str, float]:
    return {name: share * float(rng.lognormal(0, sigma)) for name, share in shares.items()}


def _shares(rng: np.random.Generator, stratum: str) -> dict[str, float]:
    if stratum in ("share", "few", "drift"):
        parts = rng.dirichlet([0.5, 0.5, 0.5]) if stratum != "few" else rng.dirichlet([2, 1, 1])
        if stratum == "share" and rng.random() < 0.3:
            parts[int(rng.integers(3))] = 0
            parts = parts / max(parts.sum(), 1e-9)
        parts = np.minimum(parts, 0.95)
        percent = rng.uniform(4, 70)
        shares = {name: value * (100 - percent) / 71.5 for name, value in _mixed(rng, MYELOID).items()}
        for part, lineage in zip(parts, (T, B, NK), strict=True):
            mixed = _mixed(rng, lineage)
            shares |= {name: part * percent * value / sum(mixed.values()) for name, value in mixed.items()}
        return shares
    return _mixed(rng, dict(HEALTHY_BLOOD if rng.random() < 0.6 else EARLY_BLOOD), 0.25)


def _few(rng: np.random.Generator, stratum: str) -> dict[str, int]:
    """Zero to 200 cells of one lineage."""
    if stratum != "few":
        return {}
    lineage = (T, B, NK)[int(rng.integers(3))]
    return counts_of(lineage, int(rng.integers(0, 201)))


def _knobs(rng: np.random.Generator, stratum: str, panel: str) -> dict[str, Any]:
    knobs: dict[str, Any] = {
        "seed": int(rng.integers(2**31)),
        "staining": {antigen: float(rng.lognormal(0, 0.08)) for antigen in ANTIGENS},
        "spill_error": 0.01,
    }
    if stratum in ("gain", "drift"):
        colours = {stain.fluorochrome: float(2 ** rng.uniform(-1, 1)) for stain in PANELS[panel]}
        knobs["gain"] = colours if rng.random() < 0.5 else float(2 ** rng.uniform(-1, 1))
    if stratum in ("titration", "drift"):
        knobs["staining"] = {antigen: float(rng.uniform(0.6, 1.3)) for antigen in ANTIGENS}
    if stratum in ("spill", "drift"):
        knobs["spill_error"] = float(rng.uniform(0.02, 0.10))
    if stratum in ("scatter", "drift"):
        knobs["scatter_gain"] = float(rng.uniform(0.75, 1.3))
    return knobs


def gate(job: Job) -> list[Row]:
    """Make one tube, gate its file, and put what was counted beside what is there."""
    if job.case:
        tube = HARD_CASES[job.case].simulate(seed=1000 + job.number)
    else:
        tube = simulate_tube(job.counts, job.panel, **job.knobs)
    truth = tube.truth("tbnk")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        template = load_template("tbnk")
        sample = check_sample(gate_file(tube.write(Path(folder) / "tube.fcs"), template), template)
    found = {one.name: one for one in sample.counts}
    nk = NK_NAMES.get(job.panel, "NK clinical CD14-")
    any_review = any(one.severity == "review" for one in sample.findings)
    names = {"T": "T cells", "B": "B cells", "NK": nk}
    sample_review = any_review or any(one.status == "needs_review" for one in sample.counts)
    rows = []
    for lineage, name in names.items():
        one = found[name]
        low = one.low if one.low is not None else one.event_count
        high = one.high if one.high is not None else one.event_count
        review = any_review or one.status == "needs_review" or found["Lymphocytes"].status == "needs_review"
        rows.append(
            Row(job.number, job.case or job.stratum, job.panel, lineage, int(truth[name].sum()), one.event_count,
                low, high, review, sample_review)
        )  # fmt: skip
    return rows


def report(rows: list[Row], tubes: int) -> None:
    """Print the figures of all tubes and of each stratum."""
    print(f"{tubes} simulated tubes, {len(rows)} lineages; T, B and NK of 50 true events or more, against the file")
    print(
        f"{'stratum':24}{'lineage':8}{'n':>6}{'median':>8}{'95 %':>8}{'bias':>8}{'review':>8}{'gross':>7}{'cover':>7}"
    )
    by: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        for name in ("ALL", "ALL but hard", row.stratum):
            if name != "ALL but hard" or row.stratum not in HARD_CASES:
                by[name, row.lineage].append(row)
    for (stratum, lineage), some in sorted(by.items(), key=lambda item: (item[0][0] in HARD_CASES, item[0])):
        _line(stratum, lineage, some)
    invented = [row for row in rows if row.true == 0 and row.found > LOD and not row.review]
    lost = [row for row in rows if row.true >= 100 and row.found <= LOD and not row.review]
    control = {row.number: row.sample_review for row in rows if row.stratum == "in control"}
    print(f"invented populations {len(invented)} (bar 0); lost populations {len(lost)} (bar 0)")
    print(f"in-control tubes sent to review {np.mean(list(control.values())):.1%} (bar 10 %)")
    for row in (invented + lost)[:10]:
        print("  ", row)


def _line(stratum: str, lineage: str, rows: list[Row]) -> None:
    many = [row for row in rows if row.true >= 50]
    if not many:
        return
    error = np.array([row.found / row.true - 1 for row in many])
    review = np.array([row.review for row in many])
    gross = np.mean((np.abs(error) > 0.3) & ~review)
    cover = np.mean([covers(row) for row in many])
    median, high, bias = np.median(np.abs(error)), np.quantile(np.abs(error), 0.95), np.median(error)
    bars = BARS[lineage]
    flags = "".join("!" if value > bar else " " for value, bar in zip((median, high, abs(bias)), bars, strict=True))
    print(
        f"{stratum:24}{lineage:8}{len(many):6}{median:8.2%}{high:8.2%}{bias:8.2%}{review.mean():8.1%}{gross:7.2%}"
        f"{cover:7.1%} {flags}"
    )


def covers(row: Row) -> bool:
    """Whether the stated interval, placement and counting together, holds the file's true count."""
    chance = 1.96 * np.sqrt(row.found + 1)
    below = np.hypot(row.found - row.low, chance)
    above = np.hypot(row.high - row.found, chance)
    return bool(row.found - below <= row.true <= row.found + above)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tubes", type=int, default=3_240)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.workers) as pool:
        rows = [row for some in pool.map(gate, jobs(options.tubes, options.seed), chunksize=16) for row in some]
    report(rows, options.tubes)


if __name__ == "__main__":
    main()
