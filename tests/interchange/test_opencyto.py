"""openCyto templates: rows, patterns and references become populations, cut points and gates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytorecon.errors import GateError, InterchangeError
from cytorecon.gates import And, Dimension, Member, Not, Or, RectangleGate
from cytorecon.interchange import load_template
from cytorecon.template import Cutpoint, GatingTemplate, PlacedGate, describe, parse_template, to_toml

HEADER = (
    "alias,pop,parent,dims,gating_method,gating_args,"
    "collapseDataForGating,groupBy,preprocessing_method,preprocessing_args"
)

# The trees that openCyto's documentation and its lyoplate and CytoTrol templates describe, written anew.
CYTOTROL_T = """
nonDebris,+,root,FSC-A,gate_mindensity,,,,,
singlets,+,nonDebris,"FSC-A,FSC-H",singletGate,,,,,
lymph,+,singlets,"FSC-A,SSC-A",flowClust,"K=2,target=c(1e5,5e4)",,,prior_flowClust,
cd3,+,lymph,CD3,gate_mindensity,,TRUE,4,,
*,-/++/-,cd3,"cd4,cd8",gate_mindensity,"gate_range=c(1,3)",,,,
activated cd4,++,cd4+cd8-,"CD38,HLA",tailgate,,,,,
activated cd8,++,cd4-cd8+,"CD38,HLA",tailgate,tol=0.08,,,,
CD45_neg,-,cd4+cd8-,CD45RA,gate_mindensity,"gate_range=c(2,3)",,,,
CCR7_gate,+,CD45_neg,CCR7,flowClust,"neg=1,pos=1",,,,
*,+/-+/-,cd4+cd8-,"CCR7,CD45RA",refGate,CD45_neg:CCR7_gate,,,,
*,+/-+/-,cd4-cd8+,"CCR7,CD45RA",gate_mindensity,,,,,
"""
T_ABOVE = "nonDebris/singlets/lymph/cd3"
T_TREE = {
    "nonDebris", "nonDebris/singlets", "nonDebris/singlets/lymph", T_ABOVE,
    *(f"{T_ABOVE}/{name}" for name in ("cd4+", "cd8+", "cd4+cd8+", "cd4+cd8-", "cd4-cd8+", "cd4-cd8-")),
    *(f"{T_ABOVE}/{cell}/{name}" for cell in ("cd4+cd8-", "cd4-cd8+") for name in ("CD38+", "HLA+")),
    f"{T_ABOVE}/cd4+cd8-/activated cd4", f"{T_ABOVE}/cd4-cd8+/activated cd8",
    f"{T_ABOVE}/cd4+cd8-/CD45_neg", f"{T_ABOVE}/cd4+cd8-/CD45_neg/CCR7_gate",
    f"{T_ABOVE}/cd4-cd8+/CCR7+", f"{T_ABOVE}/cd4-cd8+/CD45RA+",
    *(f"{T_ABOVE}/{cell}/CCR7{a}CD45RA{b}" for cell in ("cd4+cd8-", "cd4-cd8+") for a in "+-" for b in "+-"),
}  # fmt: skip

LYOPLATE_B = """
boundary,boundary,root,"FSC-A,SSC-A",boundary,"max = c(250000, 250000)",,,,
nonDebris,nonDebris+,boundary,FSC-A,mindensity,"gate_range = c(50000, 100000), adjust = 1.5",,,,
lymph,lymph,nonDebris,"FSC-A,SSC-A",flowClust,"K=2, quantile=0.95, target=c(1e5, 5e4)",,,prior_flowClust,K = 2
Live,Live-,lymph,Live,cytokine,tol = 0.05,,,standardize_flowset,
CD3gate,CD3-,Live,CD3,mindensity,,,,,
CD19gate,CD19+,Live,CD19,mindensity,,,,,
CD20gate,CD20+,CD3gate,CD20,mindensity,,,,,
CD19,CD3-CD19+,Live,"CD3,CD19",refGate,CD3gate:CD19gate,,,,
CD20,CD3-CD20+,Live,"CD3,CD20",refGate,CD3gate:CD20gate,,,,
CD19!CD20,CD19&!CD20,Live,,boolGate,CD19&!CD20,,,,
CD19CD20,CD19&CD20,Live,,boolGate,CD19&CD20,,,,
Transitional,Transitional,CD19CD20,"CD38,CD24",flowClust,"K=6,transitional=T,target=c(3500,3500)",,,prior_flowClust,K=6
CD27gate,CD27+,CD19CD20,CD27,flowClust,K = 2,,,prior_flowClust,K = 2
IgDgate,IgD+,CD19CD20,IgD,flowClust,"K = 2, min = 500",,,prior_flowClust,K = 2
*,IgD+/-CD27+/-,CD19CD20,"IgD,CD27",refGate,CD27gate:IgDgate,,,,
plasma_CD27gate,CD27+,CD19!CD20,CD27,flowClust,K = 2,,,prior_flowClust,K = 2
plasma_CD38gate,CD38+,CD19!CD20,CD38,flowClust,K = 2,,,prior_flowClust,K = 2
Plasmablasts,CD27+CD38+,CD19!CD20,"CD27,CD38",refGate,plasma_CD27gate:plasma_CD38gate,,,,
"""
B_ABOVE = "boundary/nonDebris/lymph/Live"
B_TREE = {
    "boundary", "boundary/nonDebris", "boundary/nonDebris/lymph", B_ABOVE,
    *(f"{B_ABOVE}/{n}" for n in ("CD3gate", "CD19gate", "CD3gate/CD20gate", "CD19", "CD20", "CD19!CD20", "CD19CD20")),
    *(f"{B_ABOVE}/CD19CD20/{n}" for n in ("Transitional", "CD27gate", "IgDgate")),
    *(f"{B_ABOVE}/CD19CD20/IgD{a}CD27{b}" for a in "+-" for b in "+-"),
    *(f"{B_ABOVE}/CD19!CD20/{n}" for n in ("plasma_CD27gate", "plasma_CD38gate", "Plasmablasts")),
}  # fmt: skip

LYOPLATE_TREG = """
lymph,+,root,"FSC-A,SSC-A",flowClust,"K=2,quantile=0.95,target=c(1e5,5e4)",,,prior_flowClust,K=2
CD4,CD4+,lymph,CD4,mindensity,,,,,
CD25,CD25+,CD4,CD25,flowClust,K=2,,,prior_flowClust,K=2
transitional,CD25_CD127Low,CD25,"CD25,CD127",flowClust,"K=3,transitional=TRUE,target=c(2e3,5e2)",,,prior_flowClust,K=3
CD25+CD127-,CD25_CD127Low,CD4,"CD25,CD127",refGate,transitional,,,,
*,CCR4+/-,CD25+CD127-,CCR4,flowClust,K=2,,,prior_flowClust,K=2
*,CD45RO+/-,CD25+CD127-,CD45RO,flowClust,K=2,,,prior_flowClust,K=2
*,CCR4+/-CD45RO+/-,CD25+CD127-,"CCR4,CD45RO",refGate,CCR4+:CD45RO+,,,,
Memory,Memory,CD4,,boolGate,CD25+CD127-&CCR4+CD45RO+,,,,
Naive,Naive,CD4,,boolGate,CD25+CD127-&CCR4+CD45RO-,,,,
Total,Total,CD4,,boolGate,Memory|Naive,,,,
"""
TREG = "lymph/CD4/CD25+CD127-"
TREG_TREE = {
    "lymph", "lymph/CD4", "lymph/CD4/CD25", "lymph/CD4/CD25/transitional", TREG,
    *(f"{TREG}/{name}{sign}" for name in ("CCR4", "CD45RO") for sign in "+-"),
    *(f"{TREG}/CCR4{a}CD45RO{b}" for a in "+-" for b in "+-"),
    *(f"lymph/CD4/{name}" for name in ("Memory", "Naive", "Total")),
}  # fmt: skip


def read(folder: Path, rows: str) -> GatingTemplate:
    path = folder / "template.csv"
    path.write_text(f"{HEADER}\n{rows.strip()}\n", encoding="utf-8")
    return load_template(path)


def words(template: GatingTemplate, path: str) -> str:
    return describe(template.by_path[path].definition)


@pytest.mark.parametrize(
    ("rows", "tree"), [(CYTOTROL_T, T_TREE), (LYOPLATE_B, B_TREE), (LYOPLATE_TREG, TREG_TREE)], ids=["T", "B", "Treg"]
)
def test_read_opencyto__documented_templates(rows: str, tree: set[str], tmp_path: Path) -> None:
    """The populations that openCyto itself makes, no more and no fewer; and TOML holds them without loss."""
    template = read(tmp_path, rows)
    assert tree == set(template.by_path)
    assert template == parse_template(to_toml(template))


def test_read_opencyto__cut_points_and_phenotypes(tmp_path: Path) -> None:
    """A method places one cut point; its populations and those that refer to it use it."""
    template = read(tmp_path, CYTOTROL_T)
    pooled = {"collapse": True, "group_by": "4"}
    cd3 = Cutpoint("CD3", "CD3", method="mindensity", on="nonDebris/singlets/lymph", parameters=pooled)
    assert cd3 == template.cutpoints["CD3"]
    assert (1 / 4.5, 3 / 4.5) == template.cutpoints["cd4"].within
    assert "cd4+ cd8-" == words(template, f"{T_ABOVE}/cd4+cd8-")
    assert "CD45RA-" == words(template, f"{T_ABOVE}/cd4+cd8-/CD45_neg")
    assert "CCR7- CD45RA+" == words(template, f"{T_ABOVE}/cd4+cd8-/CCR7-CD45RA+")
    assert "CCR7<CCR7@cd4-cd8+ CD45RA>CD45RA@cd4-cd8+" == words(template, f"{T_ABOVE}/cd4-cd8+/CCR7-CD45RA+")


def test_read_opencyto__gates_on_two_channels(tmp_path: Path) -> None:
    """Two-dimensional methods wait for data; positions on scatter stay linear, others go onto 0 to 1."""
    template = read(tmp_path, LYOPLATE_B)
    given = {
        "K": 2.0,
        "quantile": 0.95,
        "target": (1e5, 5e4),
        "preprocessing": "prior_flowClust",
        "preprocessing_K": 2.0,
    }
    scatter = (Dimension("FSC-A"), Dimension("SSC-A"))
    lymph = template.by_path["boundary/nonDebris/lymph"].definition
    assert PlacedGate(scatter, "gaussian_mixture", "boundary/nonDebris", given) == lymph
    transitional = template.by_path[f"{B_ABOVE}/CD19CD20/Transitional"].definition
    assert isinstance(transitional, PlacedGate)
    assert (3500 / 4096, 3500 / 4096) == transitional.parameters["target"]
    boundary = template.by_path["boundary"].definition
    assert RectangleGate(scatter, (-float("inf"),) * 2, (250000, 250000), closed=True) == boundary


def test_read_opencyto__references_to_a_gate(tmp_path: Path) -> None:
    """A refGate on a two-dimensional gate is that gate, drawn where it was drawn, under another parent."""
    template = read(tmp_path, LYOPLATE_TREG)
    assert template.by_path["lymph/CD4/CD25/transitional"].definition == template.by_path[TREG].definition


def test_read_opencyto__booleans(tmp_path: Path) -> None:
    """Names with signs in them are names; & ! | and brackets are operators."""
    template = read(tmp_path, LYOPLATE_TREG + "Odd,Odd,CD4,,boolGate,!(Memory|Naive)&Total,,,,\n")
    memory, naive, total = (Member(f"lymph/CD4/{name}") for name in ("Memory", "Naive", "Total"))
    assert And((Member(TREG), Member(f"{TREG}/CCR4+CD45RO+"))) == template.by_path["lymph/CD4/Memory"].definition
    assert And((Not(Or((memory, naive))), total)) == template.by_path["lymph/CD4/Odd"].definition


ICS = """
cd4,+,root,CD4,mindensity,,,,,
cd8,+,root,CD8,quantileGate,"probs=0.999",,,,
"IL2","+","cd4,cd8",IL2,cytokine,tol=0.001,,,,
"IFNg","+","cd4,cd8",IFNg,tailgate,,,,,
"TNFa","-","cd4,cd8",TNFa,gate_tail,,,,,
combined,combined,cd8,,polyFunctions,cd8/IFNg:cd8/IL2,,,,
"""


def test_read_opencyto__several_parents_and_polyfunctions(tmp_path: Path) -> None:
    """A row of several parents stands for as many rows; polyFunctions for every combination."""
    template = read(tmp_path, ICS)
    combined = {f"cd8/IFNg{a}IL2{b}" for a in "+-" for b in "+-"}
    assert {"cd4", "cd8", *(f"cd{n}/{name}" for n in (4, 8) for name in ("IL2", "IFNg", "TNFa")), *combined} == set(
        template.by_path
    )
    assert And((Member("cd8/IFNg"), Not(Member("cd8/IL2")))) == template.by_path["cd8/IFNg+IL2-"].definition
    assert ("cd4", "cd8") == (template.cutpoints["IL2"].on, template.cutpoints["IL2@IL2"].on)
    assert "quantile" == template.cutpoints["CD8"].method


def test_read_opencyto__tabs_and_old_column_names(tmp_path: Path) -> None:
    """Templates separated by tabs, and older ones with `method` and `args`, are read alike."""
    path = tmp_path / "old.csv"
    path.write_text(
        "alias\tpop\tparent\tdims\tmethod\targs\ncd3\tcd3+\troot\tCD3\tmindensity\t\n", encoding="utf-8-sig"
    )
    assert "CD3+" == words(load_template(path), "cd3")


def test_read_opencyto__outside_of_a_gate(tmp_path: Path) -> None:
    """The negative side of a two-dimensional gate is the complement of the gate, kept as a sibling."""
    template = read(tmp_path, 'doublets,-,root,"FSC-A,FSC-H",singletGate,,,,,')
    assert Not(Member("doublets (drawn gate)")) == template.by_path["doublets"].definition


def test_read_opencyto__data_driven_gates_are_not_guessed(tmp_path: Path) -> None:
    """A gate that no data have drawn holds no events: asking it is an error, not an empty population."""
    gate = read(tmp_path, 'singlets,+,root,"FSC-A,FSC-H",singletGate,,,,,').populations[0].definition
    assert isinstance(gate, PlacedGate)
    with pytest.raises(GateError, match="placed by 'singlets' on FSC-A, FSC-H: has no shape until the data give it"):
        gate.contains(np.zeros((1, 2)))


REFUSED = {
    "unknown method": ("a,+,root,CD3,curv1gate,,,,,", "row 2, gating_method: the method 'curv1gate' has no"),
    "several gates at once": ('"A,B",*,root,"CD3,CD4",flowClust,K=2,,,,', "row 2.*several populations have no"),
    "unknown preprocessing": ("a,+,root,CD3,mindensity,,,,warpSet,", "row 2, preprocessing_method: 'warpSet'"),
    "R that is code": ('a,+,root,CD3,mindensity,"adjust=system(\'id\')",,,,', "row 2, gating_args: arguments in R"),
    "R in preprocessing": ("a,+,root,CD3,flowClust,K=2,,,prior_flowClust,K=f()", "row 2, preprocessing_args"),
    "unknown parent": ("a,+,nobody,CD3,mindensity,,,,,", "row 2.*'nobody' is no population above this row"),
    "ambiguous parent": (
        "a,+,root,CD3,mindensity,,,,,\nb,+,root,CD4,mindensity,,,,,\nc,+,a,CD8,mindensity,,,,,\n"
        "c,+,b,CD8,mindensity,,,,,\nd,+,c,CD2,mindensity,,,,,",
        "row 6.*'c' is the name of several populations.*got a/c, b/c",
    ),
    "siblings": ("a,+,root,CD3,mindensity,,,,,\na,-,root,CD3,mindensity,,,,,", "row 3.*'a' exists already"),
    "pattern": ("a,+-+,root,CD3,mindensity,,,,,", r"row 2.*the pattern '\+-\+' cannot be read"),
    "pattern and dims": ("a,++,root,CD3,mindensity,,,,,", r"row 2.*the pattern '\+\+' needs two dimensions"),
    "name for two": ("a,+/-,root,CD3,mindensity,,,,,", r"row 2.*the alias 'a' does not fit the pattern"),
    "three dims": ('a,+,root,"CD3,CD4,CD8",mindensity,,,,,', "row 2.*cannot divide 3 dimensions"),
    "reference to another channel": (
        "a,+,root,CD3,mindensity,,,,,\nb,+,root,CD4,refGate,a,,,,",
        "row 3.*the gates it refers to hold no cut points on 'CD4'",
    ),
    "mixed operators": (
        "a,+,root,CD3,mindensity,,,,,\nb,+,root,CD4,mindensity,,,,,\nc,c,root,,boolGate,a&b|a,,,,",
        "row 4.*cannot read the Boolean",
    ),
    "empty Boolean": ("a,a,root,,boolGate,,,,,", "row 2.*cannot read the Boolean"),
    "one function": ("a,+,root,CD3,mindensity,,,,,\nb,b,root,,polyFunctions,a,,,,", "row 3.*expected 2 to 8, got 1"),
    "range that is none": ('a,+,root,CD3,mindensity,"gate_range=1",,,,', "row 2.*gate_range is no pair of numbers"),
    "range upside down": ('a,+,root,CD3,mindensity,"gate_range=c(3,1)",,,,', "row 2.*within is no interval"),
    "boundary of nothing": ('a,+,root,"FSC-A,SSC-A",boundary,,,,,', "row 2: boundary has other arguments"),
    "scales mixed": (
        'a,+,root,CD3,mindensity,"gate_range=c(1,3)",,,,\nb,+,root,CD4,mindensity,"gate_range=c(500,900)",,,,',
        "positions on fluorescence channels are on no one known scale",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_read_opencyto__refuses(kind: str, tmp_path: Path) -> None:
    """What has no equivalent is an error that names row and method."""
    rows, message = REFUSED[kind]
    with pytest.raises(InterchangeError, match=message):
        read(tmp_path, rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,count\nT,5\n", "columns of an openCyto template are missing.*Add alias, pop"),
        (HEADER.encode() + b"\n", "expected 1 to 1,000 rows"),
        (HEADER.encode() + b"\na,+,root,CD3,mindensity,,,,,\n" * 1001, "got 1001 rows"),
        (b"\xff\xfe\x00", "expected a text file in UTF-8"),
    ],
)
def test_read_opencyto__other_tables(content: bytes, message: str, tmp_path: Path) -> None:
    """Other tables, empty ones, huge ones and binary files are named for what they are."""
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(InterchangeError, match=message):
        load_template(path)
