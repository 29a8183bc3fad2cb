"""A `GatingTemplate` out as Gating-ML 2.0.

The gates in the file are complete by themselves: any program that reads Gating-ML counts the same events. What
Gating-ML has no words for (names that are no XML ids, roles, phenotypes, markers) stands beside them in
``custom_info``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from cytorecon.errors import InterchangeError
from cytorecon.gates import (
    And,
    Dimension,
    Expression,
    Gate,
    Member,
    Not,
    Or,
    QuadrantPart,
    RangeGate,
    RectangleGate,
    Threshold,
)
from cytorecon.interchange.gatingml_elements import Writer, add_gate, add_matrix, add_quadrants, box, intervals
from cytorecon.interchange.naming import xml_ids
from cytorecon.interchange.xmlfile import (
    CYTORECON,
    DATA_TYPE,
    GATING,
    TRANSFORMS,
    Element,
    children,
    local_name,
)
from cytorecon.template import (
    GatingTemplate,
    Panel,
    Phenotype,
    PlacedGate,
    Population,
    Term,
    parse_template,
    resolve,
    to_toml,
)
from cytorecon.transforms import Linear

if TYPE_CHECKING:
    from cytorecon.fcs import Channel


def write_gatingml(
    template: GatingTemplate,
    path: str | Path,
    *,
    cutpoints: Mapping[str, float] | None = None,
    gates: Mapping[str, Gate] | None = None,
    channels: Sequence[Channel] = (),
) -> None:
    """Write a template to a Gating-ML 2.0 file; parameters and errors as for `gatingml_text`."""
    Path(path).write_bytes(gatingml_text(template, cutpoints=cutpoints, gates=gates, channels=channels))


def gatingml_text(
    template: GatingTemplate,
    *,
    cutpoints: Mapping[str, float] | None = None,
    gates: Mapping[str, Gate] | None = None,
    channels: Sequence[Channel] = (),
) -> bytes:
    """Write a template as a Gating-ML 2.0 document.

    Parameters
    ----------
    template
        What to write.
    cutpoints
        Cut point -> position on the display scale, for those that the data placed in one gated sample. A cut point
        with a method needs one even where it has a default; fixed ones need none.
    gates
        Population path -> the gate that the data drew for it in that sample, in place of a `PlacedGate`.
    channels
        Channels of the sample's file, to write ``$PnN`` in place of markers and to leave out what that file does not
        measure (a population that is passed through is written as a copy of its parent). Without them the template's
        own names are written.

    Returns
    -------
    bytes
        An XML document in UTF-8 that validates against the ISAC schema.

    Raises
    ------
    InterchangeError
        A cut point has no position, a gate no shape, or a gate or scale no equivalent in Gating-ML.
    """
    writer = _writer(_drawn(template, gates or {}), cutpoints or {}, channels)
    measured = writer.template
    for name, matrix in measured.matrices.items():
        add_matrix(name, matrix, writer.fresh(xml_ids([name])[0]), writer)
    for together in _with_quadrants(measured.populations):
        _add_populations(together, writer)
    root = etree.Element(
        f"{{{GATING}}}Gating-ML",
        nsmap={"gating": GATING, "transforms": TRANSFORMS, "data-type": DATA_TYPE, "cytorecon": CYTORECON},
    )
    if not cutpoints and not gates and not channels:
        info = etree.SubElement(root, f"{{{DATA_TYPE}}}custom_info")
        etree.SubElement(info, f"{{{CYTORECON}}}template").text = to_toml(template)
    root.extend(writer.preamble)
    root.extend(writer.gates)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def embedded_template(root: Element) -> GatingTemplate | None:
    """Return the template that this package wrote beside the gates; None without one, or if the gates were changed.

    What the template says is never trusted over the gates: it is written out again, and its gates must be those of
    the file.
    """
    found = [each for info in children(root, "custom_info") for each in info.iter(f"{{{CYTORECON}}}template")]
    if len(found) != 1:
        return None
    template = parse_template(found[0].text or "", where="template beside the gates")
    written = etree.fromstring(gatingml_text(template))
    return template if _gates(written) == _gates(root) else None


def _gates(root: Element) -> list[object]:
    return [_content(each) for each in children(root) if local_name(each) != "custom_info"]


def _content(element: Element) -> object:
    inner = [_content(each) for each in children(element)]
    return element.tag, sorted(element.attrib.items()), (element.text or "").strip(), inner


def _writer(template: GatingTemplate, cutpoints: Mapping[str, float], channels: Sequence[Channel]) -> Writer:
    panel = resolve(template, channels) if channels else Panel({})
    template = _measured(template, panel, channels)
    points = template.cutpoints.items()
    fixed = {name: point.at for name, point in points if point.at is not None and point.method is None}
    paths = [population.path for population in template.populations]
    ids = dict(zip(paths, xml_ids(population.name for population in template.populations), strict=True))
    names = {name: channel.name for name, channel in panel.channels.items()}
    return Writer(template, fixed | dict(cutpoints), names, ids, set(ids.values()))


def _drawn(template: GatingTemplate, gates: Mapping[str, Gate]) -> GatingTemplate:
    populations = tuple(
        replace(population, definition=gates[population.path])
        if population.path in gates and isinstance(population.definition, PlacedGate)
        else population
        for population in template.populations
    )
    return template if populations == template.populations else replace(template, populations=populations)


def _measured(template: GatingTemplate, panel: Panel, channels: Sequence[Channel]) -> GatingTemplate:
    """Leave out populations that a file does not measure; what is passed through becomes a copy of its parent."""
    if not panel.not_measured:
        return template
    everything = RangeGate(Dimension(channels[0].name, Linear(), "none"))
    kept = []
    for population in template.populations:
        if population.path in panel.passed_through:
            copy = Member(population.parent) if population.parent else everything
            kept.append(replace(population, definition=copy, optional=False, transparent=False))
        elif population.path not in panel.not_measured:
            kept.append(population)
    paths = {population.path for population in kept}
    cutpoints = {name: point for name, point in template.cutpoints.items() if not point.on or point.on in paths}
    return replace(template, populations=tuple(kept), cutpoints=cutpoints)


def _with_quadrants(populations: Sequence[Population]) -> Iterator[list[Population]]:
    """Populations in order, each alone, but those that are parts of one quadrant gate together."""
    done: set[str] = set()
    for population in populations:
        if population.path in done:
            continue
        together = [population]
        if isinstance(population.definition, QuadrantPart) and intervals(population.definition):
            together = [
                other
                for other in populations
                if isinstance(other.definition, QuadrantPart)
                and (other.definition.gate, other.parent) == (population.definition.gate, population.parent)
                and intervals(other.definition)
            ]
        done |= {other.path for other in together}
        yield together


def _add_populations(together: Sequence[Population], writer: Writer) -> None:
    first = together[0]
    if isinstance(first.definition, QuadrantPart) and intervals(first.definition):
        parts = {each.path: each.definition for each in together if isinstance(each.definition, QuadrantPart)}
        element = add_quadrants(first.definition.gate, parts, first.parent, writer)
    else:
        element = _add_population(first, writer)
    unlike = {writer.ids[each.path]: each.name for each in together if writer.ids[each.path] != each.name}
    if unlike:
        info = etree.Element(f"{{{DATA_TYPE}}}custom_info")
        for gate_id, name in unlike.items():
            etree.SubElement(info, f"{{{CYTORECON}}}population", id=gate_id, name=name)
        element.insert(0, info)


def _add_population(population: Population, writer: Writer) -> Element:
    where = f"population {population.path!r}"
    definition, gate_id = population.definition, writer.ids[population.path]
    if isinstance(definition, PlacedGate):
        raise InterchangeError(
            where,
            "the gate has no shape until the data draw it",
            expected="a fixed gate, or the final gates of a gated sample",
            remedy="Gate a file with the template and export that sample's gates",
            code="open-gate",
        )
    if isinstance(definition, Phenotype):
        return add_gate(_rectangle(definition.terms, writer, where), gate_id, population.parent, writer, where)
    if isinstance(definition, QuadrantPart):
        return _union(definition, gate_id, population.parent, writer, where)
    if isinstance(definition, Threshold):
        return add_gate(_half(definition), gate_id, population.parent, writer, where)
    if isinstance(definition, And | Or | Not | Member):
        return _boolean(definition, gate_id, population.parent, writer, where)
    return add_gate(definition, gate_id, population.parent, writer, where)


def _union(part: QuadrantPart, gate_id: str, parent: str, writer: Writer, where: str) -> Element:
    """Write parts that form no one quadrant: each as a box of its own, and a Boolean over them."""
    boxes = [writer.fresh(f"{gate_id}.part") for _ in part.parts]
    for box_id, number in zip(boxes, part.parts, strict=True):
        add_gate(box(part.gate, number), box_id, parent, writer, where)
    return _boolean_of("or", [(box_id, False) for box_id in boxes], gate_id, parent, writer)


def _rectangle(terms: Sequence[Term], writer: Writer, where: str) -> Gate:
    """Signed markers as ranges: positive from the cut point upwards, negative below it."""
    bounds: dict[str, tuple[float, float]] = {}
    for term in terms:
        at = _position(term, writer, where)
        low, high = bounds.get(term.marker, (-math.inf, math.inf))
        bounds[term.marker] = (max(low, at), high) if term.sign == "+" else (low, min(high, at))
    dimensions = tuple(map(Dimension, bounds))
    lows, highs = (tuple(pair[side] for pair in bounds.values()) for side in (0, 1))
    if len(dimensions) == 1:
        return RangeGate(dimensions[0], lows[0], highs[0])
    return RectangleGate(dimensions, lows, highs)


def _half(threshold: Threshold) -> RangeGate:
    low, high = (threshold.cut, math.inf) if threshold.positive else (-math.inf, threshold.cut)
    return RangeGate(threshold.dimension, low, high)


def _position(term: Term, writer: Writer, where: str) -> float:
    if term.cutpoint not in writer.cutpoints:
        raise InterchangeError(
            where,
            f"the cut point {term.cutpoint!r} has no position until the data place it",
            expected="a fixed cut point, or the final gates of a gated sample",
            remedy="Gate a file with the template and export that sample's gates",
            code="open-cutpoint",
        )
    return writer.cutpoints[term.cutpoint]


def _boolean(definition: Expression, gate_id: str, parent: str, writer: Writer, where: str) -> Element:
    """Write a Boolean gate, and before it a helper gate for each term that is none of its own."""
    operation, terms = _operation(definition)
    references = [_reference(term, gate_id, parent, writer, where) for term in terms]
    return _boolean_of(operation, references, gate_id, parent, writer)


def _boolean_of(
    operation: str, references: list[tuple[str, bool]], gate_id: str, parent: str, writer: Writer
) -> Element:
    if operation != "not" and len(references) == 1:
        references *= 2  # the schema wants two operands or more
    element = writer.new_gate("BooleanGate", gate_id, parent)
    body = etree.SubElement(element, f"{{{GATING}}}{operation}")
    for reference, complement in references:
        each = etree.SubElement(body, f"{{{GATING}}}gateReference", {f"{{{GATING}}}ref": reference})
        if complement:
            each.set(f"{{{GATING}}}use-as-complement", "true")
    return element


def _operation(expression: Expression) -> tuple[str, tuple[Expression, ...]]:
    match expression:
        case And(terms):
            return "and", terms
        case Or(terms):
            return "or", terms
        case Not(term):
            return "not", (term,)
    return "and", (expression,)


def _reference(term: Expression, gate_id: str, parent: str, writer: Writer, where: str) -> tuple[str, bool]:
    """Return the id that stands for a term, and whether its complement is meant."""
    if isinstance(term, Not) and not isinstance(term.term, Not):
        return _reference(term.term, gate_id, parent, writer, where)[0], True
    if isinstance(term, Member) and term.path != parent:
        return writer.ids[term.path], False
    helper = writer.fresh(f"{gate_id}.term")
    if isinstance(term, Member):
        # FlowKit 1.3 loses a gate that refers to its own parent; a copy beside the parent stands for it.
        beside = writer.template.by_path[parent].parent
        _boolean(term, helper, beside, writer, where)
        return helper, False
    if isinstance(term, Term):
        add_gate(_rectangle((term,), writer, where), helper, parent, writer, where)
    elif isinstance(term, Threshold):
        add_gate(_half(term), helper, parent, writer, where)
    else:
        _boolean(term, helper, parent, writer, where)
    return helper, False
