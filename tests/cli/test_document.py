"""docs/commands.md: every command has an example, and every output is what the command prints."""

from __future__ import annotations

import re

import pytest

from cytorecon.cli import COMMANDS

from .document import DOCUMENT, blocks, commands, renewed


def test_document__shows_every_command() -> None:
    """No command is without an example."""
    shown = {line.split()[2] for block in blocks(DOCUMENT.read_text("utf-8")) for line in commands(block["body"])}
    assert set() == set(COMMANDS) - shown


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The blocks with the outputs of today."""
    text = renewed(DOCUMENT.read_text("utf-8"), tmp_path_factory.mktemp("commands") / "here")
    return [block.group() for block in blocks(text)]


@pytest.mark.parametrize("number", range(len(blocks(DOCUMENT.read_text("utf-8")))))
def test_document__outputs_are_real(number: int, now: list[str]) -> None:
    """Each output is what the command prints; counts in simulated files may move with the shipped templates.

    ``python -m cli.document`` in tests/ writes them anew.
    """
    written = blocks(DOCUMENT.read_text("utf-8"))[number].group()
    simulated = re.search(r"cohort/|study\.recon|demo", written)
    assert _words(written) == _words(now[number]) if simulated else written == now[number]


def _words(text: str) -> list[str]:
    """Words of what counts say in any case: no numbers, no white space, no status, no findings."""
    kept = "\n".join(line for line in text.splitlines() if not re.match(r" (info|warning|review)? {2,}", line))
    return re.findall(r"[A-Za-z_$%]{2,}", re.sub(r"[0-9a-f]{8,}|counted|needs_review|Findings", "", kept))
