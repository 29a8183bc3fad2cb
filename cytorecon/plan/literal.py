"""A template bound to the channels of one file, and its evaluation word by word in float64.

This is the specification that the block kernel is held against: compensate the columns a gate needs, bring them to
its scales, ask the gate, and keep what the parent holds. It takes events in any number at a time; what it says about
an event does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cytorecon.compensation import Spillover, compensate_columns, resolved_for
from cytorecon.errors import TemplateError
from cytorecon.fcs import Channel
from cytorecon.gates import (
    And,
    AnyDimension,
    Dimension,
    Expression,
    Gate,
    Not,
    Or,
    RatioDimension,
    Term,
    Threshold,
    evaluate,
    thresholds_of,
)
from cytorecon.template import GatingTemplate, Panel, Phenotype, PlacedGate, Population
from cytorecon.transforms import Transform

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Judged = tuple[Mask, Mask]


@dataclass(frozen=True)
class Axis:
    """How one dimension is computed from the columns of a block.

    Parameters
    ----------
    outputs
        $PnN or fluorochrome of the values wanted: one, or numerator and denominator of a ratio.
    spillover
        The matrix they are compensated with; None for none.
    scale
        The display scale; None leaves linear values.
    ratio
        The ratio to form before scaling; None for a plain channel.
    """

    outputs: tuple[str, ...]
    spillover: Spillover | None
    scale: Transform | None
    ratio: RatioDimension | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """$PnN of the channels it is computed from."""
        matrix = self.spillover
        if matrix is None or not any(name in matrix.outputs for name in self.outputs):
            return self.outputs
        return matrix.detectors + tuple(name for name in self.outputs if name not in matrix.outputs)

    def values(self, block: Values, names: Sequence[str]) -> Values:
        """Display values (event,) of linear values (event, channel) whose channels have these names."""
        if self.spillover is None:
            linear = block[:, [names.index(name) for name in self.outputs]]
        else:
            linear = compensate_columns(block, names, self.spillover, self.outputs)
        result = linear[:, 0] if self.ratio is None else self.ratio.ratio(linear[:, 0], linear[:, 1])
        result = np.ascontiguousarray(result)
        return result if self.scale is None else self.scale.apply(result)


@dataclass(frozen=True)
class BoundPopulation:
    """A population that this file can answer.

    Parameters
    ----------
    path
        Its path.
    parent
        Path of the population it is counted in: its parent, or where that is passed through, the parent's parent.
    test
        A gate, or a Boolean whose terms have become thresholds.
    """

    path: str
    parent: str
    test: Gate | Expression


@dataclass(frozen=True, eq=False)
class BoundTemplate:
    """What to compute for one panel. It is only itself, so that a plan can be kept for it.

    Parameters
    ----------
    columns
        Columns of the file that are needed, ascending.
    names
        Their $PnN.
    axes
        How each dimension that a gate names is computed.
    populations
        Those that can be answered, each after all it depends on.
    stand_ins
        Path of a population that is passed through -> path of the one that stands for it.
    places
        Position of each cut point in use, on the display scale.
    """

    columns: tuple[int, ...]
    names: tuple[str, ...]
    axes: Mapping[AnyDimension, Axis]
    populations: tuple[BoundPopulation, ...]
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """What was found out about some events.

    Parameters
    ----------
    inside
        Path -> boolean (event,): who belongs to each population.
    finite
        Boolean (event,): whose values are numbers in every dimension that any gate uses.
    """

    inside: Mapping[str, Mask]
    finite: Mask


def judge(bound: BoundTemplate, block: Values) -> Judgement:
    """Evaluate every population.

    Parameters
    ----------
    bound
        The bound template.
    block
        Linear values (event, `bound.columns`), uncompensated.

    Returns
    -------
    Judgement
        An event that is not finite in a dimension that a population or its ancestors use is in neither that
        population nor its complement.
    """
    columns: dict[AnyDimension, Values] = {}
    everyone = np.ones(len(block), dtype=np.bool_)
    judged: dict[str, Judged] = {"": (everyone, everyone)}

    def values(dimension: AnyDimension) -> Values:
        if dimension not in columns:
            columns[dimension] = bound.axes[dimension].values(block, bound.names)
        return columns[dimension]

    def member(path: str) -> Judged:
        return judged[bound.stand_ins.get(path, path)]

    for population in bound.populations:
        inside, able = _answer(population.test, member, values)
        parent_inside, parent_able = judged[population.parent]
        judged[population.path] = (inside & parent_inside, able & parent_able)
    finite = everyone.copy()
    for column in columns.values():
        finite &= np.isfinite(column)
    return Judgement({population.path: judged[population.path][0] for population in bound.populations}, finite)


def _answer(
    test: Gate | Expression, member: Callable[[str], Judged], values: Callable[[AnyDimension], Values]
) -> Judged:
    if isinstance(test, Expression):
        return evaluate(test, member, values)
    table = np.column_stack([values(dimension) for dimension in test.dimensions])
    return test.contains(table), np.logical_and.reduce(np.isfinite(table), axis=1)


def bind(
    template: GatingTemplate,
    panel: Panel,
    channels: Sequence[Channel],
    spillover: Spillover | None = None,
    placed: Mapping[str, float] | None = None,
) -> BoundTemplate:
    """Bind a template to the channels of one file.

    Parameters
    ----------
    template, panel, channels
        The template, and what `resolve` made of it for these channels.
    spillover
        The matrix that ``compensation = "file"`` means; None for none.
    placed
        Positions of cut points that the data placed, display scale, by name; they stand before the template's own.

    Raises
    ------
    TemplateError
        A cut point in use has no position yet.
    SpilloverError
        A matrix names channels that the file does not have.
    """
    matrices = _matrices(template, panel, channels, spillover)
    stand_ins = _stand_ins(template, panel)
    populations: list[BoundPopulation] = []
    axes: dict[AnyDimension, Axis] = {}
    places: dict[str, float] = {}
    for population in template.populations:
        if population.path in panel.not_measured:
            continue
        test = _test(population, template, placed or {}, places)
        for dimension in _dimensions(test):
            axes[dimension] = _axis(dimension, template, panel, matrices)
        parent = stand_ins.get(population.parent, population.parent)
        populations.append(BoundPopulation(population.path, parent, test))
    needed = {name for axis in axes.values() for name in axis.inputs}
    columns = tuple(channel.index for channel in channels if channel.name in needed)
    names = tuple(channel.name for channel in channels if channel.name in needed)
    return BoundTemplate(columns, names, axes, tuple(populations), stand_ins, places)


def _stand_ins(template: GatingTemplate, panel: Panel) -> dict[str, str]:
    stand_ins: dict[str, str] = {}
    for population in template.populations:  # parents first, so that a chain of them is followed to its end
        if population.path in panel.passed_through:
            stand_ins[population.path] = stand_ins.get(population.parent, population.parent)
    return stand_ins


def _matrices(
    template: GatingTemplate, panel: Panel, channels: Sequence[Channel], spillover: Spillover | None
) -> dict[str, Spillover | None]:
    """Matrices by the name that dimensions call them, with this file's $PnN."""
    names = [channel.name for channel in channels]
    file = spillover and resolved_for(spillover, names, [channel.marker for channel in channels])
    matrices: dict[str, Spillover | None] = {"none": None, "file": file}
    for name, matrix in template.matrices.items():
        if all(detector in panel.channels for detector in matrix.detectors):
            own = {detector: panel.channels[detector].name for detector in matrix.detectors}
            fluorochromes = tuple(own.get(fluorochrome, fluorochrome) for fluorochrome in matrix.fluorochromes)
            matrices[name] = Spillover(tuple(own.values()), matrix.matrix, fluorochromes, "template", matrix.findings)
    return matrices


def _test(
    population: Population, template: GatingTemplate, placed: Mapping[str, float], places: dict[str, float]
) -> Gate | Expression:
    """A population's definition with every term turned into a threshold."""

    def threshold(term: Term) -> Threshold:
        cutpoint = template.cutpoints[term.cutpoint]
        place = placed.get(term.cutpoint, cutpoint.at)
        if place is None:
            raise TemplateError(
                f"population {population.path!r}, cutpoint {term.cutpoint!r}",
                "has no position yet",
                expected="a number",
                got=f"method {cutpoint.method!r}, which was not run",
                remedy="Write at = NUMBER for a fixed cut point.",
                code="unplaced-cutpoint",
            )
        places[term.cutpoint] = place
        return Threshold(Dimension(term.marker), place, term.sign == "+")

    def translated(expression: Expression) -> Expression:
        match expression:
            case And(terms) | Or(terms):
                return type(expression)(tuple(map(translated, terms)))
            case Not(term):
                return Not(translated(term))
            case Term():
                return threshold(expression)
        return expression

    definition = population.definition
    if isinstance(definition, PlacedGate):
        raise TemplateError(
            f"population {population.path!r}, gate",
            "has no shape yet",
            expected="a drawn gate",
            got=f"method {definition.method!r}, which was not run",
            remedy="Write a gate of fixed shape.",
            code="unplaced-gate",
        )
    if isinstance(definition, Phenotype):
        return And(tuple(map(threshold, definition.terms)))
    return translated(definition) if isinstance(definition, Expression) else definition


def _dimensions(test: Gate | Expression) -> list[AnyDimension]:
    if isinstance(test, Expression):
        return [threshold.dimension for threshold in thresholds_of(test)]
    return list(test.dimensions)


def _axis(
    dimension: AnyDimension, template: GatingTemplate, panel: Panel, matrices: Mapping[str, Spillover | None]
) -> Axis:
    matrix = matrices[dimension.compensation or template.compensation]
    outputs = tuple(
        panel.channels[name].name if name in panel.channels else name  # a fluorochrome of the matrix
        for name in dimension.channels
    )
    if isinstance(dimension, RatioDimension):
        return Axis(outputs, matrix, dimension.scale, dimension)
    return Axis(outputs, matrix, dimension.scale or template.scale_of(dimension.channel))
