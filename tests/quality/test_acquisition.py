"""Checks on events: unsteady flow, drifting signals, events at the end of a scale."""

from __future__ import annotations

from pathlib import Path

import flowio
import numpy as np
import pytest

from cytorecon.batch import gate_sample
from cytorecon.fcs import Events, read_fcs
from cytorecon.quality import check_events, stretches
from cytorecon.sheet import Sample
from cytorecon.simulate import simulate_tube
from cytorecon.template import parse_template

TIME = {"maximum": 5.0, "deviations": 6.0, "change": 0.5}


def written(folder: Path, change: str) -> Events:
    rng = np.random.default_rng(1)
    count = 20_000
    time = np.sort(rng.random(count)) * 1000
    signal = rng.normal(5000, 300, count)
    if change == "flow":
        time[-4000:] = time[-4000] + np.linspace(0, 5, 4000)
    if change == "signal":
        signal[8000:12_000] *= 3
    if change == "margin":
        signal[:1000] = 262_143
    values = np.column_stack([signal, time]).astype(np.float32)
    path = folder / "tube.fcs"
    with path.open("wb") as file:
        flowio.create_fcs(file, values.ravel().tolist(), ["PE-A", "Time"], opt_channel_names=["CD3", ""])
    return read_fcs(path)


def codes(events: Events) -> dict[str, str]:
    return {one.code: one.message for one in check_events(events, {"time": TIME, "margin": {"maximum": 1.0}})}


def test_check_events__steady_file_is_silent(tmp_path: Path) -> None:
    """Chance alone is no drift."""
    assert {} == codes(written(tmp_path, ""))


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("flow", "unsteady", "flow rate"),
        ("signal", "unsteady", "signal of CD3"),
        ("margin", "margin-events", "5.00 % of the events are at the end of the scale (limit 1)"),
    ],
)
def test_check_events__says_what_and_how_much(tmp_path: Path, change: str, code: str, words: str) -> None:
    """The share of events concerned, the limit, and what changed."""
    assert words in codes(written(tmp_path, change))[code]


def test_stretches__name_the_time(tmp_path: Path) -> None:
    """Where the signal changed, and how many events that concerns."""
    found = stretches(written(tmp_path, "signal"), TIME)
    assert sum(one.share for one in found) == pytest.approx(0.2, abs=0.04)
    assert min(one.first for one in found) == pytest.approx(400, abs=20)
    assert max(one.last for one in found) == pytest.approx(600, abs=20)


def test_stretches__without_time_or_events(tmp_path: Path) -> None:
    """A short file cannot be judged, and is not."""
    tube = simulate_tube({"CD4 T": 100}, "tbnk_6")
    assert () == stretches(read_fcs(tube.write(tmp_path / "small.fcs")), TIME)


TIMED = """
name = "timed"
version = "1"
compensation = "none"
[scales]
default = { type = "linear" }
[cutpoint]
CD3 = { at = 0 }
[quality]
time = { maximum = 5, exclude = true }
[[population]]
name = "All"
phenotype = "CD3+"
"""


def test_gate_sample__leaves_out_bad_stretches_on_request(tmp_path: Path) -> None:
    """Their events are in no population, a finding says how many, and without the request they stay."""
    path = written(tmp_path, "signal").path
    fields = {"file": path, "file_name": "tube.fcs", "patient": "P", "day": 1, "specimen": "blood"}
    sample = Sample.model_validate(fields)
    left_out = gate_sample(sample, parse_template(TIMED))
    kept = gate_sample(sample, parse_template(TIMED.replace(", exclude = true", "")))
    codes = {one.code: one.message for one in left_out.findings}
    (counts,) = left_out.counts
    assert counts.event_count == counts.parent_count == pytest.approx(16_000, abs=800)
    assert f"{20_000 - counts.event_count} events" in codes["events-excluded"]
    assert "unsteady" in codes
    assert [20_000] == [one.event_count for one in kept.counts]
    assert "events-excluded" not in {one.code for one in kept.findings}
