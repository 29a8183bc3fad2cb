"""The main job on real files: raw FCS through compensation, scales and gates to counts that others found."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import flowio
import numpy as np
import pytest

from cytorecon.fcs import read_fcs
from cytorecon.gates import And, Dimension, EllipseGate, Member, Not, PolygonGate, RectangleGate
from cytorecon.gating import GatedSample, gate_file
from cytorecon.mrd import mrd_call
from cytorecon.template import GatingTemplate, Population, parse_template
from cytorecon.transforms import Log, Logicle

ACTIVATION = ("Activation_1.fcs", "Activation_12.fcs", "Activation_33.fcs")
MARROW = {"mrd_ball_vie494_d15": ("123991.fcs", "494.xml"), "mrd_ball_vie508_d15": ("tube1_001.fcs", "508.xml")}

BLASTS = "Syto/Singlets/Intact/CD19/Blasts"


def truth_of(path: Path, column: str) -> dict[str, int]:
    """Counts by path as a truth.csv has them."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["population"]: int(row[column]) for row in csv.DictReader(file)}


def counts_of(gated: GatedSample) -> dict[str, int]:
    return {population.path: population.event_count for population in gated.counts}


# CytoExploreR: gates that cytolib stored as JSON, on logicle scales of 0 to 4.5 decades.


def cytolib_template(document: Mapping[str, Any]) -> GatingTemplate:
    """Translate the gates of one sample; cytolib's rectangles are closed and its scales run to M instead of 1."""
    scales = {
        name: Logicle(t=scale["lgt"]["T"], w=scale["lgt"]["W"], m=scale["lgt"]["M"], a=scale["lgt"]["A"])
        for name, scale in document["transformations"].items()
    }
    nodes = [node for node in document["nodes"] if node["gate"]]
    return GatingTemplate(
        name="activation",
        version="1",
        populations=tuple(cytolib_population(node, scales) for node in nodes),
        scales=scales,
    )


def cytolib_population(node: Mapping[str, Any], scales: Mapping[str, Logicle]) -> Population:
    parent = "" if node["parent"] == "root" else node["parent"]
    gate = node["gate"]
    assert not gate["neg"]
    if gate["type"] == "BOOL_GATE":
        definition: Any = And(tuple(Not(Member(f"{parent}/{term['path'][0]}")) for term in gate["bool"]))
        assert all(term["isNot"] and term["op"] == "&" for term in gate["bool"])
    else:
        definition = cytolib_gate(
            gate, np.array([scales[name].m if name in scales else 1.0 for name in gate["params"]])
        )
    return Population(node["path"].rsplit("/", 1)[-1], parent, definition)


def cytolib_gate(gate: Mapping[str, Any], length: np.ndarray) -> PolygonGate | RectangleGate | EllipseGate:
    dimensions = tuple(map(Dimension, gate["params"]))
    if gate["type"] == "ELLIPSE_GATE":
        covariance = np.array(gate["cov"]) / np.outer(length, length)
        return EllipseGate(dimensions, (np.array(gate["mu"]) / length).tolist(), covariance.tolist(), gate["dist"] ** 2)
    vertices = np.array(gate["vertices"]) / length
    if gate["type"] == "RECT_GATE":
        return RectangleGate(dimensions, vertices[0].tolist(), vertices[1].tolist(), closed=True)
    return PolygonGate(dimensions, vertices.tolist())


@pytest.fixture(scope="module", params=ACTIVATION)
def activation(request: pytest.FixtureRequest, shared: Path) -> tuple[Path, GatedSample]:
    """One of the three files, gated with its own gates."""
    path = shared / "data" / "cytoexplorer_activation" / request.param
    template = cytolib_template(json.loads(path.with_name(f"{path.name}.gates.json").read_text()))
    return path, gate_file(path, template, membership=True)


def test_gate_file__activation_counts(activation: tuple[Path, GatedSample]) -> None:
    """Event total and all ten populations equal the stored counts exactly."""
    path, gated = activation
    expected = truth_of(path.with_name(f"{path.name}.truth.csv"), "count")
    assert len(expected) == 11
    assert expected == {"root": gated.event_count} | counts_of(gated)


def test_gate_file__activation_parent_counts(activation: tuple[Path, GatedSample]) -> None:
    """Parent counts and statuses follow, 0 of 0 being not evaluable."""
    _, gated = activation
    counts = {"": gated.event_count} | counts_of(gated)
    expected = [(counts[each.parent], "counted" if counts[each.parent] else "not_evaluable") for each in gated.counts]
    assert expected == [(each.parent_count, each.status) for each in gated.counts]


def test_gate_file__activation_memberships(activation: tuple[Path, GatedSample]) -> None:
    """Every event is in the populations that the stored memberships say."""
    path, gated = activation
    with np.load(path.with_name(f"{path.name}.membership.npz")) as stored:
        bits = np.unpackbits(stored["bits"], axis=1, count=int(stored["n_events"])).astype(bool)
        expected = dict(zip(stored["paths"].tolist(), bits, strict=True))
    assert expected.pop("root").all()
    single = "Cells/Single Cells"  # the one population that is not stored is the Boolean
    expected[f"{single}/Live Cells"] = expected[single] & ~expected[f"{single}/Dead Cells"]
    assert gated.membership is not None
    assert expected.keys() == gated.membership.keys()
    differences = {name: int((inside != gated.membership[name]).sum()) for name, inside in expected.items()}
    assert dict.fromkeys(expected, 0) == differences


def test_gate_file__activation_uses_the_files_matrix(activation: tuple[Path, GatedSample]) -> None:
    """The matrix in the file compensates, and says so."""
    assert activation[1].compensation == "$SPILLOVER"


# EuroFlow: thresholds inside the lymphocytes that experts labelled (a wiring test, not a claim of accuracy).

LYMPHOCYTES = """
name = "lst"
version = "1"
compensation = "none"
[markers]
CD3 = ["CD3"]
CD19 = ["CD19/TCRgd"]
CD56 = ["CD56+IgK"]
[scales]
default = { type = "linear" }
[cutpoint.CD3]
at = 4312
[cutpoint.CD19]
at = 4468
[cutpoint.CD56]
at = 4480
[[population]]
name = "T"
phenotype = "CD3+"
[[population]]
name = "B"
phenotype = "CD3- CD19+"
[[population]]
name = "NK"
phenotype = "CD3- CD19- CD56+"
"""
CLASSES = {
    "NK": {"CD56dim", "CD56bright"},
    "T": {"CD4+CD8-", "CD8+CD4-", "CD4+CD8+", "CD4+CD8dim", "TCRgd+", "TCRgd-"},
    "B": {"Mature SIg Kappa", "Mature SIg Lambda"},
}


def f1(inside: np.ndarray, truth: np.ndarray) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * float((inside & truth).sum()) / float(inside.sum() + truth.sum())


@pytest.mark.parametrize("name", ["T", "B", "NK"])
def test_gate_file__euroflow_f1(shared: Path, name: str) -> None:
    """T, B and NK agree with the labels, F1 at least 0.99 among labelled lymphocytes."""
    folder = shared / "data" / "euroflow_lst"
    with gzip.open(folder / "Cytometry1_HD.fcs.labels.csv.gz", "rt", encoding="utf-8") as file:
        labels = np.array([row["label"] for row in csv.DictReader(file)])
    gated = gate_file(folder / "Cytometry1_HD.fcs", parse_template(LYMPHOCYTES), membership=True)
    assert gated.membership is not None
    lymphocytes = np.isin(labels, sorted(set.union(*CLASSES.values())))
    truth = np.isin(labels, sorted(CLASSES[name]))
    assert f1(gated.membership[name][lymphocytes], truth[lymphocytes]) >= 0.99


# FACSDiva: gates of an experiment's XML, on logicle ("scaled"), log10 or linear axes.


def diva_template(xml: Path, worksheet: str) -> GatingTemplate:
    """Translate the gates of one worksheet; "All Events" is the root."""
    gates = next(
        found.find("gates")
        for found in ElementTree.parse(xml).getroot().iter("worksheet_template")
        if found.get("name") == worksheet
    )
    assert gates is not None
    populations = [diva_population(gate) for gate in gates if gate.get("type") == "Region_Classifier"]
    return GatingTemplate(name="diva", version="1", populations=tuple(populations))


def diva_population(gate: ElementTree.Element) -> Population:
    steps = [step.replace("/", "%2F") for step in gate.attrib["fullname"].split("\\")[1:]]
    region = gate.find("region")
    assert region is not None
    dimensions, units = zip(*(diva_dimension(gate, region, axis) for axis in "xy"), strict=True)
    points = [[float(point.attrib[axis]) for axis in "xy"] for point in region.iter("point")]
    return Population(steps[-1], "/".join(steps[:-1]), PolygonGate(dimensions, (np.array(points) / units).tolist()))


def diva_dimension(gate: ElementTree.Element, region: ElementTree.Element, axis: str) -> tuple[Dimension, float]:
    """An axis of a region, and how many of its units the display scale's 1 is."""
    channel = region.attrib[f"{axis}parm"]
    if gate.findtext(f"is_{axis}_parameter_scaled") == "true":
        value = float(gate.findtext(f"{axis}_parameter_scale_value", "0"))
        width = (4.5 - log10(262144 / max(value, 0.001))) / 2
        return Dimension(channel, Logicle(t=262144, w=max(width, 0.0), m=4.5, a=0)), 4096.0
    if gate.findtext(f"is_{axis}_parameter_log") == "true":
        return Dimension(channel, Log(t=10, m=1)), 1.0
    return Dimension(channel), 1.0


@pytest.fixture(scope="module", params=MARROW)
def marrow(request: pytest.FixtureRequest, shared: Path) -> tuple[Path, GatedSample]:
    """A day-15 marrow, gated with its laboratory's own gates."""
    folder = shared / "data" / request.param
    file, xml = MARROW[request.param]
    return folder, gate_file(folder / file, diva_template(folder / xml, "tube1_d15"), membership=True)


def test_gate_file__diva(marrow: tuple[Path, GatedSample]) -> None:
    """Nucleated cells (Syto+) and blasts are within 0.5 % of the recomputed truth."""
    folder, gated = marrow
    truth = truth_of(folder / "truth.csv", "recomputed")
    for path in ("Syto", BLASTS):
        assert counts_of(gated)[path] == pytest.approx(truth[f"All Events/{path}"], rel=0.005)


def test_mrd_call__diva_blasts(marrow: tuple[Path, GatedSample]) -> None:
    """Undiluted, two fifths of nucleated cells are blasts: above, with an interval around the fraction."""
    _, gated = marrow
    counts = counts_of(gated)
    result = mrd_call(counts[BLASTS], counts["Syto"], "aml", "nucleated_dye")
    assert (result.call, result.quantification) == ("above", "quantifiable")
    assert result.fraction is not None
    assert result.interval is not None
    assert result.interval[0] < result.fraction < result.interval[1]
    assert result.interval[1] - result.interval[0] < 0.01


# Blasts and other nucleated cells of one total, on both sides of and on each of the trial's thresholds.
TOTAL = 500_000
DILUTIONS = [
    ("aml", 30, "below"),
    ("aml", 50, "indeterminate"),
    ("aml", 75, "above"),
    ("t_all", 440, "below"),
    ("t_all", 500, "indeterminate"),
    ("t_all", 560, "above"),
    ("mpal", 30, "below"),
    ("mpal", 50, "indeterminate"),
    ("mpal", 75, "above"),
]


def write_dilution(target: Path, marrow: tuple[Path, GatedSample], blast_count: int) -> Path:
    """Write a tube of `TOTAL` nucleated cells of a marrow, of which some are its blasts, in a fixed random order."""
    folder, gated = marrow
    assert gated.membership is not None
    events = read_fcs(folder / gated.file)
    blast = gated.membership[BLASTS]
    rng = np.random.default_rng(blast_count)
    background = rng.choice(np.flatnonzero(gated.membership["Syto"] & ~blast), TOTAL - blast_count)
    rows = np.concatenate([background, rng.choice(np.flatnonzero(blast), blast_count, replace=False)])
    values = np.asarray(events.raw())[rng.permutation(rows)]
    with target.open("wb") as file:
        flowio.create_fcs(
            file,
            values.ravel(),
            [channel.name for channel in events.channels],
            [channel.marker for channel in events.channels],
            {"spill": events.keywords["SPILL"]},
        )
    return target


@pytest.mark.parametrize("marrow", ["mrd_ball_vie494_d15"], indirect=True)
@pytest.mark.parametrize(("disease", "blast_count", "call"), DILUTIONS)
def test_mrd_call__dilutions(
    tmp_path: Path, marrow: tuple[Path, GatedSample], disease: str, blast_count: int, call: str
) -> None:
    """A dilution is counted to the cell and called on its side of each threshold."""
    folder, _ = marrow
    template = diva_template(folder / MARROW[folder.name][1], "tube1_d15")
    counts = counts_of(gate_file(write_dilution(tmp_path / "dilution.fcs", marrow, blast_count), template))
    assert (blast_count, TOTAL) == (counts[BLASTS], counts["Syto"])
    result = mrd_call(counts[BLASTS], counts["Syto"], disease, "nucleated_dye")
    assert call == result.call
