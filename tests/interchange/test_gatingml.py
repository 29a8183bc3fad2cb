"""Gating-ML 2.0 in: ISAC's compliance suite event for event, and errors that name the construct."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import flowio
import numpy as np
import pytest
from numpy.typing import NDArray

from cytorecon.errors import InterchangeError
from cytorecon.gates import Dimension, QuadrantPart, RangeGate
from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.interchange.gatingml import read_gatingml
from cytorecon.transforms import Bounded, Log

HEAD = (
    '<g:Gating-ML xmlns:g="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:t="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:d="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">'
)
FILES = ("gml_all_gates.xml", "gml_ellipsoid3d_gate.xml", "gml_parent_quadrant_rect_gate.xml")


def dimension(name: str = "FSC-A", rest: str = 'g:min="1"', reference: str = "uncompensated") -> str:
    return f'<g:dimension g:compensation-ref="{reference}" {rest}><d:fcs-dimension d:name="{name}"/></g:dimension>'


def rectangle(gate_id: str = "A", parent: str = "", body: str = "") -> str:
    above = f' g:parent_id="{parent}"' if parent else ""
    return f'<g:RectangleGate g:id="{gate_id}"{above}>{body or dimension()}</g:RectangleGate>'


def boolean(body: str) -> str:
    return f'<g:BooleanGate g:id="B">{body}</g:BooleanGate>'


def write(folder: Path, body: str) -> Path:
    path = folder / "gates.xml"
    path.write_text(HEAD + body + "</g:Gating-ML>", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def isac(shared: Path) -> Mapping[str, NDArray[np.bool_]]:
    """Membership of every gate of the compliance suite, by gate."""
    folder = shared / "data" / "isac_gatingml"
    found: dict[str, NDArray[np.bool_]] = {}
    for name in FILES:
        gated = gate_file(folder / "data1.fcs", load_template(folder / "gml" / name), membership=True)
        assert gated.membership is not None
        found |= {path.rpartition("/")[2]: inside for path, inside in gated.membership.items()}
    return found


def test_read_gatingml__isac_compliance_suite(shared: Path, isac: Mapping[str, NDArray[np.bool_]]) -> None:
    """All 51 membership files of the suite, event for event, through this package's engine."""
    folder = shared / "data" / "isac_gatingml" / "truth"
    truth = {path.stem.removeprefix("Results_"): np.loadtxt(path).astype(bool) for path in folder.glob("*.txt")}
    truth["ParRectangle1"] = truth.pop("ParQuadRect")
    assert 51 == len(truth)
    assert dict.fromkeys(sorted(truth), 0) == {name: int(np.sum(truth[name] != isac[name])) for name in sorted(truth)}


def test_read_gatingml__single_files_say_the_same(shared: Path, isac: Mapping[str, NDArray[np.bool_]]) -> None:
    """Each gate read from a file of its own is the gate of the large file."""
    folder = shared / "data" / "isac_gatingml"
    paths = [path for path in folder.glob("gml/*.xml") if path.name not in (*FILES, "gml_range_gate_attr_testing.xml")]
    assert 43 == len(paths)
    for path in paths:
        gated = gate_file(folder / "data1.fcs", load_template(path), membership=True)
        assert gated.membership is not None
        for name, inside in gated.membership.items():
            if name != "myEllipse2":  # in no other file, and without a membership file
                assert np.array_equal(isac[name.rpartition("/")[2]], inside), (path.name, name)


def test_read_gatingml__file_outside_the_schema(shared: Path) -> None:
    """Gates wrapped in an element that Gating-ML does not know are not read as no gates."""
    path = shared / "data" / "isac_gatingml" / "gml" / "gml_range_gate_attr_testing.xml"
    with pytest.raises(InterchangeError, match="<sample> on line 7 is not part of Gating-ML"):
        read_gatingml(path)


def test_read_gatingml__workspace_of_another_program(shared: Path) -> None:
    """Floreada keeps one tree a file beside its gates; that is named rather than read as one tree."""
    with pytest.raises(InterchangeError, match="<custom-info> on line 15 is not part of Gating-ML"):
        read_gatingml(shared / "data" / "infant_series" / "workspace.xml")


def test_read_gatingml__order_of_gates_does_not_matter(tmp_path: Path) -> None:
    """A child may stand before its parent, a Boolean before its operands."""
    body = boolean('<g:not><g:gateReference g:ref="C"/></g:not>') + rectangle("C", "A") + rectangle("A")
    template = read_gatingml(write(tmp_path, body))
    assert {"A", "A/C", "B"} == set(template.by_path)


def test_read_gatingml__bounded_scale(tmp_path: Path) -> None:
    """Bounds of a transformation are kept, not passed over."""
    body = '<t:transformation t:id="L" t:boundMin="0"><t:flog t:T="1000" t:M="3"/></t:transformation>' + rectangle(
        body=dimension("CD3", 'g:min="0.5" g:transformation-ref="L"')
    )
    template = read_gatingml(write(tmp_path, body))
    assert Bounded(Log(1000, 3), 0.0) == template.scale_of("CD3")
    assert RangeGate(Dimension("CD3"), 0.5) == template.populations[0].definition


def test_read_gatingml__quadrant_open_on_a_channel(shared: Path) -> None:
    """A quadrant that leaves a divider out takes all intervals of that channel."""
    template = read_gatingml(shared / "data" / "isac_gatingml" / "gml" / "gml_quadrant2_gate.xml")
    definition = template.by_path["FSCD-FL1P"].definition
    assert isinstance(definition, QuadrantPart)
    assert definition.gate.parts_where([1, None, 1]) == definition.parts


LONG = "".join(rectangle(f"G{n}", f"G{n - 1}" if n else "") for n in range(66))
REFUSED = {
    "nothing inside": ("<d:custom_info/>", "holds no gate"),
    "two ids": (rectangle() + rectangle(), "two gates carry the id 'A'"),
    "unknown parent": (rectangle("A", "Z"), "'A' refers to 'Z'"),
    "cycle": (rectangle("A", "C") + rectangle("C", "A"), "their own ancestors.*A within C within A"),
    "too deep": (LONG, "lies too deep"),
    "too many gates": ("".join(rectangle(f"G{n}") for n in range(1001)), "too many gates"),
    "too many vertices": (
        '<g:PolygonGate g:id="A">' + dimension(rest="") + dimension("SSC-A", "")
        + '<g:vertex><g:coordinate d:value="1"/><g:coordinate d:value="2"/></g:vertex>' * 10_001 + "</g:PolygonGate>",
        "too many vertices",
    ),
    "no channel": ('<g:RectangleGate g:id="A"><g:dimension g:compensation-ref="FCS"/></g:RectangleGate>', "no channel"),
    "no compensation": (
        '<g:RectangleGate g:id="A"><g:dimension><d:fcs-dimension d:name="x"/></g:dimension></g:RectangleGate>',
        "lacks its compensation-ref",
    ),
    "unknown matrix": (rectangle(body=dimension(reference="Mine")), "compensation-ref 'Mine' is no spectrum matrix"),
    "unknown scale": (rectangle(body=dimension(rest='g:transformation-ref="S"')), "transformation-ref 'S' is no"),
    "NaN edge": (rectangle(body=dimension(rest='g:min="NaN"')), "not a usable number"),
    "min above max": (rectangle(body=dimension(rest='g:min="2" g:max="1"')), "gate 'A'.*no value lies between"),
    "same channel twice": (rectangle(body=dimension() + dimension()), "same channel twice"),
    "two vertices": (
        '<g:PolygonGate g:id="A">' + dimension(rest="") + dimension("SSC-A", "")
        + '<g:vertex><g:coordinate d:value="1"/><g:coordinate d:value="2"/></g:vertex>' * 2 + "</g:PolygonGate>",
        "too few vertices",
    ),
    "unknown transformation": ('<t:transformation t:id="S"><t:power/></t:transformation>', "transformation.*power"),
    "scale that is none": (
        '<t:transformation t:id="S"><t:logicle t:T="-1" t:W="1" t:M="4" t:A="0"/></t:transformation>',
        "transformation 'S'.*describe no scale",
    ),
    "Boolean of a quadrant gate": (
        boolean('<g:not><g:gateReference g:ref="Q"/></g:not>')
        + '<g:QuadrantGate g:id="Q"><g:divider g:id="D" g:compensation-ref="FCS"><d:fcs-dimension d:name="x"/>'
        '<g:value>1</g:value></g:divider><g:Quadrant g:id="P"><g:position g:divider_ref="D" g:location="2"/>'
        "</g:Quadrant></g:QuadrantGate>",
        "'Q', which is no gate and no quadrant",
    ),
    "Boolean of itself": (boolean('<g:not><g:gateReference g:ref="B"/></g:not>'), "cycle"),
    "Boolean without operation": (boolean(""), "exactly one of and, or, not"),
    "embedded operand": (boolean(f"<g:not>{rectangle()}</g:not>"), "<RectangleGate> is not supported"),
    "ratio that is none": (
        '<g:RectangleGate g:id="A"><g:dimension g:compensation-ref="FCS"><d:new-dimension d:transformation-ref="R"/>'
        "</g:dimension></g:RectangleGate>",
        "refers to no ratio",
    ),
    "matrix of the wrong shape": (
        '<t:spectrumMatrix t:id="M"><t:fluorochromes><d:fcs-dimension d:name="a"/></t:fluorochromes><t:detectors>'
        '<d:fcs-dimension d:name="x"/></t:detectors><t:spectrum><t:coefficient t:value="1"/>'
        '<t:coefficient t:value="0"/></t:spectrum></t:spectrumMatrix>',
        "matrix has the wrong shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_read_gatingml__refuses(kind: str, tmp_path: Path) -> None:
    """What cannot be read exactly is refused when the file is read, naming the construct."""
    body, message = REFUSED[kind]
    with pytest.raises(Exception, match=message) as caught:
        read_gatingml(write(tmp_path, body))
    assert isinstance(caught.value, InterchangeError)


def test_read_gatingml__other_xml(tmp_path: Path) -> None:
    """XML that is no Gating-ML is named for what it is."""
    (tmp_path / "other.xml").write_text("<Workspace/>", encoding="utf-8")
    with pytest.raises(InterchangeError, match="expected <Gating-ML>, got <Workspace>"):
        read_gatingml(tmp_path / "other.xml")


def test_read_gatingml__spectrum_matrix(tmp_path: Path) -> None:
    """More detectors than fluorochromes: the compensated dimension keeps its fluorochrome's name."""
    names = {"fluorochromes": ("FITC", "PE"), "detectors": ("B1", "B2", "B3")}
    parts = "".join(
        f"<t:{part}>" + "".join(f'<d:fcs-dimension d:name="{name}"/>' for name in given) + f"</t:{part}>"
        for part, given in names.items()
    )
    rows = "".join(
        "<t:spectrum>" + "".join(f'<t:coefficient t:value="{value}"/>' for value in row) + "</t:spectrum>"
        for row in ((1, 0.2, 0.1), (0.1, 0.5, 1))
    )
    body = f'<t:spectrumMatrix t:id="M">{parts}{rows}</t:spectrumMatrix>' + rectangle(
        body=dimension("PE", 'g:min="5"', "M")
    )
    template = read_gatingml(write(tmp_path, body))
    assert ("M", ("FITC", "PE"), ("B1", "B2", "B3")) == (
        template.compensation,
        template.matrices["M"].fluorochromes,
        template.matrices["M"].detectors,
    )
    definition = template.populations[0].definition
    assert isinstance(definition, RangeGate)
    assert ("PE",) == definition.dimension.channels


def test_read_gatingml__gates_on_unmixed_fluorochromes(tmp_path: Path) -> None:
    """A gate on a fluorochrome of a spectrum matrix counts events by what the detectors saw of it."""
    spectra = np.array([[1, 0.2, 0.1], [0.1, 0.5, 1]])
    light = np.array([[100, 0], [0, 100], [50, 50], [0, 4]], dtype=np.float64)
    with (tmp_path / "a.fcs").open("wb") as file:
        flowio.create_fcs(file, (light @ spectra).astype(np.float32).ravel().tolist(), ["B1", "B2", "B3"])
    parts = "".join(
        f"<t:{part}>" + "".join(f'<d:fcs-dimension d:name="{name}"/>' for name in names) + f"</t:{part}>"
        for part, names in (("fluorochromes", ("FITC", "PE")), ("detectors", ("B1", "B2", "B3")))
    )
    rows = "".join(
        "<t:spectrum>" + "".join(f'<t:coefficient t:value="{value}"/>' for value in row) + "</t:spectrum>"
        for row in spectra
    )
    body = f'<t:spectrumMatrix t:id="M">{parts}{rows}</t:spectrumMatrix>'
    body += rectangle("PE", body=dimension("PE", 'g:min="5"', "M")) + rectangle(
        "FITC", body=dimension("FITC", 'g:min="75"', "M")
    )
    gated = gate_file(tmp_path / "a.fcs", read_gatingml(write(tmp_path, body)))
    assert {"PE": 2, "FITC": 1} == {counts.path: counts.event_count for counts in gated.counts}
