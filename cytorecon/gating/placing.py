"""Cut points and gates that one file's events place, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytorecon.compensation import Spillover
from cytorecon.errors import Finding, PlacementError
from cytorecon.fcs import Events, read_fcs
from cytorecon.gates import Dimension, Gate, PolygonGate, RectangleGate, Term
from cytorecon.gating.given import Found, Given
from cytorecon.gating.shifts import dependents, shifts_of
from cytorecon.gating.tree import Tree, Variants
from cytorecon.placement import PLACEMENTS, Drawn, Method, Place, anchored
from cytorecon.plan.literal import bind
from cytorecon.plan.sampling import sample_events
from cytorecon.template import Cutpoint, GatingTemplate, Panel, PlacedGate, Population, leaves, resolve

Rows = NDArray[np.intp]

# Parameters of a cut point that are about falling back, pooling and controls, not the method's own.
_LANDMARKS = ("negative", "positive", "reach", "spread")
_OURS = ("otherwise", "from", "group_by", "pool")
# What openCyto calls parameters of its methods.
_OPENCYTO = {
    "gate_range": "within",
    "K": "components",
    "tol": "tolerance",
    "probs": "probability",
    "quantile": "probability",
}


@dataclass(frozen=True)
class Placing:
    """What the events of one file decided.

    Parameters
    ----------
    template
        The template with the gates that were drawn in place of the open ones.
    found
        Each cut point in use.
    findings
        What fell back, and on what.
    shifts
        Path -> how far its count may lie below and above for where the cut points and gates lie: two 1.96 standard
        deviations, in events.
    doubtful
        Paths of populations that depend on a place that a person has to look at.
    """

    template: GatingTemplate
    found: Mapping[str, Found] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    shifts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    doubtful: frozenset[str] = frozenset()

    @property
    def positions(self) -> dict[str, float]:
        """Positions by the name of the cut point."""
        return {name: one.position for name, one in self.found.items()}


def is_open(template: GatingTemplate) -> bool:
    """Whether anything in a template is left to the data."""
    return any(cutpoint.method is not None for cutpoint in template.cutpoints.values()) or any(
        isinstance(population.definition, PlacedGate) for population in template.populations
    )


def place(
    events: Events,
    template: GatingTemplate,
    panel: Panel,
    spillover: Spillover | None = None,
    given: Given | None = None,
) -> Placing:
    """Let a file's events place what its template leaves to them.

    Parameters
    ----------
    events, template, panel
        The file, the template, and what `resolve` made of it.
    spillover
        The matrix that ``compensation = "file"`` means.
    given
        What is settled before: by a person, by a pool, by control files.

    Raises
    ------
    PlacementError
        A method or parameter is unknown, or there is nothing to find and the template has nothing to fall back on.
    """
    work, weight = settled(events, template, panel, spillover, given or Given())
    return Placing(
        template=_drawn(work.template, work.tree.gates),
        found=dict(work.found),
        findings=tuple(work.findings),
        shifts=shifts_of(work.measured, work.tree, work.found, work.variants, weight),
        doubtful=frozenset(one.path for one in dependents(work.measured, work.doubtful)),
    )


def settled(
    events: Events, template: GatingTemplate, panel: Panel, spillover: Spillover | None, given: Given
) -> tuple[Work, float]:
    """Go down the tree on a sample of the events: the work done, and for how many events one of them stands."""
    template = redrawn(template, given)
    bound = bind(closed(template), panel, events.channels, spillover, dict.fromkeys(template.cutpoints, 0.0))
    block, weight = sample_events(events, bound)
    work = Work(template, panel, Tree(bound, block), given)
    for population in work.measured:
        work.settle(population)
    return work, weight


def redrawn(template: GatingTemplate, given: Given) -> GatingTemplate:
    """The template with the polygons that a person drew for this sample."""
    gates = {}
    for path, vertices in given.vertices.items():
        definition = template.by_path[path].definition
        if isinstance(definition, PolygonGate | PlacedGate):
            gates[path] = PolygonGate(definition.dimensions, vertices)
    return _drawn(template, gates)


def closed(template: GatingTemplate) -> GatingTemplate:
    """The template with every open gate wide open, so that it can be bound."""
    everything = {
        population.path: RectangleGate(
            definition.dimensions, (-np.inf,) * len(definition.dimensions), (np.inf,) * len(definition.dimensions)
        )
        for population in template.populations
        if isinstance(definition := population.definition, PlacedGate)
    }
    return _drawn(template, everything)


def _drawn(template: GatingTemplate, gates: Mapping[str, Gate]) -> GatingTemplate:
    if not gates:
        return template
    populations = tuple(
        replace(population, definition=gates[population.path]) if population.path in gates else population
        for population in template.populations
    )
    return replace(template, populations=populations)


@dataclass
class Work:
    """The state of placing one file's cut points."""

    template: GatingTemplate
    panel: Panel
    tree: Tree
    given: Given
    found: dict[str, Found] = field(default_factory=dict)
    variants: dict[str, Variants] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        lost = self.panel.not_measured
        self.measured = tuple(one for one in self.template.populations if one.path not in lost)

    def settle(self, population: Population) -> None:
        """Place what a population needs, then find out who is in it."""
        for leaf in leaves(population.definition):
            if isinstance(leaf, Term):
                self._cut(leaf.cutpoint, population.parent, ())
            elif isinstance(leaf, PlacedGate):
                self._draw(population, leaf)
        self.tree.enter(population)

    def _cut(self, name: str, parent: str, chain: tuple[str, ...]) -> Found:
        if name not in self.found:
            cutpoint = self.template.cutpoints[name]
            found = self.given.cutpoints.get(name) or self._placed(cutpoint, parent, (*chain, name))
            self.found[name] = found
            self.tree.places[name] = found.position
        return self.found[name]

    def _placed(self, cutpoint: Cutpoint, parent: str, chain: tuple[str, ...]) -> Found:
        if cutpoint.method is None and cutpoint.at is not None:
            return Found(cutpoint.at, None, "fixed")
        pooled = self.given.pooled.get(cutpoint.name)
        if pooled is not None and cutpoint.method != "anchored":
            return pooled
        if pooled is not None:
            cutpoint = replace(cutpoint, at=pooled.position)
        method = method_of(cutpoint.method or "", f"cutpoint {cutpoint.name!r}")
        if cutpoint.method == "reference":
            place = self._copied(cutpoint, method, parent, chain)
        elif (values := self._source(cutpoint, parent)) is None:
            place = Place(None, None, self._lacks(cutpoint))
        else:
            place = cut_by(method, cutpoint, values)
        if place.position is not None:
            return Found(place.position, place.spread, cutpoint.method or "")
        return self._fallen_back(cutpoint, parent, place.reason)

    def _copied(self, cutpoint: Cutpoint, method: Method, parent: str, chain: tuple[str, ...]) -> Place:
        source = cutpoint.parameters.get("from")
        if not isinstance(source, str) or source not in self.template.cutpoints or source in chain:
            raise _wrong(cutpoint.name, "reference needs another cut point", f"from = {source!r}")
        copied = self._cut(source, parent, chain)
        place: Place = _call(method.cut, cutpoint.name, _own(cutpoint.parameters), copied.position, copied.spread)
        return place

    def _source(self, cutpoint: Cutpoint, parent: str) -> NDArray[np.float64] | None:
        """Values that place a cut: the sample's own, or for ``fmo`` those of its control."""
        if cutpoint.method != "fmo":
            return self.values(cutpoint, parent)
        path = self.given.controls.get(cutpoint.marker)
        return None if path is None else control_values(path, self.template, cutpoint, parent)

    def _lacks(self, cutpoint: Cutpoint) -> str:
        if cutpoint.method == "fmo":
            return f"the sheet names no control without {cutpoint.marker}"
        return f"{cutpoint.on!r} is not measured in this tube"

    def values(self, cutpoint: Cutpoint, parent: str) -> NDArray[np.float64] | None:
        """Display values that place a cut point; None if their population is not measured in this tube."""
        path = parent if cutpoint.on is None else cutpoint.on
        path = self.tree.bound.stand_ins.get(path, path)
        if path not in self.tree.inside:
            return None
        return self.tree.values(Dimension(cutpoint.marker), self.tree.rows(path))

    def _fallen_back(self, cutpoint: Cutpoint, parent: str, reason: str) -> Found:
        """What the template says where there is nothing to find: another way, and a finding that names it."""
        way = cutpoint.parameters.get("otherwise", "fixed")
        at = cutpoint.at if cutpoint.at is not None else self._middle(cutpoint, reason)
        if cutpoint.at is None:
            way = "review"
        found = Found(at, _number(cutpoint, "spread"), "fixed")
        if way == "anchored":
            values = self.values(cutpoint, parent)
            landmarks = {key: cutpoint.parameters[key] for key in _LANDMARKS if key in cutpoint.parameters}
            sample = np.empty(0) if values is None else values
            place = _call(anchored, cutpoint.name, landmarks | {"at": at}, sample, cutpoint.within)
            found = Found(float(place.position or at), place.spread, "anchored")
        elif way == "review":
            self.doubtful.add(cutpoint.name)
        words = {"anchored": "anchored to the template's position", "review": "left for review"}.get(str(way), "fixed")
        message = f"{cutpoint.method}: {reason}; the cut is {words}, at {found.position:.3f}"
        self.findings.append(
            Finding(f"cutpoint-{way}", message, "review" if way == "review" else "info", cutpoint.name)
        )
        return found

    def _middle(self, cutpoint: Cutpoint, reason: str) -> float:
        if cutpoint.within is None:
            raise PlacementError(
                f"cutpoint {cutpoint.name!r}",
                f"{cutpoint.method} found no position",
                got=reason,
                expected="a position to fall back on",
                remedy="Write at = NUMBER beside the method.",
                code="nothing-to-place",
            )
        return sum(cutpoint.within) / 2

    def _draw(self, population: Population, gate: PlacedGate) -> None:
        where = f"population {population.path!r}, gate"
        method = method_of(gate.method, where)
        path = population.parent if gate.on is None else gate.on
        path = self.tree.bound.stand_ins.get(path, path)
        rows = self.tree.rows(path) if path in self.tree.inside else np.empty(0, np.intp)
        values = self.tree.table(gate.dimensions, rows)
        parameters = {key: value for key, value in gate.parameters.items() if key not in _OURS}
        drawn: Drawn = _call(method.draw, where, parameters, values, gate.dimensions)
        if drawn.gate is None:
            drawn = self._fixed_shape(population, gate, drawn.reason)
        elif drawn.reason:
            message = f"{gate.method}: {drawn.reason}; the gate stays where the template has it"
            self.findings.append(Finding("gate-fixed", message, "info", population.path))
        if drawn.gate is not None:
            self.tree.gates[population.path] = drawn.gate
            self.variants[population.path] = drawn.variants

    def _fixed_shape(self, population: Population, gate: PlacedGate, reason: str) -> Drawn:
        """Everything the parent holds, if the template takes that; a finding says so."""
        if gate.parameters.get("otherwise") != "all":
            raise PlacementError(
                f"population {population.path!r}, gate",
                f"{gate.method} found nothing to draw",
                got=reason,
                remedy='Write otherwise = "all" to go on without it, or a gate of fixed shape.',
                code="nothing-to-draw",
            )
        count = len(gate.dimensions)
        message = f"{gate.method}: {reason}; nothing is left out"
        self.findings.append(Finding("gate-open", message, "warning", population.path))
        return Drawn(RectangleGate(gate.dimensions, (-np.inf,) * count, (np.inf,) * count))


def control_values(path: Path, template: GatingTemplate, cutpoint: Cutpoint, parent: str) -> NDArray[np.float64] | None:
    """Display values of a control's events in the population that places a cut point."""
    events = read_fcs(path)
    panel = resolve(template, events.channels)
    work, _ = settled(events, template, panel, events.spillover(), Given())
    return work.values(cutpoint, parent)


def cut_by(method: Method, cutpoint: Cutpoint, values: NDArray[np.float64]) -> Place:
    """Ask a method where a cut point lies.

    Raises
    ------
    PlacementError
        The method does not know, or cannot use, a parameter.
    """
    own = dict(_own(cutpoint.parameters))
    if cutpoint.method == "anchored":
        own |= {key: cutpoint.parameters[key] for key in _LANDMARKS if key in cutpoint.parameters}
        own["at"] = cutpoint.at
    own = {_OPENCYTO.get(key, key): value for key, value in own.items()}
    place: Place = _call(method.cut, cutpoint.name, own, values, own.pop("within", cutpoint.within))
    return place


def _own(parameters: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in parameters.items() if key not in (*_OURS, *_LANDMARKS)}


def _number(cutpoint: Cutpoint, key: str) -> float | None:
    value = cutpoint.parameters.get(key)
    return float(value) if isinstance(value, int | float) else None


def method_of(name: str, where: str) -> Method:
    """Look up a method by its name.

    Raises
    ------
    PlacementError
        There is none of that name.
    """
    if name not in PLACEMENTS:
        raise PlacementError(where, f"unknown method {name!r}", expected=", ".join(PLACEMENTS), code="unknown-method")
    return PLACEMENTS[name]


def _call(function: Any, where: str, parameters: Mapping[str, object], *values: object) -> Any:
    """Call a method; a parameter it does not know, or cannot use, is an error that names the cut point."""
    if function is None:
        raise _wrong(where, "the method does not do this: one draws gates, the other places cuts", "")
    try:
        return function(*values, **parameters)
    except TypeError as error:
        raise _wrong(where, "the method cannot use its parameters", str(error)[:200]) from error


def _wrong(where: str, problem: str, got: str) -> PlacementError:
    return PlacementError(where, problem, got=got, code="placement-parameter")
