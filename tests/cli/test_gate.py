"""``cytorecon gate``."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np

from .conftest import Run


def test_gate__json(run: Run, tube: Path, template: Path) -> None:
    """The document identifies file and template and holds every population with its parent's count."""
    done = run("gate", tube, "-t", template, "--json")
    document = done.document
    assert (0, hashlib.sha256(tube.read_bytes()).hexdigest(), 200) == (
        done.code, document["sha256"], document["event_count"],
    )  # fmt: skip
    keys = {"file", "sha256", "event_count", "compensation", "template", "populations", "cutpoints", "findings"}
    assert keys <= set(document)
    nk = next(each for each in document["populations"] if each["path"] == "Cells/NK")
    assert {"name": "NK", "parent": "Cells", "event_count": 20, "parent_count": 100, "status": "counted"} == {
        name: nk[name] for name in ("name", "parent", "event_count", "parent_count", "status")
    }
    assert 500.0 == document["cutpoints"]["CD3"]["display"]


def test_gate__text_is_a_tree(run: Run, tube: Path, template: Path) -> None:
    """Children are indented below their parent, with percent of parent."""
    done = run("gate", tube, "-t", template)
    assert done.out.startswith("tube.fcs: 200 events, small 1.0.0\n")
    assert ["T", "60", "60.00", "counted"] in [line.split() for line in done.out.splitlines()]
    assert "\n   T  " in done.out
    assert "Research use only." in done.err


def test_gate__children_stand_below_their_parent(run: Run, tube: Path, template: Path) -> None:
    """The template counts NK before NK among T; on the page the latter stands right below T."""
    rows = run("gate", tube, "-t", template).out.splitlines()[3:7]
    assert [(1, "Cells"), (3, "T"), (5, "NK"), (3, "NK")] == [
        (len(row) - len(row.lstrip()), row.split()[0]) for row in rows
    ]


def test_gate__membership(run: Run, tube: Path, template: Path, tmp_path: Path) -> None:
    """The file holds a boolean a population path, by event."""
    out = tmp_path / "membership.npz"
    assert 0 == run("gate", tube, "-t", template, "--membership", out, "--json").code
    with np.load(out) as membership:
        counts = {name: int(membership[name].sum()) for name in membership.files}
    assert {"Cells": 100, "Cells/T": 60, "Cells/NK": 20, "Cells/T/NK": 5} == counts


def test_gate__gating_ml(run: Run, tube: Path, template: Path, tmp_path: Path) -> None:
    """A template converted to Gating-ML counts the same."""
    strategy = tmp_path / "strategy.xml"
    run("convert", template, strategy)
    there, here = (run("gate", tube, "-t", name, "--json").document["populations"] for name in (strategy, template))
    assert {each["path"]: each["event_count"] for each in here} == {each["path"]: each["event_count"] for each in there}


def test_gate__workspace_finds_its_sample(run: Run, shared: Path, tmp_path: Path) -> None:
    """A workspace's sample is found by the file's name, or named where the file has another."""
    folder = shared / "data" / "flowjo_luciernaga"
    file, workspace = folder / "CellCounts4L-NY071-1.fcs", folder / "CellCounts.wsp"
    found = run("gate", file, "-t", workspace, "--json").document
    renamed = shutil.copy(file, tmp_path / "renamed.fcs")
    named = run("gate", renamed, "-t", workspace, "--sample", file.name, "--json").document
    assert found["populations"] == named["populations"]
    refused = run("gate", file, "-t", workspace, "--sample", "nobody")
    assert (3, True) == (refused.code, "no sample 'nobody'" in refused.err)


def test_gate__only_a_workspace_has_samples(run: Run, tube: Path, template: Path) -> None:
    """--sample with another template is refused rather than ignored."""
    done = run("gate", tube, "-t", template, "--sample", "x")
    assert (3, True) == (done.code, "only a FlowJo workspace has samples" in done.err)


def test_gate__missing_marker_names_the_line_to_add(run: Run, tube: Path, template: Path) -> None:
    """The message lists the file's channels and the alias to write."""
    template.write_text(template.read_text(encoding="utf-8").replace("CD56", "CD57"), encoding="utf-8")
    done = run("gate", tube, "-t", template)
    assert 3 == done.code
    assert "no channel carries 'CD57'; got channels FSC-A, CD3, CD56" in done.err
    assert 'CD57 = ["CD57", "…"]' in done.err


def test_gate__unknown_template_lists_the_shipped(run: Run, tube: Path) -> None:
    """A name that no template has."""
    done = run("gate", tube, "-t", "tbnkk")
    assert (3, True) == (done.code, "tbnk" in done.err and "is not one that comes with cytorecon" in done.err)


def test_gate__hostile_names_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    """Control characters in a population's name are not printed."""
    template = tmp_path / "hostile.toml"
    template.write_text(
        'name = "hostile"\nversion = "1"\ncompensation = "none"\n[scales]\ndefault = { type = "linear" }\n'
        '[[population]]\nname = "[red]x[/red]"\ngate = { type = "range", channels = ["FSC-A"], min = 100 }\n',
        encoding="utf-8",
    )
    from made import write_fcs

    done = run("gate", write_fcs(tmp_path / "a.fcs"), "-t", template)
    assert "[red]x[/red]" in done.out
