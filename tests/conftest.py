"""What every test may use: the real files beside the checkout, where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[2] / "shared"

# How long an example takes depends on the machine and on coverage; it decides no test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files; a test that needs it is skipped, saying so, where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real test files (../shared/data) are not here")
    return SHARED


@pytest.fixture
def write_laip(tmp_path: Path) -> Callable[..., Path]:
    """Write a patient's LAIP file, by default `laip_text.LAIP`, and return its path."""
    from laip_text import LAIP

    def written(text: str = LAIP) -> Path:
        path = tmp_path / "P07.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written
