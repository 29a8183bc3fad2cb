"""Which count a threshold is compared with: its own denominator, a stated conversion, or nothing.

pct(nucleated) = pct(CD45+) · n(CD45+) / n(nucleated), and n(CD45+) ≤ n(nucleated): a CD45+ percentage is an upper
limit of the nucleated one as long as the leukaemic cells are themselves CD45+.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cytorecon.errors import CountError, Finding
from cytorecon.mrd.threshold import Denominator, MrdThreshold

# Every one of these is a part of the nucleated cells.
_SUBSETS = (Denominator.CD45, Denominator.WBC, Denominator.MONONUCLEAR, Denominator.LINEAGE)


@dataclass(frozen=True)
class Comparison:
    """The count a threshold is compared with.

    Parameters
    ----------
    total_count
        Cells of the threshold's denominator (or its stand-in); None where they were not counted.
    estimate
        The count is an estimate of the denominator: the protocol's answer is for a person.
    upper_limit_only
        The count is a part of the denominator: the fraction is an upper limit.
    """

    total_count: int | None
    estimate: bool = False
    upper_limit_only: bool = False
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True)
class Totals:
    """Every total that was counted for one numerator.

    Parameters
    ----------
    total_count, denominator
        The denominator of the result.
    nucleated_count, cd45_count
        Other totals of the same acquisition, for conversions and for thresholds of their own; None: not counted.

    Raises
    ------
    CountError
        Two totals contradict each other.
    """

    total_count: int
    denominator: Denominator
    nucleated_count: int | None = None
    cd45_count: int | None = None

    def __post_init__(self) -> None:
        others = {Denominator.NUCLEATED_DYE: self.nucleated_count, Denominator.CD45: self.cd45_count}
        own = others.get(self.denominator)
        if own is not None and own != self.total_count:
            raise CountError(
                f"{self.denominator} count",
                "is given twice and differs",
                expected=str(self.total_count),
                got=str(own),
            )
        parts = [
            (self.denominator, self.total_count if self.denominator in _SUBSETS else None),
            (Denominator.CD45, self.cd45_count),
        ]
        whole = self.of(Denominator.NUCLEATED_DYE)
        for name, part in parts:
            if whole is not None and part is not None and part > whole:
                raise CountError(
                    "counts",
                    f"{name.words} are a part of the nucleated cells and cannot outnumber them",
                    expected=f"at most {whole}",
                    got=str(part),
                )

    def of(self, denominator: Denominator) -> int | None:
        """Cells of that denominator, None if not counted."""
        if denominator == self.denominator:
            return self.total_count
        return {Denominator.NUCLEATED_DYE: self.nucleated_count, Denominator.CD45: self.cd45_count}.get(denominator)

    def compare(self, threshold: MrdThreshold) -> Comparison:
        """The count to hold against `threshold`; without one, a comparison that says so.

        Notes
        -----
        A result of nucleated cells by scatter stands in for the dye as an estimate; a CD45+ result for nucleated
        cells as an upper limit. No other pair is compared without the second count.
        """
        wanted, count = threshold.denominator, self.of(threshold.denominator)
        if wanted == self.denominator:
            return Comparison(count)
        if count is not None:
            return Comparison(count, findings=(self._converted(wanted, count),))
        if wanted is Denominator.NUCLEATED_DYE and self.denominator is Denominator.NUCLEATED_SCATTER:
            return Comparison(self.total_count, estimate=True, findings=(_ESTIMATE,))
        if wanted is Denominator.NUCLEATED_DYE and self.denominator is Denominator.CD45:
            return Comparison(self.total_count, upper_limit_only=True, findings=(_UPPER_LIMIT,))
        return Comparison(None, findings=(self._absent(threshold),))

    def _converted(self, wanted: Denominator, count: int) -> Finding:
        return Finding(
            "denominator-converted",
            f"re-expressed from {self.total_count:,} {self.denominator.words} to {count:,} {wanted.words} of the"
            " same acquisition; assumes that the leukaemic events belong to both",
            "info",
            str(wanted),
        )

    def _absent(self, threshold: MrdThreshold) -> Finding:
        return Finding(
            "denominator-absent",
            f"{threshold.source} is a fraction of {threshold.denominator.words}, which were not counted;"
            f" a result of {self.denominator.words} is not compared with it",
            "info",
            threshold.source,
        )


_ESTIMATE = Finding(
    "denominator-estimate",
    "nucleated cells were counted without a nucleic-acid dye: the denominator is an estimate, the protocol's answer"
    " is for a person",
    "review",
    "nucleated_scatter",
)
_UPPER_LIMIT = Finding(
    "denominator-upper-limit",
    "nucleated cells were not counted: the fraction of CD45+ cells is an upper limit of the fraction of nucleated"
    " cells (not valid for CD45-negative blasts) and can show only that the threshold is not exceeded",
    "review",
    "cd45",
)
