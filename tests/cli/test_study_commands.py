"""The commands around a study: simulate, run, inspect, export, history and demo, as a person would use them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cytorecon.cli import cytorecon
from cytorecon.export import write_csv
from cytorecon.simulate.outcomes import simulate_outcomes

FEW = ("--patients", "1", "--events", "2000", "--marrow-events", "3000")


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cytorecon, [str(word) for word in words])


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated cohort with one broken file, and the study it was run into."""
    folder = tmp_path_factory.mktemp("cohort")
    assert call("simulate", folder, *FEW, "--broken").exit_code == 0
    ran = call("run", folder / "tbnk.csv", "-t", "tbnk", "--into", folder / "study.recon", "--json")
    assert ran.exit_code == 1
    (folder / "first.json").write_text(ran.stdout, encoding="utf-8")
    return folder


def test_simulate__says_so_and_needs_an_empty_folder(cohort: Path) -> None:
    """Nothing is overwritten, and the files say that they are invented."""
    again = call("simulate", cohort, *FEW)
    assert again.exit_code == 2
    assert "is not an empty folder" in again.output
    assert b"SIMULATED" in next((cohort / "fcs").glob("*tbnk*")).read_bytes()[:4000].upper()


def test_run__goes_on_after_a_broken_file(cohort: Path) -> None:
    """One file fails with its reason and costs no other; a second run skips what is held."""
    first = json.loads((cohort / "first.json").read_text(encoding="utf-8"))
    rows = len((cohort / "tbnk.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert (rows - 1, 1) == (first["done"] + first["needs_review"], first["failed"])
    assert "cut off" in first["reasons"]["fcs/SIM-BROKEN.fcs"]
    second = call("run", cohort / "tbnk.csv", "-t", "tbnk", "--into", cohort / "study.recon")
    assert second.exit_code == 1
    assert f"held already, skipped {rows - 1:>6}".replace(" ", "") in second.stdout.replace(" ", "")
    assert "Research use only." in second.stderr


def test_run__names_row_and_column_of_a_wrong_sheet(tmp_path: Path) -> None:
    """A sheet that is wrong is an invalid input, and nothing is made."""
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("file,patient,day,specimen\na.fcs,P,x,blood\n", encoding="utf-8")
    program = [sys.executable, "-m", "cytorecon", "run", str(sheet), "-t", "tbnk", "--into", str(tmp_path / "s.recon")]
    ran = subprocess.run(program, capture_output=True, text=True)
    assert (3, "") == (ran.returncode, ran.stdout)
    assert "row 2" in ran.stderr
    assert "day" in ran.stderr
    assert not (tmp_path / "s.recon").exists()


def test_inspect__lists_a_study(cohort: Path) -> None:
    """A study shows its templates and how many samples stand."""
    shown = json.loads(call("inspect", cohort / "study.recon", "--json").stdout)
    assert ["tbnk"] == [one["name"] for one in shown["templates"]]
    assert 1 == shown["templates"][0]["failed"]


def test_export__one_row_a_sample_and_population_without_names(cohort: Path) -> None:
    """Counts are whole numbers or missing, patients are pseudonyms, and names come only when asked for."""
    table = list(csv.DictReader(StringIO(call("export", cohort / "study.recon", "-t", "tbnk").stdout)))
    assert all(row["patient"].startswith("P-") for row in table)
    assert not {"file", "comment"} & set(table[0])
    counted = [row for row in table if row["status"] == "counted"]
    assert counted
    assert all(row["event_count"].isdigit() for row in counted)
    assert all(row["event_count"] == "" for row in table if row["status"] in ("not_measured", "failed"))
    named = call("export", cohort / "study.recon", "-t", "tbnk", "--identifiers").stdout
    assert "SIM-001" in named


def test_write_csv__a_formula_stays_text() -> None:
    """A cell that a spreadsheet would run gets an apostrophe; a negative number does not."""
    import pandas as pd

    target = StringIO()
    write_csv(pd.DataFrame({"comment": ["=1+1", "@x", "fine"], "day": [-14, 0, 7]}), target)
    assert "comment,day\n'=1+1,-14\n'@x,0\nfine,7\n" == target.getvalue()


def test_export__to_a_reader_that_stops(cohort: Path) -> None:
    """A pipe that closes early is no failed sample, and a terminal without UTF-8 no fault."""
    command = f"{sys.executable} -m cytorecon export {cohort / 'study.recon'} -t tbnk"
    ran = subprocess.run(["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"], capture_output=True)
    assert 141 == ran.returncode
    assert b"Traceback" not in ran.stderr
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": os.environ["PATH"]}
    shown = subprocess.run([sys.executable, "-m", "cytorecon", "inspect", str(cohort / "study.recon")], env=plain)
    assert 0 == shown.returncode


def test_history__tells_what_was_recorded(cohort: Path) -> None:
    """Every sample has an entry; patients show as pseudonyms."""
    told = call("history", cohort / "study.recon", "--verify", "--json").stdout
    assert "SIM-001" not in told
    entries = json.loads(told)["entries"]
    assert {"patient", "gated"} <= {entry["kind"] for entry in entries}
    assert "SIM-001" in call("history", cohort / "study.recon", "--identifiers").stdout


def test_reconstitution__endpoints_without_names(cohort: Path) -> None:
    """Endpoints and quartiles of a cohort by pseudonym; one patient's series with its reference ranges by name."""
    told = call("reconstitution", cohort / "study.recon")
    assert "CD4 T cells > 50/µL twice in a row within 100 days" in told.stdout
    assert "SIM-001" not in told.output
    one = ("--patient", "SIM-001", "--reference", "shearer2003", "--age", "9", "--json")
    tables = json.loads(call("reconstitution", cohort / "study.recon", *one).stdout)["tables"]
    assert {"SIM-001"} == {row["patient"] for row in tables["series"]["rows"]}
    assert 2 == call("reconstitution", cohort / "study.recon", "--reference", "shearer2003").exit_code


def test_trial__every_objective(cohort: Path, tmp_path: Path) -> None:
    """All objectives answered, patients as pseudonyms."""
    outcomes = simulate_outcomes(tmp_path / "outcomes.csv", patients=15)
    told = call("trial", cohort / "study.recon", "--outcomes", outcomes)
    assert 0 == told.exit_code
    for title in ("Feasibility", "Safety", "Short-term response", "Impact on reconstitution", "Analysis populations"):
        assert title in told.stdout
    assert "SIM-001" not in told.output
    objectives = json.loads(call("trial", cohort / "study.recon", "--outcomes", outcomes, "--json").stdout)[
        "objectives"
    ]
    assert {"feasibility", "safety", "response", "reconstitution"} <= set(objectives)


def test_history__an_edited_ledger_is_an_integrity_failure(cohort: Path, tmp_path: Path) -> None:
    """A changed record ends with exit code 5 and the record's number."""
    study = tmp_path / "study.recon"
    shutil.copytree(cohort / "study.recon", study)
    with sqlite3.connect(study / "ledger.sqlite") as connection:
        (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'record_is_not_updated'").fetchone()
        connection.execute("DROP TRIGGER record_is_not_updated")
        connection.execute("UPDATE record SET body = replace(body, 'blood', 'bloop') WHERE sequence = 4")
        connection.execute(made)
    program = [sys.executable, "-m", "cytorecon", "history", str(study), "--verify"]
    ran = subprocess.run(program, capture_output=True, text=True)
    assert 5 == ran.returncode
    assert "record 4" in ran.stderr


def test_demo__prints_counts_beside_the_truth(tmp_path: Path) -> None:
    """The main job on a simulated cohort ends well, with the broken file named."""
    ran = call("demo", "--patients", "1", "--folder", tmp_path / "demo")
    assert 0 == ran.exit_code
    for words in ("Counted against the truth", "cells per µL by day", "Residual leukaemia", "SIM-BROKEN.fcs"):
        assert words in ran.stdout
    assert "Simulated data" in ran.stderr
