"""``cytorecon eligibility``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made import write_fcs

from cytorecon.sheet import read_sheet
from cytorecon.study import open_study
from cytorecon.study import run as run_study
from cytorecon.template import parse_template

from .conftest import EXAMPLES, Run, changed

# Nucleated, CD45+ and leukaemic cells by threshold, enough for a marrow of a study.
MARROW = parse_template(
    """
name = "mrd_aml"
version = "1.0.0"
compensation = "none"
[scales]
default = { type = "linear" }
[cutpoint.CD3]
at = 500.0
[[population]]
name = "Nucleated"
role = "nucleated"
gate = { type = "range", channels = ["FSC-A"], min = 100 }
[[population]]
name = "Leukaemic"
parent = "Nucleated"
role = "mrd"
phenotype = "CD3+"
"""
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Marrows of P01: day −60 full of leukaemia, day −21 with 100 in 20,000, day 28 with none."""
    rows = ["file,patient,day,specimen"]
    for day, leukaemic in ((-60, 5_000), (-21, 100), (28, 0)):
        write_fcs(tmp_path / f"marrow{day}.fcs", (20_000, leukaemic, 0, 0), 20_000)
        rows.append(f"marrow{day}.fcs,P01,{day},marrow")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join(rows) + "\n", encoding="utf-8")
    made = open_study(tmp_path / "study.recon")
    run_study(read_sheet(sheet), MARROW, made)
    return made.path


def rule(document: Any, name: str) -> dict[str, Any]:
    """The result of a criterion in the JSON document."""
    return next(each["result"] for each in document["criteria"] if each["result"]["id"] == name)


def test_eligibility__verdict_and_every_rule(run: Run) -> None:
    """The example is eligible; each criterion has its line, and a paragraph begins the page."""
    done = run("eligibility", EXAMPLES / "case.toml")
    assert (0, "Patient P01, NCT07256210: eligible.") == (done.code, done.out[:35])
    assert [1] * 11 == [done.out.count(f"\n I{number:<4}") for number in range(1, 12)]
    assert [1] * 7 == [done.out.count(f"\n E{number:<4}") for number in range(1, 8)]


def test_eligibility__json(run: Run) -> None:
    """The document holds the verdict, every criterion with evidence and dates, and lines to paste."""
    document = run("eligibility", EXAMPLES / "case.toml", "--json").document
    assert ("eligible", 19) == (document["verdict"], len(document["criteria"]))
    assert ("met", "2026-03-01") == (rule(document, "I6")["answer"], rule(document, "I6")["refers_to"])
    assert document["lines"][0] == document["text"]


def test_eligibility__what_bars_comes_first(run: Run, tmp_path: Path) -> None:
    """A failing criterion stands above the others, with its parts; the verdict is a result, not an error."""
    done = run("eligibility", changed(tmp_path, "case.toml", ("lvef = { value = 61", "lvef = { value = 39")))
    assert 0 == done.code
    assert "Against (1)\n I8   not met: Left-ventricular" in done.out


def test_eligibility__unknown_is_undecided(run: Run, tmp_path: Path) -> None:
    """What is not stated never passes; it awaits a person."""
    done = run("eligibility", changed(tmp_path, "case.toml", ("agrees_to_follow_up = true", "")))
    assert (4, True) == (done.code, "Open (1)\n I11  unknown" in done.out)


def test_eligibility__parts_on_request(run: Run) -> None:
    """The parts of a rule that allows are left out unless asked for."""
    short, full = run("eligibility", EXAMPLES / "case.toml"), run("eligibility", EXAMPLES / "case.toml", "--parts")
    assert (False, True) == ("I2.route" in short.out, "I2.route" in full.out)


def test_eligibility__takes_the_newest_marrow_before_conditioning(run: Run, study: Path) -> None:
    """Day −21 counts: neither the older one nor the one after the transplant; without controls a person looks."""
    done = run("eligibility", EXAMPLES / "case.toml", "--study", study, "--json")
    evidence = str(rule(done.document, "I2")["evidence"])
    assert (4, "eligible") == (done.code, done.document["verdict"])
    assert "100 of 20000 nucleated cells (nucleic-acid dye) (marrow of day -21): above" in evidence
    assert "mrd-from-study" in [finding["code"] for finding in done.document["findings"]]


def test_eligibility__limits_from_controls(run: Run, study: Path) -> None:
    """With limits from control marrows nothing is left to review; a background that explains the events is no MRD."""
    assert 0 == run("eligibility", EXAMPLES / "case.toml", "--study", study, "--lob", "1e-5", "--lod", "1e-4").code
    done = run("eligibility", EXAMPLES / "case.toml", "--study", study, "--lob", "0.01", "--json")
    assert "met" != rule(done.document, "I2")["answer"]


def test_eligibility__another_day_on_request(run: Run, study: Path) -> None:
    """An older marrow counts only where its day is named."""
    done = run("eligibility", EXAMPLES / "case.toml", "--study", study, "--day", "-60", "--json")
    assert "5000 of 20000" in str(rule(done.document, "I2")["evidence"])


def test_eligibility__study_without_marrow_is_unknown(run: Run, study: Path, tmp_path: Path) -> None:
    """The case's own counts never stand in for a marrow that the study does not hold."""
    early = changed(
        tmp_path, "case.toml", ("transplant = 2026-04-01", "conditioning = 2026-01-01\ntransplant = 2026-04-01")
    )
    done = run("eligibility", early, "--study", study, "--json")
    assert (4, "unknown") == (done.code, rule(done.document, "I2")["answer"])
    assert "no-marrow" in [finding["code"] for finding in done.document["findings"]]


def test_eligibility__patient_has_to_be_in_the_study(run: Run, study: Path, tmp_path: Path) -> None:
    """A case of another name is an error, not a patient without disease."""
    done = run("eligibility", changed(tmp_path, "case.toml", ('id = "P01"', 'id = "P02"')), "--study", study)
    assert (3, True) == (done.code, "patient: is not in the study" in done.err)


def test_eligibility__infusion(run: Run, tmp_path: Path) -> None:
    """0.5 mg/kg passes; 0.6 does not; an infusion of which the case says nothing is refused."""
    assert "infusion 1: eligible" in run("eligibility", EXAMPLES / "case.toml", "--infusion", "1").out
    more = changed(tmp_path, "case.toml", ("mg_per_kg_day = 0.5", "mg_per_kg_day = 0.6"))
    assert "infusion 1: not eligible" in run("eligibility", more, "--infusion", "1").out
    done = run("eligibility", EXAMPLES / "case.toml", "--infusion", "2")
    assert (3, True) == (done.code, "the case says nothing of infusion 2" in done.err)
