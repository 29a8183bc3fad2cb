"""The structure of the package: imports point one way and heavy libraries have one home."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cytorecon

PACKAGE = Path(cytorecon.__file__).parent

# A module imports only from modules before it.
LAYERS = (
    "errors",
    "interval",
    "transforms",
    "compensation",
    "fcs",
    "gates",
    "placement",
    "template",
    "interchange",
    "sheet",
    "simulate",
    "plan",
    "gating",
    "quality",
    "batch",
    "cube",
    "study",
    "counts",
    "mrd",
    "reconstitution",
    "trial",
    "product",
    "donor",
    "plots",
    "report",
    "export",
    "cli",
    "__main__",
)

HOMES = {
    "flowkit": "interchange",
    "lxml": "interchange",
    "dask": "batch",
    "distributed": "batch",
    "sqlite3": "study",
    "netCDF4": "study",
    "click": "cli",
    "jinja2": "report",
}

HEAVY = ("xarray", "pandas", "dask", "distributed", "sklearn", "scipy", "matplotlib", "flowkit", "lxml")


def layer(path: Path) -> str:
    """Name of the layer a source file belongs to; the package's own __init__ has none."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def sources() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import in a file, wherever it stands."""
    here = ("cytorecon", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(here[: len(here) - node.level + (path.name == "__init__.py")])
            base = node.module or "" if node.level == 0 else ".".join(filter(None, [package, node.module]))
            yield node.lineno, base
            if base == "cytorecon":
                yield from ((node.lineno, f"cytorecon.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports__point_up(path: Path) -> None:
    """A module imports only from layers above its own."""
    own = LAYERS.index(layer(path))
    names = [(line, name.split(".")[1]) for line, name in imported(path) if name.startswith("cytorecon.")]
    wrong = [(line, name) for line, name in names if name in LAYERS and LAYERS.index(name) > own]
    assert [] == wrong


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports__heavy_libraries_have_one_home(path: Path) -> None:
    """Only the home of a library imports it."""
    roots = [(line, name.split(".")[0]) for line, name in imported(path)]
    assert [] == [(line, root) for line, root in roots if HOMES.get(root, layer(path)) != layer(path)]


def test_layers__every_module_has_a_place() -> None:
    """A new module is placed in the order above before it is used."""
    assert set() == {layer(path) for path in sources()} - set(LAYERS)


def loaded_by(code: str) -> set[str]:
    """Top-level modules in memory after a fresh interpreter ran the code."""
    script = f"import sys\n{code}\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split("\n")[-2].split())


def test_import__is_light() -> None:
    """``import cytorecon`` loads nothing but itself."""
    assert set() == loaded_by("import cytorecon") & {*HEAVY, "numpy", "pydantic", "click"}


def test_public_names__all_load() -> None:
    """Every name of ``__all__`` exists, is documented and stands where the table says."""
    for name in cytorecon.__all__:
        assert name == "__version__" or (getattr(cytorecon, name).__doc__ or "").strip()
