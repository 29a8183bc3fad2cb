"""``overrides.toml`` beside a sheet: shown by ``check``, used by ``run``."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytorecon.simulate import simulate_tube
from cytorecon.study import open_study, read_samples

from .conftest import Run

OVERRIDE = """
[[override]]
file = "a.fcs"
cutpoint = "CD3"
at = 0.6
who = "A. Reader"
when = 2026-01-05
why = "titration failed"
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A sheet of one simulated tube, with an override beside it."""
    simulate_tube({"CD4 T": 300, "B": 80, "NK dim": 90, "neutrophil": 600}, "tbnk_10").write(tmp_path / "a.fcs")
    (tmp_path / "overrides.toml").write_text(OVERRIDE)
    path = tmp_path / "sheet.csv"
    path.write_text("file,patient,day,specimen\na.fcs,SIM-1,10,blood\n")
    return path


def test_check__shows_overrides(run: Run, sheet: Path) -> None:
    """For whom, what, who, when and why; in JSON too."""
    words = "CD3 at 0.6, by A. Reader on 2026-01-05: titration failed"
    shown = run("check", "tbnk", "--sheet", str(sheet)).out
    assert words in " ".join(shown.split())
    document = run("check", "tbnk", "--sheet", str(sheet), "--json").document
    assert [{"for": "file a.fcs", "change": words}] == document["overrides"]


def test_check__an_override_of_nothing_is_an_error(run: Run, sheet: Path) -> None:
    """Before anything is gated a person learns that it names no cut point."""
    (sheet.parent / "overrides.toml").write_text(OVERRIDE.replace("CD3", "CD99"))
    result = run("check", "tbnk", "--sheet", str(sheet))
    assert 3 == result.code
    assert "override of cutpoint 'CD99': names no cut point of the template" in result.err


def test_run__uses_overrides(run: Run, sheet: Path) -> None:
    """The ledger holds the position and who moved it."""
    study = sheet.parent / "study.recon"
    run("run", str(sheet), "-t", "tbnk", "--into", str(study))
    samples = read_samples(open_study(study), "tbnk")
    assert "override" == samples["cutpoint_method"].sel(cutpoint="CD3").item()
    assert "titration failed" in str(samples["findings"].values)
