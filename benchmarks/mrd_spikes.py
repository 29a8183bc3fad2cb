"""Leukaemic cells spiked into simulated regenerating marrow: the call against the truth, as a table.

    python benchmarks/mrd_spikes.py [--largest 5000000]

Simulated: it shows that template, counting and call are wired up and keep their promises in constructed cases, not how
they do on patients. Each acquisition is gated in tubes of at most 250,000 cells, whose counts add.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.mrd import MrdAssessment, mrd_call
from cytorecon.simulate import SimulatedTube, simulate_tube
from cytorecon.simulate.hard import REGENERATING_MARROW, counts_of

SIZES = (10_000, 100_000, 500_000, 1_000_000, 5_000_000)
SPIKES = (0, 5, 10, 20, 50, 100, 500, 1000, 5000)
LEUKAEMIA = {"aml": ("mrd_aml", "AML"), "t_all": ("mrd_t_all", "T-ALL"), "mpal": ("mrd_mpal", "MPAL T")}
CHUNK = 250_000


@dataclass(frozen=True)
class Spike:
    """One acquisition: what it holds, what was counted, and the assessment of each."""

    cells: int
    leukaemic: int
    counted: MrdAssessment
    truth: MrdAssessment


def series(disease: str, sizes: tuple[int, ...] = SIZES, seed: int = 0) -> Iterator[Spike]:
    """Every number of leukaemic cells in every size of acquisition."""
    panel, cell = LEUKAEMIA[disease]
    spikes = {
        k: gated(simulate_tube({cell: k}, panel, seed=seed + k, doublets=0, dead=0, margin=0), panel)
        for k in SPIKES
        if k
    }
    marrow = (0, 0, 0)
    for size, before in zip(sizes, (0, *sizes), strict=False):
        for chunk, first in enumerate(range(before, size, CHUNK)):
            shares = counts_of(REGENERATING_MARROW, min(CHUNK, size - first))
            found = gated(simulate_tube(shares, panel, seed=seed + size + chunk), panel)
            marrow = (marrow[0] + found[0], marrow[1] + found[1], marrow[2] + found[2])
        for k in SPIKES:
            more = spikes.get(k, (0, 0, 0))
            counted = mrd_call(marrow[0] + more[0], marrow[1] + more[1], disease, "nucleated")
            truth = mrd_call(k, marrow[2] + k, disease, "nucleated")
            yield Spike(size, k, counted, truth)


def gated(tube: SimulatedTube, panel: str) -> tuple[int, int, int]:
    """Counted leukaemic and nucleated events, and true nucleated living cells, of one tube."""
    with tempfile.TemporaryDirectory() as folder:
        sample = gate_file(tube.write(Path(folder) / "tube.fcs"), load_template(panel))
    by_role = {counts.role: counts.event_count for counts in sample.counts if counts.role}
    return by_role["mrd"], by_role["nucleated"], nucleated(tube)


def nucleated(tube: SimulatedTube) -> int:
    """Living single cells of the tube; none of its types is without a nucleus."""
    return int(np.sum(tube.kind == 0))


def table(largest: int) -> Iterator[str]:
    """Markdown rows."""
    yield "| disease | cells | leukaemic cells | counted | true call | call | adequacy |"
    yield "|---|---|---|---|---|---|---|"
    for disease in LEUKAEMIA:
        for one in series(disease, tuple(size for size in SIZES if size <= largest)):
            yield (
                f"| {disease} | {one.cells:,} | {one.leukaemic:,} | {one.counted.event_count:,} of"
                f" {one.counted.total_count:,} | {one.truth.call} | {one.counted.call} | {one.counted.adequacy} |"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    print("\n".join(table(parser.parse_args().largest)))
