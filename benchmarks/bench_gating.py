"""Gating speed: this package against FlowKit and against a bare read of the bytes; a table and plots.

    make bench        (or: OPENBLAS_NUM_THREADS=1 python benchmarks/bench_gating.py [FOLDER] [--only NAME ...])

The job: 12 parameters, 20 gates giving 23 populations, 8 × 8 compensation, logicle scales. FlowKit gets the same
strategy as a Gating-ML file that this package writes. One BLAS thread and a warm page cache on both sides; measured in
pairs, one after the other, in one process; medians, and the median of the ratios pair by pair. CPU time unless said
otherwise. Equal counts are asserted before any time is printed. Files go to FOLDER (a temporary one by default), plots
to benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import gating_job as job
import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs import read_fcs
from cytorecon.gating import gate_file
from cytorecon.interchange.gatingml_out import write_gatingml
from cytorecon.interchange.naming import xml_ids
from cytorecon.plan.literal import bind
from cytorecon.plan.run import run
from cytorecon.template import GatingTemplate, resolve
from cytorecon.template.writing import to_toml

RESULTS = Path(__file__).parent / "results"
PAIRS = 5
SIZES = (10_000, 100_000, 1_000_000, 5_000_000, 10_000_000, 20_000_000)
Times = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Row:
    """One line of the table: what, how much, the bar, and whether it is met."""

    what: str
    figure: str
    bar: str
    met: bool


class Theirs:
    """The same strategy in FlowKit."""

    def __init__(self, template: GatingTemplate, folder: Path) -> None:
        import flowkit

        self.flowkit, self.gating_ml = flowkit, folder / f"{template.sha256}.xml"
        write_gatingml(template, self.gating_ml)
        self.strategy = flowkit.parse_gating_xml(str(self.gating_ml))
        paths = [population.path for population in template.populations]
        names = xml_ids(population.name for population in template.populations)
        self.ids = dict(zip(paths, names, strict=True))
        self.places = dict(self.strategy.get_gate_ids())

    def gate(self, path: Path, cache_events: bool = False) -> Any:
        with np.errstate(all="ignore"):
            return self.strategy.gate_sample(self.flowkit.Sample(str(path)), cache_events=cache_events)

    def memberships(self, results: Any) -> dict[str, NDArray[np.bool_]]:
        return {
            path: np.asarray(results.get_gate_membership(name, self.places[name]), dtype=bool)
            for path, name in self.ids.items()
        }

    def counts(self, results: Any) -> dict[str, int]:
        return {path: int(np.count_nonzero(inside)) for path, inside in self.memberships(results).items()}


def ours(path: Path, template: GatingTemplate) -> dict[str, int]:
    return {counts.path: counts.event_count for counts in gate_file(path, template).counts}


def bare(path: Path) -> int:
    """The limit: one buffer of 256 KiB, filled again and again."""
    buffer, total = bytearray(1 << 18), 0
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            total += count
    return total


def interleaved(actions: Mapping[str, Callable[[], object]], pairs: int = PAIRS) -> Times:
    """CPU and wall seconds of every action, a round of all after a round of all."""
    times: Times = {name: [] for name in actions}
    for _ in range(pairs):
        for name, action in actions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            action()
            times[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return times


def ratio(times: Times, one: str, other: str, which: int = 0) -> float:
    return median(a[which] / b[which] for a, b in zip(times[one], times[other], strict=True))


def at_least(what: str, figure: float, bar: float, unit: str = "×", more: str = "") -> Row:
    return Row(what, f"{figure:.1f}{unit}{more}", f"≥ {bar:g}{unit}", figure >= bar)


def at_most(what: str, figure: float, bar: float, unit: str, more: str = "") -> Row:
    return Row(what, f"{figure:.1f}{unit}{more}", f"≤ {bar:g}{unit}", figure <= bar)


def main_job(folder: Path, events: int = 1_000_000, pairs: int = PAIRS) -> Iterator[Row]:
    """Counts of one file, and memberships, against FlowKit and against reading."""
    path, template = job.write(folder / f"{events}.fcs", events), job.template()
    theirs = Theirs(template, folder)
    assert theirs.counts(theirs.gate(path)) == ours(path, template) == theirs.counts(theirs.gate(path, True))
    times = interleaved(
        {
            "FlowKit": lambda: theirs.gate(path),
            "counts": lambda: ours(path, template),
            "FlowKit cached": lambda: theirs.gate(path, True),
            "counts again": lambda: ours(path, template),
            "members": lambda: gate_file(path, template, membership=True).membership,
        },
        pairs,
    )
    quick = interleaved({"read": lambda: bare(path), "counts": lambda: ours(path, template)}, 5 * pairs)
    each = {name: 1e9 * median(cpu for cpu, _ in taken) / events for name, taken in times.items()}
    wall = ratio(times, "FlowKit", "counts", 1)
    more = f" ({each['counts']:.0f} against {each['FlowKit']:.0f} ns an event; wall {wall:.0f}×)"
    yield at_least(f"{events:,} events, FlowKit's default", ratio(times, "FlowKit", "counts"), 90, more=more)
    cached = ratio(times, "FlowKit cached", "counts again")
    yield at_least("FlowKit with cache_events=True", cached, 45, more=f" ({each['FlowKit cached']:.0f} ns)")
    reading = f" ({1e9 * median(cpu for cpu, _ in quick['read']) / events:.1f} ns)"
    yield at_most("÷ bare read of the file", ratio(quick, "counts", "read"), 15, "×", reading)
    members = ratio(times, "FlowKit", "members")
    yield at_least("memberships too, FlowKit's default", members, 60, more=f" ({each['members']:.0f} ns)")


def dense(folder: Path, events: int = 1_000_000, pairs: int = PAIRS) -> Iterator[Row]:
    """Gates through the densest regions, asked of every event."""
    path = job.write(folder / f"{events}.fcs", events)
    cases = (
        ("the job, its gates moved to where most events lie", job.template(-0.2), 150),
        ("20 hexagons, each asked of all events, a side of each through a kind of cells", job.dense_template(), 0),
        ("the same with stars of 24 corners", job.dense_template(corners=24, star=True), 0),
    )
    for name, template, bar in cases:
        theirs = Theirs(template, folder)
        assert theirs.counts(theirs.gate(path)) == ours(path, template)
        again = 100 * outcome_of(path, template).deferred / events
        cost = _cost(path, template, pairs)
        more = f" ({again:.1f} % looked at twice)"
        yield Row(
            f"dense regions: {name}", f"{cost:.0f} ns{more}", f"≤ {bar} ns" if bar else "none", cost <= (bar or cost)
        )


def outcome_of(path: Path, template: GatingTemplate) -> Any:
    events = read_fcs(path)
    return run(events, bind(template, resolve(template, events.channels), events.channels, events.spillover()))


def processes(folder: Path, large: int = 5_000_000, small: int = 100_000, pairs: int = PAIRS) -> Iterator[Row]:
    """Whole processes: memory of a large file, and a cold start on a small one."""
    template = job.template()
    toml = folder / "job.toml"
    toml.write_text(to_toml(template), encoding="utf-8")
    gating_ml = Theirs(template, folder).gating_ml
    big, little = (job.write(folder / f"{count}.fcs", count) for count in (large, small))
    command = [str(Path(sys.executable).with_name("cytorecon")), "gate", "--json", "-t", str(toml)]
    flowkit = [sys.executable, "-c", _FLOWKIT, str(gating_ml), str(little)]
    cold = [(measured(flowkit)[0], measured([*command, str(little)])[0]) for _ in range(pairs)]
    memory = measured([*command, str(big)])[1]
    yield at_most(f"peak memory, `cytorecon gate`, {large:,} events", memory, 60, " MiB")
    more = f" ({1e3 * median(us for _, us in cold):.0f} ms)"
    yield at_least(f"cold process, {small:,} events", median(them / us for them, us in cold), 10, more=more)


_FLOWKIT = """
import sys, flowkit
strategy = flowkit.parse_gating_xml(sys.argv[1])
print(strategy.gate_sample(flowkit.Sample(sys.argv[2])).report)
"""
# A process starts with the peak of the one it was forked from, so a small one stands between.
_MEASURE = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def measured(command: Sequence[str]) -> tuple[float, float]:
    """CPU seconds and peak memory (MiB) of a process of its own."""
    found = subprocess.run([sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, check=True)
    status, cpu, memory = json.loads(found.stdout)
    assert status == 0, command
    return cpu, memory


@cache
def _template() -> GatingTemplate:
    return job.template()


def _counted(path: Path) -> tuple[float, dict[str, int]]:
    """CPU seconds and counts of one file, in a worker."""
    begin = time.process_time()
    counts = ours(path, _template())
    return time.process_time() - begin, counts


def batch(folder: Path, files: int = 40, events: int = 250_000) -> Iterator[Row]:
    """Many files in two warm processes against FlowKit's loop, wall time."""
    paths = [job.write(folder / f"{events}-{number}.fcs", events, seed=number) for number in range(files)]
    theirs = Theirs(_template(), folder)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_counted, paths, chunksize=max(1, files // 8)))  # warm
        begin = time.perf_counter()
        results = [theirs.counts(theirs.gate(path)) for path in paths]
        between = time.perf_counter()
        found = list(pool.map(_counted, paths, chunksize=max(1, files // 8)))
        end = time.perf_counter()
    assert results == [counts for _, counts in found]
    one, two, cpu = between - begin, end - between, sum(seconds for seconds, _ in found)
    more = f" ({two:.2f} s of wall time, {cpu:.2f} s of CPU in both, against {one:.0f} s)"
    yield at_least(f"{files} files × {events:,} events, 2 processes, wall", one / two, 100, more=more)


def equality(folder: Path, events: int = 1_000_000, most: int = 100_000_000) -> Iterator[Row]:
    """Event for event against FlowKit, over moved gates and stars."""
    templates = [
        *(job.template(shift) for shift in (0.0, -0.2, 0.1)),
        job.dense_template(),
        job.dense_template(corners=24, star=True),
    ]
    compared = differences = 0
    path = job.write(folder / f"{events}-9.fcs", events, seed=9)
    for template in templates:
        theirs = Theirs(template, folder)
        ours_too = gate_file(path, template, membership=True).membership or {}
        for population, inside in theirs.memberships(theirs.gate(path)).items():
            differences += int(np.count_nonzero(inside != ours_too[population]))
            compared += events
    met = differences == 0 and compared >= most
    yield Row("event-gates compared with FlowKit", f"{compared:,}, {differences} differ", f"≥ {most:,}, 0", met)


def growth(folder: Path, sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Cost against events, gates and channels, plotted."""
    template = job.template()
    by_size = {count: _cost(job.write(folder / f"{count}.fcs", count), template) for count in sizes}
    middle = min(1_000_000, max(sizes))
    path = job.write(folder / f"{middle}.fcs", middle)
    by_gate = {count: _cost(path, job.dense_template(count)) for count in (1, 5, 10, 20, 40, 80)}
    by_channel = {
        12 + extra: _cost(job.write(folder / f"{middle}-{extra}-more.fcs", middle, extra=extra), template)
        for extra in (0, 4, 8, 16, 28)
    }
    _plot(by_size, "events", "cost_by_events.png", scale="log")
    _plot(by_gate, "gates, each asked of every event", "cost_by_gates.png")
    _plot(by_channel, "channels in the file", "cost_by_channels.png")
    # A file costs some milliseconds whatever it holds; beyond a million events they no longer show.
    inner = [cost for count, cost in by_size.items() if count >= 1_000_000] or list(by_size.values())
    yield Row("ns an event against events", _listed(by_size), "linear", max(inner) < 1.5 * min(inner))
    yield Row("ns an event against gates", _listed(by_gate), "plotted", True)
    yield Row("ns an event against channels", _listed(by_channel), "plotted", True)


def _listed(costs: Mapping[int, float]) -> str:
    return ", ".join(f"{cost:.0f} at {count:,}" for count, cost in costs.items())


def _cost(path: Path, template: GatingTemplate, rounds: int = 3) -> float:
    """CPU nanoseconds an event, the median of some warm runs."""
    ours(path, template)
    times = interleaved({"ours": lambda: ours(path, template)}, rounds)["ours"]
    return 1e9 * median(cpu for cpu, _ in times) / read_fcs(path).event_count


def _plot(costs: Mapping[int, float], label: str, name: str, scale: str = "linear") -> None:
    import matplotlib.pyplot as plt

    RESULTS.mkdir(exist_ok=True)
    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    axes.plot(list(costs), list(costs.values()), marker="o")
    axes.set(xlabel=label, ylabel="CPU, ns an event", ylim=(0, None), xscale=scale)
    figure.savefig(RESULTS / name, dpi=110)
    plt.close(figure)


MEASUREMENTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "job": main_job, "processes": processes, "batch": batch, "dense": dense, "equality": equality, "growth": growth,
}  # fmt: skip


def main() -> None:
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # read once, when numpy is imported
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    given = parser.parse_args()
    print("| measure | figure | bar | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only:
            for row in MEASUREMENTS[name](given.folder or Path(folder)):
                verdict = "" if row.bar == "none" else "met" if row.met else "missed"
                print(f"| {row.what} | {row.figure} | {row.bar} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
