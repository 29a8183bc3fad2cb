"""What is said of a file before gating is what gating then does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made import TEMPLATE, write_fcs

from cytorecon.compensation import Spillover
from cytorecon.errors import CytoreconError
from cytorecon.gating import FilePanel, differences, gate_file, survey_file
from cytorecon.interchange import load_template
from cytorecon.simulate import simulate_tube
from cytorecon.template import parse_template


def test_survey_file__agrees_with_gating(tmp_path: Path) -> None:
    """Compensation, event count and what is not measured are those of the gated file."""
    path = simulate_tube({"expanded NK": 500, "CD8 T": 50}, "nk_product", seed=3).write(tmp_path / "a.fcs")
    template = load_template("nk_product")
    panel, gated = survey_file(path, template), gate_file(path, template)
    assert ("", gated.compensation, gated.event_count) == (panel.error, panel.compensation, panel.event_count)
    assert tuple(each.path for each in gated.counts if each.status == "not_measured") == panel.not_measured


MATRIX = Spillover(("CD3", "CD56"), np.array([[1, 0.1], [0, 1]]), source="sheet")


@pytest.mark.parametrize("spillover", [None, "none", "file", MATRIX])
def test_survey_file__takes_the_sheet_s_compensation(tmp_path: Path, spillover: Spillover | str | None) -> None:
    """The matrix is labelled as in the gated file, wherever it comes from."""
    path = write_fcs(tmp_path / "a.fcs")
    gated = gate_file(path, TEMPLATE, spillover=spillover)
    assert gated.compensation == survey_file(path, TEMPLATE, spillover=spillover).compensation


def test_survey_file__error_is_that_of_gating(tmp_path: Path) -> None:
    """A file that gating refuses is refused with the same words, on one line, and never raises."""
    (tmp_path / "broken.fcs").write_bytes(b"nothing")
    other = replace(TEMPLATE, markers={"CD3": ("CD4",)})
    for path, template in ((tmp_path / "broken.fcs", TEMPLATE), (tmp_path / "none.fcs", other)):
        with pytest.raises(CytoreconError) as raised:
            gate_file(path, template)
        panel = survey_file(path, template)
        assert (" ".join(str(raised.value).split()), raised.value.code) == (panel.error, panel.error_code)


def test_survey_file__needs_no_placed_cut_points(tmp_path: Path) -> None:
    """A cut point that only the events can place does not keep a file from being surveyed."""
    template = parse_template(
        'name = "placed"\nversion = "1"\ncompensation = "none"\n[scales]\ndefault = { type = "linear" }\n'
        '[cutpoint.CD3]\nmethod = "mindensity"\n[[population]]\nname = "T"\nphenotype = "CD3+"\n'
    )
    panel = survey_file(write_fcs(tmp_path / "a.fcs"), template)
    assert ("", "CD3") == (panel.error, panel.channels["CD3"].name)


def test_differences__only_of_what_differs(tmp_path: Path) -> None:
    """Equal files have no differences; an unreadable one takes no part."""
    panel = survey_file(write_fcs(tmp_path / "a.fcs"), TEMPLATE)
    other = replace(panel, file="b.fcs", compensation="sheet", channels={"FSC-A": panel.channels["FSC-A"]})
    assert () == differences([panel, panel, FilePanel("c.fcs", error="gone")])
    found = {each.what: dict(each.files) for each in differences([panel, other])}
    assert {"none": ("a.fcs",), "sheet": ("b.fcs",)} == found["compensation"]
    assert {"CD3": ("a.fcs",), "not carried": ("b.fcs",)} == found["channel of CD3"]
    assert "range of CD3" not in found
