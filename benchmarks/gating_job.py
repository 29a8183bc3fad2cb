"""The gating job that the benchmarks measure: a tube of 12 float32 parameters and 20 gates giving 23 populations."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytorecon.template import GatingTemplate, parse_template
from cytorecon.transforms import Logicle

CHANNELS = ("FSC-A", "FSC-H", "SSC-A", "CD45", "CD3", "CD4", "CD8", "CD19", "CD56", "CD16", "HLADR", "Time")
MARKERS = CHANNELS[3:11]
CHUNK = 1_000_000

# FSC, SSC, then log10 brightness of each marker: CD4 T, CD8 T, B, NK, granulocytes, monocytes.
CELLS = np.array(
    [
        [9.0e4, 3.0e4, 4.6, 4.2, 4.0, 2.0, 2.0, 2.1, 2.0, 2.3],
        [9.0e4, 3.0e4, 4.6, 4.2, 2.0, 4.1, 2.0, 2.0, 2.1, 2.6],
        [9.5e4, 3.2e4, 4.5, 2.0, 2.1, 2.0, 4.0, 2.0, 2.0, 4.0],
        [1.0e5, 3.5e4, 4.5, 2.1, 2.0, 2.6, 2.0, 3.9, 3.8, 2.2],
        [1.4e5, 1.4e5, 3.8, 2.2, 2.0, 2.2, 2.1, 2.3, 3.9, 2.2],
        [1.3e5, 6.0e4, 4.2, 2.2, 2.9, 2.2, 2.2, 2.4, 2.6, 3.9],
    ]
)

HEAD = """
name = "bench"
version = "1.0.0"
compensation = "file"
[scales]
default = { type = "logicle", t = 262144, w = 0.5, m = 4.5, a = 0 }
"""

# name, parent, kind, channels, geometry: 11 polygons, 8 rectangles, 1 quadrant.
GATES: tuple[tuple[str, str, str, tuple[str, ...], object], ...] = (
    ("Singlets", "", "polygon", ("FSC-A", "FSC-H"), ((2e4, 1e4), (2.5e5, 1.7e5), (2.5e5, 2.4e5), (2e4, 2.2e4))),
    ("Cells", "Singlets", "polygon", ("FSC-A", "SSC-A"), ((4e4, 1e3), (2.4e5, 1e3), (2.5e5, 2e5), (5e4, 1.9e5))),
    ("Leukocytes", "Cells", "polygon", ("CD45", "SSC-A"), ((0.5, 0), (1.0, 0), (1.0, 2.2e5), (0.45, 2.2e5))),
    ("Lymphocytes", "Leukocytes", "polygon", ("CD45", "SSC-A"), ((0.7, 0), (0.98, 0), (0.98, 6e4), (0.72, 5.5e4))),
    ("Monocytes", "Leukocytes", "polygon", ("CD45", "SSC-A"), ((0.6, 4e4), (0.9, 5e4), (0.9, 9e4), (0.6, 9e4))),
    ("Granulocytes", "Leukocytes", "polygon", ("CD45", "SSC-A"), ((0.5, 1e5), (0.9, 1e5), (0.9, 2e5), (0.5, 2e5))),
    ("T cells", "Lymphocytes", "polygon", ("CD3", "CD19"), ((0.6, 0.0), (1.0, 0.0), (1.0, 0.5), (0.6, 0.55))),
    ("B cells", "Lymphocytes", "polygon", ("CD3", "CD19"), ((0.0, 0.55), (0.5, 0.6), (0.5, 1.0), (0.0, 1.0))),
    ("CD3-CD19-", "Lymphocytes", "rectangle", ("CD3", "CD19"), ((-1.0, -1.0), (0.55, 0.55))),
    ("NK cells", "CD3-CD19-", "polygon", ("CD56", "CD16"), ((0.5, 0.1), (1.0, 0.1), (1.0, 1.0), (0.55, 1.0))),
    ("CD56bright", "NK cells", "polygon", ("CD56", "CD16"), ((0.8, 0.1), (1.0, 0.1), (1.0, 0.6), (0.82, 0.6))),
    ("CD56dim CD16+", "NK cells", "rectangle", ("CD56", "CD16"), ((0.5, 0.5), (0.8, 1.0))),
    ("HLA-DR+ NK", "NK cells", "rectangle", ("HLADR",), ((0.5,), (1.0,))),
    ("HLA-DR+ B", "B cells", "rectangle", ("HLADR",), ((0.5,), (1.1,))),
    ("NKT-like", "T cells", "rectangle", ("CD56",), ((0.5,), (1.0,))),
    ("HLA-DR+ T", "T cells", "rectangle", ("HLADR",), ((0.5,), (1.0,))),
    ("T early", "T cells", "rectangle", ("Time",), ((0.0,), (500.0,))),
    ("CD16+ granulocytes", "Granulocytes", "rectangle", ("CD16",), ((0.5,), (1.1,))),
    ("HLA-DR+ monocytes", "Monocytes", "polygon", ("HLADR", "CD4"), ((0.5, 0.1), (1.0, 0.1), (1.0, 0.8), (0.5, 0.8))),
)
QUADRANT = ("T cells", ("CD4", "CD8"), (0.5, 0.5), {"+-": "CD4 T", "-+": "CD8 T", "++": "DP", "--": "DN"})


def template(shift: float = 0.0) -> GatingTemplate:
    """The 20 gates; `shift` moves every edge on a marker into the dense region of the negatives."""
    parts = [HEAD, *(_gate(*gate, shift) for gate in GATES)]
    parent, channels, dividers, names = QUADRANT
    listed = ", ".join(f'"{key}" = "{name}"' for key, name in names.items())
    parts.append(
        f'[[population]]\nparent = "{_path(parent)}"\nquadrant = {{ channels = {_strings(channels)}, '
        f"dividers = {[divider + shift for divider in dividers]}, parts = {{ {listed} }} }}\n"
    )
    return parse_template("\n".join(parts))


def _gate(name: str, parent: str, kind: str, channels: tuple[str, ...], geometry: object, shift: float) -> str:
    points = [[_moved(value, channel, shift) for value, channel in zip(point, channels, strict=True)]
              for point in geometry]  # fmt: skip
    shape = f"vertices = {points}" if kind == "polygon" else f"min = {points[0]}, max = {points[1]}"
    return (
        f'[[population]]\nname = "{name}"\nparent = "{_path(parent)}"\n'
        f'gate = {{ type = "{kind}", channels = {_strings(channels)}, {shape} }}\n'
    )


def _moved(value: float, channel: str, shift: float) -> float:
    return float(value + (shift if channel in MARKERS else 0.0))


def _path(name: str) -> str:
    parents = {gate[0]: gate[1] for gate in GATES}
    return f"{_path(parents[name])}/{name}".lstrip("/") if name else ""


def _strings(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def dense_template(gates: int = 20, corners: int = 6, star: bool = False, seed: int = 0) -> GatingTemplate:
    """The worst case: every gate is asked of every event, and has a side through the very middle of a kind of cells.

    A `star` goes to and fro over that middle with all of its sides. With more than 28 gates some share a plane.
    """
    rng = np.random.default_rng(seed)
    planes = list(combinations(range(len(MARKERS)), 2))
    rng.shuffle(planes)
    scale = Logicle(t=262144, w=0.5, m=4.5, a=0)
    parts = [HEAD]
    for number in range(gates):
        plane = planes[number % len(planes)]
        cell = CELLS[rng.integers(len(CELLS)), 2:]
        middle = scale.apply(10.0 ** cell[list(plane)])
        angle = rng.uniform(0, 2 * np.pi) + np.arange(corners) / corners * 2 * np.pi
        around = 0.15 * np.column_stack([np.cos(angle), np.sin(angle)])
        if star:
            around[::2] /= 10
        else:
            around -= (around[0] + around[1]) / 2
        names = tuple(MARKERS[place] for place in plane)
        parts.append(_gate(f"Dense {number}", "", "polygon", names, middle + around, 0.0))
    return parse_template("\n".join(parts))


def events(count: int, seed: int = 0, extra: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Events (event, channel) as detected, `extra` channels last, and the spillover matrix between the markers."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(len(MARKERS)) + np.random.default_rng(0).uniform(0, 0.12, (8, 8)) * (1 - np.eye(8))
    mean = CELLS[rng.integers(0, len(CELLS), count)]
    forward, side = rng.normal(mean[:, 0], 1e4), rng.normal(mean[:, 1], 6e3)
    shone = 10 ** rng.normal(mean[:, 2:], 0.25) + rng.normal(0, 60, (count, 8))
    height = forward * rng.normal(0.8, 0.03, count)
    columns = (forward, height, side, shone @ matrix, np.arange(count) / 1000, rng.normal(500, 200, (count, extra)))
    return np.column_stack(columns).astype(np.float32), matrix


def write(path: Path, count: int, seed: int = 0, dtype: str = "float32", extra: int = 0) -> Path:
    """Write a tube a million events at a time, as floats or (``uint16``) as integers, unless it is there already."""
    if path.exists():
        return path
    _, matrix = events(1)
    names = (*CHANNELS, *(f"Extra-{number}" for number in range(extra)))
    stored = np.dtype(dtype).newbyteorder("<")
    begin = 8192
    end = begin + count * len(names) * stored.itemsize - 1
    keywords: dict[str, object] = {
        "$BEGINANALYSIS": 0, "$ENDANALYSIS": 0, "$BEGINSTEXT": 0, "$ENDSTEXT": 0, "$NEXTDATA": 0, "$MODE": "L",
        "$DATATYPE": "F" if stored.kind == "f" else "I", "$BYTEORD": "1,2,3,4", "$PAR": len(names), "$TOT": count,
        "$BEGINDATA": begin, "$ENDDATA": end,
        "$SPILLOVER": ",".join(["8", *MARKERS, *(f"{value:.6f}" for value in matrix.ravel())]),
    }  # fmt: skip
    for number, name in enumerate(names, 1):
        extent = 262144 if stored.kind == "f" else 65536
        keywords |= {
            f"$P{number}N": name,
            f"$P{number}B": 8 * stored.itemsize,
            f"$P{number}R": extent,
            f"$P{number}E": "0,0",
        }
    text = "/" + "".join(f"{keyword}/{value}/" for keyword, value in keywords.items())
    # A place of more than eight digits is written as 0, and read from TEXT.
    places = (58, 57 + len(text), *((begin, end) if end < 10**8 else (0, 0)), 0, 0)
    with path.open("wb") as file:
        file.write(("FCS3.1    " + "".join(f"{place:>8}" for place in places) + text).ljust(begin).encode())
        for first in range(0, count, CHUNK):
            values, _ = events(min(CHUNK, count - first), seed + first, extra)
            values[:, CHANNELS.index("Time")] += np.float32(first / 1000)
            if stored.kind == "u":
                values = np.clip(values, 0, 65535)
            values.astype(stored).tofile(file)
    return path
