"""Invented outcomes: the same seed gives the same table, and dose levels as a 3+3 fills them."""

from __future__ import annotations

from pathlib import Path

from cytorecon.simulate import simulate_outcomes
from cytorecon.trial import escalate, read_outcomes, read_protocol


def test_simulate_outcomes__same_seed_same_table(tmp_path: Path) -> None:
    """Two tables of one seed are the same bytes; another seed gives others."""
    first, second, other = (
        simulate_outcomes(tmp_path / name, seed=seed).read_bytes() for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first == second != other


def test_simulate_outcomes__fills_levels_by_the_rules(tmp_path: Path) -> None:
    """Fifteen patients lead the 3+3 rules to a decision, not to a review."""
    outcomes = read_outcomes(simulate_outcomes(tmp_path / "outcomes.csv"))
    assert escalate([one.escalation_row() for one in outcomes], read_protocol()).decision == "mtd_not_reached"
