"""Templates back to text: the same template, the same hash."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import panels, trees

from cytorecon.compensation import Spillover
from cytorecon.errors import TemplateError
from cytorecon.gates import Dimension, QuadrantGate, QuadrantPart, RangeGate, RatioDimension
from cytorecon.interchange import load_template, template_names
from cytorecon.template import (
    Cutpoint,
    GatingTemplate,
    Population,
    canonical_json,
    from_canonical,
    parse_template,
    to_toml,
)
from cytorecon.transforms import Linear

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
    lambda name: name.strip() != ""
)


@pytest.mark.parametrize("name", template_names())
def test_to_toml__shipped_templates(name: str) -> None:
    """Every shipped template reads back equal, with the same hash."""
    expected = load_template(name)
    again = parse_template(to_toml(expected))
    assert (expected, expected.sha256) == (again, again.sha256)


@st.composite
def templates(draw: st.DrawFn) -> GatingTemplate:
    """Random trees of gates and Booleans with random names and labels."""
    nodes = draw(trees(draw(panels())))
    names = draw(st.lists(NAMES, min_size=len(nodes), max_size=len(nodes), unique=True))
    populations = []
    for node in nodes:
        definition = node.definition
        if isinstance(definition, QuadrantGate):
            parts = draw(st.lists(st.integers(0, definition.part_count - 1), min_size=1, unique=True))
            definition = QuadrantPart(definition, tuple(parts))
        populations.append(
            Population(node.path.rsplit("/", 1)[-1], node.parent, definition, description=draw(st.sampled_from(names)))
        )
    cutpoints = {
        name: Cutpoint(name, marker, at, "tailgate", "", (0.25, 0.75), {"k": (1, 2.5), "x": text, "y": True})
        for name, marker, at, text in [(names[0], names[-1], draw(st.none() | st.floats(-1, 1)), names[0])]
    }
    return GatingTemplate(
        "random",
        "1.0+x",
        tuple(populations),
        title=names[0],
        compensation=names[0],
        matrices={names[0]: Spillover(("A", "B"), [[1, 0.25], [0.125, 1]], ("X", "Y"))},
        markers={names[0]: ("CD3", "a\\b")} if names[0].strip(" -_.") else {},
        scales={"default": Linear(2.0, 0.5)},
        cutpoints=cutpoints,
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(template=templates())
def test_to_toml__round_trip(template: GatingTemplate) -> None:
    """Writing and reading is the identity on any template."""
    again = parse_template(to_toml(template))
    assert (template, template.sha256) == (again, again.sha256)


def test_to_toml__names_that_look_like_terms() -> None:
    """A population called CD3+ and the term CD3+ stay apart."""
    text = (
        'name = "t"\nversion = "1"\n[cutpoint.CD3]\nat = 0.5\n[[population]]\nname = "CD3+"\nphenotype = "CD3+"\n'
        '[[population]]\nname = "x"\nboolean = { or = [{ population = "CD3+" }, { phenotype = "CD3+" }] }\n'
    )
    assert parse_template(text) == parse_template(to_toml(parse_template(text)))


def test_to_toml__quadrant_parts_share_a_table() -> None:
    """Parts of one gate that follow each other are one table; another parent or a repeated part begins a new one."""
    gate = QuadrantGate((Dimension("A"), RatioDimension("B", "C", 2.0)), ((0.5,), (0.25, 0.75)), tuple("abcdef"))
    parts = [
        Population(f"P{number}", "" if number < 4 else "P0", QuadrantPart(gate, (part,)))
        for number, part in enumerate([0, 5, 5, 1, 2])
    ]
    template = GatingTemplate("q", "1", tuple(parts))
    assert to_toml(template).count("[[population]]") == 3
    assert template == parse_template(to_toml(template))


def test_to_toml__refuses_a_gate_without_words() -> None:
    """A whole quadrant gate is no population; only its parts are."""
    template = GatingTemplate("q", "1", (Population("Q", "", QuadrantGate((Dimension("A"),), ((0.5,),))),))
    with pytest.raises(TemplateError, match="QuadrantGate: cannot be written to a template file; expected range"):
        to_toml(template)


LAYOUTS = [
    'name = "t"\nversion = "1"\n[scales]\ndefault = { type = "linear", t = 2, a = 0 }\n[cutpoint]\nCD3 = { at = 1 }\n'
    '[[population]]\nname = "P"\nphenotype = "CD3+"\n',
    '# a comment\nversion = "1"\nname = "t"\ncutpoint.CD3.at = 1.0\n\n[[population]]\nphenotype = " CD3+ "\n'
    'parent = ""\nname = "P"\noptional = false\n\n[scales.default]\na = -0.0\ntype = "linear"\nt = 2.0\n',
]


def test_sha256__of_content_alone() -> None:
    """Order of keys, layout, comments, 1 or 1.0 and defaults written out do not change the hash."""
    first, second = map(parse_template, LAYOUTS)
    assert first.sha256 == second.sha256


def test_sha256__changes_with_any_content() -> None:
    """Every part of a template is in its hash."""
    base = parse_template(LAYOUTS[0])
    population = base.populations[0]
    others = [
        replace(base, version="2"),
        replace(base, title="x"),
        replace(base, compensation="none"),
        replace(base, markers={"CD3": ("x",)}),
        replace(base, scales={}),
        replace(base, cutpoints={"CD3": Cutpoint("CD3", "CD3", 1.5)}),
        replace(base, populations=(replace(population, role="x"),)),
        replace(base, populations=(replace(population, optional=True),)),
        replace(base, populations=(replace(population, definition=RangeGate(Dimension("CD3"), 1.0)),)),
        replace(base, matrices={"m": Spillover(("A", "B"), [[1, 0], [0.5, 1]])}),
    ]
    hashes = {template.sha256 for template in (base, *others)}
    assert len(hashes) == len(others) + 1
    assert all(left != right for left, right in product([base], others))


def test_canonical_json__is_json() -> None:
    """What is hashed is plain JSON with sorted keys."""
    content = json.loads(canonical_json(parse_template(LAYOUTS[0])))
    assert sorted(content) == list(content)
    assert content["cutpoint"] == {"CD3": {"at": 1.0}}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(template=templates())
def test_from_canonical__round_trip(template: GatingTemplate) -> None:
    """The document of a ledger gives the template again, infinite bounds included."""
    again = from_canonical(canonical_json(template).decode())
    assert (template, template.sha256) == (again, again.sha256)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "template: is no document of a template"), ('{"name": 1}', "'name'|lacks")]
)
def test_from_canonical__refuses_what_is_no_template(text: str, message: str) -> None:
    """What was not written here is an error."""
    with pytest.raises(TemplateError, match=message):
        from_canonical(text)
