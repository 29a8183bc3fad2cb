"""A small share of the torture that `make torture` runs in full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_recording__survives_kills_and_full_disks() -> None:
    """Forty kills of two writers and thirty full disks: nothing acknowledged is lost, no chain is torn."""
    script = str(Path(__file__).with_name("torture.py"))
    done = subprocess.run(
        [sys.executable, script, "--kills", "20", "--full-disks", "30"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(script).parents[1])},
    )  # fmt: skip
    figures = json.loads(done.stdout)
    assert (0, "") == (done.returncode, done.stderr)
    assert (40, 30) == (figures["kills"], figures["full_disks"])
    assert figures["acknowledged"] > 0
    assert [0, 0, 0, 0] == [figures[name] for name in ("lost", "torn", "unopenable", "unclear_errors")]
