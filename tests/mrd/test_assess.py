"""MRD over a cube."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import xarray as xr
from small_cubes import BLOOD, MARROW, Row, small_cube, small_samples

from cytorecon.errors import CountError
from cytorecon.mrd import MRD_THRESHOLDS, Denominator, MrdThreshold, assess_mrd, detection_limits, mrd_call

EVENTS = [0, 3, 19, 20, 49, 50, 65, 100, 101, 600, 2000]


def counts(events: int | str, nucleated: int | str, cd45: int | str = "not_measured") -> dict[str, int | str]:
    blasts = 500 if isinstance(cd45, int) else cd45
    return {
        "Nucleated": nucleated,
        "Nucleated/CD45pos": cd45,
        "Nucleated/CD45pos/Blast region": blasts,
        "Nucleated/MRD": events,
    }


def cell(found: xr.Dataset, day: int, specimen: str = "marrow", patient: str = "P1") -> xr.Dataset:
    return found.sel(patient=patient, timepoint=day, specimen=specimen)


@pytest.mark.parametrize("disease", ["aml", "t_all", "mpal"])
@pytest.mark.parametrize("nucleated", [20_000, 199_999, 500_000, 1_000_000])
def test_assess_mrd__says_what_mrd_call_says(disease: str, nucleated: int) -> None:
    """Every statement of every sample is that of the function for one result."""
    rows = [Row("P1", day, counts(k, nucleated, nucleated * 4 // 5), "marrow") for day, k in enumerate(EVENTS)]
    found = assess_mrd(small_cube(rows, MARROW), disease)
    for day, k in enumerate(EVENTS):
        one = mrd_call(k, nucleated, disease, "nucleated", cd45_count=nucleated * 4 // 5, blast_region_count=500)
        here = cell(found, day)
        assert one.fraction == pytest.approx(float(here["fraction"]))
        assert one.interval == pytest.approx((float(here["low"]), float(here["high"])))
        assert (one.lod, one.lloq) == (float(here["lod"]), float(here["lloq"]))
        assert one.quantification == here["quantification"].item()
        for prefix, each in zip(("", "eln_"), one.assessments, strict=False):
            stated = {name: here[prefix + name].item() for name in ("adequacy", "position", "call", "protocol")}
            assert stated == {name: getattr(each, name) for name in stated}
            assert each.events_needed == here[prefix + "events_needed"].item()
            assert each.rule_met == bool(here[prefix + "rule_met"].item())


def test_assess_mrd__absence_is_never_zero() -> None:
    """Not sampled, not measured, failed and unreviewed samples have no fraction and no call; 0 is a count."""
    rows = [
        Row("P1", 28, counts(0, 600_000), "marrow"),
        Row("P1", 60, counts("not_measured", 600_000), "marrow"),
        Row("P1", 90, dict.fromkeys(MARROW, "failed"), "marrow"),
        Row("P1", 100, counts(900, 600_000), "marrow", review=["Nucleated/MRD"]),
        Row("P2", 120, counts(0, 0), "marrow"),
    ]
    found = assess_mrd(small_cube(rows, MARROW), "mpal")
    calls = [cell(found, day)["call"].item() for day in (28, 60, 90, 100, 120)]
    assert ["below", "not_evaluable", "not_evaluable", "not_evaluable", "not_sampled"] == calls
    assert "not_evaluable" == cell(found, 120, patient="P2")["call"].item()
    assert [0, -1, -1, -1, -1] == found["event_count"].sel(patient="P1", specimen="marrow").values.tolist()
    fraction = found["fraction"].sel(patient="P1", specimen="marrow").values
    assert (0.0, True) == (fraction[0], bool(np.isnan(fraction[1:]).all()))
    assert bool(cell(found, 100)["needs_review"])


def test_assess_mrd__cd45_is_an_upper_limit_where_there_is_no_dye() -> None:
    """Without nucleated cells a CD45+ fraction can show "below" only; its denominator is named."""
    rows = [
        Row("P1", 28, counts(5, "not_measured", 800_000), "marrow"),
        Row("P1", 60, counts(5000, "not_measured", 800_000), "marrow"),
    ]
    found = assess_mrd(small_cube(rows, MARROW), "aml")
    below, above = cell(found, 28), cell(found, 60)
    assert ("below", "cd45", "not_met") == tuple(below[name].item() for name in ("call", "denominator", "protocol"))
    assert ("indeterminate", -1, "needs_adjudication", "above") == tuple(
        above[name].item() for name in ("call", "rule_met", "protocol", "eln_call")
    )


def test_assess_mrd__answers_the_protocol_from_marrow_only() -> None:
    """The trial's threshold is one of marrow: blood has a call, and a person adjudicates."""
    rows = [Row("P1", 28, counts(900, 600_000), specimen) for specimen in ("marrow", "blood")]
    found = assess_mrd(small_cube(rows, MARROW), "aml")
    expected = {"marrow": "met", "blood": "needs_adjudication"}
    assert expected == {name: cell(found, 28, name)["protocol"].item() for name in expected}
    assert "above" == cell(found, 28, "blood")["call"].item()


def test_assess_mrd__nucleated_by_scatter_is_adjudicated() -> None:
    """Nucleated cells without a dye are an estimate."""
    cube = small_cube([Row("P1", 28, counts(900, 600_000), "marrow")], MARROW)
    found = assess_mrd(cube, "aml", nucleated_by_scatter=True)
    assert ("above", "needs_adjudication") == (found["call"].item(), found["protocol"].item())


def test_assess_mrd__limits_of_controls_scale_with_each_sample() -> None:
    """Background of 0.005 % explains 30 events in 600,000 and 5 in 100,000."""
    rows = [Row("P1", 28, counts(30, 600_000), "marrow"), Row("P1", 60, counts(30, 100_000), "marrow")]
    found = assess_mrd(small_cube(rows, MARROW), "mpal", limits=detection_limits([(5, 100_000)] * 60))
    assert ["below_lod", "detected_not_quantifiable"] == found["quantification"].values.ravel().tolist()
    assert not found["needs_review"].values.any()
    assert "from controls" == found.attrs["specificity"]


def test_assess_mrd__is_the_same_in_both_forms_of_the_cube() -> None:
    """One row a sample gives the same statements."""
    rows = [Row("P1", day, counts(k, 600_000), "marrow") for day, k in enumerate(EVENTS)]
    flat, grid = assess_mrd(small_samples(rows, MARROW), "aml"), assess_mrd(small_cube(rows, MARROW), "aml")
    assert flat["call"].values.tolist() == grid["call"].values.ravel().tolist()


def test_assess_mrd__survives_netcdf(tmp_path) -> None:
    """Its variables can be stored."""
    found = assess_mrd(small_cube([Row("P1", 28, counts(5, 600_000, 400_000), "marrow")], MARROW), "aml")
    found.to_netcdf(tmp_path / "mrd.nc")
    with xr.open_dataset(tmp_path / "mrd.nc") as again:
        assert found["eln_call"].values.tolist() == again["eln_call"].values.tolist()


def test_assess_mrd__takes_a_named_population_and_a_threshold_of_cd45() -> None:
    """Another numerator and the site's own threshold."""
    roles = {**MARROW, "Nucleated/MRD/LAIP_1": ""}
    rows = [Row("P1", 28, {**counts(900, 800_000, 600_000), "Nucleated/MRD/LAIP_1": 500}, "marrow")]
    own = MrdThreshold("site", "mpal", Fraction(1, 1000), Denominator.CD45)
    found = assess_mrd(small_cube(rows, roles), own, population="LAIP_1")
    assert (500, 600_000, "below") == tuple(found[name].item() for name in ("event_count", "total_count", "call"))


@pytest.mark.parametrize(
    ("roles", "threshold", "population", "message"),
    [
        (BLOOD, "aml", None, "role mrd: one population must carry it; got none"),
        ({**MARROW, "Nucleated/DfN": "mrd"}, "aml", None, "got MRD, DfN"),
        (MARROW, "aml", "LAIP_9", "population: is not in the cube"),
        (MARROW, "all", None, "unknown disease"),
        (MARROW, MrdThreshold("site", "aml", Fraction(1, 10), Denominator.WBC), None, "are no role of a cube"),
    ],
)
def test_assess_mrd__refuses(
    roles: dict[str, str], threshold: str | MrdThreshold, population: str | None, message: str
) -> None:
    """What cannot be found by its role is an error that says so."""
    with pytest.raises(CountError, match=message):
        assess_mrd(small_cube([Row("P1", 28, {}, "marrow")], roles), threshold, population=population)


def test_assess_mrd__refuses_limits_given_twice() -> None:
    """Controls as one value or as single figures."""
    cube = small_cube([Row("P1", 28, counts(0, 600_000), "marrow")], MARROW)
    with pytest.raises(CountError, match="given twice"):
        assess_mrd(cube, MRD_THRESHOLDS["aml"], limits=detection_limits([(0, 9), (1, 9)]), validated_lod=0.1)
