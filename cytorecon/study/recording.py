"""The main job: gate what a study does not hold yet, and record each result as it comes."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cytorecon.errors import CubeError, Finding, StudyError, TemplateError
from cytorecon.sheet import Sample, check_samples
from cytorecon.study import chain, record, schema, view
from cytorecon.study.assigning import Own, Strategy, assign
from cytorecon.study.correcting import corrected, correction_finding, same_bytes
from cytorecon.study.folder import Study
from cytorecon.study.patient import Patients, add_patients
from cytorecon.study.settling import settle
from cytorecon.study.standing import Entry, Standing

if TYPE_CHECKING:
    from cytorecon.gating import GatedSample, Given
    from cytorecon.gating.overrides import Overrides
    from cytorecon.interchange.flowjo import Workspace
    from cytorecon.template import GatingTemplate

# A file changed within this time of being hashed may change again without a new time stamp.
RACY_SECONDS = 2.0


@dataclass(frozen=True)
class RunSummary:
    """What became of the samples of one run.

    Parameters
    ----------
    done
        Gated now, without anything to look at.
    needs_review
        Gated now; a person has to look before the result is used.
    failed
        Could not be gated; `reasons` says why, and the study has a record of it.
    skipped
        Held by the study already, from the same bytes, row, template and version.
    reasons
        File as the sheet names it -> why it failed.
    findings
        What concerns the run, and what its cube says of samples that were not pooled or have no cell.
    cube
        The cube's file; None if it could not be written.
    """

    done: int = 0
    needs_review: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    cube: Path | None = None

    @property
    def awaits_review(self) -> bool:
        """Whether a person has to look: at a sample, or at a finding of the run or its cube."""
        return self.needs_review > 0 or any(finding.severity == "review" for finding in self.findings)


def run(
    samples: Sequence[Sample],
    template: GatingTemplate | Workspace,
    study: Study,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    overrides: Overrides | None = None,
    repool: bool = False,
) -> RunSummary:
    """Gate every sample the study does not hold yet, record each result, and build the cube.

    A result is on disk before the next is waited for: a run that is stopped loses nothing it had recorded, and the same
    call goes on where it ended. Several processes may run into one study at once.

    Parameters
    ----------
    samples
        Rows of a sample sheet.
    template
        What to count; of a FlowJo workspace each file takes its own sample's tree.
    study
        Where to record it.
    workers
        Processes that gate; the result does not depend on it.
    progress
        Called with how many samples are settled and how many there are, after each.
    overrides
        Cut points and gates that a person moved for some samples.
    repool
        Place pooled cut points anew on these samples; otherwise a pool that is recorded stands.

    Raises
    ------
    SheetError
        The samples cannot stand side by side.
    TemplateError
        An override names something the template does not have.
    InterchangeError
        A workspace has no tree for any of the files, or means two things by one path.
    StudyError
        The study cannot be written, or its disk is full; what was recorded before is kept.
    """
    check_samples(samples)
    report = progress or (lambda settled, total: None)
    with schema.connected(study.ledger, write=True) as connection:
        recorder = begin(connection, samples, template)
        recorder.givens = _settled(connection, samples, template, overrides, repool)
        recorder.findings += () if overrides is None else overrides.unmatched(samples)
        todo = [sample for sample in samples if not recorder.holds(sample)]
        settled = len(samples) - len(todo)
        report(settled, len(samples))
        for gated in recorder.gated(todo, workers):
            recorder.record(gated)
            settled += 1
            report(settled, len(samples))
    return recorder.summary(*written(study, recorder.standing.template))


def _settled(
    connection: sqlite3.Connection,
    samples: Sequence[Sample],
    template: GatingTemplate | Workspace,
    overrides: Overrides | None,
    repool: bool,
) -> Mapping[tuple[object, ...], Given]:
    from cytorecon.template import GatingTemplate

    if isinstance(template, GatingTemplate):
        return settle(connection, samples, template, overrides, repool=repool)
    if overrides is not None and overrides.entries:
        raise TemplateError(
            "overrides", "do not move gates of a FlowJo workspace", code="workspace-overrides",
            remedy="Move them in FlowJo, save the workspace and run again.",
        )  # fmt: skip
    return {}


def written(study: Study, template_sha256: str) -> tuple[Path | None, tuple[Finding, ...]]:
    """Write the cube, and tell what it says; that it cannot be is a finding: every result is in the ledger."""
    told = namesake_findings(study, template_sha256)
    try:
        path = view.write_cube(study, template_sha256)
        return path, (*told, *view.findings_of(study, template_sha256))
    except (CubeError, StudyError) as error:
        return None, (*told, Finding("cube-not-written", " ".join(str(error).split()), "review"))


def namesake_findings(study: Study, template_sha256: str) -> tuple[Finding, ...]:
    """Say that the study holds other contents under the name and version of a template."""
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        others = view.namesakes(connection, template_sha256)
    if not others:
        return ()
    summary = others[0].summary
    message = (
        f"another content is recorded as {summary.name} {summary.version}, too "
        f"({', '.join(one.sha256[:12] for one in others)}; this one: {template_sha256[:12]}); "
        "give a changed template a new version, and read these by SHA-256"
    )
    return (Finding("same-version", message, "review"),)


def begin(connection: sqlite3.Connection, samples: Sequence[Sample], template: GatingTemplate | Workspace) -> Recorder:
    """Record the patients and documents of a run, and find out what the study holds."""
    strategy = assign(samples, template)
    recorder = begin_with(connection, samples, strategy.summary.sha256, strategy.texts)
    recorder.strategy = strategy
    return recorder


def begin_with(
    connection: sqlite3.Connection, samples: Sequence[Sample], template_sha256: str, texts: Mapping[str, str]
) -> Recorder:
    """Like `begin`, for counts that come with other documents than a template."""
    with schema.transaction(connection):
        patients = add_patients(connection, (sample.patient for sample in samples))
        every = {**texts, "sheet": record.sheet_document(samples, patients), "software": record.software()}
        documents = {kind: chain.store(connection, kind, text) for kind, text in every.items()}
    standing = Standing(template_sha256, patients).read_on(connection)
    present = {record.identity(one, patients.standing(patients.tokens[one.patient])) for one in samples}
    return Recorder(connection, patients, documents, standing, present)


@dataclass
class Recorder:
    """One run into one ledger: what it holds, and what became of each sample so far."""

    connection: sqlite3.Connection
    patients: Patients
    documents: Mapping[str, str]
    standing: Standing
    present: Set[str]
    counts: dict[str, int] = field(default_factory=lambda: {"done": 0, "needs_review": 0, "failed": 0, "skipped": 0})
    reasons: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    givens: Mapping[tuple[object, ...], Given] = field(default_factory=dict)
    strategy: Strategy | None = None

    def summary(self, cube: Path | None, findings: Iterable[Finding]) -> RunSummary:
        """What became of all samples."""
        told = (*self.findings, *same_bytes(self.standing, self.present), *findings)
        return RunSummary(**self.counts, reasons=self.reasons, findings=told, cube=cube)

    def gated(self, samples: Sequence[Sample], workers: int) -> Iterator[GatedSample]:
        """Gate samples by what the run assigns to them; one to which nothing can be assigned has failed."""
        from cytorecon.batch import Assignment, failed, gate_assigned

        assert self.strategy is not None  # by `begin`
        assignments = []
        for sample in samples:
            own = self.strategy.own(sample)
            if own.template is not None:
                assignments.append(Assignment(sample, own.template, self.givens.get(sample.identity)))
            elif own.problem is not None:
                yield failed(sample, self.strategy.summary, str(own.problem), own.problem.code or "not-assigned")
        yield from map(self.strategy.finished, gate_assigned(assignments, workers))

    def holds(self, sample: Sample) -> bool:
        """Tell whether the study holds the result of exactly this, and let it stand (again).

        A file that is gone leaves its result standing as long as nothing else changed.
        """
        identity = self._identity(sample)
        if identity not in self.standing.succeeded:
            return False
        digest = digest_of(self.connection, sample.file)
        gone = not digest and not sample.file.exists()
        held = self._held_of_gone(sample) if gone else self.standing.successes.get(self._key(sample, digest))
        if held is None:
            return False
        if self._let_stand(held, sample) and gone:
            message = f"{sample.file_name} is no longer there; its recorded result stands"
            self.findings.append(Finding("file-gone", message, "info", f"row {sample.row}"))
        self.counts["skipped"] += 1
        return True

    def _held_of_gone(self, sample: Sample) -> Entry | None:
        """Last result of a sample whose row is as it was then; none if its file was there later and failed."""
        identity = self._identity(sample)
        last = self.standing.of(identity)
        if last is not None and last.status == "failed" and last.content:
            return None
        for entry in reversed(self.standing.succeeded[identity]):
            if self._key(sample, entry.content.partition("#")[0]) == entry.key:
                return entry
        return None

    def _key(self, sample: Sample, digest: str) -> str:
        return record.key(sample, digest, self.standing.template, self.patients, self._given(sample), self._own(sample))

    def record(self, gated: GatedSample) -> None:
        """Put one result on disk; what it replaces no longer stands."""
        sample = gated.sample
        if sample is None:
            raise StudyError(gated.file, "has no sheet row")
        own = self._own(sample)
        texts = record.texts_of(gated, own)
        documents = {**self.documents, **{kind: chain.sha256(text) for kind, text in texts.items()}}
        body = record.encode(gated, sample, self.patients, documents, self._given(sample), own)
        self.put(body, sample, texts)
        if gated.error:
            self.reasons[sample.file_name] = gated.error

    def put(self, body: Mapping[str, object], sample: Sample, texts: Mapping[str, str] | None = None) -> None:
        """Put the body of one result and its own documents on disk, unless the ledger holds the same."""
        key, status = str(body["key"]), str(body["status"])
        with schema.transaction(self.connection):
            self.standing.read_on(self.connection)
            held = self.standing.successes.get(key) if status != "failed" else None
            if held is None:
                for kind, text in (texts or {}).items():
                    chain.store(self.connection, kind, text)
                chain.append(self.connection, {**body, **self._superseded(str(body["content"]), sample)})
        if held is not None:
            self._let_stand(held, sample)
            self.counts["skipped"] += 1
            return
        self.standing.read_on(self.connection)
        self.counts[status] += 1

    def _own(self, sample: Sample) -> Own:
        return Own() if self.strategy is None else self.strategy.own(sample)

    def _given(self, sample: Sample) -> str:
        given = self.givens.get(sample.identity)
        return "" if given is None else given.digest

    def _identity(self, sample: Sample) -> str:
        return record.identity(sample, self.patients.standing(self.patients.tokens[sample.patient]))

    def _superseded(self, content: str, sample: Sample) -> dict[str, object]:
        """Old records this one replaces, and why: of the same sample, or of the same row under a wrong identity."""
        same = self.standing.of(self._identity(sample))
        moved = self._corrected(content, sample)
        if same is None and not moved:
            return {}
        reason = "gated again" if same is not None else "identity corrected in the sheet"
        return {"supersedes": sorted([*moved, *([same.sequence] if same else [])]), "reason": reason}

    def _corrected(self, content: str, sample: Sample) -> list[int]:
        """Records of a wrong identity that the row had before, which is told."""
        identity = self._identity(sample)
        old = corrected(self.connection, self.standing, sample, content, identity, self.present)
        if old:
            self.findings.append(correction_finding(sample, old))
        return [entry.sequence for entry in old]

    def _let_stand(self, held: Entry, sample: Sample) -> bool:
        """Let an older result stand again, if a later one took its place; a withdrawn one does not."""
        withdrawn = self.standing.withdrawn.get(held.key)
        if withdrawn is not None:
            message = f"the result of record {held.sequence} was withdrawn by record {withdrawn} and stays so"
            self.findings.append(Finding("result-withdrawn", message, "info"))
            return False
        with schema.transaction(self.connection):
            standing = self.standing.read_on(self.connection).of(held.identity)
            replaced = [] if standing is None or standing.sequence == held.sequence else [standing.sequence]
            replaced += self._corrected(held.content, sample)
            if standing is None or replaced:
                body = {
                    "kind": "reinstate", "template": self.standing.template, "identity": held.identity,
                    "key": held.key, "reinstates": held.sequence, "reason": "the sheet and file are as before",
                    "supersedes": sorted(replaced),
                }  # fmt: skip
                chain.append(self.connection, body)
        self.standing.read_on(self.connection)
        return True


def digest_of(connection: sqlite3.Connection, path: Path) -> str:
    """SHA-256 of a file, from memory if neither its size nor its time stamp changed; empty if it cannot be read."""
    try:
        facts = path.stat()
        name = chain.sha256(str(path))
        row = connection.execute("SELECT size, changed, sha256 FROM seen WHERE path = ?", (name,)).fetchone()
        if row is not None and row[:2] == (facts.st_size, facts.st_mtime_ns):
            return str(row[2])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
    if time.time() - facts.st_mtime > RACY_SECONDS:
        connection.execute(
            "INSERT OR REPLACE INTO seen (path, size, changed, sha256) VALUES (?, ?, ?, ?)",
            (name, facts.st_size, facts.st_mtime_ns, digest),
        )
    return digest
