"""The release table of a product: measured lines, the site's limits, and what is left to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cytorecon.product.counts import CellCounts, PerKg
from cytorecon.product.request import Limit


@dataclass(frozen=True)
class ReleaseRow:
    """One line of the release table; `status` is within, outside, no limit, or to be filled in."""

    name: str
    result: str
    limit: str
    status: Literal["within", "outside", "no limit", "to be filled in"]


def release_table(
    counts: CellCounts, limits: Mapping[str, Limit], doses: Sequence[PerKg] = (), viability: object = None
) -> tuple[ReleaseRow, ...]:
    """The release table: what the cytometer measured, the site's limits, and lines left to fill in.

    The trial record states no release criteria; a line without the site's limit says so.

    Parameters
    ----------
    counts
        From `cell_counts`.
    limits
        The site's limits by line; a line the cytometer does not give takes its own `result`.
    doses
        Per kg, at the planned volume: the upper ends enter the table.
    viability
        Percent, as stated; the gated viability is a line of its own.
    """
    measured: dict[str, tuple[float, str]] = {}
    if viability is not None:
        measured["viability"] = (float(str(viability)), "%")
    if counts.counts.get("singlets") and "viable" in counts.counts:
        measured["viability_gated"] = (100 * counts.counts["viable"] / counts.counts["singlets"], "%")
    for key in ("nk", "b", "monocytes"):
        if key in counts.counts:
            measured[f"{key}_percent"] = (float(100 * counts.fraction(key)), "%")
    if "feeder" in counts.counts and counts.counts.get("viable"):
        measured["feeder_percent"] = (100 * counts.counts["feeder"] / counts.counts["viable"], "%")
    lines = {"T (all CD3+)": "t_per_kg", "T CD56−": "t_cd56_negative_per_kg"}
    measured |= {lines[dose.name]: (dose.high, "/kg, upper") for dose in doses if dose.name in lines}
    others = ("endotoxin", "sterility", "mycoplasma", "hla_identity")
    names = dict.fromkeys([*measured, *others, *limits])
    return tuple(_release_row(name, measured.get(name), limits.get(name)) for name in names)


def _release_row(name: str, measured: tuple[float, str] | None, limit: Limit | None) -> ReleaseRow:
    limit = limit or Limit()
    bounds = [("≥", limit.at_least), ("≤", limit.at_most)]
    words = " ".join(f"{sign} {bound:f}" for sign, bound in bounds if bound is not None)
    words = f"{words} {limit.unit}".strip() or "not given"
    if measured is None and isinstance(limit.result, str | None):
        return ReleaseRow(name, limit.result or "", words, "no limit" if limit.result else "to be filled in")
    value, unit = measured or (float(limit.result or 0), limit.unit)
    shown = f"{value:.3g} {unit}".strip()
    if limit.at_least is None and limit.at_most is None:
        return ReleaseRow(name, shown, words, "no limit")
    low = limit.at_least is not None and value < float(limit.at_least)
    high = limit.at_most is not None and value > float(limit.at_most)
    return ReleaseRow(name, shown, words, "outside" if low or high else "within")
