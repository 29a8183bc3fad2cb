"""Endpoints: the day they are reached, and when too few samples tell."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from blood_cohorts import blood, cd4_rows, patients, samples_of, true_cells

from cytorecon.errors import CountError
from cytorecon.reconstitution import Endpoint, assess_endpoint, concentration_series, parse_endpoint
from cytorecon.simulate.patient import Patient

TWICE, ONCE = "cd4ir_vanroessel2020", "cd4ir_dekoning2021"


def states(cd4: dict[int, Any], endpoint: Endpoint | str = TWICE, ended: int | None = None) -> pd.Series[Any]:
    """The one row of one patient."""
    series = concentration_series(samples_of(cd4_rows("P", cd4)))
    return assess_endpoint(series, endpoint, None if ended is None else {"P": ended}).iloc[0]


def irregular_days(person: Patient) -> list[int]:
    """Days of blood of one patient: roughly every two weeks, never on schedule."""
    rng = np.random.default_rng(int(person.name[-3:]))
    return [-14, *np.cumsum(rng.integers(5, 18, 14)).tolist()]


def test_assess_endpoint__twice_above_is_the_day_of_the_second() -> None:
    """More than 50 on two consecutive measurements: reached on the day that completes it, the first day kept."""
    found = states({30: 20, 45: 51, 60: 55, 90: 80})
    assert (found["state"], found["day"], found["first_day"]) == ("reached", 60, 45)
    assert (found["used"], found["text"]) == ((30, 45, 60, 90), "reached on day 60")


def test_assess_endpoint__fifty_exactly_divides_the_two_definitions() -> None:
    """50/µL is enough for ≥ 50 once, never for > 50 twice."""
    assert states({60: 50, 75: 50, 95: 50}, ONCE)["day"] == 60
    assert states({60: 50, 75: 50, 95: 50}, TWICE)["state"] == "not_reached"


def test_assess_endpoint__a_fall_between_breaks_the_run() -> None:
    """Above, below, above is not twice in a row."""
    assert states({40: 60, 60: 40, 95: 60})["text"] == "not reached by day 100"


def test_assess_endpoint__days_beyond_the_limit_do_not_count() -> None:
    """A second measurement on day 101 is too late, on day 100 in time."""
    assert states({75: 60, 101: 60})["state"] == "undetermined"
    assert states({75: 60, 100: 60})["day"] == 100


def test_assess_endpoint__too_few_samples_are_undetermined() -> None:
    """Nothing measured near the end of the time says nothing about it."""
    found = states({20: 10, 40: 20})
    assert (found["state"], found["text"]) == (
        "undetermined",
        "undetermined: 2 samples within 100 days do not decide it",
    )
    assert pd.isna(found["day"])
    assert states({90: 10})["state"] == "undetermined"
    assert states({90: 10}, ONCE)["state"] == "not_reached"


def test_assess_endpoint__a_failed_tube_is_no_measurement() -> None:
    """A failed or not measured sample does not stand between two consecutive measurements."""
    assert states({60: 60, 75: "failed", 90: 60})["day"] == 90
    assert states({60: 60, 75: "failed", 90: 60})["left_out"] == (75,)


def test_assess_endpoint__a_sample_under_review_is_taken_both_ways() -> None:
    """Reached is what is reached either way; where it is not, the endpoint is undetermined."""
    assert states({60: 60, 90: "review"})["state"] == "undetermined"
    found = states({40: 60, 60: "review", 75: 60, 90: 60})
    assert (found["state"], found["day"], found["earliest_day"]) == ("reached", 90, 60)
    assert found["text"] == "reached by day 90, perhaps on day 60"


def test_assess_endpoint__below_lloq_decides_only_below_the_threshold() -> None:
    """Below an LLOQ of 0.5/µL is not above 50; below one of 100/µL says nothing about 50."""
    low = concentration_series(samples_of(cd4_rows("P", {60: 0.1, 90: 0.2})))
    high = concentration_series(samples_of(cd4_rows("P", {60: 40, 90: 40}, events=500)))
    assert set(high.loc[high["population"] == "CD4 T cells", "censor"]) == {"left"}
    assert assess_endpoint(low, TWICE)["state"].tolist() == ["not_reached"]
    assert assess_endpoint(high, TWICE)["state"].tolist() == ["undetermined"]


def test_assess_endpoint__death_ends_the_time() -> None:
    """After death nothing is reached: not reached by the day of death, if sampled until then."""
    assert states({20: 5, 40: 10}, ended=50)["text"] == "not reached by day 50"
    assert states({20: 5}, ended=90)["state"] == "undetermined"


def test_assess_endpoint__infused_nk_cells_do_not_reach_it() -> None:
    """High NK counts on days with infused cells are left out; the patient's own later ones count."""
    people = patients(3)
    series = concentration_series(blood(people))
    for row in assess_endpoint(series, "nk").to_dict("records"):
        assert not {5, 14, 21, 28} & set(row["used"])
        assert {5, 14, 21, 28} <= set(row["left_out"])
        assert row["state"] != "reached" or row["day"] > 33


def truth_of(person: Patient, days: list[int], endpoint: Endpoint) -> tuple[str, int | None]:
    """State and day from the concentrations that were drawn, written anew."""
    inside = [day for day in days if 1 <= day <= endpoint.within]
    if endpoint.exclude_confounded:
        inside = [day for day in inside if not 5 <= day <= 33]
    values = [true_cells(person, day)[endpoint.population] for day in inside]
    above = [value > endpoint.threshold if endpoint.strict else value >= endpoint.threshold for value in values]
    if endpoint.consecutive == 1:
        reached = [day for day, yes in zip(inside, above, strict=True) if yes]
    else:
        reached = [second[0] for first, second in pairwise(zip(inside, above, strict=True)) if first[1] and second[1]]
    if reached:
        return "reached", reached[0]
    if inside and inside[-1] >= endpoint.within - endpoint.last_gap and len(inside) >= endpoint.consecutive:
        return "not_reached", endpoint.within
    return "undetermined", None


@pytest.mark.parametrize("name", [TWICE, ONCE, "nk", "cd19", "alc_day30"])
def test_assess_endpoint__right_for_every_simulated_patient(name: str) -> None:
    """150 patients with irregular visits: state and day are those of the truth, day to day."""
    people, endpoint = patients(150), parse_endpoint(name)
    series = concentration_series(blood(people, irregular_days))
    found = assess_endpoint(series, endpoint)
    got = [(row["state"], None if pd.isna(row["day"]) else row["day"]) for row in found.to_dict("records")]
    assert got == [truth_of(person, irregular_days(person), endpoint) for person in people]
    assert len({state for state, _ in got}) >= 2


@pytest.mark.parametrize("name", [TWICE, ONCE])
def test_assess_endpoint__where_noise_decides_the_sample_is_borderline(name: str) -> None:
    """With 20,000 leukocytes a tube, whoever differs from the truth has a day marked as borderline, bar the 5 %."""
    people = patients(150)
    exact = assess_endpoint(concentration_series(blood(people, irregular_days)), name)
    noisy = assess_endpoint(concentration_series(blood(people, irregular_days, events=20_000, seed=1)), name)
    differs = (exact["state"] != noisy["state"]) | (exact["day"].fillna(-1) != noisy["day"].fillna(-1))
    unmarked = sum(not days for days in noisy.loc[differs, "borderline"])
    assert 0 < differs.sum() < 30
    assert unmarked <= 0.05 * len(people)


def test_parse_endpoint__parameters_and_errors() -> None:
    """Thresholds are parameters; an unknown name, parameter, population or a senseless value is an error."""
    assert parse_endpoint("nk", threshold=40, within=60).words == "NK cells ≥ 40/µL once within 60 days"
    assert parse_endpoint("alc_day30").words == "Lymphocytes > 450/µL once on days 23 to 37"
    assert parse_endpoint(TWICE).words == "CD4 T cells > 50/µL twice in a row within 100 days"
    with pytest.raises(CountError, match="endpoint cd4: is not known; expected cd4ir_vanroessel2020"):
        parse_endpoint("cd4")
    with pytest.raises(CountError, match=r"has no such parameter; expected name, .*got treshold"):
        parse_endpoint("nk", treshold=4)
    with pytest.raises(CountError, match="endpoint nk: is no endpoint"):
        parse_endpoint("nk", within=0)
    series = concentration_series(samples_of(cd4_rows("P", {30: 1})))
    with pytest.raises(CountError, match=r"needs a population the series lacks.*got T4.*parse_endpoint"):
        assess_endpoint(series, parse_endpoint(TWICE, population="T4"))


def test_assess_endpoint__through_files_gating_and_a_study(tmp_path: Path) -> None:
    """Simulated FCS files, gated into a study: each endpoint is that of the cells in the tubes."""
    from cytorecon.interchange import load_template
    from cytorecon.sheet import read_sheet
    from cytorecon.simulate import simulate_cohort
    from cytorecon.simulate.answers import read_answers
    from cytorecon.study import open_study, read_samples, run

    days = (28, 45, 60, 75, 95)
    simulate_cohort(tmp_path, 4, seed=7, events=20_000, blood_days=days, marrow_days=(), products=False)
    study = open_study(tmp_path / "study.recon")
    run(read_sheet(tmp_path / "tbnk.csv"), load_template("tbnk"), study)
    samples = read_samples(study, "tbnk")
    series = concentration_series(samples)
    cells = {
        (answer.file, answer.population): answer.cells_per_ul for answer in read_answers(tmp_path / "truth.csv")
    }  # fmt: skip
    drawn = {
        (str(row["patient"]), int(row["day"])): cells[str(row["file"]), "CD4 T cells"]
        for row in samples[["patient", "day", "file"]].to_dataframe().reset_index().to_dict("records")
    }
    found = assess_endpoint(series, ONCE)
    for row in found.to_dict("records"):
        own = sorted((day, value) for (who, day), value in drawn.items() if who == row["patient"] and day <= 100)
        reached = [day for day, value in own if (value or 0) >= 50]
        expected = ("reached", reached[0]) if reached else ("not_reached", 100)
        assert (row["state"], row["day"]) == expected
