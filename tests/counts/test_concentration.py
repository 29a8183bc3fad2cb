"""Cells per µL of a cube."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from small_cubes import BLOOD, Row, small_cube, small_samples

from cytorecon.counts import cells_per_ul, cells_per_ul_interval, compare_platforms
from cytorecon.errors import CountError

COUNTS = {
    "Beads": 5000,
    "Leukocytes": 20_000,
    "Leukocytes/Lymphocytes": 4000,
    "Leukocytes/Lymphocytes/NK cells": 1000,
}
TUBE = {"beads_per_tube": 50_000.0, "sample_volume_ul": 50.0}


def value(found: xr.DataArray, day: int, population: str = "NK cells", specimen: str = "blood") -> float:
    return float(found.sel(patient="P1", timepoint=day, specimen=specimen, population=population))


def reason(found: xr.DataArray, day: int, population: str = "NK cells", specimen: str = "blood") -> str:
    cell = found["reason"].sel(patient="P1", timepoint=day, specimen=specimen, population=population)
    return str(cell.item())


def findings(found: xr.DataArray | xr.Dataset) -> set[str]:
    return {finding["code"] for finding in json.loads(found.attrs["findings"])}


def test_cells_per_ul__dual_platform_is_wbc_times_share_of_leukocytes() -> None:
    """Without beads the blood count gives the concentration; units and platform are said."""
    found = cells_per_ul(small_cube([Row("P1", 30, COUNTS, sheet={"wbc_per_ul": 2000.0})]))
    assert (100.0, "/uL", "dual") == (value(found, 30), found.attrs["units"], found["platform"].item())
    assert "outside_denominator" == reason(found, 30, "Beads")


def test_cells_per_ul__single_platform_is_beads() -> None:
    """Beads come first; the beads themselves have no concentration."""
    found = cells_per_ul(small_cube([Row("P1", 30, COUNTS, sheet=TUBE)]))
    assert (200.0, "single") == (value(found, 30), found["platform"].item())
    assert "outside_denominator" == reason(found, 30, "Beads")


def test_cells_per_ul__lymphocyte_count_times_share_of_lymphocytes() -> None:
    """A template without leukocytes uses the lymphocyte count of the laboratory."""
    roles = {path: role for path, role in BLOOD.items() if role != "beads"} | {"Leukocytes": ""}
    sheet = {"wbc_per_ul": 2000.0, "lymphocyte_percent": 20.0}
    found = cells_per_ul(small_cube([Row("P1", 30, COUNTS, sheet=sheet)], roles))
    assert (100.0, "dual_lymphocytes") == (value(found, 30), found["platform"].item())


def test_cells_per_ul__lymphocyte_count_in_leukopenia_is_believed() -> None:
    """A low lymphocyte count is no sign of a wrong unit: only the WBC itself is judged."""
    sheet = {"wbc_per_ul": 100.0, "lymphocyte_percent": 5.0}
    found = cells_per_ul(small_cube([Row("P1", 30, COUNTS, sheet=sheet)]), "dual_lymphocytes")
    assert 1.25 == value(found, 30)


def test_cells_per_ul__dual_platform_is_for_blood_only() -> None:
    """A WBC says nothing about marrow."""
    found = cells_per_ul(small_cube([Row("P1", 30, COUNTS, "marrow", {"wbc_per_ul": 2000.0})]))
    assert "no_platform" == reason(found, 30, specimen="marrow")
    assert np.isnan(value(found, 30, specimen="marrow"))


def test_cells_per_ul__absence_is_never_zero() -> None:
    """Not sampled, not measured, under review and failed cells are NaN with their status as reason."""
    rows = [
        Row("P1", 30, {**COUNTS, "Leukocytes/Lymphocytes/NK cells": "not_measured"}, sheet=TUBE),
        Row("P1", 60, COUNTS, sheet=TUBE, review=["Leukocytes/Lymphocytes/NK cells"]),
        Row("P1", 90, dict.fromkeys(BLOOD, "failed"), sheet=TUBE),
        Row("P2", 100, {**COUNTS, "Leukocytes/Lymphocytes/NK cells": 0}, sheet=TUBE),
    ]
    found = cells_per_ul(small_cube(rows))
    expected = ["not_measured", "needs_review", "failed", "not_sampled"]
    assert expected == [reason(found, day) for day in (30, 60, 90, 100)]
    assert np.isnan([value(found, day) for day in (30, 60, 90, 100)]).all()
    assert 0.0 == float(found.sel(patient="P2", timepoint=100, specimen="blood", population="NK cells"))
    assert bool((found.isnull() == (found["reason"] != "")).all())


def test_cells_per_ul__too_few_beads_are_not_replaced_in_silence() -> None:
    """Beads that failed make the sample not evaluable although a WBC is there; dual platform is one word away."""
    cube = small_cube([Row("P1", 30, {**COUNTS, "Beads": 3}, sheet={**TUBE, "wbc_per_ul": 2000.0})])
    assert "too_few_beads" == reason(cells_per_ul(cube), 30)
    assert 100.0 == value(cells_per_ul(cube, "dual"), 30)


def test_cells_per_ul__says_where_a_series_mixes_platforms() -> None:
    """Each sample carries its platform, and a finding tells of the series that has two."""
    cube = small_cube([Row("P1", 30, COUNTS, sheet=TUBE), Row("P1", 60, COUNTS, sheet={"wbc_per_ul": 2000.0})])
    found = cells_per_ul(cube)
    assert ["single", "dual"] == found["platform"].sel(patient="P1", specimen="blood").values.tolist()
    assert {"mixed-platforms"} == findings(found)
    assert set() == findings(cells_per_ul(cube, "single"))


def test_cells_per_ul__refuses_a_wbc_in_the_wrong_unit() -> None:
    """4.2 in a 1/µL column gives no concentration, and a finding."""
    found = cells_per_ul(small_cube([Row("P1", 30, COUNTS, sheet={"wbc_per_ul": 4.2})]))
    assert "implausible_blood_count" == reason(found, 30)
    assert {"implausible-blood-count"} == findings(found)


def test_cells_per_ul__is_the_same_in_both_forms_of_the_cube() -> None:
    """One row a sample, or patient by timepoint: the same values."""
    rows = [Row("P1", 30, COUNTS, sheet=TUBE), Row("P2", 60, COUNTS, sheet={"wbc_per_ul": 3000.0})]
    flat = cells_per_ul(small_samples(rows))
    assert ("sample", "population") == flat.dims
    assert [200.0, 150.0] == flat.sel(population="NK cells").values.tolist()


def test_cells_per_ul__takes_nucleated_red_cells_by_sample() -> None:
    """A correction that varies from sample to sample is a DataArray over them."""
    cube = small_cube([Row("P1", day, COUNTS, sheet={"wbc_per_ul": 2000.0}) for day in (30, 60)])
    nrbc = xr.DataArray([0.0, 25.0], dims="timepoint", coords={"timepoint": [30, 60]})
    found = cells_per_ul(cube, nrbc_per_100_wbc=nrbc)
    assert [100.0, 80.0] == [value(found, 30), value(found, 60)]


def test_cells_per_ul__names_an_unknown_platform() -> None:
    """The platforms are listed."""
    with pytest.raises(CountError, match="expected single, dual, dual_lymphocytes"):
        cells_per_ul(small_cube([Row("P1", 30, COUNTS)]), "triple")


def test_cells_per_ul__refuses_two_populations_of_one_role() -> None:
    """Which population is the denominator must be unambiguous."""
    roles = {**BLOOD, "Leukocytes/Other": "leukocytes"}
    with pytest.raises(CountError, match="several populations carry it"):
        cells_per_ul(small_cube([Row("P1", 30, COUNTS, sheet={"wbc_per_ul": 2000.0})], roles))


def test_cells_per_ul_interval__brackets_the_value() -> None:
    """Bounds stand beside the value, with the errors they allow for in their attributes."""
    cube = small_cube([Row("P1", 30, COUNTS, sheet=TUBE)])
    found = cells_per_ul_interval(cube, pipetting_cv=0.05).sel(population="NK cells").squeeze()
    assert float(found["low"]) < 187 < 200 == float(found["cells_per_ul"]) < 213 < float(found["high"])
    assert 0.05 == found["low"].attrs["pipetting_cv"]


def test_compare_platforms__finds_a_disagreement() -> None:
    """Beads that imply 4,000 white cells against a WBC of 2,000 disagree; one of 3,900 does not."""
    rows = [Row("P1", day, COUNTS, sheet={**TUBE, "wbc_per_ul": wbc}) for day, wbc in ((30, 2000.0), (60, 3900.0))]
    cube = small_cube([*rows, Row("P1", 90, COUNTS, sheet=TUBE)])
    found = compare_platforms(cube).sel(patient="P1", specimen="blood")
    assert [True, False, False] == found["disagrees"].values.tolist()
    assert [4000.0, 4000.0] == found["single"].values[:2].tolist()
    assert np.isnan(found["ratio"].values[2])
    assert {"platforms-disagree"} == findings(cells_per_ul(cube))


def test_compare_platforms__corrects_for_nucleated_red_cells() -> None:
    """A WBC of 5,000 that counted 25 red cells beside 100 white ones agrees with beads that imply 4,000."""
    cube = small_cube([Row("P1", 30, COUNTS, sheet={**TUBE, "wbc_per_ul": 5000.0})])
    found = compare_platforms(cube, tolerance=0.1, nrbc_per_100_wbc=25.0)
    assert (1.0, False) == (found["ratio"].item(), found["disagrees"].item())


def test_cells_per_ul__replicates_diluted_differently_have_no_single_platform() -> None:
    """Counts behind two dilutions have no common factor: NaN, as for differing volumes, never undiluted."""
    for name in ("dilution", "sample_volume_ul"):
        rows = [Row("P1", 30, COUNTS, sheet={**TUBE, name: 2.0 * number, "replicate": number}) for number in (1, 2)]
        found = cells_per_ul(small_cube(rows))
        assert np.isnan(value(found, 30))
        assert "no_platform" == reason(found, 30)
