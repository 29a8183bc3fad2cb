"""Tables for other programs."""

from __future__ import annotations

from made import SUMMARY, gated, sample

from cytorecon.cube import build_samples
from cytorecon.export import long_table


def test_long_table__says_which_template_content_counted() -> None:
    """Name and version may be used twice, the SHA-256 of the content is not."""
    table = long_table(build_samples([gated(sample())], SUMMARY))
    assert {("small 1.0.0", SUMMARY.sha256)} == set(zip(table["template"], table["template_sha256"], strict=True))
