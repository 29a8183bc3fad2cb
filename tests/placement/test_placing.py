"""Placement in a file: order and workers change nothing, what falls back says so, and a person has the last word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from cytorecon.batch import gate_samples
from cytorecon.errors import PlacementError, TemplateError
from cytorecon.fcs import read_fcs
from cytorecon.gating import Found, GatedSample, Given, gate_file
from cytorecon.gating.overrides import Override, Overrides, beside, read_overrides
from cytorecon.gating.placing import closed
from cytorecon.gating.pooling import place_on_pool, pools_of
from cytorecon.interchange import load_template
from cytorecon.plan.literal import bind
from cytorecon.plan.sampling import sample_events
from cytorecon.sheet import Sample
from cytorecon.simulate import SimulatedTube, simulate_tube
from cytorecon.study import history, open_study, read_samples, run, verify
from cytorecon.template import GatingTemplate, parse_template, resolve

BLOOD = {"CD4 T": 1500, "CD8 T": 900, "B": 400, "NK dim": 500, "NK bright": 60, "monocyte": 800, "neutrophil": 5000}
HEAD = """
name = "small"
version = "1"
compensation = "file"
[scales]
default = { type = "logicle", t = 262144, w = 0.5, m = 4.5, a = 0 }
"""
T_CELLS = '[[population]]\nname = "T"\nphenotype = "CD3+"\ncell_ontology = "CL:0000084"\n'


def small(cutpoint: str, rest: str = "") -> GatingTemplate:
    return parse_template(f"{HEAD}[cutpoint]\n{cutpoint}\n{T_CELLS}{rest}")


def tube(seed: int = 1, panel: str = "tbnk_10", **counts: int) -> SimulatedTube:
    return simulate_tube({**BLOOD, **counts}, panel, seed=seed)


def row(path: Path, **given: object) -> Sample:
    fields: Mapping[str, object] = {
        "file": path, "file_name": path.name, "patient": "P", "day": 10, "specimen": "blood", "panel": "tbnk",
    }  # fmt: skip
    return Sample.model_validate({**fields, **given})


def by_code(sample: GatedSample) -> dict[str, str]:
    return {finding.code: finding.message for finding in sample.findings}


def test_gate_file__order_of_events_changes_no_cut_point(tmp_path: Path) -> None:
    """The same cut points, gates, counts and intervals whatever the order in which events were stored."""
    made = tube()
    shuffled = replace(made, events=np.random.default_rng(2).permutation(made.events))
    first, second = (gate_file(one.write(tmp_path / "tube.fcs"), load_template("tbnk")) for one in (made, shuffled))
    assert first.cutpoints == second.cutpoints
    assert first.counts == second.counts


def test_sample_events__is_the_same_in_any_order(tmp_path: Path) -> None:
    """Which events a large file is represented by depends on them alone."""
    made = tube()
    template = closed(load_template("tbnk"))

    def sampled(one: SimulatedTube) -> tuple[np.ndarray, float]:
        events = read_fcs(one.write(tmp_path / "tube.fcs"))
        panel = resolve(template, events.channels)
        bound = bind(template, panel, events.channels, events.spillover())
        return sample_events(events, bound, whole=1000, limit=2000)

    order = np.random.default_rng(3).permutation(len(made.events))
    (some, weight), (again, _) = sampled(made), sampled(replace(made, events=made.events[order]))
    assert 1800 < len(some) < 2200
    assert weight == pytest.approx(len(made.events) / len(some))
    assert sorted(map(tuple, some.tolist())) == sorted(map(tuple, again.tolist()))


def test_gate_file__places_between_the_modes(tmp_path: Path) -> None:
    """Cut, spread, method and an interval with every count."""
    gated = gate_file(tube().write(tmp_path / "tube.fcs"), small('CD3 = { method = "mindensity", on = "" }'))
    (cut,), (counts,) = gated.cutpoints, gated.counts
    assert ("CD3", "mindensity") == (cut.name, cut.method)
    assert cut.spread is not None
    assert cut.spread > 0
    assert counts.low is not None
    assert counts.high is not None
    assert counts.low <= counts.event_count <= counts.high


@pytest.mark.parametrize(
    ("otherwise", "code", "method", "status"),
    [
        ("fixed", "cutpoint-fixed", "fixed", "counted"),
        ("anchored", "cutpoint-anchored", "anchored", "counted"),
        ("review", "cutpoint-review", "fixed", "needs_review"),
    ],
)
def test_gate_file__falls_back_as_the_template_says(
    otherwise: str, code: str, method: str, status: str, tmp_path: Path
) -> None:
    """Without T cells there is no valley: the finding names the way out that the template takes."""
    path = tube(**{"CD4 T": 0, "CD8 T": 0}).write(tmp_path / "tube.fcs")
    cut = f'CD3 = {{ method = "mindensity", on = "", within = [0.35, 0.6], at = 0.5, otherwise = "{otherwise}" }}'
    gated = gate_file(path, small(cut))
    assert method == gated.cutpoints[0].method
    assert status == gated.counts[0].status
    assert "mindensity: no valley between two modes" in by_code(gated)[code]


def test_gate_file__reference_copies_another_cut(tmp_path: Path) -> None:
    """The same place, moved by what the template says; a circle is an error."""
    path = tube().write(tmp_path / "tube.fcs")
    rest = '[[population]]\nname = "high"\nphenotype = "CD3>CD3_high"\n'
    high = 'CD3_high = { marker = "CD3", method = "reference", from = "%s", shift = 0.1 }'
    cuts = 'CD3 = { method = "mindensity", on = "" }\n' + high
    places = {one.name: one.display for one in gate_file(path, small(cuts % "CD3", rest)).cutpoints}
    assert places["CD3_high"] == pytest.approx(places["CD3"] + 0.1)
    with pytest.raises(PlacementError, match="CD3_high: reference needs another cut point; got from = 'CD3_high'"):
        gate_file(path, small(cuts % "CD3_high", rest))


def test_gate_file__unknown_method_and_parameter(tmp_path: Path) -> None:
    """Both are errors that name the cut point."""
    path = tube().write(tmp_path / "tube.fcs")
    with pytest.raises(PlacementError, match="cutpoint 'CD3': unknown method 'guess'; expected mindensity, tailgate"):
        gate_file(path, small('CD3 = { method = "guess", on = "" }'))
    with pytest.raises(PlacementError, match=r"CD3: the method cannot use its parameters; got .*wobble"):
        gate_file(path, small('CD3 = { method = "mindensity", on = "", wobble = 3 }'))


def test_gate_file__takes_the_names_of_opencyto(tmp_path: Path) -> None:
    """Parameters of an imported template keep their names and their meaning."""
    path = tube().write(tmp_path / "tube.fcs")
    ours, theirs = (
        gate_file(path, small(f'CD3 = {{ method = "mindensity", on = "", {words} }}')).cutpoints
        for words in ("within = [0.3, 0.4]", "gate_range = [0.3, 0.4]")
    )
    assert ours == theirs
    assert 0.3 <= ours[0].display <= 0.4


def test_gate_file__fmo_control_places_the_cut(tmp_path: Path) -> None:
    """Above the events of a tube without the antibody; without a control the template's position stands."""
    path = tube().write(tmp_path / "tube.fcs")
    control = simulate_tube(BLOOD, "tbnk_10", seed=5, staining={"HLA-DR": 0.0}).write(tmp_path / "fmo.fcs")
    rest = '[[population]]\nname = "DR"\nphenotype = "HLA-DR+"\n'
    template = small('CD3 = { at = 0.45 }\nHLA-DR = { method = "fmo", on = "", at = 0.6 }', rest)
    with_control = gate_file(path, template, given=Given(controls={"HLA-DR": control}))
    without = gate_file(path, template)
    assert {"fmo", "fixed"} == {one.method for one in with_control.cutpoints}
    assert with_control.cutpoints[1].display < 0.55
    assert "the sheet names no control without HLA-DR" in by_code(without)["cutpoint-fixed"]


def test_gate_samples__workers_and_order_change_nothing(tmp_path: Path) -> None:
    """Two runs, one or two processes, forwards or backwards: the same results."""
    samples = [row(tube(seed).write(tmp_path / f"{seed}.fcs"), day=seed) for seed in (1, 2, 3)]
    template = load_template("tbnk")

    def results(some: list[Sample], workers: int) -> dict[str, GatedSample]:
        return {gated.file: gated for gated in gate_samples(some, template, workers)}

    assert results(samples, 1) == results(samples[::-1], 1) == results(samples, 2)


OVERRIDES = """
[[override]]
file = "1.fcs"
cutpoint = "CD3"
at = 0.6
who = "A. Reader"
when = 2026-01-05
why = "titration failed"

[[override]]
panel = "tbnk"
population = "CD45bright SSClow"
vertices = [[0.5, 0], [0.5, 60000], [1.0, 60000], [1.0, 0]]
who = "A. Reader"
when = 2026-01-05
why = "another lysis"
"""


def test_overrides__move_one_sample_and_leave_the_rest(tmp_path: Path) -> None:
    """A cut point of one file, a polygon of a panel; who, when and why are with the result."""
    (tmp_path / "overrides.toml").write_text(OVERRIDES)
    overrides = beside(tmp_path / "sheet.csv")
    template = load_template("tbnk")
    path = tube().write(tmp_path / "1.fcs")
    given = overrides.for_sample(row(path), template)
    moved = gate_file(path, template, given=given)
    (cut,) = (one for one in moved.cutpoints if one.name == "CD3")
    assert (0.6, "override") == (cut.display, cut.method)
    assert "CD3 at 0.6, by A. Reader on 2026-01-05: titration failed" in {one.message for one in moved.findings}
    assert "" == overrides.for_sample(row(path, file_name="2.fcs", panel="other"), template).digest
    assert Overrides() == beside(tmp_path / "elsewhere" / "sheet.csv")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("x = 1", "overrides.toml: holds something else"),
        ("[[override]]\nwho = 'A'", "override 1: 'when' cannot be used; got Field required"),
        (OVERRIDES.replace("at = 0.6\n", ""), "override 1: is not one change for some samples"),
        (OVERRIDES.replace('file = "1.fcs"\n', ""), "override 1: is not one change for some samples"),
        (OVERRIDES.replace("[0.5, 0]", "[0.5]"), "override 2: has a corner that is no point"),
        ("[[", "overrides.toml: cannot be read"),
    ],
)
def test_read_overrides__bad_file(text: str, match: str, tmp_path: Path) -> None:
    """Who, when and why are asked of every change, and a change is one thing for some samples."""
    path = tmp_path / "overrides.toml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=match):
        read_overrides(path)


@pytest.mark.parametrize(
    ("what", "match"),
    [
        ({"cutpoint": "CD99", "at": 0.5}, "override of cutpoint 'CD99': names no cut point of the template"),
        ({"population": "T cells", "vertices": [[0.0, 0.0]]}, "names no single population with a polygon to redraw"),
        ({"cutpoint": "CD3", "at": 52.0}, "lies where no event is shown; expected .* -1 to 2, got 52"),
    ],
)
def test_overrides__unknown_things(what: dict[str, object], match: str, tmp_path: Path) -> None:
    """An override of something the template does not have is an error, not silence."""
    entry = Override.model_validate({"panel": "tbnk", "who": "A", "when": date(2026, 1, 5), "why": "b", **what})
    with pytest.raises(TemplateError, match=match):
        Overrides((entry,)).for_sample(row(tmp_path / "1.fcs"), load_template("tbnk"))


def test_overrides__two_for_one_cut_of_one_sample_are_refused(tmp_path: Path) -> None:
    """Which of two stands is a person's to say: both are named."""
    one = {"cutpoint": "CD3", "who": "A", "when": date(2026, 1, 5), "why": "b"}
    entries = tuple(
        Override.model_validate({**one, **what})
        for what in ({"panel": "tbnk", "at": 0.5}, {"file": "1.fcs", "at": 0.6})
    )
    template = load_template("tbnk")
    with pytest.raises(TemplateError, match=r"overrides of CD3: are two for one sample; got CD3 at 0\.5.*CD3 at 0\.6"):
        Overrides(entries).for_sample(row(tmp_path / "1.fcs"), template)
    assert 0.5 == Overrides(entries).for_sample(row(tmp_path / "2.fcs"), template).cutpoints["CD3"].position


def test_run__tells_of_an_override_of_nobody(tmp_path: Path) -> None:
    """An override that names no sample of the sheet changes nothing, and is told."""
    entry = {"patient": "ZZ", "cutpoint": "CD3", "at": 0.6, "who": "A", "when": date(2026, 1, 5), "why": "b"}
    overrides = Overrides((Override.model_validate(entry),))
    summary = run(
        cohort(tmp_path, (1,)), load_template("tbnk"), open_study(tmp_path / "study.recon"), overrides=overrides
    )
    (finding,) = summary.findings
    assert ("override-unmatched", "override 1 is for no sample of this run") == (finding.code, finding.message)


POOLED = 'CD3 = { method = "mindensity", on = "", group_by = "panel", at = 0.5 }'
ANCHORED = 'CD3 = { method = "anchored", pool = "mindensity", on = "", group_by = "panel", at = 0.5 }'


def cohort(folder: Path, seeds: tuple[int, ...] = (1, 2, 3)) -> list[Sample]:
    return [row(tube(seed).write(folder / f"{seed}.fcs"), day=seed) for seed in seeds]


def test_place_on_pool__does_not_depend_on_the_order(tmp_path: Path) -> None:
    """A pool is sorted first; a file that cannot be read adds nothing."""
    samples = cohort(tmp_path)
    broken = row(tmp_path / "absent.fcs", day=9)
    (pool,) = pools_of(samples, small(POOLED))
    (again,) = pools_of([broken, *samples[::-1]], small(POOLED))
    found = place_on_pool(pool, small(POOLED), {})
    assert place_on_pool(again, small(POOLED), {}) == found
    assert "pool: mindensity" == found["CD3"].method
    with pytest.raises(PlacementError, match="group_by = 'lot': is no column of the sheet"):
        list(pools_of(samples, small(POOLED.replace('"panel"', '"lot"'))))


def test_given__pooled_cut_stands_or_is_anchored(tmp_path: Path) -> None:
    """By its method a sample takes the pool's cut as it is, or moved with its own modes."""
    path = tube().write(tmp_path / "tube.fcs")
    given = Given(pooled={"CD3": Found(0.47, 0.01, "pool: mindensity")})
    stands, moved = (gate_file(path, small(cut), given=given).cutpoints[0] for cut in (POOLED, ANCHORED))
    assert (0.47, "pool: mindensity") == (stands.display, stands.method)
    assert "anchored" == moved.method
    assert moved.display == pytest.approx(0.47, abs=0.1)


def test_run__a_pool_is_a_record_that_new_files_keep(tmp_path: Path) -> None:
    """The first run places and records it; a later file keeps it; ``repool`` gates the whole group again."""
    study, template = open_study(tmp_path / "study.recon"), small(POOLED)
    samples = cohort(tmp_path)
    assert 2 == run(samples[:2], template, study).done
    later = run(samples, template, study)
    assert (1, 2) == (later.done, later.skipped)
    assert 1 == [entry.kind for entry in history(study)].count("pool")
    cuts = read_samples(study, "small")["cutpoint_display"].sel(cutpoint="CD3").to_numpy()
    assert 1 == len(np.unique(cuts))
    again = run(samples, template, study, repool=True)
    assert (3, 0) == (again.done, again.skipped)
    assert 2 == [entry.kind for entry in history(study)].count("pool")
    assert () == verify(study).problems


def test_run__an_override_is_a_new_result(tmp_path: Path) -> None:
    """The sample it is for is gated again, the others are not; without it the old result stands again."""
    study, template = open_study(tmp_path / "study.recon"), load_template("tbnk")
    samples = cohort(tmp_path, (1, 2))
    entry = {"file": "1.fcs", "cutpoint": "CD3", "at": 0.6, "who": "A", "when": date(2026, 1, 5), "why": "b"}
    overrides = Overrides((Override.model_validate(entry),))
    run(samples, template, study)
    moved = run(samples, template, study, overrides=overrides)
    assert 1 == moved.skipped
    assert 2 == run(samples, template, study).skipped
    assert () == verify(study).problems
