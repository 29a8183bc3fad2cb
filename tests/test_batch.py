"""Many files: each apart from the others, the same results on any number of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from made import TEMPLATE, write_fcs

from cytorecon.batch import Assignment, batches_of, gate_sample, gate_samples
from cytorecon.gating import GatedSample
from cytorecon.sheet import Sample, read_sheet


def cohort(folder: Path, files: int = 6) -> tuple[Sample, ...]:
    """A sheet of sound files, one that is no FCS file, and one that is not there."""
    rows = ["file,patient,day,specimen"]
    for index in range(files):
        write_fcs(folder / f"f{index}.fcs", (100 - index, 60, 20, 5))
        rows.append(f"f{index}.fcs,P{index},{index - 2},blood")
    (folder / "text.fcs").write_text("not an FCS file")
    rows += ["text.fcs,Q,1,blood", "none.fcs,Q,2,blood"]
    (folder / "sheet.csv").write_text("\n".join(rows))
    return read_sheet(folder / "sheet.csv")


def by_row(results: Sequence[GatedSample]) -> list[GatedSample]:
    return sorted(results, key=lambda gated: gated.sample.row if gated.sample else 0)


def test_gate_samples__one_result_a_sample(tmp_path: Path) -> None:
    """Every sample has its counts or its reason, and a bad file costs no other file."""
    results = list(gate_samples(cohort(tmp_path), TEMPLATE))
    assert [100 - i for i in range(6)] == [gated.counts[0].event_count for gated in results[:6]]
    assert ["text.fcs: the file is not FCS", "none.fcs: the file cannot be opened"] == [
        gated.error.split(";")[0] for gated in results[6:]
    ]
    assert [64, 64, 64, 64, 64, 64, 64, 0] == [len(gated.sha256) for gated in results]


def test_gate_samples__any_number_of_workers_gives_the_same(tmp_path: Path) -> None:
    """A real cluster of two processes returns what one process returns."""
    samples = cohort(tmp_path)
    expected = by_row(list(gate_samples(samples, TEMPLATE)))
    assert expected == by_row(list(gate_samples(samples, TEMPLATE, workers=2)))


def test_gate_samples__one_worker_needs_no_dask(tmp_path: Path) -> None:
    """The synchronous path never imports dask."""
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "sheet.csv").write_text("file,patient,day,specimen\na.fcs,P,1,blood\n")
    code = (
        "import sys; from made import TEMPLATE; from cytorecon.batch import gate_samples\n"
        "from cytorecon.sheet import read_sheet\n"
        "assert not list(gate_samples(read_sheet(sys.argv[1]), TEMPLATE))[0].error\n"
        "print('dask' in sys.modules, 'distributed' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "sheet.csv")],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )  # fmt: skip
    assert "False False" == run.stdout.strip()


class Deadly(Sample):
    """A row whose file kills the process that opens it, as a crash in a library or a lack of memory would."""

    def __getattribute__(self, name: str) -> object:
        if name == "compensation_file" and _in_worker():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getattribute__(name)


def _in_worker() -> bool:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def test_gate_samples__a_process_that_dies_costs_one_file(tmp_path: Path) -> None:
    """A file that kills its process twice becomes a record; its neighbours are gated."""
    samples = list(cohort(tmp_path))
    samples[1] = Deadly(**samples[1].model_dump())
    results = by_row(list(gate_samples(samples, TEMPLATE, workers=2)))
    assert ["f1.fcs", "text.fcs", "none.fcs"] == [gated.file for gated in results if gated.error]
    assert ("worker-died", "f1.fcs: its process died twice (out of memory, or a crash while reading it)") == (
        results[1].error_code, results[1].error
    )  # fmt: skip


def test_gate_sample__unexpected_errors_become_records(tmp_path: Path) -> None:
    """Whatever a file does to the program is its own error."""
    sample = cohort(tmp_path)[0]
    broken = sample.model_copy(update={"dataset": "one"})
    gated = gate_sample(broken, TEMPLATE)
    assert () == gated.counts
    assert gated.error


@pytest.mark.parametrize(
    ("compensation", "expected"),
    [("", None), ("none", None), ("m.csv", "sheet")],
)
def test_gate_sample__compensates_as_the_sheet_says(tmp_path: Path, compensation: str, expected: str | None) -> None:
    """A matrix beside the sheet replaces the template's compensation, and the result says so."""
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "m.csv").write_text("CD3,CD56\n1,0.9\n0,1\n")
    row = f"file,patient,day,specimen,compensation\na.fcs,P,1,blood,{compensation}\n"
    (tmp_path / "sheet.csv").write_text(row)
    gated = gate_sample(read_sheet(tmp_path / "sheet.csv")[0], TEMPLATE)
    assert ("", expected, TEMPLATE.sha256) == (gated.error, gated.compensation, gated.template_sha256)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("CD3,CD56\n1,x\n0,1\n", "m.csv, row 2: holds no number"),
        ("CD3,CD56\n1\n0,1\n", "m.csv, row 2: has another number of cells"),
        ("", "m.csv, row 1: has another number of cells"),
        ("CD3,CD56\n1,1\n1,1\n", "sheet"),
    ],
)
def test_gate_sample__a_bad_matrix_is_the_samples_error(tmp_path: Path, matrix: str, message: str) -> None:
    """A matrix that cannot be used fails the samples that name it, with the place."""
    write_fcs(tmp_path / "a.fcs")
    (tmp_path / "m.csv").write_text(matrix)
    (tmp_path / "sheet.csv").write_text("file,patient,day,specimen,compensation\na.fcs,P,1,blood,m.csv\n")
    gated = gate_sample(read_sheet(tmp_path / "sheet.csv")[0], TEMPLATE)
    assert message in gated.error


def test_batches_of__are_neither_tiny_nor_uneven(tmp_path: Path) -> None:
    """Small files share a batch, and every worker has several."""
    sample = Assignment(cohort(tmp_path)[0], TEMPLATE)
    batches = batches_of([sample] * 1000, workers=2)
    assert 1000 == sum(map(len, batches))
    assert (8, 125) == (len(batches), max(map(len, batches)))


def test_batches_of__large_files_stand_alone(tmp_path: Path) -> None:
    """A batch is bounded in bytes, so that memory and waiting are too."""
    large = tmp_path / "large.fcs"
    with large.open("wb") as file:
        file.truncate(40 * 2**20)
    sample = Assignment(cohort(tmp_path)[0].model_copy(update={"file": large}), TEMPLATE)
    assert [1] * 20 == [len(batch) for batch in batches_of([sample] * 20, workers=2)]
