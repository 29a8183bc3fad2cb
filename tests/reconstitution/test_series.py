"""Concentrations over time as one table: nothing left out, nothing below the LLOQ turned into a number."""

from __future__ import annotations

import numpy as np
import pytest
from blood_cohorts import POPULATIONS, blood, cd4_rows, patients, samples_of, true_cells
from small_cubes import Row, small_samples

from cytorecon.cube import grid
from cytorecon.errors import CubeError
from cytorecon.reconstitution import concentration_series, monthly_visits, sheet_column


def test_concentration_series__gives_the_simulated_concentrations() -> None:
    """Every patient, day and population of a cohort without noise is the concentration that was drawn."""
    people = patients(5)
    series = concentration_series(blood(people), lloq_events=0)
    truth = {person.name: person for person in people}
    drawn = [true_cells(truth[row["patient"]], row["day"]) for row in series.to_dict("records")]
    series["expected"] = [cells[name] for cells, name in zip(drawn, series["population"], strict=True)]
    # A blood count below 20/µL is not believed: it would be one in 10⁹/L.
    believed = np.array([cells["Leukocytes"] >= 20 for cells in drawn])
    known = series[believed]
    np.testing.assert_allclose(known["cells_per_ul"], known["expected"], rtol=1e-3, atol=1e-4)
    assert set(series.loc[~believed, "reason"]) <= {"implausible_blood_count"}
    assert len(series) == 5 * 15 * len(POPULATIONS)


def test_concentration_series__below_lloq_is_censored_not_a_number() -> None:
    """49 events are below an LLOQ of 50: no value, the limit of this sample, and never 0 or half of it."""
    rows = cd4_rows("P", {30: 0.49, 40: 0.5, 50: 0})
    own = concentration_series(samples_of(rows), ["CD4 T cells"])
    assert own["censor"].tolist() == ["left", "none", "left"]
    assert own["lloq"].tolist() == pytest.approx([0.5, 0.5, 0.5])
    assert np.isnan(own.loc[own["censor"] == "left", "cells_per_ul"]).all()
    assert own["cells_per_ul"].iloc[1] == pytest.approx(0.5)


def test_concentration_series__lloq_of_an_empty_sample_with_beads() -> None:
    """Where no cell was found beads still say what one event would have stood for."""
    row = Row("P", 10, {"Beads": 5000, "Leukocytes": 0, "Leukocytes/Lymphocytes": 0,
                        "Leukocytes/Lymphocytes/NK cells": 0},
              sheet={"beads_per_tube": 50_000.0, "sample_volume_ul": 50.0})  # fmt: skip
    own = concentration_series(small_samples([row]), ["NK cells"])
    assert (own["censor"].item(), own["lloq"].item()) == ("left", pytest.approx(50 * 0.2))


def test_concentration_series__a_laboratory_lloq_counts_too() -> None:
    """A concentration below the laboratory's limit is censored although its events are enough."""
    own = concentration_series(samples_of(cd4_rows("P", {30: 4.0})), ["CD4 T cells"], lloq_per_ul=5)
    assert (own["censor"].item(), own["lloq"].item()) == ("left", 5)


@pytest.mark.parametrize("status", ["failed", "not_measured", "review"])
def test_concentration_series__says_why_a_value_is_missing(status: str) -> None:
    """A sample without a usable count keeps its row, with the reason."""
    own = concentration_series(samples_of(cd4_rows("P", {30: status})), ["CD4 T cells"])
    reason = "needs_review" if status == "review" else status
    assert own[["censor", "reason"]].values.tolist() == [["missing", reason]]


def test_concentration_series__keeps_every_sample_of_one_visit() -> None:
    """Two samples in one window both have a row, also where the sheet gives a timepoint to one of them."""
    rows = cd4_rows("P", {88: 30, 99: 60})
    rows[1] = Row("P", 99, rows[1].counts, sheet={**rows[1].sheet, "timepoint": 100})
    own = concentration_series(samples_of(rows), ["CD4 T cells"], visits=monthly_visits())
    assert own[["day", "timepoint"]].values.tolist() == [[88, 100], [99, 100]]


def test_concentration_series__second_transplant_has_its_own_day_zero() -> None:
    """Days of a second transplant are a course of their own."""
    rows = cd4_rows("P", {30: 10}) + [
        Row("P", 30, row.counts, sheet={**row.sheet, "transplant": 2}) for row in cd4_rows("P", {30: 20})
    ]
    own = concentration_series(samples_of(rows), ["CD4 T cells"])
    assert own[["patient", "transplant", "day"]].values.tolist() == [["P", 1, 30], ["P (transplant 2)", 2, 30]]
    assert own["cells_per_ul"].tolist() == [10, 20]


def test_concentration_series__time_is_signed_and_confounded_days_tagged() -> None:
    """Days before transplant stay negative; infusion days are tagged."""
    own = concentration_series(samples_of(cd4_rows("P", {-14: 5, -5: 5, 40: 5})), ["CD4 T cells"])
    assert own[["day", "confounded"]].values.tolist() == [[-14, False], [-5, True], [40, False]]
    assert own.attrs["units"]["cells_per_ul"] == "/uL"


def test_concentration_series__of_a_cube_equals_that_of_its_samples() -> None:
    """Either form gives the same table where each sample has a day of its own."""
    samples = blood(patients(2), days=(30, 60))
    first, second = concentration_series(samples), concentration_series(grid(samples))
    assert first.drop(columns="timepoint").equals(second.drop(columns="timepoint"))


def test_concentration_series__unknown_population() -> None:
    """A population that is not there is an error that lists those that are."""
    with pytest.raises(CubeError, match=r"population NKT: is not in the cube; expected Leukocytes, "):
        concentration_series(blood(patients(1), days=(30,)), ["NKT"])


def test_sheet_column__groups_by_any_column() -> None:
    """A further column of the sheet, or one of the samples, gives each patient its group."""
    samples = blood(patients(2), days=(30,), sheet={"SIM-001": {"extra": {"dose_level": "1"}},
                                                    "SIM-002": {"extra": {"dose_level": "2"}}})  # fmt: skip
    assert sheet_column(samples, "dose_level") == {"SIM-001": "1", "SIM-002": "2"}


def test_sheet_column__contradiction_and_absence() -> None:
    """One patient in two groups, or a column nobody has, is an error."""
    rows = cd4_rows("P", {30: 1, 60: 1})
    rows = [Row("P", row.day, row.counts, sheet={**row.sheet, "extra": {"arm": str(row.day)}}) for row in rows]
    with pytest.raises(CubeError, match=r"column arm: differs from another sample of the same patient"):
        sheet_column(samples_of(rows), "arm")
    with pytest.raises(CubeError, match="column site: is in no sample of the study"):
        sheet_column(samples_of(rows), "site")
