"""What this package writes as Gating-ML, FlowKit reads, and places every event the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from interchange.random_strategies import Strategy, by_flowkit, differences, strategies
from interchange.shipped import gate_shipped

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


@pytest.mark.parametrize("name", ["nk_product", "tbnk"])
def test_gatingml_text__shipped_template_in_flowkit(name: str, tmp_path: Path) -> None:
    """The final gates of a gated tube hold the same events in FlowKit."""
    shipped = gate_shipped(name, tmp_path)
    channels = read_fcs(shipped.fcs).channels
    theirs = by_flowkit(shipped.settled(), shipped.fcs, tmp_path / "gates.xml", channels=channels)
    measured = [one.path for one in shipped.gated.counts if one.status != "not_measured"]
    ours = shipped.gated.membership
    assert ours is not None
    assert len(measured) >= 8
    assert dict.fromkeys(measured, 0) == {path: int(np.sum(theirs[path] != ours[path])) for path in measured}


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
