"""What this package writes as Gating-ML, FlowKit reads, and places every event the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from interchange.random_strategies import Strategy, by_flowkit, differences, strategies

from cytorecon.fcs import read_fcs
from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.interchange.gatingml_out import write_gatingml
from cytorecon.simulate import simulate_tube


@settings(
    max_examples=15, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(strategy=strategies())
def test_gatingml_text__flowkit_places_every_event_the_same(
    strategy: Strategy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random strategies of all gates and scales: no difference (benchmarks/flowkit_equality.py runs more of them)."""
    found = differences(strategy, tmp_path_factory.mktemp("strategy"), 1000)
    assert dict.fromkeys(found, 0) == found


def test_gatingml_text__shipped_template_in_flowkit(tmp_path: Path) -> None:
    """A shipped template, written with a file's channels and placed cut points, counts the same events in FlowKit."""
    cells = {"CD4 T": 900, "CD8 T": 600, "B": 300, "NK dim": 200, "NK bright": 30, "monocyte": 400, "neutrophil": 2000}
    tube = simulate_tube(cells, "nk_product", seed=5)
    fcs = tmp_path / "tube.fcs"
    tube.write(fcs)
    template = load_template("nk_product")
    events = read_fcs(fcs)
    ours = gate_file(fcs, template, membership=True)
    measured = [counts.path for counts in ours.counts if counts.status != "not_measured"]
    final = {
        one.name: replace(template.cutpoints[one.name], at=one.display, method=None, parameters={})
        for one in ours.cutpoints
    }
    settled = replace(template, cutpoints={**template.cutpoints, **final})
    theirs = by_flowkit(settled, fcs, tmp_path / "gates.xml", channels=events.channels)
    assert ours.membership is not None
    assert {path: int(ours.membership[path].sum()) for path in measured} == {
        path: int(np.sum(theirs[path])) for path in measured
    }


def test_write_gatingml__final_gates_of_a_gated_sample(tmp_path: Path) -> None:
    """Cut points that the data placed go out at their places, and a re-import counts the same."""
    tube = simulate_tube({"CD4 T": 900, "B": 300, "NK dim": 200, "neutrophil": 500}, "tbnk_6", seed=6)
    fcs = tmp_path / "tube.fcs"
    tube.write(fcs)
    (tmp_path / "open.toml").write_text(
        """
        name = "open"
        version = "1"
        [scales]
        default = { type = "logicle", t = 262144, w = 0.5, m = 4.5, a = 0 }
        [cutpoint.CD3]
        method = "mindensity"
        [[population]]
        name = "CD3−"
        phenotype = "CD3-"
        """,
        encoding="utf-8",
    )
    template = load_template(tmp_path / "open.toml")
    placed = {"CD3": 0.45}
    ours = gate_file(fcs, template, placed=placed)
    write_gatingml(template, tmp_path / "final.xml", cutpoints=placed, channels=read_fcs(fcs).channels)
    again = gate_file(fcs, load_template(tmp_path / "final.xml"))
    assert [counts.event_count for counts in ours.counts] == [counts.event_count for counts in again.counts]
    assert "CD3−" == again.counts[0].path
