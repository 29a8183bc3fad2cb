"""The console blocks of docs/commands.md: ``python -m cli.document`` in tests/ writes their outputs anew.

A block runs its ``$`` lines in one folder that holds ``examples/`` and, as ``case.toml``, the example case under the
name of a simulated patient, in the document's order. A comment before it may
say ``<!-- lines N -->``: only N lines of each output are kept, and ``…`` stands for the rest.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from cytorecon.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "commands.md"
BLOCK = re.compile(r"(?:<!-- lines (?P<lines>\d+) -->\n)?```console\n(?P<body>.*?)```", re.DOTALL)


def blocks(text: str) -> list[re.Match[str]]:
    return list(BLOCK.finditer(text))


def renewed(text: str, folder: Path) -> str:
    """The document with every output as it is now; `folder` is where its commands run."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    case = (folder / "examples" / "case.toml").read_text("utf-8")
    (folder / "case.toml").write_text(case.replace('id = "P01"', 'id = "SIM-001"'), "utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        return BLOCK.sub(_renewed_block, text)
    finally:
        os.chdir(before)


def _renewed_block(block: re.Match[str]) -> str:
    most = int(block["lines"]) if block["lines"] else None
    shown = [f"$ {line[2:]}\n{_shortened(output(line[2:]), most)}" for line in commands(block["body"])]
    head = f"<!-- lines {most} -->\n" if most is not None else ""
    return f"{head}```console\n{''.join(shown)}```"


def commands(body: str) -> list[str]:
    return [line for line in body.splitlines() if line.startswith("$ ")]


def output(command: str) -> str:
    """Standard output, then standard error, then the exit code where it is not 0; ``> FILE`` writes the first."""
    words = shlex.split(command)
    target = Path(words[words.index(">") + 1]) if ">" in words else None
    out, err = io.StringIO(), io.StringIO()
    arguments, sys.argv = sys.argv, words[: words.index(">")] if target else words
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as stopped:
        code = stopped.code or 0
    finally:
        sys.argv = arguments
    if target:
        target.write_text(out.getvalue(), encoding="utf-8")
        out = io.StringIO()
    status = f"(exit code {code})\n" if code else ""
    return masked(f"{out.getvalue().rstrip()}\n{err.getvalue().rstrip()}\n".lstrip("\n").rstrip() + f"\n{status}")


def masked(text: str) -> str:
    """Without what differs from one run to the next: times, pseudonyms, the user, the folder."""
    text = text.replace(f"{Path.cwd()}/", "")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d( +)\S+", r"2026-03-02 09:00\1you ", text)
    return re.sub(r"P-[0-9a-f]{8}", "P-1f0c3a5b", text).lstrip("\n")


def _shortened(text: str, most: int | None) -> str:
    lines = text.splitlines()
    if most is None or len(lines) <= most:
        return text
    return "\n".join([*lines[:most], "…"]) + "\n"


def renew() -> None:
    """Write the outputs anew."""
    with tempfile.TemporaryDirectory() as folder:
        DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8"), Path(folder)), "utf-8")


if __name__ == "__main__":
    renew()
