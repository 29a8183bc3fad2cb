"""From files to objectives: simulated FCS files, a study, an outcome table, and every objective answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cytorecon.interchange import load_template
from cytorecon.sheet import read_sheet
from cytorecon.simulate import read_answers, simulate_cohort
from cytorecon.study import open_study, run
from cytorecon.trial import read_outcomes, read_protocol, study_cubes, trial_result

from .outcome_tables import write_outcomes


def test_study_cubes__of_an_empty_study(tmp_path: Path) -> None:
    """Templates without results are no cube, not an error."""
    assert study_cubes(open_study(tmp_path / "study.recon")) == (None, {})


def test_trial_result__from_files(tmp_path: Path) -> None:
    """Marrow counts of the files lead to the conversions that the simulated leukaemia had."""
    simulate_cohort(
        tmp_path, 3, seed=5, events=4_000, marrow_events=60_000, blood_days=(28, 60, 100), marrow_days=(-21, 28),
        mrd_fractions=(2e-2, 2e-2, 2e-2), products=False,
    )  # fmt: skip
    study = open_study(tmp_path / "study.recon")
    for name in ("tbnk", "mrd_aml", "mrd_t_all", "mrd_mpal"):
        run(read_sheet(tmp_path / f"{name}.csv"), load_template(name), study)
    blood, marrow = study_cubes(study)
    assert set(marrow) == {"aml", "t_all", "mpal"}
    result = trial_result(read_outcomes(write_outcomes(tmp_path)), read_protocol(), blood, marrow)
    truth = {
        answer.file: answer for answer in read_answers(tmp_path / "truth.csv") if answer.mrd_fraction is not None
    }  # fmt: skip
    found = result["response"].tables["mrd"].set_index("patient")
    for patient, disease in (("SIM-001", "aml"), ("SIM-002", "t_all"), ("SIM-003", "mpal")):
        before = truth[f"fcs/{patient}_marrow_mrd_{disease}_d-021.fcs"]
        row = found.loc[patient]
        assert (row["before_day"], row["after_day"], row["before_call"]) == (-21, 28, "above")
        assert abs(row["before_events"] - before.event_count) <= 0.05 * before.event_count
        assert row["kind"] == "at_most"
    assert set(result["reconstitution"].tables["endpoints"]["patient"]) == {"SIM-001", "SIM-002", "SIM-003"}
    assert any(line.startswith("without any blood sample") for line in result["reconstitution"].lines)


def test_docs__the_example_of_reconstitution_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first block of docs/reconstitution.md, as it stands, on a small simulated study."""
    simulate_cohort(tmp_path, 1, events=3_000, blood_days=(28, 60, 100), marrow_days=(), products=False)
    run(read_sheet(tmp_path / "tbnk.csv"), load_template("tbnk"), open_study(tmp_path / "study.recon"))
    write_outcomes(tmp_path)
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "reconstitution.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert names["result"]["safety"].lines
    assert len(names["reached"]) == 1
