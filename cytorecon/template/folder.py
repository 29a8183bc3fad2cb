"""Where the templates that come with cytorecon lie."""

from __future__ import annotations

from pathlib import Path


def template_dir() -> Path:
    """Folder of the shipped templates: beside the code when installed, the checkout's ``gating/`` otherwise.

    Neither hatchling nor setuptools shows ``_templates`` in an editable install.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "gating"
