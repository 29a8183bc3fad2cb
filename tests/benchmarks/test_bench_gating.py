"""A small share of the gating benchmark: it runs, and both sides count the same."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The benchmark's module, drawing into a folder of this test."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module("bench_gating")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return module


def figures(rows: Iterator[Any]) -> dict[str, str]:
    return {row.what: row.figure for row in rows}


def test_main_job__counts_what_flowkit_counts(bench: ModuleType, tmp_path: Path) -> None:
    """Equal counts are asserted on the way to four ratios."""
    assert len(figures(bench.main_job(tmp_path, 2000, pairs=1))) == 4


def test_dense__counts_what_flowkit_counts(bench: ModuleType, tmp_path: Path) -> None:
    """So are those of gates through the densest regions."""
    assert len(figures(bench.dense(tmp_path, 2000, pairs=1))) == 3


def test_equality__finds_no_difference(bench: ModuleType, tmp_path: Path) -> None:
    """Event for event, three positions of the gates, and the worst cases."""
    assert figures(bench.equality(tmp_path, 2000)) == {
        "event-gates compared with FlowKit": f"{(3 * 23 + 40) * 2000:,}, 0 differ"
    }


def test_processes__end_well(bench: ModuleType, tmp_path: Path) -> None:
    """The command and FlowKit's script run as processes of their own."""
    assert len(figures(bench.processes(tmp_path, 3000, 2000, pairs=1))) == 2


def test_growth__draws_three_plots(bench: ModuleType, tmp_path: Path) -> None:
    """Against events, gates and channels."""
    list(bench.growth(tmp_path, (1000, 2000)))
    assert len(list((tmp_path / "results").glob("*.png"))) == 3


def test_write__makes_integers_and_floats(bench: ModuleType, tmp_path: Path) -> None:
    """The same tube as 16-bit integers is counted alike by the two sides as well."""
    path = bench.job.write(tmp_path / "integers.fcs", 2000, dtype="uint16")
    theirs = bench.Theirs(bench.job.template(), tmp_path)
    assert theirs.counts(theirs.gate(path)) == bench.ours(path, bench.job.template())
