"""The command line as a whole: exit codes, one JSON document, what help and single files load."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import flowio
import pytest
from made import TEMPLATE

from cytorecon.sheet import read_sheet
from cytorecon.study import open_study
from cytorecon.study import run as run_study

from .conftest import EXAMPLES, Run, changed

NOT_FOR_ONE_FILE = {"xarray", "pandas", "dask", "distributed", "sklearn", "scipy", "matplotlib", "flowkit", "sqlite3"}
NOT_FOR_HELP = NOT_FOR_ONE_FILE | {"numpy", "pydantic", "lxml", "rich"}
RESULTS = {
    "eligibility": ("eligibility", EXAMPLES / "case.toml"),
    "infusion": ("eligibility", EXAMPLES / "case.toml", "--infusion", "1"),
    "escalate": ("escalate", EXAMPLES / "cohort.csv"),
    "donor": ("donor", EXAMPLES / "donors.toml"),
    "mrd": ("mrd", "--events", "260", "--total", "1000000", "--disease", "aml", "--denominator", "nucleated"),
}


def in_a_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a fresh interpreter, which names on standard error's last line the modules it loaded."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr))\n"
        "from cytorecon.cli import main\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def loaded(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(done.stderr.splitlines()[-1].split())


def test_main__help_loads_nothing_heavy() -> None:
    """``--help`` lists the commands without importing one."""
    done = in_a_process("--help")
    assert (0, set()) == (done.returncode, loaded(done) & NOT_FOR_HELP)
    assert "eligibility" in done.stdout


@pytest.mark.parametrize("command", ["inspect", "gate", "check"])
def test_main__one_file_loads_no_tables(command: str, tube: Path, template: Path) -> None:
    """Commands on one file load none of the libraries of tables, arrays with names, statistics and clusters."""
    arguments = {"inspect": (tube,), "gate": (tube, "-t", template), "check": (template, tube)}[command]
    done = in_a_process(command, *arguments)
    assert (0, set()) == (done.returncode, loaded(done) & NOT_FOR_ONE_FILE)


@pytest.mark.parametrize("command", ["tbnk", "mrd_aml", "nk_product"])
def test_main__shipped_templates_check_light(command: str) -> None:
    """Nor does reading a shipped template."""
    done = in_a_process("check", command)
    assert (0, set()) == (done.returncode, loaded(done) & NOT_FOR_ONE_FILE)


@pytest.mark.parametrize("arguments", RESULTS.values(), ids=list(RESULTS))
def test_json__is_one_document_and_nothing_else(arguments: tuple[object, ...], run: Run) -> None:
    """Standard output holds one JSON document; nothing went to standard error that belongs there."""
    done = run(*arguments, "--json")
    assert (0, dict) == (done.code, type(done.document))


@pytest.mark.parametrize("arguments", RESULTS.values(), ids=list(RESULTS))
def test_text__says_research_use_only(arguments: tuple[object, ...], run: Run) -> None:
    """Every result for a person says what it may be used for, in no line that a page would cut."""
    done = run(*arguments)
    assert "Research use only" in " ".join(done.out.split())
    assert [] == [line for line in done.out.splitlines() if len(line) > 160 or line != line.rstrip()]


def test_json__is_empty_where_there_is_no_result(run: Run, tmp_path: Path) -> None:
    """An error leaves standard output empty: half a document would be worse than none."""
    done = run("gate", tmp_path / "none.fcs", "-t", "nk_product", "--json")
    assert (3, "") == (done.code, done.out)
    assert done.err.startswith("error: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("gate",),
        ("gate", "a.fcs", "-t", "tbnk", "--nonsense"),
        ("mrd", "--events", "many", "--total", "10", "--disease", "aml", "--denominator", "nucleated"),
        ("check", "tbnk", "a.fcs", "--sheet", "b.csv"),
        ("eligibility", "case.toml", "--day", "-21"),
        ("eligibility", "case.toml", "--study", "a.recon", "--infusion", "1"),
        ("eligibility", "case.toml", "--study", "a.recon", "--lod", "1e-4"),
    ],
)
def test_main__usage_is_2(arguments: tuple[str, ...], run: Run) -> None:
    """A wrong command, option or value exits with 2 before any file is looked at."""
    done = run(*arguments)
    assert (2, "") == (done.code, done.out)
    assert "Error:" in done.err


def test_main__invalid_input_is_3(run: Run, tmp_path: Path) -> None:
    """A file that is not what it should be exits with 3 and one message."""
    (tmp_path / "case.toml").write_text("patient = 3", encoding="utf-8")
    for arguments in (
        ("gate", EXAMPLES / "case.toml", "-t", "nk_product"),
        ("inspect", EXAMPLES / "case.toml"),
        ("check", tmp_path / "case.toml"),
        ("eligibility", tmp_path / "case.toml"),
        ("escalate", EXAMPLES / "case.toml"),
        ("donor", EXAMPLES / "case.toml"),
        ("dose", EXAMPLES / "case.toml", EXAMPLES / "case.toml"),
        ("convert", "nonsense", tmp_path / "out.toml"),
    ):
        done = run(*arguments)
        assert (arguments[0], 3, 1) == (arguments[0], done.code, done.err.count("error: "))


def test_main__some_failed_is_1(run: Run, template: Path, tube: Path, tmp_path: Path) -> None:
    """What was done stands; that some files failed is 1."""
    (tmp_path / "broken.fcs").write_bytes(b"nothing")
    assert 1 == run("check", template, tube, tmp_path / "broken.fcs").code


def test_main__awaits_review_is_4(run: Run, tmp_path: Path) -> None:
    """A result that a person has to decide is printed and is 4."""
    done = run("eligibility", changed(tmp_path, "case.toml", ("[heart]\nlvef = ", "[heart]\n# ")))
    assert (4, True) == (done.code, "undecided" in done.out)


def test_main__integrity_is_5(run: Run, tmp_path: Path, tube: Path) -> None:
    """A record that is not what was written exits with 5, not with the 3 of its parent error."""
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"file,patient,day,specimen,panel\n{tube.name},P01,-21,marrow,small\n", encoding="utf-8")
    study = open_study(tmp_path / "study.recon")
    run_study(read_sheet(sheet), TEMPLATE, study)
    for path in study.cubes.glob("*.nc"):
        path.unlink()
    with closing(sqlite3.connect(study.ledger)) as ledger, ledger:
        for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            ledger.execute(f"DROP TRIGGER {name}")
        ledger.execute("UPDATE record SET body = body || ' '")
    done = run("eligibility", changed(tmp_path, "case.toml"), "--study", study.path, "-t", "small")
    assert (5, "") == (done.code, done.out), done.err


def test_main__usage_comes_before_invalid_input(run: Run, tmp_path: Path) -> None:
    """Of a wrong option and a wrong file, the option is told first."""
    assert 2 == run("eligibility", tmp_path / "none.toml", "--nonsense").code


def test_main__invalid_input_comes_before_failed_files(run: Run, tmp_path: Path) -> None:
    """A template that is not sound is 3 although its files would fail as well."""
    assert 3 == run("check", tmp_path / "none.toml", tmp_path / "none.fcs").code


def test_main__file_that_cannot_be_written_is_one_message(run: Run, template: Path, tube: Path, tmp_path: Path) -> None:
    """A folder that is not there is the person's to mend: no traceback."""
    done = run("gate", tube, "-t", template, "--membership", tmp_path / "none" / "out.npz")
    assert (3, "") == (done.code, done.out)
    assert "out.npz: No such file or directory" in done.err
    assert "Traceback" not in done.err


def test_main__fault_is_no_failed_sample(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the software exits with 70: Python's own 1 would say that some samples failed."""
    monkeypatch.delattr("cytorecon.cli.escalate.print_json")
    done = run("escalate", EXAMPLES / "cohort.csv", "--json")
    assert (70, "") == (done.code, done.out)
    assert "please report" in done.err


def test_main__keeps_identifying_keywords_to_itself(run: Run, template: Path, tmp_path: Path) -> None:
    """No command prints what a file says of its patient."""
    path = tmp_path / "named.fcs"
    keywords = {"$SRC": "Jane Doe", "$SMNO": "MRN 0815", "PATIENT NAME": "Jane Doe"}
    with path.open("wb") as file:
        flowio.create_fcs(file, [1.0] * 6, ["FSC-A", "CD3", "CD56"], metadata_dict=keywords)
    for arguments in (("inspect", path), ("gate", path, "-t", template), ("check", template, path)):
        for form in ((), ("--json",)):
            done = run(*arguments, *form)
            assert [] == [name for name in ("Doe", "0815") if name in done.out + done.err]
    assert "Jane Doe" in run("inspect", path, "--identifiers").out


def test_main__installed_command_runs(tube: Path, template: Path) -> None:
    """The module behind the installed command works in a process of its own."""
    done = in_a_process("gate", tube, "-t", template, "--json")
    counts = {each["path"]: each["event_count"] for each in json.loads(done.stdout)["populations"]}
    assert {"Cells": 100, "Cells/T": 60, "Cells/NK": 20, "Cells/T/NK": 5} == counts
