"""The command line as a person runs it, and small files for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from made import TEMPLATE, write_fcs

from cytorecon.cli import main
from cytorecon.template import to_toml

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Ran:
    """What one run of the command line left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that standard output holds."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``cytorecon`` with some arguments, through the function that the installed command calls."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["cytorecon", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return Ran(int(stopped.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template on two colours that finds what `write_fcs` writes."""
    path = tmp_path / "small.toml"
    path.write_text(to_toml(TEMPLATE), encoding="utf-8")
    return path


@pytest.fixture
def tube(tmp_path: Path) -> Path:
    """A file of 200 events: 100 cells, 60 T, 20 NK, 5 NK among T."""
    return write_fcs(tmp_path / "tube.fcs")


def changed(tmp_path: Path, example: str, *changes: tuple[str, str]) -> Path:
    """An example file with words replaced; each has to be there."""
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / example
    path.write_text(text, encoding="utf-8")
    return path
