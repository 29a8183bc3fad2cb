"""``cytorecon dose``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cytorecon.interchange import load_template
from cytorecon.sheet import read_sheet
from cytorecon.simulate import simulate_tube
from cytorecon.study import open_study
from cytorecon.study import run as run_study

from .conftest import EXAMPLES, Run, changed

PRODUCT = {
    "Singlets": 10_500, "Viable": 10_100, "CD45pos": 10_000, "NK cells": 9_500, "T56-": 2, "T56+": 9, "B cells": 1,
}  # fmt: skip


def gated(tmp_path: Path, counts: dict[str, int], **changes: Any) -> Path:
    """What ``gate --json`` prints, as far as a dose reads it."""
    populations = [
        {"name": name, "path": name, "parent": "", "role": "", "event_count": count, "parent_count": 10_500}
        | {"status": "counted"} | changes.get(name.replace(" ", "_"), {})
        for name, count in counts.items()
    ]  # fmt: skip
    path = tmp_path / "gated.json"
    path.write_text(json.dumps({"populations": populations}), encoding="utf-8")
    return path


def test_dose__plans_the_infusion_from_written_counts(run: Run, tmp_path: Path) -> None:
    """Level 1, infusion 2 is a third of 1.0e7/kg, and its volume holds it."""
    document = run("dose", EXAMPLES / "dose.toml", gated(tmp_path, PRODUCT), "--json").document
    assert pytest.approx(1e7 / 3) == document["planned_per_kg"]
    viable_per_ml = 2.4e9 * 0.91 / 100
    assert pytest.approx(1e7 / 3 * 18.4 / 0.95 / viable_per_ml) == document["volume_ml"]
    assert ("", "gated.json") == (document["limited_by"], document["sample"])


def test_dose__shows_doses_checks_and_release(run: Run, tmp_path: Path) -> None:
    """A person reads the plan, both kinds of T cells, the checks, and the release table's open lines."""
    done = run("dose", EXAMPLES / "dose.toml", gated(tmp_path, PRODUCT))
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert 0 == done.code
    assert "T CD56− 7.018e2 8.499e1 to 2.534e3 2 10,000" in lines
    assert "total passed 9.933e6/kg so far, level 1.0e7/kg" in lines
    assert "mycoplasma – not given to be filled in" in lines


def test_dose__zero_t_cells_are_not_zero_per_kg(run: Run, tmp_path: Path) -> None:
    """0 of 10,000 is shown as less than its upper bound."""
    done = run("dose", EXAMPLES / "dose.toml", gated(tmp_path, PRODUCT | {"T56-": 0, "T56+": 0}))
    (line,) = [line.split() for line in done.out.splitlines() if line.strip().startswith("T (all CD3+)")]
    assert "<" == line[3]


def test_dose__limited_dose_awaits_review(run: Run, tmp_path: Path) -> None:
    """The site's T-cell limit caps the dose; a person decides."""
    done = run("dose", EXAMPLES / "dose.toml", gated(tmp_path, PRODUCT | {"T56-": 300}))
    assert 4 == done.code
    assert "dose-limited-by-t-limit" in done.out
    assert "NOT PASSED" in done.out


def test_dose__count_that_awaits_review_makes_the_dose_await_it(run: Run, tmp_path: Path) -> None:
    """The status of the population is not lost on the way."""
    counts = gated(tmp_path, PRODUCT, NK_cells={"status": "needs_review"})
    assert 4 == run("dose", EXAMPLES / "dose.toml", counts).code


def test_dose__t_limit_has_no_default(run: Run, tmp_path: Path) -> None:
    """A request without the site's limit is refused."""
    request = changed(tmp_path, "dose.toml", ('t_limit_per_kg = "5.0e4/kg"', ""))
    done = run("dose", request, gated(tmp_path, PRODUCT))
    assert (3, True) == (done.code, "t_limit_per_kg: is missing" in done.err)


def test_dose__refuses_another_document(run: Run, tmp_path: Path) -> None:
    """A JSON file that is none of ``gate --json``."""
    path = tmp_path / "other.json"
    path.write_text('{"populations": [{"name": "NK cells"}]}', encoding="utf-8")
    done = run("dose", EXAMPLES / "dose.toml", path)
    assert (3, True) == (done.code, "other.json: is no result of one gated file" in done.err)


def test_dose__file_and_study_agree(run: Run, tmp_path: Path) -> None:
    """A product gated now and the same product as a study recorded it give the same plan."""
    tube = simulate_tube(
        {"expanded NK": 4_000, "CD8 T": 20, "NKT-like": 10, "B": 5, "monocyte": 5}, "nk_product", seed=7
    )
    tube.write(tmp_path / "product_2.fcs")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("file,patient,day,specimen\nproduct_2.fcs,P01,5,product\n", encoding="utf-8")
    study = open_study(tmp_path / "study.recon")
    run_study(read_sheet(sheet), load_template("nk_product"), study)
    now = run("dose", EXAMPLES / "dose.toml", tmp_path / "product_2.fcs", "--json").document
    recorded = run("dose", EXAMPLES / "dose.toml", "product_2.fcs", "--study", study.path, "--json").document
    assert now == recorded
    refused = run("dose", EXAMPLES / "dose.toml", "product_3.fcs", "--study", study.path)
    assert (3, True) == (refused.code, "has no sample of the file 'product_3.fcs'" in refused.err)


def test_dose__graft(run: Run, tmp_path: Path) -> None:
    """CD34+, CD3+, CD19+ and NK cells of a graft per kg: 9.2e9 viable cells, 18.4 kg, 1 % CD34+."""
    counts = gated(tmp_path, {"CD45pos": 10_000, "CD34+": 100, "T cells": 0, "B cells": 50, "NK cells": 200})
    doses = {
        dose["name"]: dose
        for dose in run("dose", "--graft", EXAMPLES / "graft.toml", counts, "--json").document["doses"]
    }
    assert pytest.approx(5e6) == doses["CD34+"]["per_kg"]
    assert (0, True) == (doses["CD3+"]["per_kg"], doses["CD3+"]["high"] > 0)
    assert "CD34+" in run("dose", "--graft", EXAMPLES / "graft.toml", counts).out
