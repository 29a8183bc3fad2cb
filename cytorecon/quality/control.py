"""Process-control material over a study: Levey–Jennings limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

from cytorecon.errors import Finding, Severity


def levey_jennings(
    values: Sequence[float], *, target: float | None = None, deviation: float | None = None, where: str = ""
) -> Iterator[Finding]:
    """Judge a series of measurements of one control material, oldest first.

    Parameters
    ----------
    values
        Percentages or concentrations, one a run.
    target, deviation
        Mean and standard deviation assigned to the material; by default those of the values before the one judged,
        from the fifth on.
    where
        What is measured, for the finding.

    Yields
    ------
    Finding
        1-2s (a warning), and what has to be looked at: 1-3s, 2-2s, R-4s, 4-1s and 10x.

    References
    ----------
    Westgard et al. 1981, Clin Chem 27:493, doi:10.1093/clinchem/27.3.493.
    """
    scores: list[float] = []
    for number, value in enumerate(values):
        before = values[:number]
        centre = target if target is not None else fmean(before) if len(before) >= 5 else None
        width = deviation if deviation is not None else stdev(before) if len(before) >= 5 else None
        if centre is None or not width:
            continue
        scores.append((value - centre) / width)
        if rule := _broken(scores):
            severity: Severity = "warning" if rule == "1-2s" else "review"
            message = f"run {number + 1}: {value:g} is {scores[-1]:+.1f} standard deviations from {centre:g} ({rule})"
            yield Finding("control-limit", message, severity, where)


def _broken(scores: Sequence[float]) -> str:
    """Name of the strictest rule that the last score breaks; empty if none."""
    last = scores[-1]
    if abs(last) > 3:
        return "1-3s"
    if len(scores) > 1 and abs(last) > 2:
        if min(scores[-2:]) > 2 or max(scores[-2:]) < -2:
            return "2-2s"
        if max(scores[-2:]) > 2 and min(scores[-2:]) < -2:
            return "R-4s"
    for length, limit, name in ((4, 1.0, "4-1s"), (10, 0.0, "10x")):
        some = scores[-length:]
        if len(some) == length and (min(some) > limit or max(some) < -limit):
            return name
    return "1-2s" if abs(last) > 2 else ""
