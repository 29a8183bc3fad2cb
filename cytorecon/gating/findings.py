"""What a person should know about how a template met a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cytorecon.compensation import Spillover
from cytorecon.errors import Finding
from cytorecon.fcs.dataset import SPILLOVER_KEYWORDS
from cytorecon.gates import Dimension, Member, Term
from cytorecon.plan.literal import Axis, BoundTemplate
from cytorecon.template import GatingTemplate, Panel, leaves
from cytorecon.template.names import is_linear_by_nature


def findings_of(
    template: GatingTemplate, panel: Panel, bound: BoundTemplate, placed: Mapping[str, float]
) -> Iterator[Finding]:
    """Say what was gated uncompensated, unscaled, at a fallback position, or not at all."""
    if names := _uncompensated(bound):
        message = "no spillover matrix covers these channels; they were gated uncompensated"
        yield Finding("uncompensated", message, "info" if template.compensation == "none" else "warning", names)
    if len(used := set(_used(template, bound))) > 1:
        message = "several matrices are used, as dimensions ask; the result names the main one"
        yield Finding("compensation-mixed", message, "info", ", ".join(sorted(used)))
    if names := _unscaled(template, bound):
        message = "the template gives no scale; linear values were compared with the gates"
        yield Finding("no-scale", message, "warning", names)
    for name in bound.places:
        if (method := template.cutpoints[name].method) is not None and name not in placed:
            message = f"method {method!r} was not run; the template's fixed position was used"
            yield Finding("cutpoint-not-placed", message, "warning", name)
    for marker in panel.missing:
        yield Finding("marker-missing", "no channel carries it; what needs it is not measured", "info", marker)


def compensation_of(template: GatingTemplate, matrix: Spillover | None, bound: BoundTemplate) -> str | None:
    """Say which matrix is used, as `GatedSample.compensation` does.

    That is the template's choice, unless no dimension follows it: then the matrix that dimensions ask for by name.
    """
    used = list(_used(template, bound))
    name = template.compensation if template.compensation in used or not used else used[0]
    if name != "file":
        return None if name == "none" else "template"
    if matrix is None:
        return None
    return "$SPILLOVER" if matrix.source in SPILLOVER_KEYWORDS else matrix.source or "sheet"


def _used(template: GatingTemplate, bound: BoundTemplate) -> Iterator[str]:
    """What dimensions that a matrix covers call it."""
    for dimension, axis in bound.axes.items():
        if any(_covered(name, axis) for name in axis.outputs):
            yield dimension.compensation or template.compensation


def uses_file_matrix(template: GatingTemplate) -> bool:
    """Whether any dimension of a template is compensated with the matrix of the file."""
    for population in template.populations:
        for leaf in leaves(population.definition):
            overrides = [] if isinstance(leaf, Member | Term) else [axis.compensation for axis in leaf.dimensions]
            if "file" in (override or template.compensation for override in overrides or [None]):
                return True
    return False


def _uncompensated(bound: BoundTemplate) -> str:
    names = {name for axis in bound.axes.values() for name in axis.outputs if not _covered(name, axis)}
    return ", ".join(sorted(name for name in names if not is_linear_by_nature(name)))


def _covered(name: str, axis: Axis) -> bool:
    return axis.spillover is not None and name in axis.spillover.outputs


def _unscaled(template: GatingTemplate, bound: BoundTemplate) -> str:
    plain = {axis.channel for axis in bound.axes if isinstance(axis, Dimension) and axis.scale is None}
    return ", ".join(sorted(channel for channel in plain if template.stated_scale_of(channel) is None))
