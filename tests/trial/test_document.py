"""The examples of docs/trial.md run as they stand."""

from __future__ import annotations

import re

import pytest

from .cases import EXAMPLES


def test_document__its_examples_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each Python block, in order, in one namespace, from the root of the checkout."""
    root = EXAMPLES.parent
    monkeypatch.chdir(root)
    blocks = re.findall(r"```python\n(.*?)```", (root / "docs" / "trial.md").read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(block, namespace)
    assert (3, True) == (len(blocks), "KIR-ligand mismatch not applicable" in capsys.readouterr().out)
