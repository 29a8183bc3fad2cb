"""What a dose needs beside the counts, as the site writes it (TOML)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cytorecon.trial.criteria import Share
from cytorecon.trial.protocol import CellDose
from cytorecon.trial.reading import Model, Number, Sequence, parse_model, read_toml


class CellNumber(Model):
    """How many nucleated cells there are, for whom.

    ``cells_are`` says whether dead cells are among them; only then is viability applied, once.
    """

    weight_kg: Number = Field(gt=0, lt=300)
    weight: Literal["actual", "ideal", "adjusted"]
    nucleated_cells: Number = Field(gt=0)
    cells_are: Literal["viable", "total"]
    viability_percent: Number | None = Field(default=None, gt=0, le=100)
    confidence: Number = Field(default="0.95", gt=0.5, lt=1, validate_default=True)

    @model_validator(mode="after")
    def _viability_is_known(self) -> CellNumber:
        if self.cells_are == "total" and self.viability_percent is None:
            raise ValueError("cells_are is total: state viability_percent, or give viable cells")
        if self.viability_percent is not None and self.viability_percent <= 1:
            raise ValueError(f"viability_percent {self.viability_percent} looks like a fraction: write percent")
        return self

    @property
    def viable_per_kg(self) -> Fraction:
        """Viable nucleated cells per kg."""
        return self.viable(Fraction(self.nucleated_cells)) / Fraction(self.weight_kg)

    def viable(self, cells: Fraction) -> Fraction:
        """The viable ones of some counted cells."""
        applied = self.viability_percent if self.cells_are == "total" else None
        return cells if applied is None else cells * Fraction(applied) / 100


class Given(Model):
    """An infusion already given: NK cells per kg, and the upper bound of its CD3+ cells per kg."""

    infusion: int
    sample: str = Field(min_length=1)
    nk_per_kg: CellDose
    t_upper_per_kg: CellDose


class Limit(Model):
    """A site's release limit, and the result where no cytometer gives it."""

    at_least: Number | None = None
    at_most: Number | None = None
    unit: str = ""
    result: Number | str | None = None


class DoseRequest(CellNumber):
    """What a dose needs beside the counts. The T-cell limit is the site's: there is no default."""

    level: int
    infusion: int
    t_limit_per_kg: CellDose
    graft_t_per_kg: CellDose | None = None
    volume_ml: Number = Field(gt=0)
    bound: Literal["one_sided", "two_sided"] = "one_sided"
    ratio_tolerance: Share = Field(default="10 %", validate_default=True)
    given: Annotated[tuple[Given, ...], Sequence] = ()
    release: dict[str, Limit] = Field(default_factory=dict)


def read_cell_number(path: str | Path) -> CellNumber:
    """The cells of a graft and the recipient's weight (TOML).

    Raises
    ------
    ProtocolError
        A field is missing, unknown, or outside its range.
    """
    return parse_model(CellNumber, read_toml(path), str(path))


def read_dose(path: str | Path) -> DoseRequest:
    """A dose request (TOML).

    Raises
    ------
    ProtocolError
        A field is missing (the T-cell limit among them), unknown, or outside its range.
    """
    return parse_model(DoseRequest, read_toml(path), str(path))
