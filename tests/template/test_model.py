"""Templates as values."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

import pytest

import cytorecon.template.folder
from cytorecon.errors import TemplateError
from cytorecon.gates import Dimension, Member, Not, RangeGate
from cytorecon.interchange import load_template, template_names
from cytorecon.template import GatingTemplate, Population, parse_template, template_dir, to_toml

TEXT = """
name = "t"
version = "1"
[cutpoint]
CD3 = { at = 0.5 }
CD16 = { at = 0.5 }
CD56 = { at = 0.5 }
[[population]]
name = "Cells"
definition = "everything that is a cell"
gate = { type = "range", channels = ["FSC-A"], min = 1 }
[[population]]
name = "Lymphocytes"
gate = { type = "polygon", channels = ["CD45", "SSC-A"], vertices = [[0, 0], [1, 0], [1, 9]] }
[[population]]
name = "NK"
boolean = { and = ["CD3-", { or = ["CD16+", "CD56+"] }, { not = "Cells" }] }
[[population]]
parent = "Cells"
quadrant = { channels = ["CD4", "CD8"], dividers = [1, 1], parts = { "++" = "DP", "-*" = "CD4-" } }
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Cells", "everything that is a cell"),
        ("Lymphocytes", "polygon on CD45, SSC-A"),
        ("NK", "CD3- and (CD16+ or CD56+) and not in Cells"),
        ("Cells/DP", "CD4+CD8+"),
        ("Cells/CD4-", "CD4-CD8- or CD4-CD8+"),
    ],
)
def test_words__say_what_was_counted(path: str, expected: str) -> None:
    """A population's definition in one line, its author's or derived."""
    assert expected == parse_template(TEXT).by_path[path].words


def test_gating_template__crosses_processes() -> None:
    """A template survives pickling, equal and hashable."""
    template = parse_template(TEXT)
    again = pickle.loads(pickle.dumps(template))
    assert (template, hash(template), template.sha256) == (again, hash(again), again.sha256)


def test_gating_template__checks_values_too() -> None:
    """Templates made in code, as translators do, are checked as files are."""
    gate = RangeGate(Dimension("A"), 1.0)
    orphan = Population("P", "nowhere", gate)
    with pytest.raises(TemplateError, match="population 'nowhere/P', parent: unknown parent 'nowhere'"):
        GatingTemplate("t", "1", (orphan,))
    with pytest.raises(TemplateError, match="population 'P', boolean: unknown population 'Q'"):
        GatingTemplate("t", "1", (Population("P", "", Not(Member("Q"))),))


def test_gating_template__orders_populations() -> None:
    """Each population follows its parent and all its Boolean names."""
    gate = RangeGate(Dimension("A"), 1.0)
    populations = (Population("C", "A", gate), Population("N", "", Not(Member("A/C"))), Population("A", "", gate))
    expected = ["A", "A/C", "N"]
    assert expected == [population.path for population in GatingTemplate("t", "1", populations).populations]


def test_load_template__by_name_or_path(tmp_path: Path) -> None:
    """Shipped templates go by name, others by path; both are read alike."""
    path = tmp_path / "own.toml"
    path.write_text(to_toml(load_template("tbnk")), encoding="utf-8")
    assert load_template("tbnk") == load_template(path) == load_template(str(path))
    assert "tbnk" in template_names()


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("tbnkk", "template 'tbnkk': is not one that comes with cytorecon; expected .*tbnk"),
        ("own.docx", r"own.docx: has an ending no template has; expected .*\.toml.*got .docx"),
        ("../tbnk", "has an ending no template has"),
        ("missing.toml", "missing.toml: cannot be read"),
    ],
)
def test_load_template__refuses(source: str, match: str) -> None:
    """A name that does not exist, or a file that is none."""
    with pytest.raises(TemplateError, match=match):
        load_template(source)


def test_template_dir__installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the code where a wheel put it, the checkout's gating/ otherwise."""
    assert tomllib.loads((template_dir() / "tbnk.toml").read_text(encoding="utf-8"))["name"] == "tbnk"
    installed = tmp_path / "cytorecon" / "_templates"
    installed.mkdir(parents=True)
    monkeypatch.setattr(cytorecon.template.folder, "__file__", str(tmp_path / "cytorecon" / "template" / "folder.py"))
    assert installed == template_dir()
