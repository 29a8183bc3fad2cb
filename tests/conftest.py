"""What every test may use: the real files beside the checkout, where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files; a test that needs it is skipped, saying so, where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real test files (../shared/data) are not here")
    return SHARED
