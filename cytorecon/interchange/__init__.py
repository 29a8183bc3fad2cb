"""Templates from wherever they are kept: shipped by name, or files of any format read here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from cytorecon.errors import TemplateError
from cytorecon.template import GatingTemplate, read_template, template_dir

_NAME = re.compile(r"\w[\w\-]*")

# Ending of a file -> what reads it.
READERS: dict[str, Callable[[Path], GatingTemplate]] = {
    ".toml": read_template,
}

__all__ = ["READERS", "load_template", "template_names"]


def load_template(source: str | Path) -> GatingTemplate:
    """Load a template by name or from a file.

    Parameters
    ----------
    source
        Name of a shipped template (``"tbnk"``), or the path of a file; its ending tells the format.

    Raises
    ------
    TemplateError
        There is no such template or file, its ending is unknown, or it is not sound.
    """
    path = Path(source)
    if isinstance(source, str) and _NAME.fullmatch(source) and not path.is_file():
        return _shipped(source)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise TemplateError(
            path.name,
            "has an ending no template has",
            expected=", ".join(READERS),
            got=path.suffix or "none",
            remedy=f"Shipped templates go by name: {', '.join(template_names())}.",
            code="template-ending",
        )
    return reader(path)


def template_names() -> tuple[str, ...]:
    """Names of the shipped templates, sorted."""
    return tuple(sorted(path.stem for path in template_dir().glob("*.toml")))


def _shipped(name: str) -> GatingTemplate:
    if name not in template_names():
        raise TemplateError(
            f"template {name!r}",
            "is not one that comes with cytorecon",
            expected=", ".join(template_names()),
            remedy="Write a path (with its ending) for a template of your own.",
            code="unknown-template",
        )
    return read_template(template_dir() / f"{name}.toml")
