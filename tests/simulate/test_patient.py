"""Invented patients: what comes back, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

from cytorecon.simulate import CELLS, TRUTH, Patient, concentrations, simulate_patient

DAYS = (-21, -14, -13, -5, 0, 1, 5, 6, 14, 28, 60, 100, 180, 365, 730)


def half_recovery(person: Patient, population: str) -> int:
    """First day with half of the cells of day 730, infused cells apart."""
    known = concentrations(person, 1).keys() - {"expanded NK"}
    cells = [cell for cell in TRUTH["tbnk"][population] if cell in known]
    days = range(1, 731, 9)
    course = [sum(map(concentrations(person, day).__getitem__, cells)) for day in days]
    return days[int(np.argmax(np.array(course) >= course[-1] / 2))]


def test_concentrations__nk_then_t_then_b() -> None:
    """NK cells come before T cells in every one of 40 patients, T before B cells in most."""
    rng = np.random.default_rng(4)
    people = [simulate_patient(rng, f"SIM-{number}", "aml", 0.0) for number in range(40)]
    nk, t, b = (np.array([half_recovery(p, name) for p in people]) for name in ("NK clinical", "T cells", "B cells"))
    assert (nk < t).all()
    assert (t < b).mean() > 0.8


def test_concentrations__finite_positive_and_of_known_cells() -> None:
    """On every day each value is a finite count of a cell type that can be simulated."""
    person = simulate_patient(np.random.default_rng(1), "SIM-1", "aml", 0.0)
    for day in DAYS:
        found = concentrations(person, day)
        assert set() == set(found) - set(CELLS)
        assert all(np.isfinite(value) and value >= 0 for value in found.values())


@pytest.mark.parametrize(("before", "after"), [(-12, -11), (5, 6)])
def test_concentrations__infused_nk_cells_appear_the_day_after(before: int, after: int) -> None:
    """Blood of the infusion day is drawn before the infusion."""
    person = simulate_patient(np.random.default_rng(2), "SIM-2", "aml", 0.0)
    rise = concentrations(person, after)["expanded NK"] - concentrations(person, before)["expanded NK"]
    assert rise > 0.3 * person.nk_dose


def test_concentrations__conditioning_empties_the_blood() -> None:
    """On day 0 there are fewer than a tenth of the leukocytes of day -14."""
    person = simulate_patient(np.random.default_rng(3), "SIM-3", "aml", 0.0)
    total = {day: sum(concentrations(person, day).values()) for day in (-14, 0)}
    assert total[0] < total[-14] / 10
