"""Random gating strategies that Gating-ML can hold, and what FlowKit makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import flowio
import flowkit
import numpy as np
import strategies as own
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytorecon.compensation import Spillover, compensate_columns
from cytorecon.fcs import Channel, read_fcs
from cytorecon.gates import (
    And,
    AnyDimension,
    Dimension,
    Expression,
    Gate,
    Member,
    Not,
    Or,
    RangeGate,
    RatioDimension,
    Threshold,
)
from cytorecon.gating import gate_file
from cytorecon.interchange.gatingml_out import write_gatingml
from cytorecon.interchange.naming import xml_ids
from cytorecon.template import Definition, GatingTemplate, Panel, Population, resolve
from cytorecon.transforms import Asinh, Hyperlog, Linear, Log, Logicle, Transform

FLUORESCENCE = own.CHANNELS[1:]
MATRIX = np.array([[1, 0.11, 0.02, 0], [0.05, 1, 0.2, 0.01], [0, 0.03, 1, 0.15], [0.08, 0, 0.04, 1]])


@dataclass(frozen=True)
class Strategy:
    """A template, and the seed of the events it is tried on."""

    template: GatingTemplate
    seed: int


def scales() -> st.SearchStrategy[Transform]:
    tops = own.tops()
    return st.one_of(
        own.linears(),
        st.builds(Asinh, t=tops, m=st.floats(1, 6), a=st.floats(0, 1)),
        own.biexponentials(Logicle),
        own.biexponentials(Hyperlog),
        st.builds(Log, t=tops, m=st.floats(1, 6)),
    )


@st.composite
def strategies(draw: st.DrawFn, most: int = 10) -> Strategy:
    """All gate types, nested, with Booleans, ratios, and each gate compensated in a way of its own."""
    panel = tuple(Dimension(channel, draw(scales())) for channel in own.CHANNELS)
    shapes = [own.ranges, own.rectangles, own.ellipses, own.quadrant_parts]
    populations: list[Population] = []
    for number in range(draw(st.integers(1, most))):
        compensation = draw(st.sampled_from(["none", "file", "Mine"]))
        axes = tuple(replace(dimension, compensation=compensation) for dimension in panel)
        paths = [population.path for population in populations]
        shape = st.one_of(*(each(axes) for each in shapes), own.polygons(axes, infinite=False), ratios())
        definition: Definition = draw(st.one_of(shape, shape, own.expressions(paths, axes)))
        populations.append(Population(f"P{number} ±", draw(st.sampled_from(["", *paths])), definition))
    template = GatingTemplate(
        name="random",
        version="1",
        populations=tuple(populations),
        compensation="none",
        matrices={"Mine": Spillover(FLUORESCENCE, MATRIX.T, source="template")},
    )
    return Strategy(template, draw(st.integers(0, 2**32 - 1)))


@st.composite
def ratios(draw: st.DrawFn) -> RangeGate:
    """Ratios of uncompensated channels only: FlowKit takes no others."""
    return replace_dimension(draw(own.ratio_ranges([Dimension(channel) for channel in own.CHANNELS])))


def replace_dimension(gate: RangeGate) -> RangeGate:
    return replace(gate, dimension=replace(gate.dimension, compensation="none"))


def write_events(strategy: Strategy, path: Path, count: int) -> NDArray[np.float64]:
    """Write events that spread over the display range of every channel; none lies on an edge but by chance."""
    rng = np.random.default_rng(strategy.seed)
    shown = rng.uniform(-0.5, 1.5, (count, len(own.CHANNELS)))
    used = [each for p in strategy.template.populations for each in dimensions(p.definition)]
    scale = {each.channel: each.scale for each in used if isinstance(each, Dimension) and each.scale}
    values = np.stack(
        [scale.get(channel, Linear()).inverse(shown[:, index]) for index, channel in enumerate(own.CHANNELS)], axis=1
    )
    values = np.clip(values, -1e7, 1e7).astype(np.float32)
    text = ",".join([str(len(MATRIX)), *FLUORESCENCE, *(str(value) for value in MATRIX.ravel())])
    with path.open("wb") as file:
        flowio.create_fcs(file, values.ravel().tolist(), list(own.CHANNELS), metadata_dict={"spillover": text})
    return values.astype(np.float64)


def finite_events(template: GatingTemplate, fcs: Path) -> NDArray[np.bool_]:
    """Events that every gate of the strategy can judge: FlowKit counts the others as inside of complements."""
    events = read_fcs(fcs)
    values, names = events.array(), [channel.name for channel in events.channels]
    matrices = {"file": events.spillover(), "Mine": template.matrices["Mine"]}
    finite = np.ones(len(values), dtype=bool)
    for dimension in [each for p in template.populations for each in dimensions(p.definition)]:
        matrix = matrices.get(dimension.compensation or "none")
        columns = [values[:, names.index(name)] for name in dimension.channels]
        if matrix is not None:
            columns = [compensate_columns(values, names, matrix, [name])[:, 0] for name in dimension.channels]
        with np.errstate(all="ignore"):
            shown = dimension.ratio(*columns) if isinstance(dimension, RatioDimension) else columns[0]
            shown = dimension.scale.apply(shown) if dimension.scale else shown
        finite &= np.isfinite(shown)
    return finite


def dimensions(definition: Definition | Expression) -> list[AnyDimension]:
    if isinstance(definition, And | Or):
        return [each for term in definition.terms for each in dimensions(term)]
    if isinstance(definition, Not):
        return dimensions(definition.term)
    if isinstance(definition, Member):
        return []
    assert isinstance(definition, Gate | Threshold)
    return list(definition.dimensions)


def differences(strategy: Strategy, folder: Path, count: int) -> dict[str, int]:
    """Events of each population that FlowKit and this package place differently, of those that both can judge."""
    fcs = folder / "events.fcs"
    write_events(strategy, fcs, count)
    theirs = by_flowkit(strategy.template, fcs, folder / "gates.xml")
    ours = gate_file(fcs, strategy.template, membership=True).membership
    assert ours is not None
    finite = finite_events(strategy.template, fcs)
    return {path: int((theirs[path] != ours[path])[finite].sum()) for path in theirs}


def by_flowkit(
    template: GatingTemplate, fcs: Path, gating_ml: Path, channels: Sequence[Channel] = ()
) -> Mapping[str, NDArray[np.bool_]]:
    """Membership by population path as FlowKit finds it, from the Gating-ML file that this package writes."""
    write_gatingml(template, gating_ml, channels=channels)
    strategy = flowkit.parse_gating_xml(str(gating_ml))
    with np.errstate(all="ignore"):
        results = strategy.gate_sample(flowkit.Sample(str(fcs)))
    panel = resolve(template, channels) if channels else Panel({})
    left_out = panel.not_measured - panel.passed_through
    written = [population for population in template.populations if population.path not in left_out]
    ids = xml_ids(population.name for population in written)
    found = {}
    for population, gate_id in zip(written, ids, strict=True):
        ((_, gate_path),) = [each for each in strategy.get_gate_ids() if each[0] == gate_id]
        found[population.path] = np.asarray(results.get_gate_membership(gate_id, gate_path), dtype=bool)
    return found
