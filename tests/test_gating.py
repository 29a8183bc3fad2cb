"""Gating a file: counts, statuses, memberships, findings, and files that cannot be gated."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import flowio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import linear_events, panels, trees

from cytorecon.compensation import Spillover, compensate
from cytorecon.errors import (
    CytoreconError,
    FcsError,
    Finding,
    PanelError,
    PlacementError,
    SpilloverError,
    TemplateError,
)
from cytorecon.fcs import Channel, read_fcs
from cytorecon.gates import Dimension
from cytorecon.gating import GatedSample, gate_events, gate_file
from cytorecon.gating.survey import survey_file
from cytorecon.plan.literal import bind, judge
from cytorecon.template import GatingTemplate, PlacedGate, Population, parse_template, resolve

HEAD = """
name = "t"
version = "1.0.0"
[scales]
default = { type = "linear" }
[cutpoint]
CD3 = { at = 100 }
CD16 = { at = 100 }
CD56 = { at = 100 }
"""
TREE = (
    HEAD
    + """
[[population]]
name = "Cells"
role = "leukocytes"
gate = { type = "range", channels = ["FSC-A"], min = 10 }
[[population]]
name = "T"
parent = "Cells"
phenotype = "CD3+"
[[population]]
name = "NK"
parent = "Cells"
phenotype = "CD3- CD56+"
[[population]]
name = "NKT"
parent = "T"
phenotype = "CD56+"
[[population]]
name = "not T"
parent = "Cells"
boolean = { not = "T" }
[[population]]
name = "CD16 NK"
parent = "NK"
phenotype = "CD16+"
optional = true
[[population]]
name = "rest of it"
parent = "CD16 NK"
phenotype = "CD3-"
"""
)
# FSC-A, CD3, CD56 of five kinds of events.
KINDS = {"debris": (0, 500, 500), "T": (50, 200, 0), "NK": (50, 0, 200), "NKT": (50, 100, 100), "other": (50, 99, 99)}


def write(
    path: Path,
    values: NDArray[np.float32] | Sequence[Sequence[float]],
    names: Sequence[str] = ("FSC-A", "FL1-A:CD3", "FL2-A:CD56"),
    **keywords: str,
) -> Path:
    """Write an FCS file of float32 values; names are "$PnN" or "$PnN:$PnS"."""
    pairs = [name.partition(":")[::2] for name in names]
    with path.open("wb") as file:
        values = np.asarray(values, dtype=np.float32).ravel()
        flowio.create_fcs(file, values, [name for name, _ in pairs], [marker for _, marker in pairs], keywords)
    return path


def mixture(**numbers: int) -> list[tuple[float, ...]]:
    return [KINDS[kind] for kind, number in numbers.items() for _ in range(number)]


def counts(gated: GatedSample) -> dict[str, tuple[int, int, str]]:
    return {each.path: (each.event_count, each.parent_count, each.status) for each in gated.counts}


def codes(gated: GatedSample) -> dict[str, Finding]:
    return {finding.code: finding for finding in gated.findings}


@pytest.fixture
def tube(tmp_path: Path) -> Path:
    """Ten events of debris, 6 T, 4 NK, 3 NKT and 2 others."""
    return write(tmp_path / "tube.fcs", mixture(debris=10, T=6, NK=4, NKT=3, other=2))


def test_gate_file__counts(tube: Path) -> None:
    """Counts and parent counts by path, in the template's order; a missing optional marker is not measured."""
    expected = {
        "Cells": (15, 25, "counted"),
        "Cells/T": (9, 15, "counted"),
        "Cells/NK": (4, 15, "counted"),
        "Cells/T/NKT": (3, 9, "counted"),
        "Cells/not T": (6, 15, "counted"),
        "Cells/NK/CD16 NK": (-1, 4, "not_measured"),
        "Cells/NK/CD16 NK/rest of it": (-1, -1, "not_measured"),
    }
    assert expected == counts(gate_file(tube, parse_template(TREE)))


def test_gate_file__describes_itself(tube: Path) -> None:
    """File, hash, template, roles and cut points are in the result."""
    template = parse_template(TREE)
    gated = gate_file(tube, template, digest=True)
    assert (gated.file, gated.event_count, gated.error) == ("tube.fcs", 25, "")
    assert gated.sha256 == hashlib.sha256(tube.read_bytes()).hexdigest()
    assert (gated.template_name, gated.template_version, gated.template_sha256) == ("t", "1.0.0", template.sha256)
    assert [each.role for each in gated.counts][:2] == ["leukocytes", ""]
    expected = [("CD3", "FL1-A", 100.0, 100.0, "fixed"), ("CD56", "FL2-A", 100.0, 100.0, "fixed")]
    assert expected == [(each.name, each.channel, each.display, each.raw, each.method) for each in gated.cutpoints]
    assert codes(gated)["marker-missing"].where == "CD16"


def test_gate_file__neither_digest_nor_membership_unless_asked(tube: Path) -> None:
    """They cost time and memory."""
    gated = gate_file(tube, parse_template(TREE))
    assert (gated.sha256, gated.membership) == ("", None)


def test_gate_file__membership(tube: Path) -> None:
    """One boolean an event and measured population, agreeing with the counts."""
    gated = gate_file(tube, parse_template(TREE), membership=True)
    assert gated.membership is not None
    expected = {path: count for path, (count, _, status) in counts(gated).items() if status != "not_measured"}
    assert expected == {path: int(inside.sum()) for path, inside in gated.membership.items()}
    assert np.flatnonzero(gated.membership["Cells/NK"]).tolist() == [16, 17, 18, 19]


def test_gate_file__nothing_of_nothing_is_not_evaluable(tmp_path: Path) -> None:
    """Children of an empty population are 0 of 0, which is no zero."""
    gated = counts(gate_file(write(tmp_path / "debris.fcs", mixture(debris=5)), parse_template(TREE)))
    assert gated["Cells"] == (0, 5, "counted")
    assert gated["Cells/T"] == (0, 0, "not_evaluable")


def test_gate_file__transparent(tube: Path) -> None:
    """Without its dye a transparent population is not measured, and its children are counted in its parent."""
    text = (
        HEAD
        + """
[[population]]
name = "Cells"
gate = { type = "range", channels = ["FSC-A"], min = 10 }
[[population]]
name = "Viable"
parent = "Cells"
phenotype = "CD16-"
optional = true
transparent = true
[[population]]
name = "T"
parent = "Viable"
phenotype = "CD3+"
[[population]]
name = "not viable"
boolean = { not = "Viable" }
"""
    )
    expected = {
        "Cells": (15, 25, "counted"),
        "Cells/Viable": (-1, 15, "not_measured"),
        "Cells/Viable/T": (9, 15, "counted"),
        "not viable": (-1, 25, "not_measured"),  # without the dye nobody knows who is dead
    }
    assert expected == counts(gate_file(tube, parse_template(text)))


def test_gate_file__values_that_are_no_numbers(tmp_path: Path) -> None:
    """An event that cannot be judged is in no population that uses its channel, complements included; and reported."""
    values = np.array(mixture(T=2, NK=2, other=2), dtype=np.float32)
    values[0, 1], values[3, 1], values[5, 2] = np.nan, np.inf, np.nan
    gated = gate_file(write(tmp_path / "nan.fcs", values), parse_template(TREE))
    expected = {"Cells": 6, "Cells/T": 1, "Cells/not T": 3, "Cells/NK": 1, "Cells/T/NKT": 0}
    assert expected == {path: counts(gated)[path][0] for path in expected}
    assert codes(gated)["events-not-finite"].message.startswith("3 of 6 events have no finite value")


SPILL = "2,FL1-A,FL2-A,1,0.5,0,1"
BOTH = HEAD + '[[population]]\nname = "CD56"\nphenotype = "CD56+"\n'


@pytest.mark.parametrize(
    ("keywords", "head", "spillover", "source", "expected"),
    [
        ({"spill": SPILL}, "", None, "$SPILLOVER", 1),
        ({}, "", None, None, 2),
        ({"spill": SPILL}, 'compensation = "none"\n', None, None, 2),
        ({"spill": SPILL}, "", "none", None, 2),
        ({"spill": SPILL}, 'compensation = "none"\n', "file", "$SPILLOVER", 1),
        ({}, 'compensation = "lab"\n', None, "template", 1),
        ({}, "", "lab", "template", 1),
        ({}, "", Spillover(("FL1-A", "FL2-A"), [[1, 0.5], [0, 1]], source="sheet"), "sheet", 1),
        ({}, "", Spillover(("CD3", "CD56"), [[1, 0.5], [0, 1]]), "sheet", 1),
        ({"spill": SPILL}, "", Spillover(("FL1-A", "FL2-A"), [[1, 0], [0, 1]], source="sheet"), "sheet", 2),
    ],
)
def test_gate_file__compensation(
    tmp_path: Path,
    keywords: Mapping[str, str],
    head: str,
    spillover: Spillover | str | None,
    source: str | None,
    expected: int,
) -> None:
    """The matrix is the file's, none, the template's or the sheet's; the result says which."""
    path = write(tmp_path / "tube.fcs", [(50, 200, 150), (50, 0, 150)], **keywords)
    lab = '[matrix.lab]\ndetectors = ["CD3", "CD56"]\nvalues = [[1, 0.5], [0, 1]]\n'
    gated = gate_file(path, parse_template(head + BOTH + lab), spillover=spillover)
    assert (source, expected) == (gated.compensation, gated.counts[0].event_count)
    assert ("uncompensated" in codes(gated)) == (source is None)


def test_gate_file__dimension_with_its_own_compensation_and_scale(tmp_path: Path) -> None:
    """A dimension may be taken uncompensated, or on another scale, beside others that are not."""
    path = write(tmp_path / "tube.fcs", [(50, 200, 150), (50, 0, 150)], spill=SPILL)
    gate = '{{ type = "range", channels = [{{ channel = "CD56", {0} }}], min = {1} }}'
    text = HEAD + "".join(
        f'[[population]]\nname = "{name}"\ngate = {gate.format(override, minimum)}\n'
        for name, override, minimum in (
            ("raw", 'compensation = "none"', 100),
            ("file", 'compensation = "file"', 100),
            ("log", 'scale = { type = "log", t = 1000, m = 1 }', 0.1),
        )
    )
    gated = gate_file(path, parse_template(text))
    assert {"raw": 2, "file": 1, "log": 1} == {each.name: each.event_count for each in gated.counts}
    assert codes(gated)["uncompensated"].where == "FL2-A"


@pytest.mark.parametrize(
    ("keywords", "head", "asked", "source", "is_mixed"),
    [
        ({}, "", ["lab"], "template", False),
        ({"spill": SPILL}, "", ["lab"], "template", False),
        ({"spill": SPILL}, 'compensation = "none"\n', ["file"], "$SPILLOVER", False),
        ({"spill": SPILL}, 'compensation = "none"\n', ["none"], None, False),
        ({"spill": SPILL}, "", ["lab", "file"], "$SPILLOVER", True),
        ({"spill": SPILL}, 'compensation = "lab"\n', ["file", "lab"], "template", True),
        ({}, "", ["lab", "file"], "template", False),
        ({}, "", ["lab", "bench"], "template", True),
    ],
)
def test_gate_file__names_the_matrix_that_dimensions_ask_for(
    tmp_path: Path, keywords: Mapping[str, str], head: str, asked: Sequence[str], source: str | None, is_mixed: bool
) -> None:
    """A matrix that is applied is named, also where only a dimension asks for it; several are a finding."""
    path = write(tmp_path / "tube.fcs", [(50, 200, 150), (50, 0, 150)], **keywords)
    text = head + HEAD
    for number, name in enumerate(asked):
        dimension = f'{{ channel = "CD56", compensation = "{name}" }}'
        text += f'[[population]]\nname = "{number}"\ngate = {{ type = "range", channels = [{dimension}], min = 100 }}\n'
    for name, spill in (("lab", 0.4), ("bench", 0.6)):
        text += f'[matrix.{name}]\ndetectors = ["CD3", "CD56"]\nvalues = [[1, {spill}], [0, 1]]\n'
    gated = gate_file(path, parse_template(text))
    assert source == gated.compensation
    assert is_mixed == ("compensation-mixed" in codes(gated))
    assert source == survey_file(path, parse_template(text)).compensation


@pytest.mark.parametrize("digest", [False, True])
def test_gate_file__nothing_is_measured(tmp_path: Path, digest: bool) -> None:
    """A tube without any marker of the template: all is not measured, and its events are counted all the same."""
    path = write(tmp_path / "tube.fcs", [(50, 200, 150), (50, 0, 150)])
    text = HEAD + "".join(
        f"[[population]]\n{lines}\n"
        for lines in (
            'name = "CD16"\nphenotype = "CD16+"\noptional = true',
            'name = "child"\nparent = "CD16"\nphenotype = "CD3+"',
            'name = "rest"\nboolean = { not = "CD16" }',
            'name = "either"\nboolean = { or = ["CD16+", "CD3+"] }\noptional = true',
        )
    )
    gated = gate_file(path, parse_template(text), membership=True, digest=digest)
    assert {"not_measured"} == {each.status for each in gated.counts}
    assert {-1} == {each.event_count for each in gated.counts}
    assert (2, 2) == (gated.event_count, gated.counts[0].parent_count)
    assert (hashlib.sha256(path.read_bytes()).hexdigest() if digest else "") == gated.sha256
    assert gated.membership is not None
    assert {} == dict(gated.membership)


def test_gate_file__spectrum_matrix(tmp_path: Path) -> None:
    """More detectors than fluorochromes: a gate names the fluorochrome, which is no channel of the file."""
    rng = np.random.default_rng(1)
    signals = rng.uniform(0, 1000, (200, 2))
    spectra = np.array([[1, 0.5, 0.1], [0.2, 1, 0.6]])
    path = write(tmp_path / "tube.fcs", signals @ spectra, ("V1-A", "V2-A", "V3-A"))
    text = """
name = "t"
version = "1"
compensation = "unmix"
[matrix.unmix]
detectors = ["V1-A", "V2-A", "V3-A"]
fluorochromes = ["FITC", "PE"]
values = [[1, 0.5, 0.1], [0.2, 1, 0.6]]
[cutpoint.PE]
at = 400.5
[scales]
default = { type = "linear" }
[[population]]
name = "PE"
phenotype = "PE+"
"""
    gated = gate_file(path, parse_template(text))
    assert int((signals[:, 1] >= 400.5).sum()) == gated.counts[0].event_count
    assert (gated.compensation, gated.cutpoints[0].channel) == ("template", "PE")


def test_gate_file__boolean_of_terms(tube: Path) -> None:
    """Terms inside a Boolean are decided by their cut points."""
    text = HEAD + '[[population]]\nname = "P"\nboolean = { and = [{ not = "CD3+" }, { or = ["CD56+", "CD56-"] }] }\n'
    assert gate_file(tube, parse_template(text)).counts[0].event_count == 6


def test_gate_file__ratio(tmp_path: Path) -> None:
    """A ratio of two channels; where its denominator is zero the event is nowhere, and reported."""
    path = write(tmp_path / "tube.fcs", [(50, 200, 100), (50, 100, 200), (50, 300, 0)])
    gate = '{ type = "range", channels = [{ numerator = "CD3", denominator = "CD56" }], min = 1 }'
    gated = gate_file(path, parse_template(HEAD + f'[[population]]\nname = "P"\ngate = {gate}\n'))
    assert gated.counts[0].event_count == 1
    assert codes(gated)["events-not-finite"].message.startswith("1 of 3 events")


def test_gate_file__gate_without_a_shape(tube: Path) -> None:
    """A gate for which the data have too little is an error that names it, unless the template goes on without."""
    definition = PlacedGate((Dimension("CD3"), Dimension("CD56")), "gaussian_mixture")
    template = GatingTemplate("t", "1", (Population("P", "", definition),))
    with pytest.raises(PlacementError, match=r"population 'P', gate: gaussian_mixture found nothing to draw.*'?all"):
        gate_file(tube, template)
    lenient = replace(definition, parameters={"otherwise": "all"})
    gated = gate_file(tube, GatingTemplate("t", "1", (Population("P", "", lenient),)))
    assert gated.counts[0].event_count == gated.event_count
    assert codes(gated)["gate-open"].where == "P"


def test_gate_file__no_scale_is_reported(tube: Path) -> None:
    """Without any scale for a marker linear values are compared, and a finding says so."""
    gated = gate_file(tube, parse_template(TREE.replace('default = { type = "linear" }', "")))
    assert codes(gated)["no-scale"].where == "CD3, CD56"


PLACED = HEAD.replace("CD3 = { at = 100 }", 'CD3 = { method = "mindensity" }') + (
    '[[population]]\nname = "T"\nphenotype = "CD3+"\n'
)


def test_gate_file__unplaced_cut_point(tube: Path) -> None:
    """A cut point for which there is no valley and nothing to fall back on is an error, not a guess."""
    match = "cutpoint 'CD3': mindensity found no position; expected a position to fall back on, got no valley"
    with pytest.raises(PlacementError, match=match):
        gate_file(tube, parse_template(PLACED))


def test_gate_file__placed_cut_point(tube: Path) -> None:
    """A position given for this file stands before the template's, which otherwise is used and reported."""
    gated = gate_file(tube, parse_template(PLACED), placed={"CD3": 150.0})
    assert [(each.display, each.method) for each in gated.cutpoints] == [(150.0, "mindensity")]
    assert gated.counts[0].event_count == 16
    fallback = gate_file(tube, parse_template(PLACED.replace("{ method", "{ at = 300, method")))
    assert fallback.counts[0].event_count == 10
    assert codes(fallback)["cutpoint-fixed"].where == "CD3"


@pytest.mark.parametrize("rows", [1, 7, 24, 25, 1000])
def test_gate_events__same_bits_whatever_the_block(tmp_path: Path, rows: int) -> None:
    """Counts and memberships do not depend on the block size, on a scale whose last bits could."""
    values = np.random.default_rng(5).normal(500, 400, (250, 3)).astype(np.float32)
    path = write(tmp_path / "tube.fcs", values, spill=SPILL)
    scale = '{ type = "logicle", t = 2000, w = 0.6, m = 4.5, a = 0 }'
    cut = 0.8123
    text = TREE.replace('{ type = "linear" }', scale).replace("at = 100", f"at = {cut}")
    whole = gate_events(read_fcs(path), parse_template(text), membership=True)
    parts = gate_events(read_fcs(path), parse_template(text), membership=True, rows=rows)
    assert whole == parts
    assert whole.membership is not None
    assert parts.membership is not None
    assert all(np.array_equal(inside, parts.membership[name]) for name, inside in whole.membership.items())


def test_gate_events__order_and_concatenation(tmp_path: Path) -> None:
    """Permuting events changes no count; putting two files together adds their counts."""
    rng = np.random.default_rng(6)
    first, second = rng.normal(100, 90, (300, 3)), rng.normal(100, 90, (200, 3))
    template = parse_template(TREE)
    both = np.concatenate([first, second])
    results = [
        counts(gate_file(write(tmp_path / f"{index}.fcs", values), template))
        for index, values in enumerate([first, second, both, rng.permutation(both)])
    ]
    assert results[2] == results[3]
    added = {path: results[0][path][0] + results[1][path][0] for path in results[0] if results[0][path][0] >= 0}
    assert added == {path: results[2][path][0] for path in added}


CHANNELS = ("FSC-A", "CD3", "CD4", "CD8", "CD56")


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_judge__laws(data: st.DataObject, seed: int) -> None:
    """A child lies within its parent, and an event is judged alone as it is in company."""
    dimensions = data.draw(panels(CHANNELS))
    nodes = data.draw(trees(dimensions))
    template = GatingTemplate(
        "t", "1", tuple(Population(node.path.rsplit("/", 1)[-1], node.parent, node.definition) for node in nodes)
    )
    channels = [Channel(index, name, "", 32, 262144.0) for index, name in enumerate(CHANNELS)]
    bound = bind(template, resolve(template, channels), channels)
    block = linear_events(seed, dimensions, {}, 60)[:, bound.columns]
    inside = judge(bound, block).inside
    for node in nodes:
        assert not node.parent or not (inside[node.path] & ~inside[node.parent]).any()
    alone = [judge(bound, block[row : row + 1]).inside for row in range(len(block))]
    assert all(inside[node.path].tolist() == [bool(one[node.path][0]) for one in alone] for node in nodes)


@given(seed=st.integers(0, 2**32 - 1), cut=st.floats(-0.5, 1.5), data=st.data())
@settings(max_examples=40, deadline=None)
def test_judge__positive_and_negative_partition(seed: int, cut: float, data: st.DataObject) -> None:
    """M+ and M- share no event and together hold all that are finite, as do a population and its complement."""
    (dimension,) = data.draw(panels(("CD3",)))
    text = HEAD.replace("CD3 = { at = 100 }", f"CD3 = {{ at = {cut!r} }}") + "".join(
        f'[[population]]\nname = "{name}"\n{definition}\n'
        for name, definition in (
            ("pos", 'phenotype = "CD3+"'),
            ("neg", 'phenotype = "CD3-"'),
            ("rest", 'boolean = { not = "pos" }'),
        )
    )
    assert dimension.scale is not None
    template = replace(parse_template(text), scales={"CD3": dimension.scale})
    channels = [Channel(0, "CD3", "", 32, 262144.0)]
    bound = bind(template, resolve(template, channels), channels)
    judgement = judge(bound, linear_events(seed, (dimension,), {"CD3": [cut]}))
    inside = judgement.inside
    assert np.array_equal(inside["pos"] ^ inside["neg"], judgement.finite)
    assert np.array_equal(inside["rest"], inside["neg"])


def test_judge__agrees_with_compensate(shared: Path) -> None:
    """Compensated values behind a gate are those of `compensate`, bit for bit."""
    events = read_fcs(shared / "data" / "cytoexplorer_activation" / "Activation_1.fcs")
    expected = compensate(events)[:, [channel.name for channel in events.channels].index("PE-A")]
    place = float(np.sort(expected)[25_000])  # exactly on an event
    text = HEAD + f"[cutpoint.PE-A]\nat = {place!r}\n" + '[[population]]\nname = "P"\nphenotype = "PE-A+"\n'
    gated = gate_events(events, parse_template(text), membership=True)
    assert gated.membership is not None
    assert np.array_equal(expected >= place, gated.membership["P"])


def test_gate_file__refuses_what_is_not_fcs(tmp_path: Path) -> None:
    """Some other file."""
    path = tmp_path / "notes.fcs"
    path.write_text("to whom it may concern\n" * 20)
    with pytest.raises(FcsError, match=r"notes\.fcs"):
        gate_file(path, parse_template(TREE))


def test_gate_file__refuses_a_truncated_file(tube: Path) -> None:
    """A file cut short anywhere in its events."""
    tube.write_bytes(tube.read_bytes()[:-30])
    with pytest.raises(FcsError, match=r"tube\.fcs"):
        gate_file(tube, parse_template(TREE))


def test_gate_file__refuses_zero_events(tmp_path: Path) -> None:
    """A tube without events answers nothing."""
    with pytest.raises(FcsError, match=r"empty.fcs: has no events to gate; expected at least one event, got \$TOT 0"):
        gate_file(write(tmp_path / "empty.fcs", np.empty((0, 3), np.float32)), parse_template(TREE))


def test_gate_file__refuses_a_missing_marker(tmp_path: Path) -> None:
    """File, population, marker, channels and remedy are named."""
    path = write(tmp_path / "tube.fcs", mixture(T=1), ("FSC-A", "FL1-A:CD3", "FL2-A:CD19"))
    match = (
        r"tube.fcs, population 'Cells/NK': no channel carries 'CD56'; got channels FSC-A, FL1-A \(CD3\), FL2-A \(CD19\)"
    )
    with pytest.raises(PanelError, match=match):
        gate_file(path, parse_template(TREE))


@pytest.mark.parametrize(
    ("keywords", "spillover", "kind", "match"),
    [
        ({"spill": "2,FL1-A,FL2-A,1,1,1,1"}, None, SpilloverError, "tube.fcs, .*singular"),
        ({}, Spillover(("FL1-A", "V9-A"), [[1, 0.5], [0, 1]], source="sheet"), SpilloverError, "tube.fcs, sheet"),
        ({}, "lab", TemplateError, "tube.fcs, compensation: unknown matrix 'lab'"),
    ],
)
def test_gate_file__refuses_a_matrix(
    tmp_path: Path,
    keywords: Mapping[str, str],
    spillover: Spillover | str | None,
    kind: type[CytoreconError],
    match: str,
) -> None:
    """A matrix that cannot be used, or is not there."""
    path = write(tmp_path / "tube.fcs", mixture(T=1), **keywords)
    with pytest.raises(kind, match=match):
        gate_file(path, parse_template(TREE), spillover=spillover)


def test_gate_file__an_unusable_matrix_that_nobody_asks_for(tmp_path: Path) -> None:
    """The file's matrix is not even read where the template takes none."""
    path = write(tmp_path / "tube.fcs", mixture(T=3), spill="2,FL1-A,FL2-A,1,1,1,1")
    assert gate_file(path, parse_template('compensation = "none"\n' + TREE)).counts[0].event_count == 3


def test_gating__imports_no_heavy_library() -> None:
    """Gating one file must not pay for tables, plots or statistics."""
    code = (
        "import sys, cytorecon.gating, cytorecon.interchange; "
        "print(sorted({'scipy', 'pandas', 'xarray', 'dask', 'sklearn', 'flowkit', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
