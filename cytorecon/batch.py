"""Many files through one template, here or on several processes; a file that fails costs no other file.

The only module that knows dask, and it only knows it for more than one worker.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cytorecon.errors import CytoreconError
from cytorecon.gating import GatedSample, gate_file
from cytorecon.sheet import Sample
from cytorecon.sheet.matrix import read_matrix
from cytorecon.template import GatingTemplate

# A task on another process costs some milliseconds; a batch of this many bytes costs hundreds.
BATCH_BYTES = 32 * 2**20
BATCHES_A_WORKER = 4


def gate_samples(samples: Sequence[Sample], template: GatingTemplate, workers: int = 1) -> Iterator[GatedSample]:
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

    Yields
    ------
    GatedSample
        With its `sample` and the SHA-256 of its file. A file that cannot be gated has an `error` and no counts; so has
        one that ends its process (no memory left, a crash), after a second attempt on its own.
    """
    if workers <= 1 or len(samples) <= 1:
        yield from (gate_sample(sample, template) for sample in samples)
    else:
        yield from _gate_on_cluster(samples, template, min(workers, len(samples)))


def gate_sample(sample: Sample, template: GatingTemplate) -> GatedSample:
    """Gate one file as its row of the sheet says; whatever goes wrong is the result's `error`, never an exception."""
    try:
        gated = _gate(sample, template)
    except CytoreconError as error:
        return failed(sample, template, str(error), error.code or type(error).__name__)
    except OSError as error:
        return failed(sample, template, f"{sample.file_name}: {error.strerror or error}", "unreadable")
    except Exception as error:  # one file's surprise must not cost the others
        return failed(sample, template, f"{type(error).__name__}: {error}", "unexpected")
    return replace(gated, file=sample.file_name, sample=sample)


def _gate(sample: Sample, template: GatingTemplate) -> GatedSample:
    matrix = sample.compensation_file
    spillover = read_matrix(matrix) if matrix is not None else sample.compensation or None
    return gate_file(sample.file, template, digest=True, dataset=sample.dataset, spillover=spillover)


def failed(sample: Sample, template: GatingTemplate, error: str, code: str) -> GatedSample:
    """Say on one line why a sample has no counts."""
    return GatedSample(
        file=sample.file_name,
        sha256=_digest(sample.file),
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


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def batches_of(samples: Sequence[Sample], workers: int) -> list[list[Sample]]:
    """Group samples so that no task is tiny and no worker idles: bounded in bytes, several batches a worker."""
    sizes = [sample.file.stat().st_size if sample.file.is_file() else 0 for sample in samples]
    bound = min(BATCH_BYTES, sum(sizes) // (workers * BATCHES_A_WORKER))
    most = -(-len(samples) // (workers * BATCHES_A_WORKER))
    batches: list[list[Sample]] = []
    filled = 0
    for sample, size in zip(samples, sizes, strict=True):
        if not batches or filled + size > bound or len(batches[-1]) >= most:
            batches.append([])
            filled = 0
        batches[-1].append(sample)
        filled += size
    return batches


def _gate_batch(batch: Sequence[Sample], template: GatingTemplate) -> list[GatedSample]:
    return [gate_sample(sample, template) for sample in batch]


def _gate_on_cluster(samples: Sequence[Sample], template: GatingTemplate, workers: int) -> Iterator[GatedSample]:
    import dask
    from distributed import Client, LocalCluster, as_completed

    # A task whose process died is not tried again by dask, which would put it beside others once more.
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.comm.timeouts.connect": "60s"}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
        ) as cluster,
        Client(cluster) as client,
    ):
        batches = {
            client.submit(_gate_batch, batch, template, pure=False): batch for batch in batches_of(samples, workers)
        }
        again: list[Sample] = []
        for future in as_completed(list(batches)):
            if future.status == "finished":
                yield from future.result()
            else:
                again.extend(batches[future])
            future.release()
        # One at a time, so that a process that dies now is the fault of this file and no other.
        for sample in again:
            future = client.submit(_gate_batch, [sample], template, pure=False)
            error = future.exception()
            if error is None:
                yield from future.result()
            else:
                yield failed(sample, template, f"{sample.file_name}: {_died(error)}", "worker-died")


def _died(error: BaseException) -> str:
    if type(error).__name__ == "KilledWorker":
        return "its process died twice (out of memory, or a crash while reading it)"
    return f"its process failed: {type(error).__name__}: {error}"
