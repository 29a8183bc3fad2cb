"""The README is true: every command in it runs as written, and so does its notebook."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cytorecon.cli import cytorecon
from cytorecon.simulate import simulate_cohort

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [line.split("   ")[0] for line in README.splitlines() if line.startswith("cytorecon ")]
DONE = (0, 1, 4)  # done; done, but some samples failed; done, but a result awaits review


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README takes for granted: a tube, sheets, a case and outcomes."""
    made = tmp_path_factory.mktemp("readme")
    simulate_cohort(made, patients=1, events=4000, marrow_events=4000)
    shutil.copy(made / "mrd_aml.csv", made / "marrow.csv")
    shutil.copy(next((made / "fcs").glob("*tbnk_d+100*")), made / "tube.fcs")
    for name in ("case.toml", "outcomes.csv"):
        shutil.copy(ROOT / "examples" / name, made / name)
    return made


def test_readme__commands_run_as_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, in one folder, none of them a usage error or an invalid input."""
    monkeypatch.chdir(folder)
    assert len(COMMANDS) >= 10
    codes = {command: CliRunner().invoke(cytorecon, shlex.split(command)[1:]).exit_code for command in COMMANDS}
    assert {} == {command: code for command, code in codes.items() if code not in DONE}


def test_readme__notebook_runs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block in Python gives NK cells per µL and an MRD call."""
    shutil.copytree(folder, tmp_path / "notebook", ignore=shutil.ignore_patterns("study.recon"))
    monkeypatch.chdir(tmp_path / "notebook")
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert "/uL" == names["nk"].attrs["units"]
    assert {"call", "low", "high"} <= set(names["mrd"])


def test_readme__links_lead_somewhere() -> None:
    """Every file that the README names is there."""
    links = [link for link in re.findall(r"\]\((?!https?:)([^)]+)\)", README) if not (ROOT / link).exists()]
    assert [] == links
