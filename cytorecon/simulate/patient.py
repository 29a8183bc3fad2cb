"""How blood comes back after a transplant: granulocytes, then NK, then T, then B cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# (plateau in cells/µL, day of half recovery, steepness) by cell type; invented within what children show
# (doi:10.1016/j.jcyt.2020.05.005, PMC7484404: two of three have CD4 above 50/µL by day 100).
RECOVERY: Mapping[str, tuple[float, float, float]] = {
    "neutrophil": (3_200, 16, 6),
    "eosinophil": (120, 25, 3),
    "basophil": (30, 22, 4),
    "monocyte": (420, 14, 5),
    "pDC": (8, 40, 2),
    "NK": (260, 18, 3),
    "CD8 T": (560, 90, 2.2),
    "CD4 T": (720, 150, 1.7),
    "gd T": (70, 50, 2),
    "DN T": (15, 60, 2),
    "NKT-like": (40, 80, 2),
    "B": (420, 170, 3.5),
}
# Before conditioning: after several blocks of chemotherapy, in cells/µL.
BEFORE: Mapping[str, float] = {
    "neutrophil": 2_400, "eosinophil": 60, "basophil": 20, "monocyte": 350, "pDC": 5, "NK": 110, "CD8 T": 260,
    "CD4 T": 280, "gd T": 25, "DN T": 8, "NKT-like": 15, "B": 60,
}  # fmt: skip
CONDITIONING_DAY = -14
INFUSION_DAYS = (-12, 5)


@dataclass(frozen=True)
class Patient:
    """One invented patient.

    Parameters
    ----------
    name
        Identifier, which begins with ``SIM``.
    disease
        ``aml``, ``t_all`` or ``mpal``.
    level
        Factor on each recovery's plateau, by cell type.
    delay
        Factor on each day of half recovery, by cell type.
    nk_dose
        Expanded NK cells per µL blood on the day after the first infusion; the second is half of it.
    mrd
        Share of leukaemic cells among the nucleated cells of the marrow before conditioning.
    """

    name: str
    disease: str
    level: Mapping[str, float]
    delay: Mapping[str, float]
    nk_dose: float
    mrd: float


def simulate_patient(rng: np.random.Generator, name: str, disease: str, mrd: float) -> Patient:
    """Draw a patient: plateaus vary by a factor of 1.5, times by 1.25 (one standard deviation)."""
    # What delays one lineage tends to delay the others.
    common = rng.normal(0, 0.15)
    return Patient(
        name=name,
        disease=disease,
        level={cell: math.exp(rng.normal(0, 0.4)) for cell in RECOVERY},
        delay={cell: math.exp(common + rng.normal(0, 0.2)) for cell in RECOVERY},
        nk_dose=math.exp(rng.normal(math.log(120), 0.5)),
        mrd=mrd,
    )


def concentrations(patient: Patient, day: int) -> dict[str, float]:
    """Cells per µL blood by simulated cell type on a day relative to transplant.

    Parameters
    ----------
    patient
        The patient.
    day
        Day relative to transplant (day 0); conditioning starts on day −14, NK cells come on −12 and +5.

    Returns
    -------
    dict
        Cell type (a name of `CELLS`) to cells/µL.
    """
    found = {cell: patient.level[cell] * _without_infusions(patient, cell, day) for cell in RECOVERY}
    nk, monocyte = found.pop("NK"), found.pop("monocyte")
    since = max(day, 0)
    bright = 0.12 + 0.55 * math.exp(-since / 60) if day > 0 else 0.1
    cd16 = 0.08 + 0.35 * math.exp(-(((day - 14) / 12) ** 2)) if day > 0 else 0.08
    found |= {
        "NK bright": 0.85 * nk * bright,
        "NK bright CD16+": 0.15 * nk * bright,
        "NK dim": 0.93 * nk * (1 - bright),
        "NK dim CD16-": 0.05 * nk * (1 - bright),
        "NK CD56-": 0.02 * nk * (1 - bright),
        "monocyte": monocyte * (1 - cd16),
        "CD16+ monocyte": monocyte * cd16,
        "expanded NK": sum(_infused(patient.nk_dose * share, day - start) for start, share in _doses()),
    }
    return found


def _doses() -> tuple[tuple[int, float], ...]:
    return tuple(zip(INFUSION_DAYS, (1.0, 0.5), strict=True))


def _infused(dose: float, days_since: int) -> float:
    """Infused cells leave the blood with a half-life of five days; on the day itself blood is drawn before."""
    return dose * 0.5 ** (days_since / 5) if days_since > 0 else 0.0


def _without_infusions(patient: Patient, cell: str, day: int) -> float:
    if day <= CONDITIONING_DAY:
        return BEFORE[cell]
    # Conditioning removes cells by a factor of e in three days, and leaves few.
    left = BEFORE[cell] * max(math.exp(-(day - CONDITIONING_DAY) / 3), 1e-3) * (0.9 ** max(day, 0))
    if day <= 0:
        return left
    plateau, half, steepness = RECOVERY[cell]
    return left + plateau / (1 + math.pow(half * patient.delay[cell] / day, steepness))
