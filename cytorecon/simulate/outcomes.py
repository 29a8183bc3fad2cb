"""Invented outcomes for a simulated cohort: the table that ``cytorecon trial --outcomes`` reads, itself the truth."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

LEVEL_DOSE = {1: 10.0, 2: 20.0, 3: 30.0}
# Dose levels as a 3+3 would have filled them: none of 3, none of 3, one of 6. Those of `_REPLACED` do not count.
_LEVELS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3)
_REPLACED, _TOXIC, _DIED_EARLY, _ONE_INFUSION = (3, 13, 14), 9, 3, (6, 13)
_STATUS = ("primary_refractory", "refractory_relapse", "mrd_persistence")
_CONDITIONING = ("treosulfan", "treosulfan", "busulfan", "tbi")
LAST_DAY = 730


def simulate_outcomes(path: str | Path, patients: int = 15, seed: int = 1) -> Path:
    """Write a table of invented outcomes, one row a patient, named as `simulate_cohort` names them.

    Patients are enrolled one after another and followed to one cut-off, so that follow-up is incomplete; events after
    it are not in the table. Days are whole, so that ties occur.

    Parameters
    ----------
    path
        CSV file to write.
    patients
        How many; the first 15 fill the dose levels as a 3+3 would, further ones repeat them.
    seed
        The same seed gives the same table with the same numpy.
    """
    rng = np.random.default_rng(seed)
    rows = [_row(rng, index) for index in range(patients)]
    path = Path(path)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _row(rng: np.random.Generator, index: int) -> dict[str, object]:
    place = index % len(_LEVELS)
    level, transplanted = _LEVELS[place], place != _DIED_EARLY
    possible = max(60, 900 - 55 * place)
    dose = LEVEL_DOSE[level]
    second = transplanted and place not in _ONE_INFUSION
    events = _events(rng, place) if transplanted else {"death_day": -5}
    last = min(possible, LAST_DAY, events.get("death_day", LAST_DAY))
    events = {name: day for name, day in events.items() if day <= last}
    grade = int(rng.choice([2, 3])) if "acute_gvhd_day" in events else int(rng.choice([0, 1]))
    shown = ["cr", "cr", "no_response"][place % 3] if transplanted and last >= 28 else "not_assessed"
    return {
        "patient": f"SIM-{index + 1:03d}", "level": level, "disease": ("aml", "t_all", "mpal")[index % 3],
        "disease_status": _STATUS[place % 3], "donor": "haploidentical" if place % 4 else "matched_related",
        "conditioning": _CONDITIONING[place % 4], "age_years": f"{rng.uniform(1, 25):.1f}",
        "infusion_1_day": -12, "infusion_2_day": 5 + place % 2 if second else "",
        "nk_given_1_e6_per_kg": f"{dose * 2 / 3 * rng.uniform(0.85, 1.02):.2f}",
        "nk_given_2_e6_per_kg": f"{dose / 3 * rng.uniform(0.85, 1.02):.2f}" if second else "",
        "dlt": "yes" if place == _TOXIC else "no", "dlt_day": 8 if place == _TOXIC else "",
        "dlt_evaluable": "no" if place in _REPLACED else "yes", "dlt_window_open": "no",
        "transplanted": "yes" if transplanted else "no",
        **{name: events.get(name, "") for name in _EVENTS},
        "acute_gvhd_grade": grade, "morphology_before": "no_response" if place % 3 < 2 else "cr",
        "morphology_after": shown, "last_follow_up_day": last,
        "potential_follow_up_day": possible if transplanted else "", "x_site": "simulated",
    }  # fmt: skip


_EVENTS = ("neutrophil_engraftment_day", "platelet_engraftment_day", "graft_failure_day", "second_transplant_day",
           "acute_gvhd_day", "chronic_gvhd_day", "relapse_day", "death_day")  # fmt: skip


def _events(rng: np.random.Generator, place: int) -> dict[str, int]:
    found: dict[str, int] = {}
    if place == 6:
        found |= {"graft_failure_day": 28, "second_transplant_day": 50}
    else:
        found["neutrophil_engraftment_day"] = int(rng.integers(11, 20))
        found["platelet_engraftment_day"] = int(rng.integers(13, 40))
    chances = {"acute_gvhd_day": (0.35, 15, 90), "chronic_gvhd_day": (0.25, 110, 400), "relapse_day": (0.35, 45, 500)}
    for name, (chance, first, last) in chances.items():
        if rng.random() < chance:
            found[name] = int(rng.integers(first, last))
    if "relapse_day" in found and rng.random() < 0.7:
        found["death_day"] = found["relapse_day"] + int(rng.integers(20, 200))
    elif rng.random() < 0.15:
        found["death_day"] = int(rng.integers(40, 300))
    return found
