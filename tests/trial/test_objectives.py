"""The trial's objectives on a simulated cohort of 15, each figure against one written out here."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import xarray as xr
from blood_cohorts import blood, patients

from cytorecon.errors import ProtocolError
from cytorecon.mrd import mrd_call
from cytorecon.trial import TrialResult, read_outcomes, read_protocol, trial_mapping, trial_result
from cytorecon.trial.impact import nk_given_groups, recovery_groups
from cytorecon.trial.response import log_change, log_ratio_interval
from cytorecon.trial.survival import groups_of, incidence_table, landmark, survival_table

from .outcome_tables import marrow, write_outcomes, write_rows

PROTOCOL = read_protocol()
# Patient -> leukaemic events of nucleated cells before (day -21) and after (day 28).
MARROWS = {
    "aml": {"SIM-001": {-21: (600, 10**6), 28: (0, 10**6)}, "SIM-004": {-21: (600, 10**6)},
            "SIM-007": {-21: (5_000, 10**6), 28: (3_000, 10**6)}, "SIM-010": {-21: (600, 10**6), 28: (0, 50_000)},
            "SIM-013": {-21: (2, 10**6), 28: (0, 10**6)}},
    "t_all": {"SIM-002": {-21: (9_000, 10**6), 28: (300, 10**6)}, "SIM-005": {-30: (1, 10**6), -21: (9_000, 10**6),
                                                                              100: (0, 10**6)}},
    "mpal": {},
}  # fmt: skip


def raw(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def day(text: str) -> float:
    return float(text) if text else math.inf


def kaplan_meier(people: Sequence[tuple[float, str]], when: float) -> float:
    """Event-free survival on a day, in exact fractions."""
    free = Fraction(1)
    for each in sorted({time for time, event in people if event and time <= when}):
        at_risk = sum(time >= each for time, _ in people)
        free *= 1 - Fraction(sum(time == each and event != "" for time, event in people), at_risk)
    return float(free)


def aalen_johansen(people: Sequence[tuple[float, str]], cause: str, when: float) -> float:
    """Cumulative incidence of a cause on a day, in exact fractions."""
    free, reached = Fraction(1), Fraction(0)
    for each in sorted({time for time, event in people if event and time <= when}):
        at_risk = sum(time >= each for time, _ in people)
        events = [event for time, event in people if time == each and event]
        reached += free * Fraction(events.count(cause), at_risk)
        free *= 1 - Fraction(len(events), at_risk)
    return float(reached)


def first(row: dict[str, str], events: dict[str, str]) -> tuple[float, str]:
    """Day and name of the first of some columns' events; on one day the first named."""
    found = [(day(row[column]), name) for column, name in events.items() if row[column]]
    earliest = min((time for time, _ in found), default=math.inf)
    names = [name for time, name in found if time == earliest]
    return (earliest, names[0]) if names else (float(row["last_follow_up_day"]), "")


EVENTS: dict[str, dict[str, str]] = {
    "relapse": {"relapse_day": "relapse", "death_day": "non_relapse_mortality"},
    "non_relapse_mortality": {"relapse_day": "relapse", "death_day": "non_relapse_mortality"},
    "acute_gvhd_2_4": {"acute_gvhd_day": "acute_gvhd_2_4", "relapse_day": "relapse", "death_day": "death"},
    "chronic_gvhd": {"chronic_gvhd_day": "chronic_gvhd", "relapse_day": "relapse", "death_day": "death"},
    "neutrophil_engraftment": {"neutrophil_engraftment_day": "neutrophil_engraftment", "graft_failure_day": "failure",
                               "second_transplant_day": "second", "death_day": "death"},
    "platelet_engraftment": {"platelet_engraftment_day": "platelet_engraftment", "graft_failure_day": "failure",
                             "second_transplant_day": "second", "death_day": "death"},
}  # fmt: skip


def members(rows: list[dict[str, str]], group: str) -> list[dict[str, str]]:
    transplanted = [row for row in rows if row["transplanted"] == "yes"]
    return [row for row in transplanted if group == "all levels" or group == f"level {row['level']}"]


@pytest.mark.parametrize("seed", range(12))
def test_survival_table__equals_a_computation_by_hand(tmp_path: Path, seed: int) -> None:
    """Overall and event-free survival by level, on every day told, to 1e-9, in a dozen cohorts."""
    path = write_outcomes(tmp_path, seed=seed)
    rows = raw(path)
    table = survival_table(groups_of(read_outcomes(path)))
    columns = {"overall_survival": {"death_day": "x"}, "event_free_survival": {"relapse_day": "x", "death_day": "x"}}
    assert len(table) == 2 * 4 * 3
    for told in table.to_dict("records"):
        people = [first(row, columns[told["outcome"]]) for row in members(rows, told["group"])]
        if told["at_risk"]:
            assert told["value"] == pytest.approx(kaplan_meier(people, told["day"]), abs=1e-9)
            assert told["low"] <= told["value"] <= told["high"]
        else:
            assert np.isnan(told["value"]) or kaplan_meier(people, told["day"]) == 0
        assert told["count"] == len(people)
        assert told["at_risk"] == sum(time >= told["day"] for time, _ in people)


@pytest.mark.parametrize("seed", range(12))
def test_incidence_table__equals_a_computation_by_hand(tmp_path: Path, seed: int) -> None:
    """Relapse, non-relapse mortality, GVHD and engraftment with their competing events, to 1e-9."""
    path = write_outcomes(tmp_path, seed=seed)
    rows = raw(path)
    table = incidence_table(groups_of(read_outcomes(path)))
    assert set(table["outcome"]) == set(EVENTS)
    for told in table[table["value"].notna()].to_dict("records"):
        people = [first(row, EVENTS[told["outcome"]]) for row in members(rows, told["group"])]
        assert told["value"] == pytest.approx(aalen_johansen(people, told["outcome"], told["day"]), abs=1e-9)
        assert told["events"] == sum(time <= told["day"] and event == told["outcome"] for time, event in people)


def test_landmark__only_those_at_risk_enter(tmp_path: Path) -> None:
    """Who relapsed, died or was lost up to the landmark is in no group; survival counts from it on, by hand."""
    path = write_outcomes(tmp_path, seed=4)
    rows, outcomes = raw(path), read_outcomes(path)
    entered = [
        row for row in members(rows, "all levels")
        if min(day(row["relapse_day"]), day(row["death_day"]), float(row["last_follow_up_day"])) > 100
    ]  # fmt: skip
    by = {row["patient"]: "odd" if int(row["patient"][-1]) % 2 else "even" for row in rows}
    table = landmark(outcomes, by, 100)
    assert table.attrs["entered"] == len(entered) < 14
    assert set(table["day"]) == {365, 730}
    for told in table[table["value"].notna() & (table["outcome"] == "overall_survival")].to_dict("records"):
        people = [first(row, {"death_day": "x"}) for row in entered if by[row["patient"]] == told["group"]]
        assert told["value"] == pytest.approx(kaplan_meier(people, told["day"]), abs=1e-9)


def test_landmark__of_nobody_is_empty(tmp_path: Path) -> None:
    """A landmark after all follow-up has no group."""
    assert landmark(read_outcomes(write_outcomes(tmp_path)), {}, 5000).empty


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrialResult:
    outcomes = read_outcomes(write_outcomes(tmp_path_factory.mktemp("trial")))
    cubes: dict[str, xr.Dataset] = {disease: marrow(counts) for disease, counts in MARROWS.items() if counts}
    return trial_result(outcomes, PROTOCOL, blood(patients(14)), cubes)


def test_trial_result__answers_every_objective(result: TrialResult) -> None:
    """Each objective of the record has lines, in an order; single arm and research use are said; no p-value is."""
    names = [objective.name for objective in result.objectives]
    assert names == ["populations", "feasibility", "safety", "response", "reconstitution", "outcomes", "strata",
                     "landmarks", "follow_up"]  # fmt: skip
    assert all(objective.lines for objective in result.objectives)
    text = "\n".join(result.lines)
    for words in ("Single arm", "association", "Research use only", "a small number of patients", "not in the trial"):
        assert words in text
    assert "p =" not in text
    assert "p-value" not in text


def test_trial_mapping__is_json_without_nan(result: TrialResult) -> None:
    """The whole result is one JSON document; what cannot be estimated is null."""
    text = json.dumps(trial_mapping(result), allow_nan=False)
    back = json.loads(text)
    assert back["escalation"]["decision"] == "mtd_not_reached"
    survival = back["objectives"]["outcomes"]["tables"]["survival"]
    assert any(row["value"] is None for row in survival)


def test_trial_result__populations(result: TrialResult) -> None:
    """15 enrolled and infused, 14 transplanted, 12 with both infusions, 12 evaluable for toxicity."""
    table = result["populations"].tables["populations"]
    own = table[table["group"] == "all levels"].set_index("population")["count"].to_dict()
    assert own == {"enrolled": 15, "infused": 15, "both_infusions": 12, "transplanted": 14, "dlt_evaluable": 12}


def test_trial_result__feasibility_with_exact_intervals(result: TrialResult) -> None:
    """Both infusions in 12 of 15: Clopper–Pearson 51.9 to 95.7 %; planned doses are two thirds and one third."""
    table = result["feasibility"].tables["feasibility"].set_index(["measure", "group"])
    both = table.loc[("all_infusions_given", "all levels")]
    assert (both["count"], both["total"]) == (12, 15)
    assert (both["low"], both["high"]) == (pytest.approx(0.5191, abs=1e-4), pytest.approx(0.9567, abs=1e-4))
    doses = result["feasibility"].tables["doses"]
    own = doses[doses["patient"] == "SIM-005"]["planned"].tolist()
    assert own == [pytest.approx(40 / 3), pytest.approx(20 / 3)]


def test_trial_result__safety_by_level(result: TrialResult) -> None:
    """0/3, 0/3 and 1/6 toxicities; one early death counts in safety though not transplanted."""
    toxicity = result["safety"].tables["toxicity"].set_index("group")
    assert toxicity[["count", "total"]].values.tolist() == [[0, 0], [0, 3], [0, 3], [1, 6]]
    deaths = result["safety"].tables["early_deaths"].set_index(["measure", "group"])
    assert deaths.loc[("death_up_to_day_0", "all levels"), "count"] == 1
    assert any("mtd not reached (level 3)" in line for line in result["safety"].lines)


def test_trial_result__short_term_response(result: TrialResult) -> None:
    """Each pair of marrows: log change or a bound, conversion, or why there is none."""
    table = result["response"].tables["mrd"].set_index("patient")
    said = table[["kind", "conversion"]].apply(tuple, axis=1).to_dict()
    assert said == {
        "SIM-001": ("at_most", "converted"),
        "SIM-002": ("estimate", "converted"),
        "SIM-003": ("not_evaluable", "not_evaluable"),
        "SIM-004": ("not_evaluable", "not_evaluable"),
        "SIM-005": ("not_evaluable", "not_evaluable"),
        "SIM-006": ("not_evaluable", "not_evaluable"),
        "SIM-007": ("estimate", "not_converted"),
        "SIM-008": ("not_evaluable", "not_evaluable"),
        "SIM-009": ("not_evaluable", "not_evaluable"),
        "SIM-010": ("at_most", "not_evaluable"),
        "SIM-011": ("not_evaluable", "not_evaluable"),
        "SIM-012": ("not_evaluable", "not_evaluable"),
        "SIM-013": ("not_evaluable", "not_above_before"),
        "SIM-014": ("not_evaluable", "not_evaluable"),
        "SIM-015": ("not_evaluable", "not_evaluable"),
    }
    assert table.loc["SIM-002", "log10_change"] == pytest.approx(math.log10(300 / 9_000))
    assert table.loc["SIM-001", "log10_change"] == pytest.approx(math.log10(20 / 600))
    assert table.loc["SIM-001", "low"] == -math.inf
    assert table.loc["SIM-005", "reason"] == "no marrow after the infusions on days +14..+60"
    assert table.loc["SIM-005", "before_day"] == -21
    assert table.loc["SIM-003", "reason"] == "no marrow of the patient in the study"
    conversion = result["response"].tables["conversion"].iloc[0]
    own = [conversion[name] for name in ("count", "total", "not_evaluable", "not_above_before")]
    assert own == [2, 3, 11, 1]


def test_trial_result__morphology_of_the_chemorefractory(tmp_path: Path) -> None:
    """Remission counts among those assessed; who was not assessed is counted apart."""
    path = write_outcomes(tmp_path, {"morphology_after": "no_response"})
    rows = [row for row in raw(path) if row["disease_status"] != "mrd_persistence"]
    assessed = [row for row in rows if row["morphology_after"] != "not_assessed"]
    remitted = [row for row in assessed if row["morphology_after"] in ("cr", "cri")]
    table = trial_result(read_outcomes(path), PROTOCOL)["response"].tables["morphology"].iloc[0]
    assert (table["count"], table["total"]) == (len(remitted), len(assessed))
    assert table["not_assessed"] == len(rows) - len(assessed) > 0


def test_trial_result__reconstitution_by_level_and_by_nk_given(result: TrialResult, tmp_path: Path) -> None:
    """Medians by assigned level from day 1 on; by NK dose given only after the landmark."""
    tables = result["reconstitution"].tables
    assert set(tables["subsets_by_level"]["group"]) == {"level 1", "level 2", "level 3"}
    assert tables["subsets_by_level"]["timepoint"].min() == 30
    assert (tables["subsets_by_nk_given"]["first_day"] > 28).all()
    given = nk_given_groups(read_outcomes(write_outcomes(tmp_path)))
    doses = {row["patient"]: sum(float(row[f"nk_given_{n}_e6_per_kg"] or 0) for n in (1, 2))
             for row in raw(tmp_path / "outcomes.csv")}  # fmt: skip
    middle = median(doses[patient] for patient in given)
    assert {patient: "≤" in group for patient, group in given.items()} == {
        patient: doses[patient] <= middle for patient in given
    }
    endpoints = tables["endpoint_incidence"]
    assert {"cd4ir_vanroessel2020", "cd4ir_dekoning2021", "nk", "cd19", "alc_day30"} == set(endpoints["endpoint"])


def test_trial_result__landmark_by_recovery(result: TrialResult) -> None:
    """Survival after day 100 by CD4 and NK recovery, as known on that day."""
    tables = result["landmarks"].tables
    assert set(tables) == {"nk_given", "cd4ir_vanroessel2020", "cd4ir_dekoning2021", "nk"}
    groups = set(tables["cd4ir_dekoning2021"]["group"])
    assert groups <= {f"cd4ir_dekoning2021 {state}" for state in ("reached", "not reached", "undetermined")} | {
        "not stated"
    }
    assert (tables["cd4ir_dekoning2021"]["day"] > 100).all()


def test_recovery_groups__nothing_after_the_landmark_is_used(tmp_path: Path) -> None:
    """CD4 reached on day 99 does not count at a landmark on day 60."""
    from cytorecon.trial.impact import blood_series

    outcomes = read_outcomes(write_outcomes(tmp_path))
    people = patients(14)
    series = blood_series(outcomes, blood(people))
    early = blood_series(outcomes, blood(people, days=(14, 21, 28, 45, 60)))
    assert recovery_groups(series, outcomes, "cd4ir_dekoning2021", 60) == recovery_groups(
        early, outcomes, "cd4ir_dekoning2021", 60
    )


def test_trial_result__follow_up(tmp_path: Path) -> None:
    """A patient lost at half of the possible time lowers completeness by hand's figure."""
    path = write_outcomes(tmp_path)
    whole = trial_result(read_outcomes(path), PROTOCOL)["follow_up"].tables["follow_up"].iloc[0]
    assert (whole["count"], whole["completeness"]) == (14, 1)
    rows = raw(path)
    possible = [
        min(730, int(row["potential_follow_up_day"]), *([int(row["death_day"])] if row["death_day"] else []))
        for row in rows if row["transplanted"] == "yes"
    ]  # fmt: skip
    lost = next(row for row in rows if row["patient"] == "SIM-015")
    changes = {"last_follow_up_day": 40, **{name: "" for name in lost if lost[name] and name.endswith("_day")
               and "follow_up" not in name and "infusion" not in name and float(lost[name]) > 40}}  # fmt: skip
    changes |= {"acute_gvhd_grade": ""} if "acute_gvhd_day" in changes else {}
    path = write_outcomes(tmp_path, changes, row=16)
    found = trial_result(read_outcomes(path), PROTOCOL)["follow_up"].tables["follow_up"].iloc[0]
    assert found["completeness"] == pytest.approx((sum(possible) - (130 - 40)) / sum(possible))


def test_trial_result__without_blood_and_marrow_says_so(tmp_path: Path) -> None:
    """What a study does not hold is not evaluable, in words."""
    text = "\n".join(trial_result(read_outcomes(write_outcomes(tmp_path)), PROTOCOL).lines)
    assert "not evaluable: no blood of these patients in the study" in text
    assert "MRD change not evaluable: no marrow of the patient in the study" in text


def test_trial_result__nobody_transplanted(tmp_path: Path) -> None:
    """A trial whose only patient died before day 0 has safety, and no transplant outcome: said, not computed."""
    path = write_outcomes(tmp_path)
    write_rows(path, [row for row in raw(path) if row["transplanted"] == "no"])
    result = trial_result(read_outcomes(path), PROTOCOL)
    text = "\n".join(result.lines)
    assert "death up to day 0, all levels: 1 of 1" in text
    assert "all levels: nobody was transplanted" in text
    assert "overall survival, all levels (n = 0), day 365: not estimable" in text
    assert "nan" not in text
    json.dumps(trial_mapping(result), allow_nan=False)


def test_trial_result__unknown_level(tmp_path: Path) -> None:
    """A level that the protocol does not have is an error."""
    outcomes = read_outcomes(write_outcomes(tmp_path, {"level": "7"}))
    with pytest.raises(ProtocolError, match="has no such dose level"):
        trial_result(outcomes, PROTOCOL)


def test_trial_result__a_dose_that_is_not_stated_is_unknown(tmp_path: Path) -> None:
    """An infusion without its dose was given, but not as planned, and is counted as unknown."""
    outcomes = read_outcomes(write_outcomes(tmp_path, {"nk_given_1_e6_per_kg": ""}))
    result = trial_result(outcomes, PROTOCOL)
    table = result["feasibility"].tables["feasibility"].set_index(["measure", "group"])
    assert table.loc[("all_as_planned", "level 1"), "unknown"] == 1
    assert table.loc[("infusion_1_given", "level 1"), "count"] == 4
    assert outcomes[0].nk_given is None
    assert "SIM-001" not in nk_given_groups(outcomes)


@pytest.mark.parametrize(
    ("before", "after", "kind", "value"),
    [((600, 10**6), (60, 10**6), "estimate", -1), ((600, 10**6), (0, 10**6), "at_most", math.log10(20 / 600)),
     ((0, 10**6), (2_000, 10**6), "at_least", 2), ((5, 10**6), (4, 10**6), "not_evaluable", math.nan),
     ((600, 10**6), (0, 0), "not_evaluable", math.nan)],
)  # fmt: skip
def test_log_change__a_value_below_its_lod_is_a_bound(
    before: tuple[int, int], after: tuple[int, int], kind: str, value: float
) -> None:
    """An estimate where both are detected, a bound where one is not, nothing where neither is."""
    found = log_change(*(mrd_call(*counts, "aml", "nucleated") for counts in (before, after)))
    assert found.kind == kind
    assert found.value == pytest.approx(value, nan_ok=True)


def test_log_ratio_interval__covers_the_true_ratio() -> None:
    """Of 2,000 pairs of Poisson counts at least 95 % of the intervals hold the truth."""
    rng = np.random.default_rng(2)
    truth, held = math.log10(0.1), 0
    for one, two in zip(rng.poisson(300, 2000), rng.poisson(15, 2000), strict=True):
        low, high = log_ratio_interval((int(one), 10**6), (int(two), 500_000))
        held += low <= truth <= high
    assert held / 2000 >= 0.95


def test_groups_of__any_column(tmp_path: Path) -> None:
    """Strata by a column of the table, or by one that begins with x_."""
    outcomes = read_outcomes(write_outcomes(tmp_path))
    assert set(groups_of(outcomes, "donor")) == {"donor haploidentical", "donor matched_related"}
    assert list(groups_of(outcomes, "site")) == ["site simulated"]
    assert list(groups_of(outcomes, "nothing")) == ["nothing not stated"]
