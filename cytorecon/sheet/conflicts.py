"""What two rows of a sample sheet must not have in common, and how many problems are told at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from cytorecon.errors import SheetError
from cytorecon.sheet.sample import Sample

MAX_LISTED = 20


def check_samples(samples: Sequence[Sample]) -> None:
    """Refuse samples that cannot stand side by side in one run.

    Raises
    ------
    SheetError
        Two of them are the same sample, use the same data, or claim the same timepoint; a control is for a
        file that is not among them.
    """
    refuse(list(conflicts(samples)), "samples")


def conflicts(samples: Sequence[Sample]) -> Iterator[SheetError]:
    """Name every pair of rows that contradict each other, and every control of nothing."""
    for first, second in _pairs(samples, lambda sample: sample.identity):
        yield _clash(
            second, first, "is the same sample (patient, transplant, day, specimen, panel, replicate)",
            "Number repeated acquisitions in the column replicate.", "duplicate-sample",
        )  # fmt: skip
    for first, second in _pairs(samples, lambda sample: (_place(sample.file), sample.dataset or 1)):
        yield _clash(second, first, "uses the same file and data set", "One file is one sample.", "duplicate-file")
    for first, second in _claims(samples):
        yield _clash(
            second, first, f"claims the same timepoint {second.timepoint} on another day",
            "Leave timepoint empty in one of them, or give it its own.", "duplicate-timepoint",
        )  # fmt: skip
    names = {sample.file_name for sample in samples}
    for sample in samples:
        if sample.control_for and sample.control_for not in names:
            yield SheetError(
                f"row {sample.row}, column control_for", "names a file that is in no row",
                got=repr(sample.control_for[:60]), code="unknown-control",
            )  # fmt: skip


def _pairs(samples: Iterable[Sample], key: Callable[[Sample], Hashable]) -> Iterator[tuple[Sample, Sample]]:
    first: dict[Hashable, Sample] = {}
    for sample in samples:
        if (earlier := first.setdefault(key(sample), sample)) is not sample:
            yield earlier, sample


def _place(path: Path) -> Hashable:
    """Where the bytes of a file lie, by whatever name or link."""
    try:
        facts = path.stat()
    except (OSError, ValueError):  # it may be there only when it is gated
        return path
    return facts.st_dev, facts.st_ino


def _claims(samples: Sequence[Sample]) -> Iterator[tuple[Sample, Sample]]:
    claiming = [s for s in samples if s.timepoint is not None and not s.control_for]
    for first, second in _pairs(claiming, lambda s: (s.patient, s.transplant, s.timepoint, s.specimen, s.panel)):
        if first.day != second.day:
            yield first, second


def _clash(second: Sample, first: Sample, problem: str, remedy: str, code: str) -> SheetError:
    return SheetError(
        f"row {second.row} ({second.file_name})", f"{problem} as row {first.row} ({first.file_name})",
        remedy=remedy, code=code,
    )  # fmt: skip


def refuse(problems: Sequence[SheetError], sheet: str) -> None:
    """Raise one error that holds them all, or nothing if there are none."""
    if not problems:
        return
    if len(problems) == 1:
        only = problems[0]
        raise SheetError(
            f"{sheet}, {only.where}", only.problem, expected=only.expected, got=only.got, remedy=only.remedy,
            code=only.code,
        )  # fmt: skip
    listed = "".join(f"\n  {problem}" for problem in problems[:MAX_LISTED])
    more = f"\n  and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
    raise SheetError(sheet, f"{len(problems)} problems:{listed}{more}", code="bad-sheet")
