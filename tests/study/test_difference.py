"""What a new version of a template changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made import TEMPLATE

from cytorecon.sheet import read_sheet
from cytorecon.study import Study, diff_templates, run
from cytorecon.template import parse_template, to_toml


def test_diff_templates__lists_every_changed_count_and_no_other(tmp_path: Path, study: Study) -> None:
    """A moved cut point and a population left out: the old results stay, and each difference is a row."""
    (tmp_path / "sheet.csv").write_text("file,patient,day,specimen\na.fcs,P1,-7,blood\nb.fcs,P2,30,blood\n")
    moved = parse_template(to_toml(TEMPLATE).replace("at = 500.0", "at = 2000.0", 1).replace("1.0.0", "1.1.0"))
    newer = replace(moved, populations=moved.populations[:3])
    for template in (TEMPLATE, newer):
        run(read_sheet(tmp_path / "sheet.csv"), template, study)
    found = diff_templates(study, "small", "1.0.0", "1.1.0")
    rows = found[["patient", "day", "path", "event_count_old", "event_count_new", "status_new"]].values.tolist()
    expected = [
        ["P1", -7.0, "Cells/NK", 20, 25, "counted"],
        ["P1", -7.0, "Cells/T", 60, 0, "counted"],
        ["P1", -7.0, "Cells/T/NK", 5, -1, "not_sampled"],
        ["P2", 30.0, "Cells/NK", 10, 12, "counted"],
        ["P2", 30.0, "Cells/T", 50, 0, "counted"],
        ["P2", 30.0, "Cells/T/NK", 2, -1, "not_sampled"],
    ]
    assert expected == rows
    assert 0 == len(diff_templates(study, "small", "1.0.0", "1.0.0"))
