"""Template files: what the language means, and how mistakes are named."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cytorecon.compensation import Spillover
from cytorecon.errors import GateError, TemplateError
from cytorecon.gates import (
    And,
    Dimension,
    EllipseGate,
    Member,
    Not,
    Or,
    PolygonGate,
    QuadrantGate,
    QuadrantPart,
    RangeGate,
    RatioDimension,
    RectangleGate,
    Term,
    Threshold,
)
from cytorecon.template import Cutpoint, parse_phenotype, parse_template, read_template
from cytorecon.template.reading import MAX_BYTES
from cytorecon.transforms import Linear, Logicle

HEAD = 'name = "t"\nversion = "1"\n'
CUTS = "[cutpoint]\nCD3 = { at = 0.5 }\nCD56 = { at = 0.4 }\nCD56_bright = { marker = 'CD56', at = 0.7 }\n"
CELLS = '[[population]]\nname = "Cells"\ngate = { type = "range", channels = ["FSC-A"], min = 1 }\n'


def population(definition: str, name: str = "P", parent: str = "") -> str:
    return f'[[population]]\nname = "{name}"\nparent = "{parent}"\n{definition}\n'


def definition_of(text: str) -> object:
    return parse_template(HEAD + CUTS + CELLS + population(text)).by_path["P"].definition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('phenotype = "CD3- CD56+"', parse_phenotype("CD3- CD56+")),
        ('phenotype = "CD56>CD56_bright"', parse_phenotype("CD56>CD56_bright")),
        (
            'gate = { type = "range", channels = ["CD3"], min = 0.1, max = 0.9, closed = true }',
            RangeGate(Dimension("CD3"), 0.1, 0.9, closed=True),
        ),
        ('gate = { type = "range", channels = "CD3", min = [0.1] }', RangeGate(Dimension("CD3"), 0.1, math.inf)),
        (
            'gate = { type = "rectangle", channels = ["CD3", "FSC-A"], min = [0.1, -inf], max = [0.9, 5] }',
            RectangleGate((Dimension("CD3"), Dimension("FSC-A")), (0.1, -math.inf), (0.9, 5.0)),
        ),
        (
            'gate = { type = "polygon", channels = ["CD3", "SSC-A"], vertices = [[0, 0], [1, 0], [1, 9]] }',
            PolygonGate((Dimension("CD3"), Dimension("SSC-A")), ((0, 0), (1, 0), (1, 9))),
        ),
        (
            'gate = { type = "ellipse", channels = ["A", "B"], mean = [1, 2], covariance = [[2, 1], [1, 2]] }',
            EllipseGate((Dimension("A"), Dimension("B")), (1, 2), ((2, 1), (1, 2))),
        ),
        (
            'gate = { type = "range", max = 3, channels = [{ channel = "A", compensation = "none", '
            'scale = { type = "logicle", t = 1000, w = 0.3, m = 4, a = 0.1 } }] }',
            RangeGate(Dimension("A", Logicle(1000, 0.3, 4, 0.1), "none"), -math.inf, 3.0),
        ),
        (
            'gate = { type = "range", max = 3, channels = [{ numerator = "A", denominator = "B", b = 2 }] }',
            RangeGate(RatioDimension("A", "B", 1.0, 2.0), -math.inf, 3.0),
        ),
        (
            'boolean = { and = ["CD3-", { or = ["CD56+", { not = "Cells" }] }] }',
            And((Term("CD3", "-", "CD3"), Or((Term("CD56", "+", "CD56"), Not(Member("Cells")))))),
        ),
        ('boolean = "Cells"', Member("Cells")),
        ('boolean = { not = { phenotype = "CD3+" } }', Not(Term("CD3", "+", "CD3"))),
        ('boolean = { not = { population = "Cells" } }', Not(Member("Cells"))),
        (
            'boolean = { threshold = { channel = "CD3", at = 0.25, sign = "-" } }',
            Threshold(Dimension("CD3"), 0.25, positive=False),
        ),
    ],
)
def test_parse_template__definitions(text: str, expected: object) -> None:
    """Every way to define a population."""
    assert expected == definition_of(text)


def test_parse_template__quadrant() -> None:
    """A quadrant names its parts; each becomes a population with its own labels."""
    text = """
[[population]]
parent = "Cells"
optional = true
quadrant = { channels = ["CD4", "CD8"], dividers = [0.4, [0.5]], parts = { "+-" = "CD4 T", "-+" = { name = "CD8 T", \
cell_ontology = "CL:0000625" }, "-*" = "CD4 negative" } }
"""
    template = parse_template(HEAD + CELLS + text)
    gate = QuadrantGate((Dimension("CD4"), Dimension("CD8")), ((0.4,), (0.5,)))
    assert [QuadrantPart(gate, parts) for parts in ((2,), (1,), (0, 1))] == [
        each.definition for each in template.populations[1:]
    ]
    expected = [
        ("Cells/CD4 T", "", True),
        ("Cells/CD8 T", "CL:0000625", True),
        ("Cells/CD4 negative", "", True),
    ]
    assert expected == [(each.path, each.cell_ontology, each.optional) for each in template.populations[1:]]


def test_parse_template__header() -> None:
    """Names, scales, matrices and cut points."""
    template = parse_template(
        HEAD
        + 'title = "T"\nreference = "doi:1"\ncompensation = "lab"\n'
        + '[matrix.lab]\ndetectors = ["A", "B"]\nvalues = [[1, 0.1], [0, 1]]\n'
        + '[markers]\nCD56 = ["CD56", "NCAM"]\n[scales]\ndefault = { type = "linear" }\n'
        + '[cutpoint.CD56]\nmethod = "mindensity"\non = "Cells"\nwithin = [0.3, 0.7]\nbins = 512\nside = ["a", true]\n'
        + CELLS
    )
    cutpoint = Cutpoint("CD56", "CD56", None, "mindensity", "Cells", (0.3, 0.7), {"bins": 512, "side": ("a", True)})
    assert ("T", "doi:1", "lab") == (template.title, template.reference, template.compensation)
    assert {"lab": Spillover(("A", "B"), [[1, 0.1], [0, 1]])} == template.matrices
    assert {"CD56": ("CD56", "NCAM")} == template.markers
    assert {"default": Linear()} == template.scales
    assert {"CD56": cutpoint} == template.cutpoints


def test_parse_template__refers_by_path_or_unique_name() -> None:
    """A parent is a path, or a name where only one population has it; order in the file does not matter."""
    text = (
        population('phenotype = "CD3+"', "T", "Inner")
        + population('phenotype = "CD3+"', "Inner", "Cells")
        + population('phenotype = "CD56+"', "T", "Cells/Inner/T")
        + CELLS
    )
    expected = ("Cells", "Cells/Inner", "Cells/Inner/T", "Cells/Inner/T/T")
    assert expected == tuple(each.path for each in parse_template(HEAD + CUTS + text).populations)


def test_parse_template__slash_in_a_name() -> None:
    """A name with a slash is found as written, and is %2F in its path."""
    text = CELLS + population('phenotype = "CD3+"', "CD4/CD8") + population('phenotype = "CD56+"', "x", "CD4/CD8")
    assert "CD4%2FCD8/x" in parse_template(HEAD + CUTS + text).by_path


LOGICLE = (
    "[scales]\ndefault = { type = 'logicle', t = 1000 }\nCD3 = { type = 'linear', t = 5 }\n'SSC-A' = { type='log' }"
)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("CD56", "Logicle"),
        ("cd-3", "Linear(t=5"),
        ("FSC-A", "Linear(t=1.0"),
        ("Time", "Linear(t=1.0"),
        ("SSC-A", "Log("),
    ],
)
def test_scale_of__rules(channel: str, expected: str) -> None:
    """A channel's own scale, else linear for scatter and time, else the default."""
    template = parse_template(HEAD + LOGICLE + "\n" + CELLS)
    assert repr(template.scale_of(channel)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (population('phenotype = "CD3+"', parent="Cels"), "'P', parent: unknown parent 'Cels'.*Did you mean 'Cells'"),
        (
            population('phenotype = "CD3+"', "A", "B") + population('phenotype = "CD3+"', "B", "A"),
            "population 'A': depends on itself: a cycle; expected a tree, got A -> B -> A",
        ),
        (population('phenotype = "CD3+"', "A", "A"), "cycle; expected a tree, got A -> A"),
        (
            population('boolean = { not = "B" }', "A") + population('boolean = { not = "A" }', "B"),
            "cycle; expected a tree, got A -> B -> A",
        ),
        (population('boolean = { not = "P" }'), "cycle; expected a tree, got P -> P"),
        (CELLS, "population 'Cells': two siblings share this name; expected unique names under one parent"),
        (population('gate = { type = "range", channels = ["A"], min = 2, max = 1 }'), "'P', range gate on A.*bounds"),
        (
            population('gate = { type = "polygon", channels = ["A", "B"], vertices = [[0, 0], [1, nan], [1, 1]] }'),
            "population 'P', polygon gate on A, B: a vertex is not a point",
        ),
        (
            population('gate = { type = "polygon", channels = ["A", "B"], vertices = [[0, 0], [1], [1, 1]] }'),
            r"'P', gate, vertex 2: is no point; expected \[x, y\], got \[1.0\]",
        ),
        (population('phenotype = "CD4+"'), "'P', phenotype term 'CD4.': unknown cut point 'CD4'; expected one of"),
        (population('phenotype = "CD3-CD56+"'), "unknown cut point 'CD3-CD56'.*Did you mean|blank between"),
        (population('phenotype = "CD3>CD56"'), "marker 'CD3' against a cut point of another; expected marker 'CD56'"),
        (population('phenotype = "CD3high"'), "population 'P', phenotype: cannot read the term 'CD3high'"),
        (population('phenotype = "CD3+"\nrol = "x"'), "population, 'P': has an unknown key 'rol'"),
        (population('phenotype = "CD3+"\noptional = 1'), "'P': 'optional' has a wrong value; expected a valid boolean"),
        (population('phenotype = "CD3+"\ngate = { type = "range" }'), "'P': needs exactly one definition"),
        (population(""), "population 'P': needs exactly one definition.*got none"),
        ('[[population]]\nphenotype = "CD3+"\n', "population number 2: has no name"),
        (population('gate = { type = "circle" }'), "'P', gate: has an unknown type 'circle'; expected range"),
        (population('gate = { type = "range", channels = ["A"], mim = 1 }'), "'P', gate: has an unknown key 'mim'"),
        (population('gate = { type = "rectangle", channels = ["A"], min = [1, 2] }'), "wrong number of bounds"),
        (population('gate = { type = "range", channels = ["A", "B"] }'), "too many for a range; expected one, got 2"),
        (population('gate = { type = "ellipse", channels = ["A", "B"], mean = [1, 2] }'), "lacks 'covariance'"),
        (population('gate = { type = "range", channels = [{ channel = "A", compensation = "lab" }] }'), "matrix 'lab'"),
        (
            population('gate = { type = "range", channels = [{ channel = "A", scale = { type = "cubic" } }] }'),
            "unknown type of scale.*got 'cubic'",
        ),
        (population('boolean = { xor = ["CD3+"] }'), "population 'P', boolean: cannot be read"),
        (population('boolean = { and = [] }'), "population 'P', boolean: cannot be read"),
        (population('boolean = { not = "Sells" }'), "unknown population 'Sells'.*Did you mean 'Cells'"),
        (population('boolean = { not = "CD8+" }'), "phenotype term 'CD8.': unknown cut point 'CD8'"),
        (population('phenotype = "CD3+"', "CD3+") + population('boolean = "CD3+"'), "both a phenotype term and a"),
        (
            population('phenotype = "CD3+"', "A") + population('phenotype = "CD3+"', "A", "Cells")
            + population('phenotype = "CD3+"', "C", "Cells") + population('phenotype = "CD3+"', "C", "A")
            + population('boolean = { not = "C" }'),
            "'C' is the name of several populations; expected 'A/C' or 'Cells/C'",
        ),
        (population('phenotype = "CD3+"\ntransparent = true'), "is transparent but not optional"),
        (
            '[[population]]\nname = "Q"\nquadrant = { channels = ["A"], dividers = [1], parts = {} }\n',
            "population 'Q': is a quadrant with a 'name' of its own",
        ),
        (
            '[[population]]\nquadrant = { channels = ["A"], dividers = [1], parts = { "++" = "x" } }\n',
            r"number 2, quadrant, part '\+\+': cannot be read; expected one character a channel",
        ),
        (
            '[[population]]\nquadrant = { channels = ["A"], dividers = [nan], parts = { "+" = "x" } }\n',
            "quadrant gate on A: dividers do not cut",
        ),
    ],
)  # fmt: skip
def test_parse_template__refuses_populations(text: str, match: str) -> None:
    """Each mistake names the population and what to write."""
    with pytest.raises(TemplateError, match=match) as caught:
        parse_template(HEAD + CUTS + CELLS + text, where="t.toml")
    assert str(caught.value).startswith("t.toml, ")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[scales]\ndefault = { type = 'logicle', w = 9 }", "scales, 'default'.*describe no scale"),
        ("[cutpoint.CD3]\nmarker = 'CD3'", "cutpoint 'CD3': has no position; expected at = NUMBER or method = NAME"),
        ("[cutpoint.CD3]\nat = nan", "cutpoint 'CD3': at is not a number"),
        ("[cutpoint.CD3]\nat = 1\nmetod = 'x'", "cutpoint 'CD3': has an unknown key 'metod'"),
        ("[cutpoint.CD3]\nat = 'x'", "cutpoint, CD3: 'at' has a wrong value; expected a valid number, got x"),
        ("[cutpoint.CD3]\nmethod = 'x'\nwithin = [1, 0]", "within is no interval; expected two ascending numbers"),
        ("[cutpoint.CD3]\nmethod = 'x'\nwithin = [1]", "'within' has a wrong value"),
        ("[cutpoint.CD3]\nmethod = 'x'\nspan = nan", "cutpoint 'CD3', span: cannot be a parameter"),
        ("[cutpoint.CD3]\nmethod = 'x'\non = 'T'", "cutpoint 'CD3', on: unknown population 'T'"),
        ("[markers]\nCD3 = ['a']\nCD4 = ['A']", "marker 'CD4': shares the name 'A' with marker 'CD3'"),
        ("[markers]\nCD3 = ['-']", "marker 'CD3': has an empty name"),
        ("[matrix.m]\ndetectors = ['A', 'B']\nvalues = [[1, 1], [1, 1]]", "matrix 'm'.*singular"),
        ("[marker]\nCD3 = ['a']", "has an unknown key 'marker'"),
    ],
)
def test_parse_template__refuses_tables(text: str, match: str) -> None:
    """Mistakes outside populations are named too."""
    with pytest.raises(TemplateError, match=match):
        parse_template(HEAD + text + "\n" + CELLS)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("name = [", "t.toml: is not TOML; expected a TOML document"),
        ("a = " + "[" * 100_000, "is not TOML"),
        ('version = "1"', "lacks 'name'. Add name = …"),
        ('name = "a/b"\nversion = "1"\n' + CELLS, "name: cannot become part of a file name"),
        ('name = ".."\nversion = "1"\n' + CELLS, "name: cannot become part of a file name"),
        ('name = "a"\nversion = 1\n' + CELLS, "'version' has a wrong value; expected a valid string, got 1"),
        (HEAD, "a template of this size is refused; expected 1 to 1000 populations, got 0"),
        (HEAD + 'compensation = "lab"\n' + CELLS, "compensation: unknown matrix 'lab'; expected one of 'file', 'none'"),
        (HEAD + CELLS * 1001, "population: are too many; expected at most 1000"),
    ],
)
def test_parse_template__refuses_documents(text: str, match: str) -> None:
    """What is no template at all."""
    with pytest.raises(TemplateError, match=match):
        parse_template(text, where="t.toml")


def test_parse_template__gate_errors_stay_gate_errors() -> None:
    """Degenerate geometry keeps its kind."""
    with pytest.raises(GateError, match=r"t.toml, population 'P', range gate on A"):
        parse_template(HEAD + population('gate = { type = "range", channels = "A", min = nan }'), where="t.toml")


def test_parse_template__refuses_depth() -> None:
    """A tree deeper than 64, and a Boolean nested deeper, are refused."""
    chain = CELLS + "".join(
        population('phenotype = "CD3+"', f"P{level}", "Cells" if level == 0 else f"P{level - 1}") for level in range(64)
    )
    with pytest.raises(TemplateError, match="lies too deep; expected at most 64 levels"):
        parse_template(HEAD + CUTS + chain)
    nested = "{ not = " * 70 + '"CD3+"' + " }" * 70
    with pytest.raises(TemplateError, match="nested too deep; expected at most 64 levels"):
        parse_template(HEAD + CUTS + population(f"boolean = {nested}"))


def test_parse_template__cut_point_on_a_population_it_defines() -> None:
    """A cut point cannot be placed on a population that it takes to find."""
    text = '[cutpoint.CD3]\nmethod = "mindensity"\non = "T"\n' + population('phenotype = "CD3+"', "T")
    with pytest.raises(TemplateError, match="population 'T': depends on itself: a cycle"):
        parse_template(HEAD + text)


def test_read_template__refuses_files(tmp_path: Path) -> None:
    """A file that is missing, no text, or far too large."""
    binary, large = tmp_path / "b.toml", tmp_path / "l.toml"
    binary.write_bytes(b"\xff\xfe")
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    for path, match in ((tmp_path / "x.toml", "x.toml: cannot be read"), (binary, "UTF-8"), (large, "is too large")):
        with pytest.raises(TemplateError, match=match):
            read_template(path)
