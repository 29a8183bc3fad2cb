"""``cytorecon convert``."""

from __future__ import annotations

from pathlib import Path

from cytorecon.interchange import load_template

from .conftest import Run


def test_convert__round_trip_keeps_the_content(run: Run, template: Path, tmp_path: Path) -> None:
    """TOML to Gating-ML and back is the same template, by its hash."""
    there, back = tmp_path / "small.xml", tmp_path / "back.toml"
    assert (0, "") == (run("convert", template, there).code, "")
    done = run("convert", there, back)
    assert (0, "", f"{back}: small 1.0.0, 4 populations\n") == (done.code, done.out, done.err)
    assert load_template(template).sha256 == load_template(back).sha256


def test_convert__json(run: Run, template: Path, tmp_path: Path) -> None:
    """The document says what was written."""
    document = run("convert", template, tmp_path / "small.xml", "--json").document
    assert ("small.toml", "small.xml", 4) == tuple(document[name] for name in ("source", "target", "population_count"))
    assert load_template(template).sha256 == document["template"]["sha256"]


def test_convert__workspace_names_its_sample(run: Run, tmp_path: Path, shared: Path) -> None:
    """A workspace of several samples has to be told which; the message lists them."""
    workspace = shared / "data" / "flowjo_facspy" / "test_suite.wsp"
    refused = run("convert", workspace, tmp_path / "out.toml")
    assert (3, True) == (refused.code, "--sample" in refused.err)
    done = run("convert", workspace, tmp_path / "out.toml", "--sample", "file2_unstained.fcs")
    assert (0, 7) == (done.code, len(load_template(tmp_path / "out.toml").populations))


def test_convert__refuses_to_write_over_its_source(run: Run, template: Path) -> None:
    """IN and OUT as one file would lose comments and layout."""
    before = template.read_bytes()
    assert (2, before) == (run("convert", template, template).code, template.read_bytes())


def test_convert__refuses_other_endings(run: Run, template: Path, tmp_path: Path) -> None:
    """Templates are written as TOML or Gating-ML only."""
    done = run("convert", template, tmp_path / "out.wsp")
    assert (3, True) == (done.code, "templates are written as TOML or Gating-ML only" in done.err)
