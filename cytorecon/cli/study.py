"""What a study folder holds, for ``cytorecon inspect``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from cytorecon.cli.output import print_json, show, table


def inspect_study(path: Path, *, as_json: bool) -> None:
    """Print one line a template content."""
    from cytorecon.study import contents, open_study

    found = contents(open_study(path, create=False))
    if as_json:
        print_json({"study": path.name, "templates": [asdict(one) for one in found]})
        return
    rows = [(one.name, one.version, one.sha256[:12], one.done, one.needs_review, one.failed) for one in found]
    columns = ("template", "version", "SHA-256", "gated", "awaiting review", "failed")
    show(table(path.name, columns, rows, left=3))
