"""The plan engine is the literal evaluator on every real file and template at hand, and on every kind of number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fcs.files import channel, make
from numpy.typing import NDArray
from plan.same import assert_same
from test_real_files import MARROW, cytolib_template, diva_template

from cytorecon.compensation import Spillover
from cytorecon.errors import CytoreconError, GateError
from cytorecon.fcs import Events, read_fcs
from cytorecon.gates import (
    And,
    AnyDimension,
    Dimension,
    EllipseGate,
    Expression,
    Gate,
    Not,
    Or,
    PolygonGate,
    QuadrantGate,
    QuadrantPart,
    RangeGate,
    RectangleGate,
    Threshold,
    thresholds_of,
)
from cytorecon.gating import gate_file
from cytorecon.interchange import load_template
from cytorecon.plan.literal import Axis, BoundPopulation, BoundTemplate, bind
from cytorecon.template import GatingTemplate, Population, resolve
from cytorecon.transforms import Asinh, Linear, Log, Logicle, Transform

SCALES: tuple[Transform | None, ...] = (
    None,
    Linear(),
    Logicle(),
    Logicle(t=1024, w=0.2),
    Asinh(t=1e4, m=4, a=1),
    Log(),
)
MOST_EVENTS = 150_000
Place = tuple[Dimension, NDArray[np.float64]]


def own_template(events: Events, matrix: Spillover | None, seed: int, gates: int = 12) -> BoundTemplate:
    """Gates over a file's own values: corners on events and between them, on channels and scales drawn by lot."""
    rng = np.random.default_rng(seed)
    names = [one.name for one in events.channels]
    first = next(iter(events.blocks(4096)))
    axes: dict[AnyDimension, Axis] = {}
    populations: list[BoundPopulation] = []

    def place(name: str) -> Place:
        """A dimension, and display values that its events have."""
        scale = SCALES[rng.integers(len(SCALES))]
        dimension = Dimension(name, scale)
        axes[dimension] = Axis((name,), matrix, scale)
        values = axes[dimension].values(first, names)
        values = values[np.isfinite(values) & (np.abs(values) < 1e12)]
        spread = np.ptp(values) if len(values) else 0.0
        return dimension, values if spread > 0 else np.array([0.0, 1.0])

    for number in range(gates):
        parent = populations[rng.integers(len(populations))].path if populations and rng.random() < 0.5 else ""
        plane = [place(str(name)) for name in rng.choice(names, 2, replace=False)]
        try:
            populations.append(BoundPopulation(f"{parent}/{number}".lstrip("/"), parent, own_gate(rng, *plane)))
        except GateError:  # corners on one line
            continue
    used = {dimension for population in populations for dimension in dimensions_of(population.test)}
    axes = {dimension: axis for dimension, axis in axes.items() if dimension in used}
    return BoundTemplate(tuple(range(len(names))), tuple(names), axes, tuple(populations))


def own_gate(rng: np.random.Generator, first: Place, second: Place) -> Gate | Expression:
    """A gate of any kind over two dimensions and their values."""
    (x, xs), (y, ys) = first, second

    def corner(values: NDArray[np.float64]) -> float:
        chosen = float(rng.choice(values))
        return chosen if rng.random() < 0.5 else chosen + float(rng.normal(0, 0.02)) * float(np.ptp(values))

    low, high = sorted((corner(xs), corner(xs)))
    match rng.integers(6):
        case 0:
            return RangeGate(x, low, np.nextafter(high, np.inf), closed=bool(rng.integers(2)))
        case 1:
            bottom, top = sorted((corner(ys), corner(ys)))
            ends = (low, bottom), (np.nextafter(high, np.inf), np.nextafter(top, np.inf))
            return RectangleGate((x, y), *ends, closed=bool(rng.integers(2)))
        case 2:
            return QuadrantPart(QuadrantGate((x, y), ((corner(xs),), (corner(ys),))), (int(rng.integers(4)),))
        case 3:
            spread = np.diag([np.var(xs), np.var(ys)])
            return EllipseGate((x, y), (float(np.median(xs)), float(np.median(ys))), spread.tolist(), 1.0)
        case 4:
            terms = Threshold(x, corner(xs), True), Threshold(y, corner(ys), bool(rng.integers(2)))
            return (And(terms), Or(terms), And((terms[0], Not(terms[1]))))[rng.integers(3)]
        case _:
            vertices = tuple((corner(xs), corner(ys)) for _ in range(rng.integers(3, 9)))
            return PolygonGate((x, y), vertices)


def dimensions_of(test: Gate | Expression) -> list[AnyDimension]:
    if isinstance(test, Expression):
        return [threshold.dimension for threshold in thresholds_of(test)]
    return list(test.dimensions)


def matrix_of(events: Events) -> Spillover | None:
    """The file's matrix, where it states one for channels of these names."""
    try:
        matrix = events.spillover()
    except CytoreconError:
        return None
    names = [one.name for one in events.channels]
    return matrix if matrix and set(matrix.detectors) <= set(names) and len(set(names)) == len(names) else None


def readable(shared: Path) -> Iterator[Events]:
    """Every real file that can be read, of a size that a test can afford."""
    for folder in ("data", "hard"):
        for path in sorted((shared / folder).rglob("*")):
            if path.suffix.lower() not in {".fcs", ".lmd", ".001", ".b08"} or not path.is_file():
                continue
            try:
                events = read_fcs(path)
            except CytoreconError:
                continue
            names = [one.name for one in events.channels]
            if 0 < events.event_count <= MOST_EVENTS and len(set(names)) == len(names) > 1:
                yield events


def test_run__on_every_real_file(shared: Path) -> None:
    """Integers, floats and doubles of all kinds of instruments, gated where their own events lie."""
    types = set()
    for seed, events in enumerate(readable(shared)):
        assert_same(events, own_template(events, matrix_of(events), seed), 0)
        types.add((events.channels[0].datatype, events.channels[0].bits, bool(events.channels[0].amplification)))
    assert len(types) >= 5


def templates_and_files(shared: Path) -> Iterator[tuple[GatingTemplate, Events]]:
    """Strategies that lie beside the files they were made for, and can be read."""
    data = shared / "data"
    pairs = [(path, data / "isac_gatingml" / "data1.fcs") for path in sorted(data.glob("isac_gatingml/gml/*.xml"))]
    for workspace in sorted(data.glob("flowjo_*/*.wsp")):
        pairs += [(workspace, fcs) for fcs in sorted(workspace.parent.glob("*.fcs"))]
    for path, fcs in pairs:
        try:
            yield load_template(path, file=fcs), read_fcs(fcs)
        except CytoreconError:  # made to be refused, or a workspace of other samples
            continue
    for gates in sorted(data.glob("cytoexplorer_activation/*.gates.json")):
        fcs = gates.with_name(gates.name.removesuffix(".gates.json"))
        yield cytolib_template(json.loads(gates.read_text(encoding="utf-8"))), read_fcs(fcs)
    for name, (file, xml) in MARROW.items():
        yield diva_template(data / name / xml, "tube1_d15"), read_fcs(data / name / file)


def test_run__with_every_real_template(shared: Path) -> None:
    """Gating-ML's compliance suite, workspaces of FlowJo, gates of CytoExploreR and of a clinical laboratory."""
    done = 0
    for template, events in templates_and_files(shared):
        try:
            bound = bind(template, resolve(template, events.channels), events.channels, events.spillover())
        except CytoreconError:  # of channels that this file lacks
            continue
        assert_same(events, bound, 0)
        done += 1
    assert done >= 50


KINDS = {
    "16-bit integers": ("I", "<u2", "16", "65536", "0,0"),
    "10-bit integers on a logarithmic amplifier": ("I", "<u2", "16", "1024", "4,1"),
    "32-bit integers beyond float32": ("I", "<u4", "32", "4294967296", "0,0"),
    "big-endian floats": ("F", ">f4", "32", "262144", "0,0"),
    "doubles": ("D", "<f8", "64", "262144", "0,0"),
}


def tube(path: Path, kind: str, seed: int, count: int = 20_000) -> Events:
    """Five channels, two with a gain, and Time with a time step."""
    datatype, code, bits, extent, amplifier = KINDS[kind]
    rng = np.random.default_rng(seed)
    values = np.clip(rng.lognormal(0.65 * np.log(float(extent)), 1.2, (count, 5)), 0, float(extent) * 0.999)
    values[:, 4] = np.sort(values[:, 4])
    if datatype != "I":
        values[:, :4] -= 200.0
    if datatype == "D":
        values[:50, 1] = 1e300 * rng.choice([-1, 1], 50)
    keywords: dict[str, str | None] = {
        "$DATATYPE": datatype, "$PAR": "5", "$BYTEORD": "4,3,2,1" if code[0] == ">" else "1,2,3,4", "$TIMESTEP": "0.01",
        "$SPILLOVER": "2,C1,C2,1,0.1,0.05,1",
    }  # fmt: skip
    for number in range(1, 6):
        name, gain = ("Time", None) if number == 5 else (f"C{number}", "4" if number in (2, 3) else None)
        amplified = amplifier if number in (1, 4) else "0,0"
        gain = None if amplified != "0,0" else gain
        keywords |= channel(number, N=name, B=bits, R=extent, E=amplified, G=gain)
    path.write_bytes(make(keywords, values.astype(code)))
    return read_fcs(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_run__of_every_kind_of_number(tmp_path: Path, kind: str, seed: int) -> None:
    """Gains, amplifiers, time steps, values that float32 does not hold, and some far beyond $PnR."""
    events = tube(tmp_path / "tube.fcs", kind, seed)
    assert_same(events, own_template(events, matrix_of(events), seed, gates=20), (0, 64, 1000, 20_000)[seed])


@pytest.mark.parametrize("seed", range(5))
def test_run__with_a_matrix_that_cancels(tmp_path: Path, seed: int) -> None:
    """Compensated values are small differences of large ones: the certified error is all that counts."""
    events = tube(tmp_path / "tube.fcs", "big-endian floats", seed)
    spill = np.full((4, 4), 1 - 10.0 ** -(1 + seed / 2)) + np.random.default_rng(seed).uniform(0, 1e-3, (4, 4))
    np.fill_diagonal(spill, 1.0)
    matrix = Spillover(("C1", "C2", "C3", "C4"), spill, source="sheet")
    assert_same(events, own_template(events, matrix, seed, gates=25), 0)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 4097])
def test_run__of_few_events(tmp_path: Path, size: int) -> None:
    """Blocks that end within a byte of the memberships."""
    events = tube(tmp_path / "tube.fcs", "big-endian floats", size, size)
    assert_same(events, own_template(events, matrix_of(events), size), 8)


def test_gate_file__is_the_same_for_files_of_one_panel_in_any_order(tmp_path: Path) -> None:
    """A kept plan, made for other limits or another matrix, changes nothing."""
    paths = [tmp_path / f"{seed}.fcs" for seed in range(3)]
    for seed, path in enumerate(paths):
        tube(path, "big-endian floats", seed)
    gate = PolygonGate((Dimension("C1"), Dimension("C2")), ((0.2, 0.2), (0.9, 0.3), (0.8, 0.9)))
    template = GatingTemplate(
        name="kept", version="1", populations=(Population("P", "", gate),), scales={"default": Logicle()}
    )
    forward = [gate_file(path, template).counts for path in paths]
    backward = [gate_file(path, template).counts for path in reversed(paths)]
    assert forward == backward[::-1]
