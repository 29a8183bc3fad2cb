"""Say once what every dimension of an imported template repeats: a channel's scale, the compensation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from cytorecon.gates import AnyDimension, Dimension, EllipseGate, PolygonGate, QuadrantPart, RangeGate, RectangleGate
from cytorecon.template import Definition, GatingTemplate, fold, leaves
from cytorecon.template.names import is_linear_by_nature
from cytorecon.transforms import Linear, Transform

_Gates = RangeGate | RectangleGate | PolygonGate | EllipseGate | QuadrantPart


def lean(template: GatingTemplate) -> GatingTemplate:
    """Move scales and compensation that all dimensions of a channel share into the template's own tables.

    Parameters
    ----------
    template
        A template each of whose dimensions states its scale and compensation.

    Returns
    -------
    GatingTemplate
        The same gates on the same events, written as a person would.
    """
    dimensions = [each for population in template.populations for each in _dimensions(population.definition)]
    scales = _common_scales(dimensions)
    compensation = _common_compensation(template, dimensions)
    return replace(
        template,
        compensation=compensation,
        scales={name: scale for name, scale in scales.items() if not _natural(name, scale)},
        populations=tuple(
            replace(population, definition=_leaner(population.definition, scales, compensation, template))
            for population in template.populations
        ),
    )


def _dimensions(definition: Definition) -> Iterator[AnyDimension]:
    for leaf in leaves(definition):
        if isinstance(leaf, _Gates):
            yield from leaf.dimensions


def _common_scales(dimensions: list[AnyDimension]) -> dict[str, Transform]:
    """Scale of each channel that is always shown on the same one, however its name is spelled."""
    seen: dict[str, set[Transform | None]] = {}
    for dimension in dimensions:
        if isinstance(dimension, Dimension):
            seen.setdefault(fold(dimension.channel), set()).add(dimension.scale)
    return {
        dimension.channel: dimension.scale
        for dimension in dimensions
        if isinstance(dimension, Dimension) and dimension.scale is not None and len(seen[fold(dimension.channel)]) == 1
    }


def _common_compensation(template: GatingTemplate, dimensions: list[AnyDimension]) -> str:
    stated = Counter(each.compensation for each in dimensions if each.compensation and _is_compensated(each, template))
    return stated.most_common(1)[0][0] if stated else template.compensation


def _is_compensated(dimension: AnyDimension, template: GatingTemplate) -> bool:
    """Tell whether a template's matrices could change the dimension; a file's own matrix is not known here."""
    named = {name for matrix in template.matrices.values() for name in (*matrix.detectors, *matrix.fluorochromes)}
    return not template.matrices or not named.isdisjoint(dimension.channels)


def _natural(name: str, scale: Transform) -> bool:
    return scale == Linear() and is_linear_by_nature(name)


def _leaner(
    definition: Definition, scales: Mapping[str, Transform], compensation: str, template: GatingTemplate
) -> Definition:
    def lean_dimension(dimension: AnyDimension) -> AnyDimension:
        implied = dimension.compensation == compensation or (
            # A channel that is in no matrix is the same under the template's matrix as without any.
            dimension.compensation == "none"
            and compensation in template.matrices
            and not _is_compensated(dimension, template)
        )
        stated = None if implied else dimension.compensation
        if isinstance(dimension, Dimension) and scales.get(dimension.channel) == dimension.scale:
            return replace(dimension, scale=None, compensation=stated)
        return replace(dimension, compensation=stated)

    match definition:
        case RangeGate():
            return replace(definition, dimension=lean_dimension(definition.dimension))
        case RectangleGate() | PolygonGate() | EllipseGate():
            return replace(definition, dimensions=tuple(map(lean_dimension, definition.dimensions)))
        case QuadrantPart(gate, parts):
            return QuadrantPart(replace(gate, dimensions=tuple(map(lean_dimension, gate.dimensions))), parts)
    return definition
