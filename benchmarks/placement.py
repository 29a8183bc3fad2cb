"""What placing cut points costs beside gating: one file of a million events, imports apart, the best of several."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from cytorecon.fcs import Events, read_fcs
from cytorecon.gating import Given
from cytorecon.gating.file import chosen_compensation
from cytorecon.gating.placing import place
from cytorecon.interchange import load_template
from cytorecon.plan.literal import bind
from cytorecon.plan.run import run
from cytorecon.simulate import simulate_tube
from cytorecon.simulate.hard import HEALTHY_BLOOD, counts_of
from cytorecon.template import GatingTemplate, resolve

REPEATS = 9


def measure(path: Path, template: GatingTemplate) -> tuple[float, float]:
    """Processor seconds to place and to gate, once."""
    events: Events = read_fcs(path)
    chosen, matrix = chosen_compensation(events, template, None)
    panel = resolve(chosen, events.channels)
    start = time.process_time()
    placing = place(events, chosen, panel, matrix, Given())
    placed = time.process_time()
    run(events, bind(placing.template, panel, events.channels, matrix, placing.positions), rows=32768)
    return placed - start, time.process_time() - placed


def main() -> None:
    template = load_template("tbnk")
    for panel in ("tbnk_6", "tbnk_10"):
        with tempfile.TemporaryDirectory() as folder:
            path = simulate_tube(counts_of(HEALTHY_BLOOD, 1_000_000), panel, seed=1).write(Path(folder) / "tube.fcs")
            times = [measure(path, template) for _ in range(REPEATS)]
        placing, gating = (min(column) for column in zip(*times, strict=True))
        print(f"{panel}: placing {placing:.3f} s, gating {gating:.3f} s, ratio {placing / gating:.2f} (bar 1)")


if __name__ == "__main__":
    main()
