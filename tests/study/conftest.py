"""A study beside two sound files, for every test of the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import write_fcs

from cytorecon.study import Study, open_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study beside two sound files."""
    write_fcs(tmp_path / "a.fcs", (100, 60, 20, 5))
    write_fcs(tmp_path / "b.fcs", (90, 50, 10, 2))
    return open_study(tmp_path / "study.recon")
