"""Detection limits from control samples, after the form of CLSI EP17: LoB, LoD and LoQ by CV.

LoB = mean(blank) + z·SD(blank); LoD = LoB + z·SD(low-level samples), z = 1.645 for 95 %; or by ranks. LoQ is the lowest
level from which on every level meets the goal for CV. For residual disease the blanks are regenerating marrows without
leukaemia, gated as the patient is: they measure the background of the phenotype, which no event rule knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from cytorecon.errors import CountError, Finding

LIMIT_METHODS = ("parametric", "nonparametric")

# EP17's minimum design, as its implementations state it.
_MINIMUM_BLANKS = 60

Measurement = tuple[int, int]


@dataclass(frozen=True)
class DetectionLimits:
    """Limits of one phenotype in one assay, fractions of 1.

    Parameters
    ----------
    lob, lod, loq
        Limit of blank, of detection, of quantification; `lod` and `loq` are None without low-level samples, `loq`
        also where no level meets the goal for CV.
    method
        ``parametric``, ``nonparametric``, or ``stated`` where only the figures are known.
    blank_count, low_level_count
        Measurements behind them.
    findings
        Where the design falls short of EP17's.
    """

    lob: float
    lod: float | None
    loq: float | None
    method: str
    blank_count: int
    low_level_count: int
    findings: tuple[Finding, ...] = ()

    def lob_count(self, total_count: int) -> int:
        """Most events that the background explains in `total_count` cells."""
        return math.floor(self.lob * total_count + 1e-9)


def detection_limits(
    blanks: Mapping[str, Sequence[Measurement]] | Sequence[Measurement],
    low_level: Mapping[str, Sequence[Measurement]] | None = None,
    *,
    method: str = "parametric",
    z: float = 1.645,
    cv_goal: float = 0.20,
) -> DetectionLimits:
    """Limits from blanks and low-level samples.

    Parameters
    ----------
    blanks
        (event_count, total_count) of each blank measurement, or a mapping from reagent lot to them: each lot has its
        LoB and the largest stands.
    low_level
        Sample → its replicate measurements, at least two each, of low but present disease.
    method
        ``parametric``: means and standard deviations (that of the low-level samples pooled). ``nonparametric``: LoB is
        the 95th percentile of the blanks by rank 0.5 + 0.95·n; LoD the lowest sample of whose measurements, and those
        of every higher sample, at least 95 % exceed LoB.
    z
        Normal quantile; EP17's small-sample correction of it was not seen and is left to the caller.
    cv_goal
        LoQ: largest coefficient of variation.

    Raises
    ------
    CountError
        Fewer than two blanks in a lot, fewer than two replicates of a low-level sample, an impossible count, or an
        unknown method.

    References
    ----------
    CLSI EP17-A2; parametric form and minimum design as its implementations summarise them.
    """
    if method not in LIMIT_METHODS:
        raise CountError("method", "unknown detection limit", expected=" or ".join(LIMIT_METHODS), got=repr(method))
    lots = dict(blanks) if isinstance(blanks, Mapping) else {"blanks": blanks}
    blank = {lot: _fractions(lot, measured) for lot, measured in lots.items()}
    if not blank:
        raise CountError("blanks", "none were given")
    levels = [_fractions(name, measured) for name, measured in (low_level or {}).items()]
    levels.sort(key=lambda level: float(level.mean()))
    if method == "parametric":
        lob = max(float(values.mean() + z * values.std(ddof=1)) for values in blank.values())
        lod = lob + z * _pooled_sd(levels) if levels else None
    else:
        lob = max(_rank_percentile(values) for values in blank.values())
        lod = _lowest(levels, lambda level: float((level > lob).mean()) >= 0.95)
    loq = None if lod is None else _lowest(levels, lambda level: _cv(level) <= cv_goal)
    count = sum(map(len, blank.values()))
    return DetectionLimits(
        lob,
        lod,
        None if loq is None or lod is None else max(loq, lod),
        method,
        count,
        sum(map(len, levels)),
        _design_findings(count, levels, lod),
    )


def _fractions(name: str, measured: Sequence[Measurement]) -> NDArray[np.float64]:
    if len(measured) < 2:
        raise CountError(name, "has too few measurements", expected="at least 2", got=str(len(measured)))
    for event_count, total_count in measured:
        if not 0 <= event_count <= total_count or total_count == 0:
            raise CountError(
                name,
                "an impossible measurement",
                expected="0 ≤ event_count ≤ total_count, total_count above 0",
                got=f"{event_count} of {total_count}",
            )
    return np.array([k / n for k, n in measured])


def _pooled_sd(levels: Sequence[NDArray[np.float64]]) -> float:
    squares = sum(float(((level - level.mean()) ** 2).sum()) for level in levels)
    return math.sqrt(squares / sum(len(level) - 1 for level in levels))


def _rank_percentile(values: NDArray[np.float64]) -> float:
    ranks = np.arange(1, len(values) + 1)
    return float(np.interp(0.5 + 0.95 * len(values), ranks, np.sort(values)))


def _cv(level: NDArray[np.float64]) -> float:
    mean = float(level.mean())
    return float(level.std(ddof=1)) / mean if mean else math.inf


def _lowest(levels: Sequence[NDArray[np.float64]], passes: Callable[[NDArray[np.float64]], bool]) -> float | None:
    good = list(takewhile(passes, reversed(levels)))
    return float(good[-1].mean()) if good else None


def _design_findings(blank_count: int, levels: Sequence[NDArray[np.float64]], lod: float | None) -> tuple[Finding, ...]:
    findings = []
    if blank_count < _MINIMUM_BLANKS:
        message = f"{blank_count} blank measurements where EP17 asks for {_MINIMUM_BLANKS}: the limit of blank is rough"
        findings.append(Finding("few-blanks", message, "warning", "blanks"))
    if not levels:
        findings.append(
            Finding(
                "no-low-level-samples",
                "without low-level samples there is no validated LoD",
                "warning",
                "low_level",
            )
        )
    elif lod is None:
        findings.append(
            Finding(
                "no-detection-limit",
                "no low-level sample exceeds the background in 95 %",
                "review",
                "low_level",
            )
        )
    return tuple(findings)
