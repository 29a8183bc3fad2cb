"""Many files through one template, here or on several processes; a file that fails costs no other file.

The only module that knows dask, and it only knows it for more than one worker.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cytorecon.errors import CytoreconError
from cytorecon.fcs import read_fcs
from cytorecon.gating import GatedSample, Given
from cytorecon.gating.sample import HasTree
from cytorecon.quality import gate_checked
from cytorecon.sheet import Sample
from cytorecon.sheet.matrix import read_matrix
from cytorecon.template import GatingTemplate

# A task on another process costs some milliseconds; a batch of this many bytes costs hundreds.
BATCH_BYTES = 32 * 2**20
BATCHES_A_WORKER = 4

# What is settled of samples before their events are asked, by the identity of the sample.
Givens = Mapping[tuple[object, ...], Given]


@dataclass(frozen=True)
class Assignment:
    """One sample and what gates it.

    Parameters
    ----------
    sample
        A row of a sample sheet.
    template
        What to count in its file: the one of all samples, or one of its own.
    given
        What persons, pools and control files settle before the events are asked.
    """

    sample: Sample
    template: GatingTemplate
    given: Given | None = None


def gate_samples(
    samples: Sequence[Sample], template: GatingTemplate, workers: int = 1, givens: Givens | None = None
) -> Iterator[GatedSample]:
    """Gate the file of every sample, and yield each result once, in any order.

    Parameters
    ----------
    samples
        Rows of a sample sheet.
    template
        What to count.
    workers
        Processes. With 1 everything happens in this one, in the order of `samples`; with more, on a
        `dask.distributed.LocalCluster` (a script needs an ``if __name__ == "__main__"`` guard then). Results do not
        depend on it.
    givens
        What persons, pools and control files settle of a sample before its events are asked, by its `identity`.

    Yields
    ------
    GatedSample
        With its `sample` and the SHA-256 of its file. A file that cannot be gated has an `error` and no counts; so has
        one that ends its process (no memory left, a crash), after a second attempt on its own.
    """
    settled = givens or {}
    yield from gate_assigned(
        [Assignment(sample, template, settled.get(sample.identity)) for sample in samples], workers
    )


def gate_assigned(assignments: Sequence[Assignment], workers: int = 1) -> Iterator[GatedSample]:
    """Like `gate_samples`, each file by what is assigned to it."""
    if workers <= 1 or len(assignments) <= 1:
        yield from map(gate_assignment, assignments)
    else:
        yield from _gate_on_cluster(assignments, min(workers, len(assignments)))


def gate_sample(sample: Sample, template: GatingTemplate, given: Given | None = None) -> GatedSample:
    """Gate one file as its row of the sheet says; whatever goes wrong is the result's `error`, never an exception."""
    return gate_assignment(Assignment(sample, template, given))


def gate_assignment(assignment: Assignment) -> GatedSample:
    """Like `gate_sample`, by what is assigned to the file."""
    sample, template = assignment.sample, assignment.template
    try:
        gated = _gate(assignment)
    except CytoreconError as error:
        return failed(sample, template, str(error), error.code or type(error).__name__)
    except OSError as error:
        return failed(sample, template, f"{sample.file_name}: {error.strerror or error}", "unreadable")
    except Exception as error:  # one file's surprise must not cost the others
        return failed(sample, template, f"{type(error).__name__}: {error}", "unexpected")
    return replace(gated, file=sample.file_name, sample=sample)


def _gate(assignment: Assignment) -> GatedSample:
    sample, template = assignment.sample, assignment.template
    matrix = None if sample.compensation_file is None else read_matrix(sample.compensation_file)
    spillover = sample.compensation or None if matrix is None else matrix
    events = read_fcs(sample.file, sample.dataset)
    return replace(gate_checked(events, template, spillover=spillover, given=assignment.given), matrix=matrix)


def failed(sample: Sample, template: HasTree, error: str, code: str) -> GatedSample:
    """Say on one line why a sample has no counts."""
    return GatedSample(
        file=sample.file_name,
        sha256=digest_of(sample.file),
        event_count=-1,
        counts=(),
        compensation=None,
        template_name=template.name,
        template_version=template.version,
        template_sha256=template.sha256,
        error=" ".join(error.split()) or code,
        error_code=code,
        sample=sample,
    )


def digest_of(path: Path) -> str:
    """SHA-256 (hex) of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def batches_of(assignments: Sequence[Assignment], workers: int) -> list[list[Assignment]]:
    """Group samples so that no task is tiny and no worker idles: bounded in bytes, several batches a worker."""
    files = [assignment.sample.file for assignment in assignments]
    sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
    bound = min(BATCH_BYTES, sum(sizes) // (workers * BATCHES_A_WORKER))
    most = -(-len(assignments) // (workers * BATCHES_A_WORKER))
    batches: list[list[Assignment]] = []
    filled = 0
    for assignment, size in zip(assignments, sizes, strict=True):
        if not batches or filled + size > bound or len(batches[-1]) >= most:
            batches.append([])
            filled = 0
        batches[-1].append(assignment)
        filled += size
    return batches


def _gate_batch(batch: Sequence[Assignment]) -> list[GatedSample]:
    return [gate_assignment(assignment) for assignment in batch]


def _gate_on_cluster(assignments: Sequence[Assignment], workers: int) -> Iterator[GatedSample]:
    import dask
    from distributed import Client, LocalCluster, as_completed

    # A task whose process died is not tried again by dask, which would put it beside others once more.
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.comm.timeouts.connect": "60s"}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=None,
            # Its status page, which cannot be left out, would listen to the whole network, on one port for all runs.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        batches = {client.submit(_gate_batch, batch, pure=False): batch for batch in batches_of(assignments, workers)}
        again: list[Assignment] = []
        for future in as_completed(list(batches)):
            if future.status == "finished":
                yield from future.result()
            else:
                again.extend(batches[future])
            future.release()
        # One at a time, so that a process that dies now is the fault of this file and no other.
        for assignment in again:
            future = client.submit(_gate_batch, [assignment], pure=False)
            error = future.exception()
            if error is None:
                yield from future.result()
            else:
                sample = assignment.sample
                yield failed(sample, assignment.template, f"{sample.file_name}: {_died(error)}", "worker-died")


def _died(error: BaseException) -> str:
    if type(error).__name__ == "KilledWorker":
        return "its process died twice (out of memory, or a crash while reading it)"
    return f"its process failed: {type(error).__name__}: {error}"
