"""Checks on counts: do the parts of one sample fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cytorecon.errors import Finding, TemplateError

if TYPE_CHECKING:
    from cytorecon.gating import GatedSample, PopulationCounts

Limits = Mapping[str, object]
Counts = Mapping[str, "PopulationCounts"]


def lymphosum(counts: Counts, limits: Limits) -> Iterator[Finding]:
    """T + B + NK as a share of lymphocytes: 100 ± `warn` and ± `fail` percent.

    References
    ----------
    100 ± 10 %: IUPAC Gold Book 13420 (PAC 2012;84:1113). ± 5 % is attributed to CDC 1997 and not verified.
    """
    parts, whole = _parts(counts, limits), _measured(counts, _name(limits, "of"))
    if parts is None or whole is None or whole < number_of(limits, "minimum", 100):
        return
    percent = 100 * parts / whole
    yield from _graded("lymphosum", abs(percent - 100), limits, f"T + B + NK are {percent:.1f} % of lymphocytes", "100")


def part_sum(counts: Counts, limits: Limits) -> Iterator[Finding]:
    """CD4+ and CD8+ against CD3+: for information, since DN and DP cells break it after transplantation."""
    parts, whole = _parts(counts, limits), _measured(counts, _name(limits, "of"))
    if parts is None or whole is None or whole < number_of(limits, "minimum", 100):
        return
    percent = 100 * parts / whole
    warn = number_of(limits, "warn", 10)
    if abs(percent - 100) > warn:
        message = f"CD4+ and CD8+ are {percent:.1f} % of CD3+ (limit 100 ± {warn:g})"
        yield Finding("cd4-cd8-sum", message, "info", _name(limits, "of"))


def viability(counts: Counts, limits: Limits) -> Iterator[Finding]:
    """Living cells as a share of all."""
    yield from _share(counts, limits, "viability", "of the cells are viable")


def doublets(counts: Counts, limits: Limits) -> Iterator[Finding]:
    """Single events as a share of all."""
    yield from _share(counts, limits, "singlets", "of the events are single")


def minimum_events(counts: Counts, limits: Limits) -> Iterator[Finding]:
    """Least number of events of the populations named; in leukopenia the interval speaks, nothing is rejected."""
    least = number_of(limits, "minimum", 0)
    for name in _names(limits, "populations"):
        count = _measured(counts, name)
        if count is not None and count < least:
            yield Finding("few-events", f"{count} events (limit {least:g})", "warning", name)


def beads(counts: Counts, limits: Limits) -> Iterator[Finding]:
    """Least number of counting beads, where there are any."""
    least = number_of(limits, "minimum", 0)
    count = _measured(counts, _name(limits, "of"))
    if count is not None and 0 < count < least:
        yield Finding(
            "few-beads", f"{count} beads (limit {least:g}); no concentration rests on them", "review", "Beads"
        )


def compensation(gated: GatedSample, limits: Limits) -> Iterator[Finding]:
    """A matrix was used."""
    if limits.get("required") and gated.compensation is None:
        yield Finding("compensation-missing", "no spillover matrix was used (limit: one)", "review")


COUNT_CHECKS: Mapping[str, Callable[[Counts, Limits], Iterator[Finding]]] = {
    "lymphosum": lymphosum,
    "cd4_cd8": part_sum,
    "viability": viability,
    "doublets": doublets,
    "minimum_events": minimum_events,
    "beads": beads,
}


def _share(counts: Counts, limits: Limits, code: str, words: str) -> Iterator[Finding]:
    """A population as a share of another, or of its parent where none is named."""
    part, of = _measured(counts, _name(limits, "part")), _name(limits, "of")
    whole = _measured(counts, of) if of or part is None else counts[_name(limits, "part")].parent_count
    if part is None or not whole:
        return
    percent, least = 100 * part / whole, number_of(limits, "minimum", 0)
    if percent < least:
        yield Finding(f"low-{code}", f"{percent:.1f} % {words} (limit {least:g})", "warning", _name(limits, "part"))


def _graded(code: str, off: float, limits: Limits, words: str, aim: str) -> Iterator[Finding]:
    warn, fail = number_of(limits, "warn", 5), number_of(limits, "fail", 10)
    if off > fail:
        yield Finding(code, f"{words} (limit {aim} ± {fail:g})", "review")
    elif off > warn:
        yield Finding(code, f"{words} (limit {aim} ± {warn:g})", "warning")


def _parts(counts: Counts, limits: Limits) -> int | None:
    """Sum of the parts; of names joined by ``|`` the first that is measured counts. None if one is not measured."""
    total = 0
    for names in _names(limits, "parts"):
        found = [count for name in names.split("|") if (count := _measured(counts, name)) is not None]
        if not found:
            return None
        total += found[0]
    return total


def _measured(counts: Counts, name: str) -> int | None:
    one = counts.get(name)
    return one.event_count if one is not None and one.event_count >= 0 else None


def _name(limits: Limits, key: str) -> str:
    value = limits.get(key, "")
    if not isinstance(value, str):
        raise TemplateError(f"quality, {key}", "is no name", got=str(value))
    return value


def _names(limits: Limits, key: str) -> tuple[str, ...]:
    value = limits.get(key, ())
    if not isinstance(value, tuple) or not all(isinstance(name, str) for name in value):
        raise TemplateError(f"quality, {key}", "is no list of names", got=str(value))
    return tuple(map(str, value))


def number_of(limits: Limits, key: str, default: float) -> float:
    """Read a limit.

    Raises
    ------
    TemplateError
        It is no number.
    """
    value = limits.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TemplateError(f"quality, {key}", "is no number", got=str(value))
    return float(value)
