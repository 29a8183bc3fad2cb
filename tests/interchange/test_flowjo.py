"""FlowJo 10 workspaces: trees, stored counts, and FlowJo's own counts reproduced on real files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from cytorecon.errors import InterchangeError
from cytorecon.gates import And, Dimension, EllipseGate, Member, Not, Or, PolygonGate, RangeGate, RectangleGate
from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.interchange.flowjo import (
    ComparedCount,
    compare_counts,
    find_sample,
    find_sample_of,
    read_workspace,
    sample_template,
)
from cytorecon.transforms import Asinh, Biex, FlowJoLog, Linear, Logicle

WORKSPACES = {
    "flowjo_8color_counts_only": 7,
    "flowjo_simple_diamond": 4,
    "flowjo_simple_line": 2,
    "flowjo_facspy": 1,
    "flowjo_luciernaga": 1,
}


def truth(workspace: Path) -> dict[str, dict[str, int]]:
    """Stored counts by sample and path ("" for all events), as the data set's own table gives them."""
    counts: dict[str, dict[str, int]] = {}
    with workspace.with_suffix(".truth.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = "" if row["population"] == "root" else row["population"]
            counts.setdefault(row["sample"], {})[path] = int(row["count"])
    return counts


@pytest.mark.parametrize("folder", WORKSPACES)
def test_read_workspace__trees_and_stored_counts_without_loss(folder: str, shared: Path) -> None:
    """Every population and stored count of every sample; every gated sample becomes a template of the same tree."""
    paths = sorted((shared / "data" / folder).glob("*.wsp"))
    assert WORKSPACES[folder] == len(paths)
    for path in paths:
        workspace = read_workspace(path)
        found = {sample.name: {"": sample.event_count, **sample.counts} for sample in workspace.samples}
        stored = {name: {at: count for at, count in counts.items() if count >= 0} for name, counts in found.items()}
        assert truth(path) == stored
        for sample in workspace.samples:
            if sample.counts:
                assert set(sample.counts) == set(sample_template(workspace, sample).by_path)


def test_read_workspace__gate_named_dot(shared: Path) -> None:
    """A gate may be called ``.``; it is a population like any other."""
    path = shared / "data" / "flowjo_8color_counts_only" / "8_color_ICS_dot_gate_name.wsp"
    template = load_template(path, sample="101_DEN084Y5_15_E03_009_clean.fcs")
    assert ["."] == [population.name for population in template.populations if "." in population.name]


def test_sample_template__boolean_nodes(shared: Path) -> None:
    """And, Or and Not nodes refer to populations by path and may have children."""
    path = shared / "data" / "flowjo_8color_counts_only" / "8_color_ICS_boolean_gate_testing.wsp"
    template = load_template(path, sample="101_DEN084Y5_15_E03_009_clean.fcs")
    above = "Time/Singlets/aAmine-/CD3+/CD4+/"
    both = (Member(f"{above}CD107a+"), Member(f"{above}IFNg+"))
    assert And(both) == template.by_path[f"{above}CD107a+ & IFNg+"].definition
    assert Or(both) == template.by_path[f"{above}CD107a+ or IFNg+"].definition
    assert Not(Member(f"{above}IL2+")) == template.by_path[f"{above}IL2+-"].definition
    assert f"{above.replace('CD4+', 'CD8+')}TNFa+-/CD107a+" in template.by_path


def test_sample_template__sample_without_gates(shared: Path) -> None:
    """A sample that nobody gated is said to have no gates."""
    path = shared / "data" / "flowjo_8color_counts_only" / "8_color_ICS_sample_without_gates.wsp"
    with pytest.raises(InterchangeError, match=r"E05_010_clean.*has no gates"):
        load_template(path, sample="101_DEN084Y5_15_E05_010_clean.fcs")


def compared(workspace: Path, file: Path) -> dict[str, int | None]:
    """Our counts of a file less FlowJo's."""
    opened = read_workspace(workspace)
    sample = find_sample_of(opened, file)
    gated = gate_file(file, sample_template(opened, sample))
    ours = {"": gated.event_count} | {counts.path: counts.event_count for counts in gated.counts}
    return {each.path: each.difference for each in compare_counts(sample, ours)}


@pytest.mark.parametrize(
    ("workspace", "fcs", "populations"),
    [
        ("flowjo_simple_diamond/simple_diamond_example_quad_gate.wsp", "test_data_diamond_01.fcs", 4),
        ("flowjo_simple_diamond/test_data_diamond_asinh_rect.wsp", "test_data_diamond_01.fcs", 1),
        ("flowjo_simple_diamond/test_data_diamond_asinh_rect2.wsp", "test_data_diamond_01.fcs", 1),
        ("flowjo_simple_diamond/test_data_diamond_biex_rect.wsp", "test_data_diamond_01.fcs", 1),
        ("flowjo_simple_line/single_ellipse_51_events.wsp", "data_set_simple_line_100.fcs", 1),
    ],
)
def test_compare_counts__exact(workspace: str, fcs: str, populations: int, shared: Path) -> None:
    """Quadrants, rectangles on arcsinh and biexponential axes, and an ellipse: FlowJo's counts to the event."""
    path = shared / "data" / workspace
    found = compared(path, path.parent / fcs)
    assert {0} == set(found.values())
    assert populations + 1 == len(found)


FLOWKIT = {  # FlowKit 1.3's counts less FlowJo's, from the data set's table
    "CellCounts4L-NY071-1.fcs": {"Margin": 0, "Margin/CD45+": -4},
    "CellCounts4L-NY072-1.fcs": {"Margin": 0, "Margin/CD45+": 2},
    "file2_unstained.fcs": {
        "FSC_SSC": 6,
        "FSC_SSC/FSC_singlets": 6,
        "FSC_SSC/FSC_singlets/SSC_singlets": -27,
        "FSC_SSC/FSC_singlets/SSC_singlets/live": -27,
        "FSC_SSC/FSC_singlets/SSC_singlets/live/gate_for_three_samples": -12,
        "FSC_SSC/FSC_singlets/SSC_singlets/live/gate_for_two_samples": -24,
        "FSC_SSC/FSC_singlets/SSC_singlets/live/Neutrophils": -1,
    },
}


@pytest.mark.parametrize("fcs", FLOWKIT)
def test_compare_counts__as_close_as_flowkit(fcs: str, shared: Path) -> None:
    """On real polygons and ellipses, which FlowJo draws on a raster, never farther from FlowJo than FlowKit is."""
    folder = "flowjo_facspy" if fcs.startswith("file2") else "flowjo_luciernaga"
    (workspace,) = (shared / "data" / folder).glob("*.wsp")
    found = compared(workspace, workspace.parent / fcs)
    assert 0 == found.pop("")
    assert list(FLOWKIT[fcs]) == list(found)
    for path, theirs in FLOWKIT[fcs].items():
        ours = found[path]
        assert ours is not None
        assert abs(ours) <= abs(theirs), path


def test_biex__flowjo_table(shared: Path) -> None:
    """FlowJo's own table of the biexponential scale, within two half-units of its last printed digit."""
    (path,) = (shared / "data" / "flowjo_xforms").glob("tr_biex_*.csv")
    printed = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    scale = Biex(negative=1.0, width=-7.943282, positive=4.418540, max_value=262144.000029)
    places = np.array([int(index) for index, _ in printed]) / 4096
    last_digit = np.array([10.0 ** -len(value.partition(".")[2]) for _, value in printed])
    difference = np.abs(scale.inverse(places) - np.array([float(value) for _, value in printed]))
    assert np.all(difference <= last_digit)


# --- made workspaces ------------------------------------------------------------------------------------------

PARAMETERS = ("FSC-A", "V_A", "R-A", "Time")


def dimension(name: str, **bounds: str) -> str:
    limits = " ".join(f'gating:{key}="{value}"' for key, value in bounds.items())
    return f'<gating:dimension {limits}><data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'


def gate(kind: str, body: str, inside: str = "1") -> str:
    return f'<Gate><gating:{kind} eventsInside="{inside}">{body}</gating:{kind}></Gate>'


def population(name: str, body: str, children: str = "", kind: str = "Population") -> str:
    inner = f"<Subpopulations>{children}</Subpopulations>" if children else ""
    return f'<{kind} name="{name}" owningGroup="" count="7">{body}{inner}</{kind}>'


def rectangle(name: str = "A", parameter: str = "FSC-A", children: str = "", inside: str = "1") -> str:
    return population(name, gate("RectangleGate", dimension(parameter, min="10", max="20"), inside), children)


def transformation(kind: str, parameter: str, **values: str) -> str:
    given = " ".join(f'transforms:{key}="{value}"' for key, value in values.items())
    return f'<transforms:{kind} {given}><data-type:parameter data-type:name="{parameter}"/></transforms:{kind}>'


def workspace(
    folder: Path,
    gates: str,
    transformations: str = "",
    version: str = "10.8.1",
    matrix: str = "",
    keywords: Mapping[str, str] | None = None,
) -> Path:
    names = {f"$P{place}N": name for place, name in enumerate(("FSC-A", "V/A", "R-A", "Time"), 1)}
    given = {**names, "$FIL": "original.fcs", "$TIMESTEP": "0.01", **(keywords or {})}
    listed = "".join(f'<Keyword name="{key}" value="{value}"/>' for key, value in given.items())
    path = folder / "made.wsp"
    path.write_text(
        f'<Workspace flowJoVersion="{version}" xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
        'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
        'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"><Groups><GroupNode name="G"><Group>'
        '<SampleRefs><SampleRef sampleID="1"/></SampleRefs></Group></GroupNode></Groups><SampleList><Sample>'
        f'<DataSet uri="file:/C:/a%20b/tube%201.fcs"/>{matrix}<Transformations>{transformations}</Transformations>'
        f'<Keywords>{listed}</Keywords><SampleNode name="Tube 1" sampleID="1" count="100">'
        f"<Subpopulations>{gates}</Subpopulations></SampleNode></Sample></SampleList></Workspace>",
        encoding="utf-8",
    )
    return path


SCALES = {
    "log": (transformation("log", "R-A", offset="2", decades="4"), FlowJoLog(2, 4)),
    "logicle": (transformation("logicle", "R-A", T="262144", W="1", M="4.4", A="0"), Logicle(262144, 1, 4.4, 0)),
    "fasinh": (transformation("fasinh", "R-A", T="262144", M="4", A="1", length="256"), Asinh(262144, 4, 1)),
    "biex": (
        transformation("biex", "R-A", neg="0.5", width="-100", pos="4.5", maxRange="262144", length="256"),
        Biex(0.5, -100, 4.5, 262144, 256),
    ),
    "linear": (transformation("linear", "R-A", minRange="100", maxRange="262144", gain="1"), Linear()),
}


@pytest.mark.parametrize("kind", SCALES)
def test_sample_template__scales(kind: str, tmp_path: Path) -> None:
    """Each of FlowJo's scales, with the edges of a gate, closed, brought from linear units onto it."""
    written, scale = SCALES[kind]
    template = load_template(workspace(tmp_path, rectangle(parameter="R-A"), written))
    low, high = scale.apply(np.array([10.0, 20.0])).tolist()
    assert RangeGate(Dimension("R-A"), low, high, closed=True) == template.populations[0].definition
    assert scale == template.scale_of("R-A")


def test_sample_template__ellipse_in_256ths_of_the_axes(tmp_path: Path) -> None:
    """Foci and ends of axes, in 256ths of a linear and a logarithmic axis, become centre and covariance."""

    def points(kind: str, *pairs: tuple[int, int]) -> str:
        inner = "".join(
            "<gating:vertex>"
            + "".join(f'<gating:coordinate data-type:value="{v}"/>' for v in pair)
            + "</gating:vertex>"
            for pair in pairs
        )
        return f"<gating:{kind}>{inner}</gating:{kind}>"

    body = dimension("FSC-A") + dimension("R-A")
    body += points("foci", (98, 128), (158, 128)) + points("edge", (78, 128), (178, 128), (128, 88), (128, 168))
    written = transformation("linear", "FSC-A", minRange="0", maxRange="2560") + SCALES["log"][0]
    template = load_template(workspace(tmp_path, population("E", gate("EllipsoidGate", body)), written))
    ellipse = template.populations[0].definition
    assert isinstance(ellipse, EllipseGate)
    assert np.allclose((1280, 0.5), ellipse.mean)
    assert np.allclose(((500**2, 0), (0, (40 / 256) ** 2)), ellipse.covariance)


def test_sample_template__time_in_flowjos_seconds(tmp_path: Path) -> None:
    """FlowJo's gain on time is its own length of a tick; ours is $TIMESTEP."""
    written = transformation("linear", "Time", minRange="0", maxRange="72", gain="0.02")
    template = load_template(workspace(tmp_path, rectangle(parameter="Time"), written))
    assert RangeGate(Dimension("Time"), 5.0, 10.0, closed=True) == template.populations[0].definition


def test_sample_template__slash_in_a_channel_name(tmp_path: Path) -> None:
    """FlowJo writes ``_`` for the ``/`` of a channel; the file's name is meant."""
    template = load_template(workspace(tmp_path, rectangle(parameter="V_A")))
    definition = template.populations[0].definition
    assert isinstance(definition, RangeGate)
    assert ("V/A",) == definition.dimension.channels


def spillover(**attributes: str) -> str:
    given = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    rows = "".join(
        f'<transforms:spillover data-type:parameter="{row}">'
        + "".join(
            f'<transforms:coefficient data-type:parameter="{column}" transforms:value="{value}"/>'
            for column, value in zip(("V_A", "R-A"), values, strict=True)
        )
        + "</transforms:spillover>"
        for row, values in (("V_A", (1, 0.1)), ("R-A", (0.2, 1)))
    )
    return f"<transforms:spilloverMatrix {given}>{rows}</transforms:spilloverMatrix>"


def test_sample_template__compensated_and_uncompensated_parameters(tmp_path: Path) -> None:
    """The prefix tells which parameters are compensated; the same channel may be used both ways."""
    matrix = spillover(name="Day 1", prefix="Comp-", suffix="", spectral="0")
    gates = rectangle("comp", "Comp-R-A") + rectangle("raw", "R-A") + rectangle("scatter", "FSC-A")
    template = load_template(workspace(tmp_path, gates, matrix=matrix))
    assert "Day 1" == template.compensation
    assert (("V/A", "R-A"), ("V/A", "R-A")) == (
        template.matrices["Day 1"].detectors,
        template.matrices["Day 1"].fluorochromes,
    )
    stated = [each.definition.dimensions[0].compensation for each in template.populations]
    assert [None, "none", None] == stated


def test_sample_template__events_outside_of_a_gate(tmp_path: Path) -> None:
    """A gate of which FlowJo takes the outside is a sibling of its own, and the population its complement."""
    template = load_template(workspace(tmp_path, rectangle(inside="0", children=rectangle("child"))))
    assert ["A (drawn gate)", "A", "A/child"] == list(template.by_path)
    assert Not(Member("A (drawn gate)")) == template.by_path["A"].definition


def test_find_sample__by_name_file_and_fil(tmp_path: Path) -> None:
    """FlowJo's name, the name of the file on the disk it was on, or the file's own $FIL."""
    opened = read_workspace(workspace(tmp_path, rectangle()))
    for name in ("Tube 1", "tube 1.fcs", "original.fcs"):
        assert "Tube 1" == find_sample(opened, name).name
    assert "Tube 1" == find_sample(opened).name
    with pytest.raises(InterchangeError, match=r"no sample 'other' in the workspace.*got samples Tube 1.*--sample"):
        find_sample(opened, "other")


def test_compare_counts__missing_on_one_side(tmp_path: Path) -> None:
    """A population counted on one side only has no difference, not a difference of 0."""
    (sample,) = read_workspace(workspace(tmp_path, rectangle())).samples
    assert (ComparedCount("", 100, 100), ComparedCount("A", -1, 7)) == compare_counts(sample, {"": 100})
    assert [0, None] == [each.difference for each in compare_counts(sample, {"": 100})]


DEEP = ""
for _ in range(66):
    DEEP = rectangle("A", children=DEEP)
POLYGON = dimension("FSC-A") + dimension("R-A")
VERTEX = (
    '<gating:vertex><gating:coordinate data-type:value="1"/><gating:coordinate data-type:value="2"/></gating:vertex>'
)
REFUSED = {
    "too deep": (DEEP, "", "lies too deep"),
    "too many gates": ("".join(rectangle(f"G{n}") for n in range(1001)), "", "too many gates"),
    "too many vertices": (population("A", gate("PolygonGate", POLYGON + VERTEX * 10_001)), "", "too many vertices"),
    "gate of unknown kind": (population("A", gate("CurlyQuad", "")), "", "kind CurlyQuad are not supported"),
    "scale of unknown kind": (rectangle(), transformation("miltenyi", "FSC-A"), "FlowJo scale 'miltenyi' is not"),
    "scale that is none": (
        rectangle(),
        transformation("log", "FSC-A", offset="-1", decades="4"),
        "population 'A', FlowJo scale log.*describe no scale",
    ),
    "derived parameter": (rectangle(parameter="Ratio"), "", "'Ratio' is none of the file's channels; derived"),
    "node that hides gates": (population("A", "", rectangle("B"), kind="PluginNode"), "", "<PluginNode> on line 1"),
    "Boolean of nothing": (population("A", "<Dependents/>", kind="AndNode"), "", "operand count of AndNode"),
    "Boolean of a stranger": (
        population("A", '<Dependents><Dependent name="Z"/></Dependents>', kind="NotNode"),
        "",
        "refers to 'Z', which is no population",
    ),
    "min above max": (population("A", gate("RectangleGate", dimension("R-A", min="2", max="1"))), "", "no value lies"),
    "siblings of one name": (rectangle() + rectangle(), "", "two siblings share this name"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_sample_template__refuses(kind: str, tmp_path: Path) -> None:
    """What has no equivalent is named, never read as another tree."""
    gates, written, message = REFUSED[kind]
    path = workspace(tmp_path, gates, written)
    with pytest.raises(InterchangeError, match=message):
        load_template(path)


@pytest.mark.parametrize(("version", "message"), [("11.0.0", "FlowJo 11.0.0 workspaces"), ("9.9", "FlowJo 9.9")])
def test_read_workspace__other_versions(version: str, message: str, tmp_path: Path) -> None:
    """Only FlowJo 10 is understood; another version is named."""
    with pytest.raises(InterchangeError, match=f"{message}.*expected a workspace of FlowJo 10"):
        read_workspace(workspace(tmp_path, rectangle(), version=version))


def test_read_workspace__no_workspace(tmp_path: Path) -> None:
    """Gating-ML under the ending of a workspace is named for what it is."""
    (tmp_path / "a.wsp").write_text("<Gating-ML/>", encoding="utf-8")
    with pytest.raises(InterchangeError, match=r"no FlowJo workspace.*got <Gating-ML>"):
        load_template(tmp_path / "a.wsp")


@pytest.mark.parametrize("algorithm", ["WLS", "Poisson"])
def test_sample_template__other_unmixing(algorithm: str, tmp_path: Path) -> None:
    """Spectral unmixing other than by least squares is named."""
    matrix = spillover(name="M", prefix="Comp-", suffix="", spectral="1", weightOptAlgorithmType=algorithm)
    with pytest.raises(InterchangeError, match=f"matrix 'M': spectral unmixing by {algorithm} is not supported"):
        load_template(workspace(tmp_path, rectangle(), matrix=matrix))


def test_gates_of_flowjo_are_closed(shared: Path) -> None:
    """FlowJo's edges are inside, whatever the kind of gate."""
    path = shared / "data" / "flowjo_8color_counts_only" / "8_color_ICS.wsp"
    template = load_template(path, sample="101_DEN084Y5_15_E03_009_clean.fcs")
    definitions = [population.definition for population in template.populations]
    drawn = [each for each in definitions if isinstance(each, RectangleGate | PolygonGate)]
    assert 14 == len(drawn)
    assert {True} == {gate.closed for gate in drawn}
