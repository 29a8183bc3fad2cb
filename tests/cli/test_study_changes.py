"""Commands that change a study, or compare what it holds, as a person would use them."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from made import TEMPLATE, write_fcs

from cytorecon.template import to_toml

from .conftest import Run

SHEET = "file,patient,day,specimen\na.fcs,Ivanova,-7,blood\nb.fcs,Petrov,30,blood\n"
COUNTS = "patient,day,specimen,population,event_count\nIvanova,5,blood,T,60\n"


@pytest.fixture
def study(tmp_path: Path, run: Run) -> Path:
    """A study of two patients, counted by two versions of one template."""
    text = to_toml(TEMPLATE)
    (tmp_path / "old.toml").write_text(text, encoding="utf-8")
    (tmp_path / "new.toml").write_text(
        text.replace("1.0.0", "1.1.0").replace("at = 500.0", "at = 2000.0", 1), encoding="utf-8"
    )
    write_fcs(tmp_path / "a.fcs")
    write_fcs(tmp_path / "b.fcs", (90, 50, 10, 2))
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    for version in ("old", "new"):
        ran = run("run", tmp_path / "sheet.csv", "-t", tmp_path / f"{version}.toml", "--into", tmp_path / "s.recon")
        assert 0 == ran.code
    return tmp_path / "s.recon"


def pseudonym(run: Run, study: Path, name: str) -> str:
    entries = run("history", study, "--json", "--patient", name).document["entries"]
    return str(entries[0]["patient"])


def test_diff__lists_counts_without_names(study: Path, run: Run) -> None:
    """Every changed count, both versions named, patients as pseudonyms."""
    found = run("diff", study, "--template", "small-1.0.0", "small-1.1.0", "--json").document
    assert ("1.0.0", "1.1.0", []) == (found["old"]["version"], found["new"]["version"], found["calls"])
    changed = [(row["day"], row["path"], row["event_count_old"], row["event_count_new"]) for row in found["counts"]]
    assert (-7, "Cells/T", 60, 0) in changed
    shown = run("diff", study, "-t", "small-1.0.0", "small-1.1.0")
    assert "60 of 100" in shown.out
    assert "not evaluable" in shown.out
    assert not {"Ivanova", "Petrov"} & set((shown.out + json.dumps(found)).replace('"', " ").split())
    assert "Ivanova" in run("diff", study, "-t", "small-1.0.0", "small-1.1.0", "--identifiers").out


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("small-1.0.0", "small-9"), "small-9 names nothing of what the study holds: small-1.0.0-"),
        (("small-1.0.0", "other-1"), "are no two versions of one template"),
    ],
)
def test_diff__names_what_there_is(study: Path, run: Run, names: tuple[str, str], message: str) -> None:
    """A version that is not there is an error of usage that lists those that are."""
    (study.parent / "counts.csv").write_text(COUNTS, encoding="utf-8")
    run("ingest", study.parent / "counts.csv", "--into", study, "--name", "other")
    ran = run("diff", study, "-t", *names)
    assert (2, "") == (ran.code, ran.out)
    assert message in " ".join(ran.err.split())


def test_diff__changed_calls_of_residual_disease(tmp_path: Path, run: Run) -> None:
    """20 events of 100 against none: every statement that turned, for the disease given."""
    text = to_toml(TEMPLATE).replace('name = "small"', 'name = "site"').replace('"leukocytes"', '"nucleated"')
    text = text.replace('phenotype = "CD3- CD56+"', 'phenotype = "CD3- CD56+"\nrole = "mrd"')
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "sheet.csv").write_text("file,patient,day,specimen\na.fcs,P1,28,marrow\n", encoding="utf-8")
    for version, at in (("1.0.0", "500.0"), ("2.0.0", "2000.0")):
        changed = text.replace("1.0.0", version).replace("at = 500.0", f"at = {at}")
        (tmp_path / "site.toml").write_text(changed, encoding="utf-8")
        run("run", tmp_path / "sheet.csv", "-t", tmp_path / "site.toml", "--into", tmp_path / "s.recon")
    asked = ("diff", tmp_path / "s.recon", "-t", "site-1.0.0", "site-2.0.0")
    assert "which disease does site count?" in run(*asked).err
    calls = run(*asked, "--disease", "aml", "--json").document["calls"]
    said = {row["statement"]: (row["old"], row["new"]) for row in calls}
    assert ("met", "not met") == said["MRD rule met"]
    assert (28, "marrow") == (calls[0]["timepoint"], calls[0]["specimen"])
    assert "MRD rule met" in run(*asked, "--disease", "aml").out


def test_ingest__counts_that_others_made(tmp_path: Path, run: Run) -> None:
    """They are recorded as counts; percentages are refused with the row."""
    (tmp_path / "counts.csv").write_text(COUNTS, encoding="utf-8")
    done = run("ingest", tmp_path / "counts.csv", "--into", tmp_path / "s.recon", "--name", "other", "--json").document
    assert (1, {}) == (done["done"], done["reasons"])
    shown = run("ingest", tmp_path / "counts.csv", "--into", tmp_path / "s.recon", "--name", "other")
    assert "held already, skipped" in shown.out
    (tmp_path / "counts.csv").write_text(COUNTS.replace("60", "60 %"), encoding="utf-8")
    ran = run("ingest", tmp_path / "counts.csv", "--into", tmp_path / "s.recon", "--name", "other")
    assert 3 == ran.code
    assert "Percentages are not taken" in ran.err


def test_supersede__withdraws_and_brings_back(study: Path, run: Run) -> None:
    """The result leaves the table, and comes back, each by a record with its reason."""
    entries = run("history", study, "--json").document["entries"]
    number = next(entry["sequence"] for entry in entries if entry["kind"] == "gated")
    told = run("supersede", study, number, "--reason", "wrong tube", "--json").document
    assert (number, "is withdrawn") == (told["concerns"], told["result"])
    rows = run("export", study, "-t", "small", "--version", "1.0.0").out.splitlines()
    assert 4 == len(rows) - 1
    back = run("supersede", study, number, "--undo", "--reason", "right after all")
    assert f"The result of record {number} stands again" in back.err
    assert 8 == len(run("export", study, "-t", "small", "--version", "1.0.0").out.splitlines()) - 1
    again = run("supersede", study, number, "--undo", "--reason", "again")
    assert (3, True) == (again.code, "failed, or stands already" in again.err)


def test_export__as_of_a_record(study: Path, run: Run) -> None:
    """The table as it was before the second sample."""
    entries = run("history", study, "--json").document["entries"]
    first = next(entry["sequence"] for entry in entries if entry["kind"] == "gated")
    assert 4 == len(run("export", study, "-t", "small", "--as-of", first).out.splitlines()) - 1


def test_export__names_of_before_a_renaming_stay_pseudonyms(study: Path, run: Run) -> None:
    """A table as of then shows the same pseudonym, not the old name."""
    known = pseudonym(run, study, "Ivanova")
    run("patient", "rename", study, "Ivanova", "Sidorova", "--reason", "spelling")
    out = run("export", study, "-t", "small", "--version", "1.0.0", "--as-of", 4).out
    assert known in out
    assert "Ivanova" not in out


def test_export__final_gates(study: Path, run: Run) -> None:
    """One Gating-ML file a sample, named without the patient."""
    folder = study.parent / "gates"
    assert "2 files in" in run("export", study, "-t", "small", "--gates", folder).err
    names = [path.name for path in folder.iterdir()]
    assert all(name.startswith("P-") and name.endswith(".xml") for name in names)
    assert 2 == run("export", study, "-t", "small", "--gates", folder, "--identifiers").code


def test_patient__renamed_merged_and_forgotten(study: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name or by pseudonym; afterwards nothing shows the name, and what was asked is confirmed first."""
    second = pseudonym(run, study, "Petrov")
    assert 0 == run("patient", "rename", study, "Ivanova", "Sidorova", "--reason", "spelling").code
    merged = run("patient", "merge", study, "Sidorova", second, "--reason", "one person", "--json").document
    assert "merged" == merged["result"]
    assert {second} == {line.partition(",")[0] for line in run("export", study, "-t", "small").out.splitlines()[1:]}
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    assert 130 == run("patient", "forget", study, second, "--reason", "asked for").code
    assert "Petrov" in run("history", study, "--identifiers").out
    told = run("patient", "forget", study, second, "--reason", "asked for", "--yes")
    assert (0, "") == (told.code, told.out)
    after = run("history", study, "--identifiers").out
    assert not {"Ivanova", "Petrov", "Sidorova"} & set(after.split())
    unknown = run("patient", "forget", study, "Nobody", "--reason", "x", "--yes")
    assert (3, True) == (unknown.code, "is not in this study" in unknown.err)


def test_run__a_workspace(shared: Path, tmp_path: Path, run: Run) -> None:
    """`-t WORKSPACE.wsp`: each file by its own tree, exit code 1 where one is not in it."""
    for path in (shared / "data" / "flowjo_luciernaga").iterdir():
        shutil.copy(path, tmp_path)
    write_fcs(tmp_path / "a.fcs")
    rows = ["file,patient,day,specimen", "CellCounts4L-NY071-1.fcs,P1,30,blood", "a.fcs,P2,30,blood"]
    (tmp_path / "sheet.csv").write_text("\n".join(rows), encoding="utf-8")
    ran = run(
        "run", tmp_path / "sheet.csv", "-t", tmp_path / "CellCounts.wsp", "--into", tmp_path / "s.recon", "--json"
    )
    assert (1, 1, 1) == (ran.code, ran.document["done"], ran.document["failed"])
    assert Path(ran.document["cube"]).name.startswith("CellCounts-0-")
