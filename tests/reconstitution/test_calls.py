"""Clinical calls of two versions of a template side by side."""

from __future__ import annotations

import pytest
from blood_cohorts import blood, patients
from small_cubes import MARROW, Row, small_cube

from cytorecon.cube import grid
from cytorecon.errors import CountError
from cytorecon.reconstitution.calls import COLUMNS, diff_calls


def marrow(events: int, total: int = 600_000) -> dict[str, int | str]:
    return {
        "Nucleated": total,
        "Nucleated/CD45pos": total * 4 // 5,
        "Nucleated/CD45pos/Blast region": 500,
        "Nucleated/MRD": events,
    }


def test_diff_calls__lists_every_changed_statement_and_no_other() -> None:
    """60 events of 600,000 are 0.01 %, which is not met; 200 are above: each statement that turned is a row."""
    old = small_cube([Row("P1", 28, marrow(60), "marrow"), Row("P1", 60, marrow(5), "marrow")], MARROW)
    new = small_cube([Row("P1", 28, marrow(200), "marrow"), Row("P1", 60, marrow(5), "marrow")], MARROW)
    found = diff_calls(old, new, "aml")
    assert COLUMNS == list(found.columns)
    assert {("P1", 28, "marrow")} == set(zip(found["patient"], found["timepoint"], found["specimen"], strict=True))
    said = {row["statement"]: (row["old"], row["new"]) for row in found.to_dict("records")}
    assert ("not met", "met") == said["MRD rule met"]
    assert ("indeterminate", "above") == said["MRD call"]
    assert 0 == len(diff_calls(old, old, "aml"))


def test_diff_calls__a_sample_of_one_side_alone() -> None:
    """What one version does not assess is said to be so."""
    old = small_cube([Row("P1", 28, marrow(60), "marrow")], MARROW)
    new = small_cube([Row("P1", 28, marrow(60), "marrow"), Row("P2", 30, marrow(0), "marrow")], MARROW)
    found = diff_calls(old, new, "aml")
    assert {"P2"} == set(found["patient"])
    assert {"not assessed"} == set(found["old"])


def test_diff_calls__an_endpoint_reached_on_another_day() -> None:
    """A quarter of the B cells: their endpoint is reached later, or not at all."""
    samples = blood(patients(4))
    fewer = samples.copy(deep=True)
    b_cells = fewer["population"].values == "B cells"
    fewer["event_count"].values[:, b_cells] //= 4
    found = diff_calls(grid(samples), grid(fewer))
    assert len(found)
    assert all("B cells" in statement for statement in found["statement"])
    assert found["timepoint"].isna().all()
    assert 0 == len(diff_calls(grid(samples), grid(samples)))


def test_diff_calls__without_residual_disease() -> None:
    """A threshold needs a population of role mrd; without one nothing is assessed."""
    cube = small_cube([Row("P1", 28, {"Beads": 1, "Leukocytes": 2, "Leukocytes/Lymphocytes": 1,
                                      "Leukocytes/Lymphocytes/NK cells": 1})])  # fmt: skip
    with pytest.raises(CountError, match="role mrd: one population must carry it"):
        diff_calls(cube, cube, "aml")
