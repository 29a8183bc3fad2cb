"""The outcome table: what is read, and what is refused, by row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.errors import ProtocolError
from cytorecon.trial import read_outcomes
from cytorecon.trial.outcomes import COLUMNS, REQUIRED_COLUMNS

from .outcome_tables import write_outcomes


def test_read_outcomes__of_a_simulated_cohort(tmp_path: Path) -> None:
    """Fifteen patients, every column typed, empty events not happened."""
    outcomes = read_outcomes(write_outcomes(tmp_path))
    first = outcomes[0]
    assert (len(outcomes), first.patient, first.level, first.infusion_1_day) == (15, "SIM-001", 1, -12)
    assert (first.extra, first.row, outcomes[3].transplanted) == ({"site": "simulated"}, 2, False)
    assert set(REQUIRED_COLUMNS) <= set(COLUMNS)


@pytest.mark.parametrize("seed", range(40))
def test_read_outcomes__simulated_tables_are_consistent(tmp_path: Path, seed: int) -> None:
    """Whatever the seed, the simulator writes a table without contradictions."""
    assert len(read_outcomes(write_outcomes(tmp_path, seed=seed))) == 15


def test_read_outcomes__semicolons_decimal_commas_and_words(tmp_path: Path) -> None:
    """A table as a European spreadsheet writes it is the same table."""
    path = write_outcomes(tmp_path, {"nk_given_1_e6_per_kg": "6.5", "donor": "Matched Related"})
    expected = read_outcomes(path)
    text = path.read_text(encoding="utf-8").replace(",", ";").replace("6.5", "6,5")
    path.write_text("\ufeff" + text, encoding="utf-8")
    assert read_outcomes(path) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": "one"}, r"row 2, column level: .*valid integer.*got 'one'"),
        ({"disease": "all"}, r"row 2, column disease: is none of the accepted values; expected 'aml', 't_all' or"),
        ({"relapse_day": "day 30"}, r"row 2, column relapse_day: is no day: write a whole number"),
        ({"transplanted": "maybe"}, r"row 2, column transplanted: is neither yes nor no.*got 'maybe'"),
        ({"nk_given_1_e6_per_kg": "6666667"}, r"column nk_given_1_e6_per_kg: .*less than or equal.*10⁶ cells/kg"),
        ({"nk_given_1_e6_per_kg": "1,234"}, r"column nk_given_1_e6_per_kg: may be a decimal or a thousand"),
        ({"acute_gvhd_grade": "5"}, r"column acute_gvhd_grade: .*less than or equal to 4"),
        ({"last_follow_up_day": ""}, r"column last_follow_up_day: .*valid integer"),
        ({"dlt_window_open": ""}, r"column dlt_window_open: .*valid boolean"),
        ({"relapse_day": "900"}, r"column relapse_day: lies after the last follow-up on day"),
        ({"death_day": "100"}, r"column last_follow_up_day: is not the day of death, 100"),
        ({"neutrophil_engraftment_day": "-3"}, r"column neutrophil_engraftment_day: is before day 0"),
        ({"relapse_day": "-3"}, r"column relapse_day: is before day 0"),
        ({"infusion_1_day": ""}, r"column infusion_1_day: is empty, but a dose was given"),
        ({"infusion_2_day": "-12"}, r"column infusion_2_day: is not after the first infusion on day -12"),
        ({"dlt": "yes"}, r"column dlt_day: goes with dlt = yes"),
        ({"dlt": "yes", "dlt_day": "3", "dlt_evaluable": "no"}, r"column dlt_evaluable: is no, but a dose-limiting"),
        ({"dlt": ""}, r"column dlt: or dlt_evaluable is empty although the observation window has passed"),
        ({"acute_gvhd_grade": "3", "acute_gvhd_day": ""}, r"column acute_gvhd_day: is the onset of grade II"),
        ({"patient": "SIM-002"}, r"row 3, column patient: is the patient of row 2 again"),
        ({"level": "x", "disease": "y"}, r"column level: .*\(1 more faults\)"),
    ],
)
def test_read_outcomes__names_row_and_column(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    """A wrong cell or a contradiction is refused where it stands."""
    with pytest.raises(ProtocolError, match=message):
        read_outcomes(write_outcomes(tmp_path, changes))


def test_read_outcomes__not_transplanted_has_no_transplant_outcome(tmp_path: Path) -> None:
    """Engraftment of a patient without day 0 is a contradiction; so is day 0 after the last follow-up."""
    with pytest.raises(ProtocolError, match="row 5, column chronic_gvhd_day: is before day 0, or the patient was not"):
        read_outcomes(write_outcomes(tmp_path, {"chronic_gvhd_day": "-6"}, row=5))
    with pytest.raises(ProtocolError, match="row 5, column transplanted: is yes, but follow-up ended before day 0"):
        read_outcomes(write_outcomes(tmp_path, {"transplanted": "yes"}, row=5))


def test_read_outcomes__a_dlt_needs_an_infusion(tmp_path: Path) -> None:
    """Nothing infused, nothing that the infusion could have caused."""
    none = {"infusion_1_day": "", "infusion_2_day": "", "nk_given_1_e6_per_kg": "", "nk_given_2_e6_per_kg": ""}
    with pytest.raises(ProtocolError, match="column dlt: is yes, but nothing was infused"):
        read_outcomes(write_outcomes(tmp_path, {**none, "dlt": "yes", "dlt_day": "4"}))


def test_read_outcomes__a_missing_column_is_not_a_missing_event(tmp_path: Path) -> None:
    """Without its column relapse would silently never have happened: an error; so is a misspelt column."""
    path = write_outcomes(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("relapse_day", "x_relapse", 1), encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"row 1: lacks the column relapse_day.*a missing column is not a missing"):
        read_outcomes(path)
    path.write_text(text.replace("x_site", "site", 1), encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"row 1: has the unknown column 'site'.*begin its name with x_"):
        read_outcomes(path)
    path.write_text(text.replace("x_site", "patient", 1), encoding="utf-8")
    with pytest.raises(ProtocolError, match="has the column patient twice"):
        read_outcomes(path)


def test_read_outcomes__what_is_no_table(tmp_path: Path) -> None:
    """A missing file, one without rows, a row with other cells, and one that is not UTF-8."""
    with pytest.raises(ProtocolError, match="cannot be read as UTF-8 text"):
        read_outcomes(tmp_path / "absent.csv")
    path = write_outcomes(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.partition("\n")[0] + "\n", encoding="utf-8")
    with pytest.raises(ProtocolError, match="holds no patient"):
        read_outcomes(path)
    path.write_text(text + "SIM-099,1\n", encoding="utf-8")
    with pytest.raises(ProtocolError, match="row 17: has another number of cells; expected 3"):
        read_outcomes(path)
