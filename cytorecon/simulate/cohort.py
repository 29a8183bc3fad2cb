"""A folder of simulated files with sample sheets and the truth, as a centre might hand one over."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytorecon.simulate.answers import ANSWER_COLUMNS, answers
from cytorecon.simulate.hard import REGENERATING_MARROW, counts_of
from cytorecon.simulate.panels import PANELS
from cytorecon.simulate.patient import Patient, concentrations, simulate_patient
from cytorecon.simulate.truth import TRUTH
from cytorecon.simulate.tube import SimulatedTube, simulate_tube

BLOOD_DAYS = (-14, -5, 5, 14, 21, 28, 60, 100, 180, 365, 730)
MARROW_DAYS = (-21, 28, 100)
MRD_FRACTIONS = (3e-4, 2e-3, 0.0, 5e-5, 2e-2)
DISEASES = ("aml", "t_all", "mpal")
LEUKEMIC: Mapping[str, Sequence[str]] = {
    "aml": ("AML",), "t_all": ("T-ALL",), "mpal": ("MPAL myeloid", "MPAL T", "MPAL B")
}  # fmt: skip
COLUMNS = (
    "file", "dataset", "patient", "transplant", "timepoint", "day", "specimen", "panel", "replicate", "control_for",
    "compensation", "wbc_per_ul", "lymphocyte_percent", "beads_per_tube", "sample_volume_ul", "dilution", "bead_lot",
    "comment", "tube",
)  # fmt: skip

_BEADS_PER_TUBE, _VOLUME = 50_000, 50.0
_PRODUCT = {"expanded NK": 92, "NKT-like": 2, "CD8 T": 1.2, "CD4 T": 0.8, "B": 0.4, "monocyte": 0.3, "feeder": 0.05}
_GRAFT = {"neutrophil": 50, "monocyte": 35, "progenitor": 1.5, "NK dim": 5, "NK bright": 1, "B": 6, "CD4 T": 0.03,
          "CD8 T": 0.03, "gd T": 0.02, "basophil": 0.5, "pDC": 0.5}  # fmt: skip


@dataclass(frozen=True)
class _Draw:
    """One sample to be made: what the sheet says of it, and what is in it."""

    patient: Patient
    timepoint: int
    day: int
    specimen: str
    template: str
    panel: str
    counts: Mapping[str, int]
    beads: int = 0
    sheet: Mapping[str, object] = field(default_factory=dict)
    per_ul: Mapping[str, float] = field(default_factory=dict)


def simulate_cohort(
    folder: str | Path,
    patients: int = 6,
    seed: int = 1,
    *,
    events: int = 20_000,
    marrow_events: int = 100_000,
    blood_days: Sequence[int] = BLOOD_DAYS,
    marrow_days: Sequence[int] = MARROW_DAYS,
    mrd_fractions: Sequence[float] = MRD_FRACTIONS,
    products: bool = True,
    broken: bool = False,
) -> Path:
    """Write a cohort: FCS files, ``cohort.csv``, one sheet a panel (``tbnk.csv``, …) and ``truth.csv``.

    Every file, sheet row and name says that it is simulated.

    Parameters
    ----------
    folder
        Where to write; made if it is not there.
    patients
        How many. Diseases take turns; every third patient's blood is in the 6-colour tube with counting beads.
    seed
        The same seed gives the same files with the same numpy on the same kind of processor.
    events, marrow_events
        Living cells in a blood and in a marrow tube; fewer where the blood holds too few.
    blood_days, marrow_days
        Nominal days relative to transplant; after day 28 the actual day differs by up to three.
    mrd_fractions
        Leukaemic share of the nucleated cells before conditioning, patient after patient in turn.
    products
        Also write the NK products of days −12 and +5 and the graft of day 0.
    broken
        Also write one file that is cut off in its middle, with a row in the sheets.

    Returns
    -------
    Path
        ``cohort.csv``. Its `panel` names the template, the further column `tube` the simulated panel.
    """
    folder = Path(folder)
    (folder / "fcs").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    truth: list[dict[str, object]] = []
    for index in range(patients):
        person = simulate_patient(
            rng, f"SIM-{index + 1:03d}", DISEASES[index % 3], mrd_fractions[index % len(mrd_fractions)]
        )
        tube = "tbnk_6" if index % 3 == 2 else "tbnk_10"
        draws = [_blood(rng, person, day, tube, events) for day in blood_days]
        draws += [_marrow(rng, person, day, marrow_events) for day in marrow_days]
        draws += _products(rng, person, events) if products else []
        for draw in draws:
            row, simulated = _write(rng, draw, folder)
            rows.append(row)
            truth += answers(simulated, str(row["file"]), draw.template, draw.per_ul, leukemic=LEUKEMIC[person.disease])
    if broken:
        rows.append(_broken(folder, rows[0]))
    for panel in dict.fromkeys(str(row["panel"]) for row in rows):
        _write_csv(folder / f"{panel}.csv", COLUMNS, [row for row in rows if row["panel"] == panel])
    _write_csv(folder / "truth.csv", ANSWER_COLUMNS, truth)
    _write_csv(folder / "cohort.csv", COLUMNS, rows)
    return folder / "cohort.csv"


def _blood(rng: np.random.Generator, patient: Patient, timepoint: int, panel: str, events: int) -> _Draw:
    day = timepoint + int(rng.integers(-3, 4)) if timepoint > 28 else timepoint
    per_ul = concentrations(patient, day)
    wbc = sum(per_ul.values())
    volume = min(_VOLUME, events / wbc)
    with_beads = panel == "tbnk_6"
    lymphocytes = sum(per_ul.get(name, 0.0) for name in TRUTH["tbnk"]["Lymphocytes"])
    counted = max(1, round(wbc * rng.normal(1, 0.02)))
    sheet: dict[str, object] = {
        # A sheet takes so low a number for 10⁹/L unless the unit stands beside it.
        "wbc_per_ul": counted if counted >= 100 else f"{counted}/uL",
        "lymphocyte_percent": f"{100 * lymphocytes / wbc:.1f}",
    }
    if with_beads:
        sheet |= {"beads_per_tube": _BEADS_PER_TUBE, "sample_volume_ul": f"{_VOLUME:g}", "bead_lot": "SIM-LOT-1"}
    return _Draw(
        patient, timepoint, day, "blood", "tbnk", panel,
        counts={name: int(rng.poisson(value * volume)) for name, value in per_ul.items()},
        beads=int(rng.poisson(_BEADS_PER_TUBE * volume / _VOLUME)) if with_beads else 0,
        sheet=sheet, per_ul=per_ul,
    )  # fmt: skip


def _marrow(rng: np.random.Generator, patient: Patient, timepoint: int, events: int) -> _Draw:
    shares = dict(REGENERATING_MARROW)
    if timepoint > 0:
        # Infused NK cells are what mimics leukaemia on day 28.
        shares["expanded NK"] = 6 * 0.5 ** (timepoint / 14)
    counts = counts_of({name: share * rng.lognormal(0, 0.2) for name, share in shares.items()}, events)
    if timepoint < 0:
        kinds = LEUKEMIC[patient.disease]
        blasts = round(patient.mrd * sum(counts.values()))
        counts |= {kind: int(n) for kind, n in zip(kinds, _shared_out(blasts, len(kinds)), strict=True)}
    template = f"mrd_{patient.disease}"
    return _Draw(patient, timepoint, timepoint, "marrow", template, template, counts)


def _shared_out(total: int, parts: int) -> list[int]:
    return [(total + part) // parts for part in range(parts)]


def _products(rng: np.random.Generator, patient: Patient, events: int) -> list[_Draw]:
    product, graft = (
        [counts_of({name: n * rng.lognormal(0, 0.3) for name, n in shares.items()}, events) for _ in range(2)]
        for shares in (_PRODUCT, _GRAFT)
    )
    return [
        _Draw(patient, -12, -12, "product", "nk_product", "nk_product", product[0]),
        _Draw(patient, 5, 5, "product", "nk_product", "nk_product", product[1]),
        _Draw(patient, 0, 0, "graft", "graft", "graft", graft[0]),
    ]


def _write(rng: np.random.Generator, draw: _Draw, folder: Path) -> tuple[dict[str, object], SimulatedTube]:
    """Stain, acquire and store one sample, with the small differences that days and pipettes make."""
    stains = PANELS[draw.panel]
    tube = simulate_tube(
        draw.counts,
        draw.panel,
        seed=int(rng.integers(2**32)),
        beads=draw.beads,
        staining={antigen: float(rng.lognormal(0, 0.08)) for stain in stains for antigen in stain.antigens},
        gain={stain.fluorochrome: float(rng.lognormal(0, 0.05)) for stain in stains},
        spill_error=0.01,
    )
    name = f"fcs/{draw.patient.name}_{draw.specimen}_{draw.template}_d{draw.day:+04d}.fcs"
    tube.write(folder / name, src=draw.patient.name)
    row: dict[str, object] = {
        "file": name, "patient": draw.patient.name, "transplant": 1, "timepoint": draw.timepoint, "day": draw.day,
        "specimen": draw.specimen, "panel": draw.template, "replicate": 1, "dilution": 1, "comment": "simulated",
        "tube": draw.panel,
    }  # fmt: skip
    return row | dict(draw.sheet), tube


def _broken(folder: Path, model: Mapping[str, object]) -> dict[str, object]:
    name = "fcs/SIM-BROKEN.fcs"
    content = (folder / str(model["file"])).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    return dict(model) | {"file": name, "patient": "SIM-BROKEN", "comment": "simulated: cut off on purpose"}


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
