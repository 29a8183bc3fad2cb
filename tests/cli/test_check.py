"""``cytorecon check``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flowio
import numpy as np
import pytest

from .conftest import Run


def write(path: Path, names: list[str], markers: list[str], **keywords: str) -> Path:
    """A file of ten events with these $PnN and $PnS."""
    with path.open("wb") as file:
        flowio.create_fcs(
            file, np.ones(10 * len(names)).tolist(), names, opt_channel_names=markers, metadata_dict=keywords
        )
    return path


@pytest.fixture
def panels(tmp_path: Path) -> list[Path]:
    """Three files in two panels: CD3 in FITC twice, in PE once."""
    names = ["FSC-A", "FITC-A", "PE-A"]
    return [
        write(tmp_path / "a.fcs", names, ["", "CD3", "CD56"]),
        write(tmp_path / "b.fcs", names, ["", "CD3", "CD56"]),
        write(tmp_path / "c.fcs", names, ["", "CD56", "CD3"]),
    ]


def by_file(document: Any) -> dict[str, Any]:
    return {each["file"]: each for each in document["files"]}


def test_check__template_alone(run: Run, template: Path) -> None:
    """A sound template is described: its populations, definitions and cut points."""
    done = run("check", template)
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert (0, True) == (done.code, "small 1.0.0: sound, 4 populations" in lines)
    assert ("NK CD3- CD56+" in lines, "CD3 CD3 500 fixed" in lines) == (True, True)


def test_check__template_json(run: Run, template: Path) -> None:
    """The same as a document; without files there is nothing to compare."""
    document = run("check", template, "--json").document
    assert (True, [], []) == (document["template"]["sound"], document["files"], document["differences"])
    assert "CD3- CD56+" in [each["definition"] for each in document["template"]["populations"]]


def test_check__unsound_template_says_where(run: Run, template: Path) -> None:
    """A name that refers to nothing is told, with what was meant."""
    template.write_text(template.read_text(encoding="utf-8").replace('parent = "Cells"', 'parent = "Cell"', 1))
    done = run("check", template)
    assert (3, "") == (done.code, done.out)
    assert "unknown parent 'Cell'" in done.err
    assert "Did you mean 'Cells'?" in done.err


def test_check__files_by_panel_and_what_differs(run: Run, template: Path, panels: list[Path]) -> None:
    """Markers in other channels stand side by side, marked; every file names its panel."""
    done = run("check", template, *panels)
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert 0 == done.code
    assert "CD3 ≠ FITC-A (CD3) PE-A (CD3)" in lines
    assert "FSC-A FSC-A FSC-A" in lines
    assert ["a.fcs panel 1 none 10", "b.fcs panel 1 none 10", "c.fcs panel 2 none 10"] == [
        line for line in lines if ".fcs panel" in line
    ]


def test_check__files_json(run: Run, template: Path, panels: list[Path]) -> None:
    """Which channel each marker is in, file by file, and the files that differ."""
    document = run("check", template, *panels, "--json").document
    assert ["FITC-A", "FITC-A", "PE-A"] == [each["channels"]["CD3"]["name"] for each in document["files"]]
    differences = {each["what"]: each["values"] for each in document["differences"]}
    assert {"FITC-A": ["a.fcs", "b.fcs"], "PE-A": ["c.fcs"]} == differences["channel of CD3"]


def test_check__failing_file_costs_no_other(run: Run, template: Path, panels: list[Path], tmp_path: Path) -> None:
    """A file without the marker, or that is no FCS, is told; the others are shown."""
    write(tmp_path / "d.fcs", ["FSC-A", "PE-A"], ["", "CD56"])
    (tmp_path / "e.fcs").write_bytes(b"no cytometer wrote this")
    done = run("check", template, *panels, tmp_path / "d.fcs", tmp_path / "e.fcs", tmp_path / "f.fcs", "--json")
    files = by_file(done.document)
    assert 1 == done.code
    assert {"a.fcs": "", "b.fcs": "", "c.fcs": "", "d.fcs": "missing-marker"} == {
        name: files[name]["error_code"] for name in ("a.fcs", "b.fcs", "c.fcs", "d.fcs")
    }
    assert all(files[name]["error"] for name in ("d.fcs", "e.fcs", "f.fcs"))
    text = run("check", template, *panels, tmp_path / "d.fcs").out
    assert "cannot be gated: d.fcs, population 'Cells/T': no channel carries 'CD3'" in text
    assert "4 files, 1 that cannot be gated" in text


def test_check__sheet(run: Run, template: Path, panels: list[Path], tmp_path: Path) -> None:
    """Every file of a sheet, named as the sheet does, with the matrix that the sheet gives; no patient is named."""
    matrix = tmp_path / "matrix.csv"
    matrix.write_text(",FITC-A,PE-A\nFITC-A,1,0.1\nPE-A,0,1\n", encoding="utf-8")
    sheet = tmp_path / "sheet.csv"
    rows = ["file,patient,day,specimen,compensation", "a.fcs,SECRET,1,blood,matrix.csv", "b.fcs,SECRET,2,blood,"]
    sheet.write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = run("check", template, "--sheet", sheet, "--json")
    compensation = {name: each["compensation"] for name, each in by_file(done.document).items()}
    assert (0, None) == (done.code, compensation["b.fcs"])
    assert compensation["a.fcs"]
    assert "compensation" in [each["what"] for each in done.document["differences"]]
    text = run("check", template, "--sheet", sheet)
    assert ("SECRET" in text.out + text.err, "compensation differs" in text.out) == (False, True)


def test_check__panel_of_a_sheet(run: Run, template: Path, panels: list[Path], tmp_path: Path) -> None:
    """Only the rows of one panel; a panel that no row has is told with those there are."""
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("file,patient,day,specimen,panel\na.fcs,P,1,blood,one\nb.fcs,P,1,blood,two\n", encoding="utf-8")
    done = run("check", template, "--sheet", sheet, "--panel", "two", "--json")
    assert (0, ["b.fcs"]) == (done.code, list(by_file(done.document)))
    done = run("check", template, "--sheet", sheet, "--panel", "three")
    assert (2, True) == (done.code, "no row has it; the sheet has one, two" in done.err)


def test_check__sheet_matrix_that_is_missing_is_the_file_s_error(run: Run, template: Path, tmp_path: Path) -> None:
    """A row whose matrix cannot be read is told; it does not end the check."""
    write(tmp_path / "a.fcs", ["FSC-A", "CD3", "CD56"], ["", "", ""])
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("file,patient,day,specimen,compensation\na.fcs,P,1,blood,none.csv\n", encoding="utf-8")
    done = run("check", template, "--sheet", sheet, "--json")
    assert (1, True) == (done.code, bool(by_file(done.document)["a.fcs"]["error"]))


def test_check__optional_marker_is_shown_as_not_carried(run: Run, shared: Path) -> None:
    """A real tube and a shipped template: what will not be measured is said before gating."""
    tube = shared / "data" / "mrd_ball_vie494_d15" / "123991.fcs"
    document = run("check", "mrd_t_all", tube, "--json").document
    (file,) = document["files"]
    assert bool(file["error"]) != bool(file["channels"])


@pytest.mark.parametrize(("sample", "largest"), [("CellCounts4L-NY071-1.fcs", 4), ("CellCounts4L-NY072-1.fcs", 2)])
def test_check__workspace_beside_flowjo(run: Run, shared: Path, sample: str, largest: int) -> None:
    """Ours, FlowJo's and the difference, for every population that the workspace stores."""
    folder = shared / "data" / "flowjo_luciernaga"
    done = run("check", folder / "CellCounts.wsp", folder / sample, "--json")
    (file,) = done.document["files"]
    assert (0, sample, ["", "Margin", "Margin/CD45+"]) == (
        done.code, file["sample"], [each["path"] for each in file["populations"]],
    )  # fmt: skip
    assert all(each["difference"] == each["ours"] - each["flowjo"] for each in file["populations"])
    assert largest >= max(abs(each["difference"]) for each in file["populations"])


def test_check__workspace_as_text(run: Run, shared: Path) -> None:
    """Equal counts are said to be equal."""
    folder = shared / "data" / "flowjo_simple_line"
    done = run("check", folder / "simple_poly_and_rect.wsp", folder / "data_set_simple_line_100.fcs")
    assert 0 == done.code
    assert "counts compared, equal" in done.out
    assert ["population", "ours", "FlowJo", "difference"] in [line.split() for line in done.out.splitlines()]


def test_check__workspace_alone(run: Run, shared: Path) -> None:
    """Each sample's tree is sound, has no gates, or is not supported."""
    workspace = shared / "data" / "flowjo_8color_counts_only" / "8_color_ICS_sample_without_gates.wsp"
    done = run("check", workspace, "--json")
    assert 0 == done.code
    assert {"sound", "no gates"} == {each["tree"] for each in done.document["samples"]}
    assert "no gates" in run("check", workspace).out


def test_check__workspace_without_the_file(run: Run, shared: Path, tube: Path) -> None:
    """A file that the workspace does not hold fails by itself, with the samples it could be."""
    workspace = shared / "data" / "flowjo_luciernaga" / "CellCounts.wsp"
    done = run("check", workspace, tube)
    assert (1, True) == (done.code, "no sample 'tube.fcs' or" in done.out)
