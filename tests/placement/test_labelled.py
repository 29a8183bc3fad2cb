"""Two real files with an expert's label an event: one healthy donor each, a smoke test and no validation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "labelled.py"


@pytest.fixture(scope="module")
def labelled() -> ModuleType:
    spec = importlib.util.spec_from_file_location("labelled", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["labelled"] = module
    spec.loader.exec_module(module)
    return module


def test_euroflow__lineages_from_all_events(labelled: ModuleType, shared: Path) -> None:
    """T and B 0.97, NK 0.95, with placed cut points; none worse than the fixed defaults by more than 0.005."""
    assert shared.is_dir()
    found = labelled.scores("euroflow_lst")
    bars = {"T cells": 0.97, "B cells": 0.97, "NK cells": 0.95}
    assert {} == {name: found[name] for name, bar in bars.items() if found[name][0] < bar}
    assert {} == {name: one for name, one in found.items() if one[0] < one[1] - 0.005}


def test_hipc__memory_subsets_no_worse_than_fixed(labelled: ModuleType, shared: Path) -> None:
    """Every subset of CD4 and CD8 is listed, and none is worse than the fixed defaults by more than 0.005."""
    assert shared.is_dir()
    found = labelled.scores("hipc_tcell")
    assert 10 == len(found)
    assert {} == {name: one for name, one in found.items() if one[0] < one[1] - 0.005}
