"""One infusion planned from one product sample, and the doses of a graft."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from cytorecon.errors import CountError, Finding, ProtocolError
from cytorecon.interval import binomial_interval
from cytorecon.product.counts import CellCounts, PerKg, per_kg
from cytorecon.product.release import ReleaseRow, release_table
from cytorecon.product.request import CellNumber, DoseRequest
from cytorecon.trial.protocol import Ambiguity, Protocol
from cytorecon.trial.reading import RESEARCH_USE
from cytorecon.trial.values import scientific

# Stated doses are rounded to four digits: a sum may exceed the level by that much.
_ROUNDING = Fraction(1, 1000)


@dataclass(frozen=True)
class Check:
    """A check of the plan: passed, or why not."""

    name: str
    passed: bool
    words: str


@dataclass(frozen=True)
class NkDose:
    """One infusion planned from one product sample.

    Parameters
    ----------
    level, infusion, cells
        As asked for; `cells` are the trial's words for an NK cell.
    target_per_kg, planned_per_kg, available_per_kg
        NK cells per kg: the infusion's share of the level, what can be given, and what the product holds. Exact.
    limited_by
        Empty if the target can be given, else ``t_limit`` or ``cells``.
    volume_ml
        Volume that holds the planned dose.
    nk, t_cells
        Dose per kg at the planned volume, with intervals: NK, then all CD3+, CD3+CD56− and CD3+CD56+.
    t_upper_per_kg, t_cumulative_per_kg, t_limit_per_kg
        Upper bound of all CD3+ of this infusion, of all so far (graft included if stated), and the site's limit.
    bound
        How the upper bound was taken.
    split
        (infusion, day, NK cells per kg) of the level.
    """

    level: int
    infusion: int
    cells: str
    target_per_kg: Fraction
    planned_per_kg: Fraction
    available_per_kg: Fraction
    limited_by: Literal["", "t_limit", "cells"]
    volume_ml: float
    nk: PerKg
    t_cells: tuple[PerKg, ...]
    t_upper_per_kg: float
    t_cumulative_per_kg: float
    t_limit_per_kg: Fraction
    bound: str
    split: tuple[tuple[int, int, Fraction], ...]
    checks: tuple[Check, ...]
    release: tuple[ReleaseRow, ...]
    ambiguities: tuple[Ambiguity, ...]
    findings: tuple[Finding, ...]
    text: str
    note: str = RESEARCH_USE

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan, doses, checks, release table, ambiguities, findings, and the note on use."""
        return (
            self.text,
            *(f"Infusion {number}, day {day:+d}: {scientific(dose)}/kg" for number, day, dose in self.split),
            *(dose.text for dose in (self.nk, *self.t_cells)),
            *(f"Check {each.name}: {'passed' if each.passed else 'NOT passed'}, {each.words}" for each in self.checks),
            *(f"Release {row.name}: {row.result} (limit {row.limit}): {row.status}" for row in self.release),
            *(f"Ambiguity {each.number}: {each.record} Treatment: {each.treatment}" for each in self.ambiguities),
            *(f"{finding.severity}: {finding.message}" for finding in self.findings),
            self.note,
        )


def plan_dose(counts: CellCounts, request: DoseRequest, protocol: Protocol) -> NkDose:
    """Plan one infusion: the level's share, capped by what the product holds and by the site's T-cell limit.

    The cap counts the upper bound of all CD3+ cells, of this and of every earlier infusion. An earlier infusion that
    fell short is never topped up.

    Parameters
    ----------
    counts
        From `cell_counts`: of this infusion's own sample.
    request
        From `read_dose`.
    protocol
        From `read_protocol`: levels and their split.

    Raises
    ------
    CountError
        A population needed was not measured, or there is no NK cell.
    ProtocolError
        No such level or infusion, an earlier infusion is missing, or two infusions share one sample.
    """
    _check_given(counts, request)
    nk = counts.fraction("nk")
    if nk == 0:
        raise CountError(f"sample {counts.sample}", "has no NK cell: no volume holds a dose")
    t_events = counts.counts["total"] * (counts.fraction("t_cd56_negative") + counts.fraction("t_cd56_positive"))
    target = protocol.infusion_dose(request.level, request.infusion)
    available = request.viable_per_kg * nk
    upper = _upper(int(t_events), counts.counts["total"], request)
    before = sum((each.t_upper_per_kg.per_kg for each in request.given), Fraction(0))
    before += request.graft_t_per_kg.per_kg if request.graft_t_per_kg else 0
    room = max(request.t_limit_per_kg.per_kg - before, Fraction(0))
    allowed = room / (upper / nk)
    planned = min(target, available, allowed)
    limited: Literal["", "t_limit", "cells"] = "" if planned == target else "t_limit" if planned == allowed else "cells"
    scale = planned / nk
    doses = _doses(counts, int(t_events), scale, request)
    t_upper = float(upper * scale)
    bound = f"Clopper–Pearson, {request.bound.replace('_', '-')} {float(request.confidence) * 100:g} %"
    result = NkDose(
        level=request.level,
        infusion=request.infusion,
        cells=protocol.dose.cells,
        target_per_kg=target,
        planned_per_kg=planned,
        available_per_kg=available,
        limited_by=limited,
        volume_ml=float(scale / request.viable_per_kg * Fraction(request.volume_ml)),
        nk=doses[0],
        t_cells=doses[1:],
        t_upper_per_kg=t_upper,
        t_cumulative_per_kg=t_upper + float(before),
        t_limit_per_kg=request.t_limit_per_kg.per_kg,
        bound=bound,
        split=tuple(
            (each.number, each.day, protocol.infusion_dose(request.level, each.number))
            for each in protocol.dose.infusion
        ),
        checks=_checks(planned, request, protocol),
        release=release_table(counts, request.release, doses, request.viability_percent),
        ambiguities=protocol.ambiguities("dose"),
        findings=(*counts.findings, *_limit_findings(limited, target, planned)),
        text="",
    )
    return _with_text(result, request)


def _check_given(counts: CellCounts, request: DoseRequest) -> None:
    earlier = sorted(each.infusion for each in request.given)
    if earlier != list(range(1, request.infusion)):
        raise ProtocolError(
            "given",
            f"infusion {request.infusion} needs each earlier infusion once",
            expected=", ".join(map(str, range(1, request.infusion))) or "none",
            got=", ".join(map(str, earlier)) or "none",
            remedy="Add [[given]] with infusion, sample, nk_per_kg and t_upper_per_kg (0 if it was not given)",
        )
    if any(each.sample == counts.sample for each in request.given):
        raise ProtocolError("given", f"sample {counts.sample} was another infusion's: each infusion is its own sample")


def _upper(events: int, total: int, request: CellNumber) -> Fraction:
    """Upper bound of a fraction, by which a T-cell limit is kept."""
    one_sided = getattr(request, "bound", "two_sided") == "one_sided"
    method = "clopper-pearson-one-sided" if one_sided else "clopper-pearson"
    return Fraction(float(binomial_interval(events, total, method, float(request.confidence))[1]))


def _doses(counts: CellCounts, t_events: int, scale: Fraction, request: DoseRequest) -> tuple[PerKg, ...]:
    events = {
        "NK": counts.counts["nk"],
        "T (all CD3+)": t_events,
        "T CD56−": counts.counts["t_cd56_negative"],
        "T CD56+": counts.counts["t_cd56_positive"],
    }
    if "t_tcr_ab" in counts.counts:
        events["T TCRαβ+"] = counts.counts["t_tcr_ab"]
    total = counts.counts["total"]
    return tuple(per_kg(name, count, total, scale, float(request.confidence)) for name, count in events.items())


def _checks(planned: Fraction, request: DoseRequest, protocol: Protocol) -> tuple[Check, ...]:
    """Total against the level, and the ratio of consecutive infusions against the plan's."""
    level = protocol.level(request.level).total.per_kg
    total = planned + sum((each.nk_per_kg.per_kg for each in request.given), Fraction(0))
    words = f"{scientific(total)}/kg so far, level {scientific(level)}/kg"
    checks = [Check("total", total <= level * (1 + _ROUNDING), words)]
    for each in request.given:
        wanted = protocol.infusion(each.infusion).share / protocol.infusion(request.infusion).share
        got = each.nk_per_kg.per_kg / planned if planned else None
        near = got is not None and abs(got / wanted - 1) <= request.ratio_tolerance
        shown = "no dose" if got is None else f"{float(got):.3g}:1"
        tolerance = f"± {float(request.ratio_tolerance * 100):g} %"
        words = f"{shown}, planned {wanted}:1 {tolerance}"
        checks.append(Check(f"infusion {each.infusion} : {request.infusion}", near, words))
    return tuple(checks)


def _limit_findings(limited: str, target: Fraction, planned: Fraction) -> tuple[Finding, ...]:
    if not limited:
        return ()
    why = {"t_limit": "the site's T-cell limit", "cells": "what the product holds"}[limited]
    message = f"{scientific(planned)}/kg of {scientific(target)}/kg can be given, by {why}: a person decides"
    return (Finding(f"dose-limited-by-{limited.replace('_', '-')}", message, "review"),)


def _with_text(dose: NkDose, request: DoseRequest) -> NkDose:
    applied = "applied once" if request.cells_are == "total" else "not applied: the cells given are viable"
    text = (
        f"Level {dose.level}, infusion {dose.infusion}: {scientific(dose.planned_per_kg)} {dose.cells} cells/kg"
        f" (target {scientific(dose.target_per_kg)}/kg, product holds {scientific(dose.available_per_kg)}/kg) in"
        f" {dose.volume_ml:.1f} mL for {request.weight_kg} kg ({request.weight} weight)."
        f" All CD3+ at most {scientific(dose.t_upper_per_kg)}/kg, {scientific(dose.t_cumulative_per_kg)}/kg in all"
        f" ({dose.bound}); the site's limit is {scientific(dose.t_limit_per_kg)}/kg. Viability {applied}."
        f" {RESEARCH_USE}"
    )
    return replace(dose, text=text)


def graft_dose(counts: CellCounts, cells: CellNumber) -> tuple[PerKg, ...]:
    """CD34+, CD3+, TCRαβ+, CD19+ and NK cells of a whole graft per kg, with exact intervals.

    Parameters
    ----------
    counts
        From `cell_counts` with `GRAFT_NAMES`; what was not measured is left out.
    cells
        Nucleated cells of the graft and the recipient's weight.
    """
    titles = {"cd34": "CD34+", "t": "CD3+", "t_tcr_ab": "TCRαβ+", "b": "CD19+", "nk": "NK CD3−CD56+"}
    return tuple(
        per_kg(title, counts.counts[key], counts.counts["total"], cells.viable_per_kg, float(cells.confidence))
        for key, title in titles.items()
        if key in counts.counts
    )
