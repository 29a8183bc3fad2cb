"""The main job on real files: a sheet with signed days into a study, and the cube opened by xarray alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import flowio
import numpy as np

from cytorecon.sheet import read_sheet
from cytorecon.study import open_study, read_cube, run
from cytorecon.template import parse_template

# A wiring test: thresholds on raw linear units, counted again below with flowio and numpy.
TEMPLATE = parse_template(
    """
name = "wiring"
version = "1.0.0"
compensation = "none"
[markers]
CD3 = ["CD3"]
CD45 = ["CD45"]
[scales]
default = { type = "linear" }
[cutpoint.CD3]
at = 4312.0
[cutpoint.CD45]
at = 2000.0
[[population]]
name = "Cells"
role = "leukocytes"
gate = { type = "range", channels = ["FSC-A"], min = 45000 }
[[population]]
name = "CD45+"
parent = "Cells"
phenotype = "CD45+"
optional = true
[[population]]
name = "T"
parent = "Cells"
phenotype = "CD3+"
optional = true
"""
)

FILES = {
    "cytoexplorer_activation/Activation_1.fcs": ("P1", -7, "blood"),
    "cytoexplorer_activation/Activation_12.fcs": ("P1", 30, "blood"),
    "cytoexplorer_activation/Activation_33.fcs": ("P2", 100, "blood"),
    "euroflow_lst/Cytometry1_HD.fcs": ("P2", 30, "blood"),
    "mrd_ball_vie494_d15/123991.fcs": ("P3", -15, "marrow"),
    "mrd_ball_vie508_d15/tube1_001.fcs": ("P4", -15, "marrow"),
}


def counted_again(path: Path) -> list[int]:
    """Cells, CD45+ and T of a file, from flowio's array; -1 for a marker that is not in it."""
    data = flowio.FlowData(str(path), ignore_offset_error=True)
    events = data.as_array(preprocess=False)
    names, markers = data.pnn_labels, data.pns_labels
    cells = events[:, names.index("FSC-A")] >= 45000
    found = [int(np.count_nonzero(cells))]
    for marker, cut in (("CD45", 2000.0), ("CD3", 4312.0)):
        if marker in markers:
            found.append(int(np.count_nonzero(cells & (events[:, markers.index(marker)] >= cut))))
        else:
            found.append(-1)
    return found


def test_run__real_files_into_a_cube_that_xarray_opens_alone(shared: Path, tmp_path: Path) -> None:
    """Six real files of three instruments, two workers, and every count found again without this package."""
    rows = ["file,patient,day,specimen"]
    for name, (patient, day, specimen) in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(shared / "data" / name, tmp_path / name)
        rows.append(f"{name},{patient},{day},{specimen}")
    (tmp_path / "sheet.csv").write_text("\n".join(rows))
    study = open_study(tmp_path / "study.recon")
    summary = run(read_sheet(tmp_path / "sheet.csv"), TEMPLATE, study, workers=2)
    assert ({}, 6) == (dict(summary.reasons), summary.done + summary.needs_review)
    code = (
        "import sys, xarray as xr\n"
        "cube = xr.open_dataset(sys.argv[1])\n"
        "print('cytorecon' in sys.modules, cube.timepoint.values.tolist())\n"
        "for line in sys.argv[2:]:\n"
        "    patient, day, specimen = line.split(',')\n"
        "    print(*cube.event_count.sel(patient=patient, timepoint=int(day), specimen=specimen).values.tolist())"
    )
    cells = [f"{patient},{day},{specimen}" for patient, day, specimen in FILES.values()]
    opened = subprocess.run(
        [sys.executable, "-c", code, str(summary.cube), *cells], capture_output=True, text=True, check=True
    )
    first, *counts = opened.stdout.splitlines()
    assert "False [-15, -7, 30, 100]" == first
    expected = [counted_again(shared / "data" / name) for name in FILES]
    assert expected == [[int(value) for value in line.split()] for line in counts]
    assert 3 == len(read_cube(study, "wiring")["population"])
