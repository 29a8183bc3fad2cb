"""The events a dose rests on, and cells per kg with their exact interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cytorecon.errors import CountError, Finding
from cytorecon.gating import GatedSample, PopulationCounts
from cytorecon.interval import binomial_interval
from cytorecon.trial.values import scientific

# What this module calls a population -> its name in the shipped templates; another template's names may be given.
PRODUCT_NAMES: dict[str, str] = {
    "total": "CD45pos",
    "nk": "NK cells",
    "t_cd56_negative": "T56-",
    "t_cd56_positive": "T56+",
    "t_tcr_ab": "TCRab T cells",
    "b": "B cells",
    "monocytes": "Monocytes",
    "feeder": "Feeder",
    "viable": "Viable",
    "singlets": "Singlets",
}
GRAFT_NAMES: dict[str, str] = {
    "total": "CD45pos",
    "cd34": "CD34+",
    "t": "T cells",
    "t_tcr_ab": "TCRab T cells",
    "b": "B cells",
    "nk": "NK cells",
}


@dataclass(frozen=True)
class CellCounts:
    """Events of the populations a dose is computed from.

    Parameters
    ----------
    counts
        Name (a key of `PRODUCT_NAMES` or `GRAFT_NAMES`) -> events; a population that was not measured is left out.
        ``total`` is the viable CD45+ cells, the population counted as nucleated cells.
    sample
        Which sample this is; each infusion has its own.
    findings
        What was accepted, and how.

    Raises
    ------
    CountError
        ``total`` is missing or 0 (0 of 0 is not evaluable), or a part is larger than the whole.
    """

    counts: Mapping[str, int]
    sample: str
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        total = self.counts.get("total", 0)
        if total <= 0:
            raise CountError(f"sample {self.sample}", "has no viable CD45+ cell: no dose is evaluable")
        for name, count in self.counts.items():
            outside = name not in {"total", "viable", "singlets", "feeder"} and count > total
            if count < 0 or outside:
                raise CountError(
                    f"sample {self.sample}: {name}", "is no part", expected=f"0 to {total}", got=str(count)
                )

    def fraction(self, name: str) -> Fraction:
        """Events of a population per viable CD45+ event, exact.

        Raises
        ------
        CountError
            It was not measured.
        """
        if name not in self.counts:
            raise CountError(f"sample {self.sample}: {name}", "was not measured", remedy="Gate a tube with its markers")
        return Fraction(self.counts[name], self.counts["total"])


def cell_counts(
    gated: GatedSample | Sequence[PopulationCounts],
    names: Mapping[str, str] = PRODUCT_NAMES,
    sample: str = "",
) -> CellCounts:
    """The counts a dose needs from a gated product or graft, by population name.

    Parameters
    ----------
    gated
        A gated sample, or its population counts.
    names
        `PRODUCT_NAMES`, `GRAFT_NAMES`, or the names of the site's own template.
    sample
        What to call it; the file's name if empty.

    Raises
    ------
    CountError
        The file could not be gated, the total is not counted, or a name occurs twice.
    """
    if isinstance(gated, GatedSample):
        if gated.error:
            raise CountError(gated.file, f"was not gated: {gated.error}")
        sample, gated = sample or gated.file, gated.counts
    counts: dict[str, int] = {}
    findings: list[Finding] = []
    for key, name in names.items():
        found = [each for each in gated if each.name == name]
        if len(found) > 1:
            raise CountError(
                f"sample {sample}: {name}", "is the name of two populations", remedy="Give the names apart"
            )
        if found and found[0].status in {"counted", "needs_review"}:
            counts[key] = found[0].event_count
            if found[0].status == "needs_review":
                message = f"{name} awaits review: the dose rests on it"
                findings.append(Finding("population-needs-review", message, "review", name))
    if "viable" in names and "viable" not in counts:
        message = "no viability gate: the fractions include dead cells"
        findings.append(Finding("viability-not-gated", message, "review", names["viable"]))
    return CellCounts(counts, sample, tuple(findings))


@dataclass(frozen=True)
class PerKg:
    """Cells of one kind per kg, with the exact interval of their fraction carried through.

    `low` and `high` cover counting only; the upper one is above 0 also where no event was found.
    """

    name: str
    event_count: int
    total_count: int
    per_kg: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """``T CD56−: 1.2e3/kg (8.0e2 to 1.7e3; 12 of 10000)``."""
        interval = f"{scientific(self.low)} to {scientific(self.high)}"
        value = scientific(self.per_kg) if self.event_count else f"< {scientific(self.high)}"
        return f"{self.name}: {value}/kg ({interval}; {self.event_count} of {self.total_count})"


def per_kg(name: str, events: int, total: int, scale: Fraction, confidence: float) -> PerKg:
    """Events of a total, and their exact interval, as cells per kg; `scale` is the total's cells per kg."""
    low, high = binomial_interval(events, total, confidence=confidence)
    factor = float(scale)
    return PerKg(name, events, total, float(Fraction(events, total) * scale), float(low) * factor, float(high) * factor)
