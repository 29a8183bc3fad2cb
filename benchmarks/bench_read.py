"""Reading speed: blocks and array() against a bare read of the bytes, flowio, fcsparser and FlowCal.

    make bench-read        (or: python benchmarks/bench_read.py [folder])

One file a layout, 1,000,000 events of 12 channels, warm cache, one BLAS thread; pairs interleaved, 7 rounds, medians,
and the ratio round by round. The other readers are measured where they are installed: the extra ``bench`` has them, in
a virtual environment of its own, since fcsparser 0.2.8 brings numpy 1 and older versions of flowio and FlowKit.
Equal results are asserted before any time is printed. Writes bench_read.png.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.fcs import Events, read_fcs

EVENTS, CHANNELS, ROUNDS, CHUNK = 1_000_000, 12, 7, 1 << 18

# Layout: type on disk, $BYTEORD, $PnB, $PnR, and how many times a bare read blocks() may take.
LAYOUTS = {
    "float32 little": ("<f4", "1,2,3,4", 32, 262144, 3),
    "float32 big": (">f4", "4,3,2,1", 32, 262144, 5),
    "16-bit big": (">u2", "4,3,2,1", 16, 65536, 8),
    "10-bit masked": ("<u2", "1,2,3,4", 16, 1024, 8),
    "10-bit masked, big": (">u2", "4,3,2,1", 16, 1024, 8),
}


def write(path: Path, values: NDArray[Any], byteord: str, bits: int, extent: int) -> None:
    """A plain FCS 3.1 file of these stored values."""
    data = values.tobytes()
    begin = 8192
    keywords = {
        "$BEGINANALYSIS": 0, "$ENDANALYSIS": 0, "$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$NEXTDATA": 0, "$MODE": "L",
        "$DATATYPE": "F" if values.dtype.kind == "f" else "I", "$BYTEORD": byteord, "$PAR": CHANNELS,
        "$TOT": len(values), "$BEGINDATA": begin, "$ENDDATA": begin + len(data) - 1,
    }  # fmt: skip
    for number in range(1, CHANNELS + 1):
        keywords |= {f"$P{number}N": f"C{number}", f"$P{number}B": bits, f"$P{number}R": extent, f"$P{number}E": "0,0"}
    text = "/" + "".join(f"{keyword}/{value}/" for keyword, value in keywords.items())
    places = (58, 57 + len(text), begin, begin + len(data) - 1, 0, 0)
    head = "FCS3.1    " + "".join(f"{place:>8}" for place in places)
    path.write_bytes((head + text).ljust(begin).encode() + data)


def bare(path: Path) -> int:
    """The limit: one fixed buffer, filled again and again."""
    buffer = bytearray(CHUNK)
    total = 0
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            total += count
    return total


def through_blocks(events: Events, out: NDArray[np.float32], *, digest: bool = False) -> int:
    """All columns into one reused float32 buffer."""
    return sum(len(block) for block in events.blocks(out=out, digest=digest))


def peers(path: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    """The other readers that are installed (extra ``bench``), each giving its array of events."""
    readers: dict[str, Callable[[], NDArray[Any]]] = {}
    import flowio

    readers["flowio"] = lambda: flowio.FlowData(path).as_array()
    try:
        import fcsparser

        readers["fcsparser"] = lambda: fcsparser.parse(str(path))[1].to_numpy()
    except ImportError:
        print("fcsparser is not installed")
    try:
        import FlowCal

        readers["FlowCal"] = lambda: FlowCal.io.FCSData(str(path))
    except ImportError:
        print("FlowCal is not installed")
    return readers


def interleaved(actions: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of each action, a round of all after a round of all; the first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in range(ROUNDS + 1):
        for name, action in actions.items():
            begin = time.perf_counter()
            result = action()
            elapsed = 1e3 * (time.perf_counter() - begin)
            del result
            if round_number:
                times[name].append(elapsed)
    return times


def ratio(times: dict[str, list[float]], one: str, other: str) -> float:
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))


def measure(folder: Path) -> dict[str, dict[str, list[float]]]:
    """Times of every action for every layout."""
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1024, (EVENTS, CHANNELS))
    results = {}
    for layout, (code, byteord, bits, extent, _) in LAYOUTS.items():
        path = folder / f"{layout.replace(' ', '_').replace(',', '')}.fcs"
        write(path, values.astype(code), byteord, bits, extent)
        events = read_fcs(path)
        out = np.empty((CHUNK // (4 * CHANNELS), CHANNELS), np.float32)
        first = 0
        for block in events.blocks(out=out):
            np.testing.assert_array_equal(block, values[first : first + len(block)])
            first += len(block)
        readers = peers(path) if layout.startswith(("float32", "16-bit")) else {}
        for name in list(readers):
            try:
                theirs = np.asarray(readers[name]())
            except AttributeError as error:
                print(f"{name} fails on {layout}: {error}")
                del readers[name]
            else:
                np.testing.assert_array_equal(theirs, values, err_msg=name)
                # A peer that gives float32 or integers has half the bytes or fewer to write: like beside like, too.
                readers[f"{name}, float64"] = lambda read=readers[name]: np.asarray(read(), np.float64)
        np.testing.assert_array_equal(events.array(), values)
        actions: dict[str, Callable[[], Any]] = {
            "bare read": lambda path=path: bare(path),
            "blocks": lambda events=events, out=out: through_blocks(events, out),
            "blocks, digest": lambda events=events, out=out: through_blocks(events, out, digest=True),
            "array()": lambda path=path: read_fcs(path).array(),
            "array(float32)": lambda path=path: read_fcs(path).array(np.float32),
            **readers,
        }
        results[layout] = interleaved(actions)
        path.unlink()
    return results


def report(results: dict[str, dict[str, list[float]]]) -> None:
    print(f"{'layout':20s} {'action':20s} {'ms':>8s} {'× bare read':>12s}  bar")
    for layout, times in results.items():
        for name, elapsed in times.items():
            bar = f"≤ {LAYOUTS[layout][4]}" if name == "blocks" else ""
            if name.startswith(("flowio", "fcsparser", "FlowCal")):
                own = "array()" if name.endswith("float64") or name.startswith("flowio") else "array(float32)"
                bar = f"{own} takes {ratio(times, own, name):.2f} of it"
            middle, times_bare = statistics.median(elapsed), ratio(times, name, "bare read")
            print(f"{layout:20s} {name:20s} {middle:8.2f} {times_bare:12.2f}  {bar}")


def plot(results: dict[str, dict[str, list[float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(results), figsize=(3.2 * len(results), 4), sharey=True, layout="constrained")
    for panel, (layout, times) in zip(axes, results.items(), strict=True):
        heights = [statistics.median(elapsed) for elapsed in times.values()]
        bars = panel.bar(range(len(times)), heights, color="#4477aa")
        panel.bar_label(bars, [f"{height:.1f}" for height in heights], fontsize=7)
        panel.axhline(LAYOUTS[layout][4] * heights[0], color="#cc6677", linestyle="--", linewidth=1)
        panel.set_title(f"{layout} (bar {LAYOUTS[layout][4]}×)", fontsize=9)
        panel.set_xticks(range(len(times)), times, rotation=60, ha="right", fontsize=8)
    axes[0].set_yscale("log")
    axes[0].set_ylabel(f"ms for {EVENTS:,} events of {CHANNELS} channels")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        measured = measure(Path(folder))
    report(measured)
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "bench_read.png"
    plot(measured, target)
    print(f"wrote {target}")
