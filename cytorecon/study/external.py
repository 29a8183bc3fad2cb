"""Counts that someone else made: they enter a study as counts, marked as external, never as percentages."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from cytorecon.cube import PopulationSummary, TemplateSummary
from cytorecon.errors import SheetError
from cytorecon.gating import GatedSample, PopulationCounts, Status
from cytorecon.sheet import COLUMNS, Sample
from cytorecon.study import chain, record, schema
from cytorecon.study.folder import Study
from cytorecon.study.recording import RunSummary, begin_with, written

REQUIRED = ("patient", "day", "specimen", "population", "event_count")
# Two rows are of one sample if these agree.
_IDENTITY = ("patient", "transplant", "day", "specimen", "panel", "replicate")


@dataclass
class ExternalSample:
    """Counts of one sample, made elsewhere.

    Parameters
    ----------
    sample
        What it is.
    counts
        Population path -> events inside, events of the parent; None where not known.
    """

    sample: Sample
    counts: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)


def ingest(study: Study, path: str | Path, name: str, version: str = "1") -> RunSummary:
    """Record a table of counts that someone else made, and build its cube.

    Parameters
    ----------
    study
        Where to record them.
    path
        A CSV file with one row a sample and population: ``patient``, ``day``, ``specimen``, ``population`` (names from
        the root joined by ``/``) and ``event_count``; optionally ``parent_count`` (else that of the parent's row) and
        the columns of a sample sheet. An empty count, or no row, is ``not_measured``.
    name, version
        What the cube is called, as if it were a template's name.

    Raises
    ------
    SheetError
        A column is missing, a count is no whole number, one is given twice, or exceeds its parent.
    StudyError
        The study cannot be written.
    """
    path = Path(path)
    samples = read_counts(path)
    paths = list(dict.fromkeys(one for sample in samples for one in sample.counts))
    summary = _summary(name, version, paths)
    texts = {"summary": record.summary_document(summary)}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with schema.connected(study.ledger, write=True) as connection:
        recorder = begin_with(connection, [one.sample for one in samples], summary.sha256, texts)
        for one in samples:
            gated = _as_gated(one, summary, digest)
            body = record.encode(gated, one.sample, recorder.patients, recorder.documents)
            # The table is no sample's own file, so the counts themselves decide whether this is the same result.
            key = chain.sha256(chain.canonical([body["row"], body["token"], body["counts"], summary.sha256]))
            recorder.put({**body, "source": "external", "content": "", "key": key}, one.sample)
    return recorder.summary(*written(study, summary.sha256))


def read_counts(path: Path) -> tuple[ExternalSample, ...]:
    """Read a long table of counts, as `ingest` takes it, in the order of its rows."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SheetError(path.name, "cannot be read as CSV in UTF-8", got=str(error), code="no-sheet") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    header = [name or "" for name in reader.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    if missing or twice:
        raise SheetError(
            f"{path.name}, row 1", f"lacks {', '.join(missing)}" if missing else f"has {twice[0]} twice",
            expected=", ".join(REQUIRED), got=", ".join(header[:30]), code="bad-header",
        )  # fmt: skip
    samples: dict[tuple[str, ...], ExternalSample] = {}
    for number, cells in enumerate(reader, start=2):
        given = {name: (cell or "").strip() for name, cell in cells.items() if isinstance(name, str)}
        identity = tuple(given.get(name, "") for name in _IDENTITY)
        if identity not in samples:
            samples[identity] = ExternalSample(_sample(given, number, path))
        _add(samples[identity].counts, given, f"{path.name}, row {number}")
    _refuse_two_spellings(list(samples.values()), path.name)
    return tuple(samples.values())


def _refuse_two_spellings(samples: Sequence[ExternalSample], name: str) -> None:
    """One sample written in two ways (replicate empty, replicate 1) would replace itself."""
    first: dict[object, Sample] = {}
    for one in samples:
        earlier = first.setdefault(one.sample.identity, one.sample)
        if earlier is not one.sample:
            raise SheetError(
                f"{name}, row {one.sample.row}", f"is the sample of row {earlier.row}, written in another way",
                remedy="Write transplant and replicate the same way in all its rows.", code="two-spellings",
            )  # fmt: skip


def _sample(given: Mapping[str, str], row: int, path: Path) -> Sample:
    values = {name: given[name] for name in COLUMNS if given.get(name) and name != "file"}
    known = {*COLUMNS, "population", "event_count", "parent_count"}
    extra = {name: cell for name, cell in given.items() if cell and name not in known}
    try:
        return Sample.model_validate(
            {**values, "file": path, "file_name": given.get("file") or path.name, "extra": extra, "row": row}
        )
    except ValidationError as error:
        detail = error.errors()[0]
        raise SheetError(
            f"{path.name}, row {row}, column {detail['loc'][0]}", str(detail["msg"]).removeprefix("Value error, ")
        ) from None


def _add(counts: dict[str, tuple[int | None, int | None]], given: Mapping[str, str], where: str) -> None:
    population = given["population"]
    if not population or population in counts:
        raise SheetError(where, "names no population" if not population else f"has {population!r} a second time")
    inside, parent = (
        _count(given.get(name, ""), f"{where}, column {name}") for name in ("event_count", "parent_count")
    )
    if inside is not None and parent is not None and inside > parent:
        raise SheetError(where, "counts more events than its parent holds", got=f"{inside} of {parent}")
    counts[population] = inside, parent


def _count(text: str, where: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise SheetError(
            where, "is no count", expected="a whole number of events", got=repr(text[:40]), code="no-count",
            remedy="Percentages are not taken: give events inside and events of the parent.",
        )  # fmt: skip
    return int(text)


def _summary(name: str, version: str, paths: Sequence[str]) -> TemplateSummary:
    populations = []
    for path in paths:
        parent, _, last = path.rpartition("/")
        populations.append(PopulationSummary(last.replace("%2F", "/"), path, parent, "", "counted elsewhere", "", ""))
    summary = TemplateSummary(name, version, "", tuple(populations), source="external")
    return replace(summary, sha256=chain.sha256(record.summary_document(summary)))


def _as_gated(one: ExternalSample, summary: TemplateSummary, digest: str) -> GatedSample:
    counts = tuple(_population(population, one.counts) for population in summary.populations)
    return GatedSample(
        file=one.sample.file_name, sha256=digest, event_count=-1, counts=counts, compensation=None,
        template_name=summary.name, template_version=summary.version, template_sha256=summary.sha256,
        sample=one.sample,
    )  # fmt: skip


def _population(population: PopulationSummary, counts: Mapping[str, tuple[int | None, int | None]]) -> PopulationCounts:
    inside, parent = counts.get(population.path, (None, None))
    if parent is None:
        parent = counts.get(population.parent, (None, None))[0]
    status: Status = "not_measured" if inside is None else "not_evaluable" if parent == 0 else "counted"
    return PopulationCounts(
        population.name, population.path, population.parent, population.role,
        -1 if inside is None else inside, -1 if parent is None or inside is None else parent, status,
    )  # fmt: skip
