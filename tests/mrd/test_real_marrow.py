"""MRD of two real day-15 marrows, with the recomputed FACSDiva gates as truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cytorecon.mrd import MrdAssessment, mrd_call

CASES = {
    "mrd_ball_vie494_d15": (83_411, 80_237, 38_493, 34_274),
    "mrd_ball_vie508_d15": (104_306, 100_341, 48_685, 45_949),
}
BLASTS = "Syto/Singlets/Intact/CD19/Blasts"

Masks = dict[str, NDArray[np.bool_]]


@pytest.fixture(params=sorted(CASES), scope="module")
def case(request: pytest.FixtureRequest, shared: Path) -> tuple[str, Masks]:
    """Name and membership of every event of one marrow."""
    with np.load(shared / "data" / request.param / "recomputed_membership.npz") as stored:
        size = int(stored["n_events"])
        masks = {
            path: np.unpackbits(stored[path], count=size).astype(bool) for path in stored.files if path != "n_events"
        }
    return request.param, masks


def diluted(masks: Masks, events: int) -> MrdAssessment:
    """That many blasts among all nucleated cells of the same marrow that are none, by index: nothing is drawn."""
    blasts, nucleated = masks[BLASTS], masks["Syto"]
    others = np.flatnonzero(nucleated & ~blasts)
    kept = np.concatenate([others, np.flatnonzero(blasts)[:events]])
    member = np.isin(np.arange(blasts.size), kept)
    return mrd_call(int((blasts & member).sum()), int((nucleated & member).sum()), "t_all", "nucleated")


def test_real_marrow__nucleated_cells_are_the_denominator(case: tuple[str, Masks]) -> None:
    """Blasts of Syto+ cells; neither of all events nor of CD19+ cells, which would give another number."""
    name, masks = case
    all_events, nucleated, cd19, blasts = CASES[name]
    found = mrd_call(int(masks[BLASTS].sum()), int(masks["Syto"].sum()), "mpal", "nucleated")
    assert (blasts, nucleated, blasts / nucleated) == (found.event_count, found.total_count, found.fraction)
    low, high = found.interval or (0.0, 0.0)
    assert not low <= blasts / all_events <= high
    assert not low <= blasts / cd19 <= high
    assert "nucleated cells (nucleic-acid dye)" in found.text


def test_real_marrow__is_insufficient_for_a_ten_thousandth(case: tuple[str, Masks]) -> None:
    """83,411 and 104,306 events cannot carry a negative at 0.01 %, though the blasts are far above it."""
    _, masks = case
    found = mrd_call(int(masks[BLASTS].sum()), int(masks["Syto"].sum()), "aml", "nucleated")
    assert ("insufficient", "above", "met") == (found.adequacy, found.call, found.protocol)
    without = int((masks["Syto"] & ~masks[BLASTS]).sum())
    clean = mrd_call(0, without, "aml", "nucleated")
    assert ("insufficient", "indeterminate", 500_000 - without) == (clean.adequacy, clean.call, clean.events_needed)


def test_real_marrow__dilutions_lie_on_both_sides_of_a_thousandth(case: tuple[str, Masks]) -> None:
    """Blasts diluted into the other cells: below, straddling and above 0.1 % as the exact interval says."""
    _, masks = case
    others = int((masks["Syto"] & ~masks[BLASTS]).sum())
    at = round(others / 1000)
    calls = {share: diluted(masks, round(at * share)).call for share in (0.3, 0.5, 1.0, 1.7, 3.0)}
    assert {0.3: "below", 0.5: "below", 1.0: "indeterminate", 1.7: "above", 3.0: "above"} == calls


def test_real_marrow__dilutions_at_a_ten_thousandth_never_read_below(case: tuple[str, Masks]) -> None:
    """At 0.01 % the same cells show "above" from 20 events on, and never "below"."""
    _, masks = case
    others = int((masks["Syto"] & ~masks[BLASTS]).sum())
    calls = {k: mrd_call(k, others + k, "aml", "nucleated").call for k in range(60)}
    assert "below" not in calls.values()
    assert 20 == min(k for k, call in calls.items() if call == "above")
