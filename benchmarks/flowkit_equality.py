"""Equal to FlowKit, event by event, on random gating strategies.

    python benchmarks/flowkit_equality.py [STRATEGIES] [EVENTS]

The heavy form of tests/interchange/test_against_flowkit.py: 200 strategies of 100,000 events by default. Each goes out
as Gating-ML, FlowKit gates the file with it, and memberships are compared.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "interchange")]


def main(strategy_count: int = 200, event_count: int = 100_000) -> None:
    from random_strategies import Strategy, differences, strategies

    done: list[int] = []
    unlike: list[tuple[str, int, Strategy]] = []

    @settings(
        max_examples=strategy_count, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategies())
    def compare(strategy: Strategy) -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = differences(strategy, Path(folder), event_count)
        done.append(len(found))
        unlike.extend((path, count, strategy) for path, count in found.items() if count)

    start = time.perf_counter()
    compare()
    print(
        f"{len(done)} strategies, {sum(done)} populations, {event_count:,} events each: "
        f"{sum(count for _, count, _ in unlike)} differences, {time.perf_counter() - start:.0f} s"
    )
    for path, count, strategy in unlike[:10]:
        print(count, path, strategy.template.by_path[path].definition)
    sys.exit(bool(unlike))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
