"""One row a gated sample: nothing lost, order of arrival irrelevant."""

from __future__ import annotations

import json
import random

import pytest
import xarray as xr
from made import SUMMARY, gated, sample

from cytorecon.cube import STATUS, build_samples, percent_of_parent, validate
from cytorecon.errors import CubeError, Finding


def many() -> list:
    rows = [
        sample("P2", -7, timepoint=-7, wbc_per_ul=4200, comment="hazy", extra={"dose": "one"}),
        sample("P1", 30, panel="b"),
        sample("P1", 30, panel="a", replicate=2),
        sample("P1", 100, specimen="marrow", transplant=2),
    ]
    return [gated(row, (100 + i, 60, 20, 5)) for i, row in enumerate(rows)]


def test_build_samples__keeps_everything() -> None:
    """Every count, coordinate and attribute of a gated sample is found again."""
    samples = validate(build_samples(many(), SUMMARY))
    assert ["P1", "P1", "P1", "P2"] == samples["patient"].values.tolist()
    assert [30, 30, 100, -7] == samples["day"].values.tolist()
    assert [102, 101, 103, 100] == samples["event_count"].sel(population="Cells").values.tolist()
    assert ["Cells", "T", "Cells/NK", "Cells/T/NK"] == samples["population"].values.tolist()
    last = samples.isel(sample=3)
    assert (-7.0, 4200.0, "hazy", {"dose": "one"}) == (
        last["claimed_timepoint"].item(), last["wbc_per_ul"].item(), last["comment"].item(),
        json.loads(last["extra"].item()),
    )  # fmt: skip
    assert (0.5, 1234.5, "fixed") == tuple(
        samples[f"cutpoint_{field}"].sel(cutpoint="CD3")[0].item() for field in ("display", "raw", "method")
    )
    assert (SUMMARY.name, SUMMARY.sha256) == (samples.attrs["template"], samples.attrs["template_sha256"])


def test_build_samples__forgets_the_order_of_arrival() -> None:
    """Any order of the same samples gives the same Dataset."""
    expected = build_samples(many(), SUMMARY)
    for seed in range(10):
        shuffled = many()
        random.Random(seed).shuffle(shuffled)
        assert expected.identical(build_samples(shuffled, SUMMARY))


def test_build_samples__failed_sample_has_no_counts() -> None:
    """A sample that failed is -1 with its reason, in every population."""
    samples = validate(build_samples([gated(sample(), error="not an FCS file")], SUMMARY))
    assert {-1} == set(samples["event_count"].values.ravel())
    assert {STATUS["failed"]} == set(samples["status"].values.ravel())
    assert ("not an FCS file", "not-fcs", -1) == (
        samples["error"].item(), samples["error_code"].item(), samples["acquired_count"].item()
    )  # fmt: skip


def test_build_samples__nothing_gives_an_empty_dataset() -> None:
    """No samples at all are a Dataset of no rows that still names its populations."""
    assert {"sample": 0, "population": 4, "cutpoint": 0} == dict(validate(build_samples([], SUMMARY)).sizes)


def test_build_samples__keeps_findings() -> None:
    """What was accepted is stored with the sample."""
    found = Finding("end-exclusive", "The end was one too large.", "info", "$ENDDATA")
    samples = build_samples([gated(sample(), findings=(found,))], SUMMARY)
    assert found == Finding(**json.loads(samples["findings"].item())[0])


def test_build_samples__refuses_two_of_one_identity() -> None:
    """Two samples of one identity are an error naming both files."""
    twice = [gated(sample(file_name="a.fcs")), gated(sample(file_name="b.fcs"))]
    with pytest.raises(CubeError, match=r"a.fcs, b.fcs: are the same sample"):
        build_samples(twice, SUMMARY)


def test_percent_of_parent__masks_by_status() -> None:
    """0 of 0, unmeasured and unreviewed cells are NaN with their status, never 0 %."""
    counts = (100, 0, -1, 0)
    statuses = ("counted", "counted", "not_measured", "not_evaluable")
    samples = build_samples([gated(sample(), counts, statuses)], SUMMARY)
    percent = percent_of_parent(samples).isel(sample=0)
    assert [50.0, 0.0] == percent.values[:2].tolist()
    assert percent.isnull().values.tolist() == [False, False, True, True]
    assert [STATUS[name] for name in statuses] == percent["status"].values.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cube: cube.drop_vars("status"), "status: is missing"),
        (lambda cube: cube.assign(event_count=cube["event_count"].astype(float)), "has another type"),
        (lambda cube: cube.assign(event_count=cube["event_count"].T), "event_count: has other dimensions"),
        (lambda cube: cube.assign(event_count=cube["event_count"] * 0 - 1), "is below 0 where it was counted"),
        (lambda cube: cube.assign(event_count=cube["event_count"] * 9), "exceeds the count of its parent"),
        (lambda cube: cube.assign(status=cube["status"] * 0 + 99), "has a status that is not declared"),
        (lambda cube: cube.assign(status=cube["status"] * 0), "is not -1 where nothing was counted"),
        (lambda cube: cube.assign(status=cube["status"] * 0 + 3), "is not 0 where 0 of 0"),
        (lambda cube: xr.concat([cube, cube], "sample", data_vars="minimal"), "sample: is not sorted and unique"),
    ],
)
def test_validate__refuses_what_contradicts_itself(change, message: str) -> None:
    """A Dataset that is not a cube is refused with the variable and the reason."""
    broken = change(build_samples([gated(sample())], SUMMARY))
    with pytest.raises(CubeError, match=message):
        validate(broken)
