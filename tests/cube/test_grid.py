"""Which sample stands in which cell of the cube."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from made import SUMMARY, gated, sample

from cytorecon.cube import STATUS, Visit, build_samples, grid, percent_of_parent, validate
from cytorecon.errors import CubeError

MONTHS = (Visit(30, 15, 45), Visit(60, 46, 75))


def cube_of(*samples, visits=None) -> xr.Dataset:
    return validate(grid(build_samples(samples, SUMMARY), visits))


def findings(cube: xr.Dataset) -> list[str]:
    return [found["message"] for found in json.loads(cube.attrs["findings"])]


def cells(cube: xr.Dataset, **where: object) -> int:
    return cube["event_count"].sel(population="Cells", specimen="blood", **where).item()


def test_grid__places_by_patient_day_and_specimen() -> None:
    """Days are signed and sorted; what was not sampled is -1 and says so."""
    cube = cube_of(
        gated(sample("P1", 30), (90, 60, 20, 5)),
        gated(sample("P2", -7), (80, 60, 20, 5)),
        gated(sample("P1", 30, specimen="marrow"), (70, 60, 20, 5)),
    )
    assert [-7, 30] == cube["timepoint"].values.tolist()
    assert ["blood", "marrow"] == cube["specimen"].values.tolist()
    assert (90, -1, 80) == (
        cells(cube, patient="P1", timepoint=30),
        cells(cube, patient="P1", timepoint=-7),
        cells(cube, patient="P2", timepoint=-7),
    )
    absent = cube.sel(patient="P1", timepoint=-7, specimen="blood")
    assert {STATUS["not_sampled"]} == set(absent["status"].values)
    assert (-1, True) == (absent["sample"].item(), bool(np.isnan(absent["day"])))
    assert np.isnan(percent_of_parent(cube).sel(patient="P1", timepoint=-7, specimen="blood")).all()


def test_grid__timepoint_from_sheet_then_windows_then_day() -> None:
    """The sheet's timepoint stands before a visit's window, and that before the actual day."""
    rows = [sample("P1", 33, timepoint=28), sample("P2", 33), sample("P3", 300)]
    cube = cube_of(*map(gated, rows), visits=MONTHS)
    assert [28, 30, 300] == cube["timepoint"].values.tolist()
    assert [33, 33, 300] == [int(day) for day in cube["day"].values.ravel() if not np.isnan(day)]


def test_grid__nearest_day_stands_and_a_tie_goes_to_the_later() -> None:
    """Of several samples in a window one stands, and the others are named."""
    near = cube_of(gated(sample("P1", 20)), gated(sample("P1", 31), (90, 1, 1, 1)), visits=MONTHS)
    assert (90, ["P1_20_1.fcs (of day 20) has no cell at timepoint 30, where P1_31_1.fcs stands"]) == (
        cells(near), findings(near)
    )  # fmt: skip
    tie = cube_of(gated(sample("P1", 25)), gated(sample("P1", 35), (80, 1, 1, 1)), visits=MONTHS)
    assert 80 == cells(tie)


def test_grid__claim_stands_before_a_window() -> None:
    """A sample that claims the timepoint stands even if another day is nearer."""
    cube = cube_of(gated(sample("P1", 20, timepoint=30), (90, 1, 1, 1)), gated(sample("P1", 30)), visits=MONTHS)
    assert 90 == cells(cube)


def test_grid__two_claims_are_an_error() -> None:
    """Two samples that claim one timepoint are an error naming both files."""
    rows = [sample("P1", 29, timepoint=30), sample("P1", 31, timepoint=30)]
    with pytest.raises(CubeError, match=r"P1_29_1.fcs and P1_31_1.fcs: claim the same timepoint 30.*Correct"):
        cube_of(*map(gated, rows))


def test_grid__failed_sample_yields_to_one_that_did_not() -> None:
    """A failed file takes no measurement's place, but is said where it is all there is."""
    failed = gated(sample("P1", 30, timepoint=30), error="cut short")
    alone = cube_of(failed)
    assert {STATUS["failed"]} == set(alone["status"].values.ravel())
    both = cube_of(failed, gated(sample("P1", 32, timepoint=30), (90, 1, 1, 1)))
    assert (90, ["P1_30_1.fcs (failed) has no cell at timepoint 30, where P1_32_1.fcs stands"]) == (
        cells(both), findings(both)
    )  # fmt: skip


def test_grid__pools_replicates() -> None:
    """Counts of replicates add; the cell says how many and keeps what they share."""
    first = gated(sample("P1", 30, wbc_per_ul=4000, bead_lot="L1"), (100, 60, 20, 5))
    second = gated(sample("P1", 30, replicate=2, wbc_per_ul=4000, bead_lot="L2"), (50, 10, 2, 1))
    cell = cube_of(first, second).isel(patient=0, timepoint=0, specimen=0)
    assert [150, 70, 22, 6] == cell["event_count"].values.tolist()
    assert [400, 150, 150, 70] == cell["parent_count"].values.tolist()
    assert (2, 400, 4000.0, "") == (
        cell["replicate_count"].item(), cell["acquired_count"].item(), cell["wbc_per_ul"].item(),
        cell["bead_lot"].item(),
    )  # fmt: skip
    assert ["P1_30_1.fcs and P1_30_2.fcs are replicates with differing bead_lot"] == findings(cell)


def test_grid__pool_counts_only_what_all_replicates_measured() -> None:
    """A population unmeasured in one replicate is unmeasured in the pool; 0 of 0 adds nothing."""
    first = gated(sample("P1", 30), (100, 60, -1, 0), ("counted", "needs_review", "not_measured", "not_evaluable"))
    second = gated(sample("P1", 30, replicate=2), (100, 60, 20, 5))
    cell = cube_of(first, second).isel(patient=0, timepoint=0, specimen=0)
    assert [200, 120, -1, 5] == cell["event_count"].values.tolist()
    expected = [STATUS[name] for name in ("counted", "needs_review", "not_measured", "counted")]
    assert expected == cell["status"].values.tolist()


def test_grid__failed_replicate_is_left_out() -> None:
    """The pool of the others stands, and the one left out is named."""
    cube = cube_of(gated(sample("P1", 30)), gated(sample("P1", 30, replicate=2), error="cut short"))
    assert (100, ["P1_30_2.fcs failed and is not in the pool of its replicates"]) == (cells(cube), findings(cube))


def test_grid__replicates_at_two_timepoints_are_an_error() -> None:
    """Replicates of one sample cannot be two visits."""
    rows = [sample("P1", 30, timepoint=30), sample("P1", 30, replicate=2, timepoint=60)]
    with pytest.raises(CubeError, match=r"are replicates of one sample at two timepoints; got 30, 60"):
        cube_of(*map(gated, rows))


def test_grid__second_transplant_has_its_own_day_0() -> None:
    """Day 30 after the second transplant is not day 30 after the first."""
    cube = cube_of(gated(sample("P1", 30)), gated(sample("P1", 30, transplant=2), (90, 1, 1, 1)))
    assert ["P1", "P1 (transplant 2)"] == cube["patient"].values.tolist()
    assert [1, 2] == cube["transplant"].values.tolist()
    assert (100, 90) == (cells(cube, patient="P1"), cells(cube, patient="P1 (transplant 2)"))


def test_grid__controls_have_no_cell() -> None:
    """A control for another file stays in samples and out of the cube."""
    cube = cube_of(gated(sample("P1", 30)), gated(sample("P1", 30, panel="fmo", control_for="P1_30_1.fcs")))
    assert (100, []) == (cells(cube), findings(cube))


def test_grid__of_nothing_is_empty() -> None:
    """No samples give a cube without cells that is still valid."""
    assert 0 == cube_of().sizes["timepoint"]


def test_grid__refuses_a_cube_too_large_for_memory() -> None:
    """Scattered days would need a cube of mostly empty cells; the remedy is named."""
    rows = [sample(f"P{i}", i) for i in range(8000)]
    with pytest.raises(CubeError, match=r"would be too large.*Give visits"):
        cube_of(*map(gated, rows))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Visit(30, 31, 45), "visit 30: lies outside its own window"),
        (lambda: cube_of(visits=(Visit(30, 15, 46), Visit(60, 46, 75))), "day 46: lies in the windows of visits"),
    ],
)
def test_grid__refuses_bad_windows(make, message: str) -> None:
    """A window must hold its visit and overlap no other."""
    with pytest.raises(CubeError, match=message):
        make()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("PQ"), st.integers(-20, 80), st.integers(1, 2)), unique=True), st.randoms())
def test_grid__order_never_matters(keys: list[tuple[str, int, int]], shuffle: random.Random) -> None:
    """The cube is the same to the bit whatever order the samples came in, and no count is invented."""
    made = [gated(sample(patient, day, replicate=r)) for patient, day, r in keys]
    expected = cube_of(*made, visits=MONTHS)
    shuffle.shuffle(made)
    assert expected.identical(cube_of(*made, visits=MONTHS))
    counts = expected["event_count"].values
    assert counts[counts > 0].sum() <= sum(one.event_count for g in made for one in g.counts)


def test_grid__the_same_bytes_are_never_counted_twice() -> None:
    """Copies of one file under several names add no events; the others are named."""
    copies = [replace(gated(sample("P1", 30, replicate=number)), sha256="ab") for number in (1, 2, 3)]
    other = gated(sample("P1", 30, replicate=4), (50, 10, 2, 1))
    cube = cube_of(*copies, other)
    assert (150, 2) == (cells(cube, patient="P1", timepoint=30), cube["replicate_count"].item())
    assert [
        f"P1_30_{number}.fcs is the same bytes as P1_30_1.fcs and not pooled with it" for number in (2, 3)
    ] == findings(cube)  # fmt: skip
    two = [replace(gated(sample("P1", 30, replicate=number, dataset=number)), sha256="ab") for number in (1, 2)]
    assert 200 == cells(cube_of(*two), patient="P1", timepoint=30)


def test_grid__replicates_compensated_differently_await_review() -> None:
    """Counts behind two matrices are no replicates of each other: their sum is masked."""
    first, second = gated(sample("P1", 30)), gated(sample("P1", 30, replicate=2))
    cube = cube_of(first, replace(second, compensation=None))
    assert ["P1_30_1.fcs and P1_30_2.fcs are replicates compensated differently ($SPILLOVER, none): their sum awaits "
            "review"] == findings(cube)  # fmt: skip
    assert {STATUS["needs_review"]} == set(cube["status"].values.ravel())
