"""FlowJo 10 workspaces (.wsp): samples, groups, gate trees, and the counts that FlowJo stored with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cytorecon.errors import InterchangeError
from cytorecon.gates import And, Member, Not, Or
from cytorecon.interchange.flowjo_gates import SampleScales, read_gate, sample_scales
from cytorecon.interchange.lean import lean
from cytorecon.interchange.naming import safe_name, translating
from cytorecon.interchange.xmlfile import (
    MAX_DEPTH,
    MAX_GATES,
    Element,
    child,
    children,
    local_name,
    need,
    read_xml,
)
from cytorecon.template import Definition, GatingTemplate, Population
from cytorecon.template.names import path_of

_POPULATIONS = ("Population", "AndNode", "OrNode", "NotNode")


@dataclass(frozen=True)
class WorkspaceSample:
    """One sample of a workspace.

    Parameters
    ----------
    name
        What FlowJo calls it, usually the file's name.
    file
        Name of the file it was read from, without its folder; may be empty.
    fil
        The file's ``$FIL``; may be empty.
    event_count
        Events in the file as FlowJo counted them; −1 if it stored none.
    groups
        Groups it belongs to.
    counts
        Population path -> events as FlowJo counted them, −1 if it stored none.
    owning_groups
        Population path -> the group whose gate it is; ``""`` for a gate of this sample alone.
    """

    name: str
    file: str
    fil: str
    event_count: int
    groups: tuple[str, ...]
    counts: Mapping[str, int]
    owning_groups: Mapping[str, str]
    element: Element = field(repr=False, compare=False)


@dataclass(frozen=True)
class Workspace:
    """A FlowJo 10 workspace.

    Parameters
    ----------
    path
        The file.
    version
        FlowJo's version, such as ``10.8.1``.
    samples
        Its samples, in order.
    groups
        Names of its groups, in order.
    """

    path: Path
    version: str
    samples: tuple[WorkspaceSample, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class _Node:
    """A population as it stands in the file."""

    name: str
    parent: str
    path: str
    written: str
    element: Element


def read_workspace(path: str | Path) -> Workspace:
    """Read a FlowJo 10 workspace: its samples, groups and stored counts.

    Gates are read by `sample_template`, so that a construct without equivalent in one sample costs no other.

    Raises
    ------
    InterchangeError
        The file is no workspace of FlowJo 10, or a sample's tree is too large.
    """
    root = read_xml(Path(path))
    where, version = str(path), root.get("flowJoVersion") or ""
    if local_name(root) != "Workspace" or version.partition(".")[0] != "10":
        raise InterchangeError(
            where,
            f"FlowJo {version} workspaces are not supported" if version else "the file is no FlowJo workspace",
            expected="a workspace of FlowJo 10",
            got=version or f"<{local_name(root)}>",
            remedy="Save it from FlowJo 10, or export the gates as Gating-ML" if version else "",
            code="flowjo-version",
        )
    groups = {
        need(node, "name", where): {reference.get("sampleID") for reference in node.iter("SampleRef")}
        for node in children(child(root, "Groups", where), "GroupNode")
    }
    samples = children(child(root, "SampleList", where), "Sample")
    return Workspace(
        path=Path(path),
        version=version,
        samples=tuple(_sample(element, groups, where) for element in samples),
        groups=tuple(groups),
    )


def _sample(element: Element, groups: Mapping[str, set[str | None]], where: str) -> WorkspaceSample:
    node = child(element, "SampleNode", where)
    name = need(node, "name", where)
    uri = child(element, "DataSet", where).get("uri") or ""
    keywords = {
        each.get("name"): each.get("value") or ""
        for group in children(element, "Keywords")
        for each in children(group, "Keyword")
    }
    nodes = _nodes(node, f"{where}: sample {name!r}")
    return WorkspaceSample(
        name=name,
        file=unquote(urlsplit(uri).path).replace("\\", "/").rpartition("/")[2],
        fil=(keywords.get("$FIL") or "").strip(),
        event_count=_count(node),
        groups=tuple(group for group, members in groups.items() if node.get("sampleID") in members),
        counts={each.path: _count(each.element) for each in nodes},
        owning_groups={each.path: each.element.get("owningGroup") or "" for each in nodes},
        element=element,
    )


def _count(element: Element) -> int:
    text = element.get("count") or "-1"
    return int(text) if text.isascii() and text.isdigit() else -1


def _nodes(sample_node: Element, where: str) -> list[_Node]:
    nodes: list[_Node] = []
    for node in _walk(sample_node, "", "", 1, where):
        if len(nodes) >= MAX_GATES:
            raise InterchangeError(where, "too many gates", expected=f"at most {MAX_GATES:,}", code="gate-count")
        nodes.append(node)
    return nodes


def _walk(element: Element, parent: str, written: str, depth: int, where: str) -> Iterator[_Node]:
    for group in children(element, "Subpopulations"):
        for each in children(group):
            if local_name(each) not in _POPULATIONS:
                _refuse_hidden_gates(each, where)
                continue
            if depth > MAX_DEPTH:
                raise InterchangeError(
                    where, f"population {parent[:80]!r} lies too deep", expected=f"at most {MAX_DEPTH} levels",
                    code="gate-depth",
                )  # fmt: skip
            name = need(each, "name", where)
            node = _Node(name, parent, path_of(parent, name), f"{written}/{name}" if written else name, each)
            yield node
            yield from _walk(each, node.path, node.written, depth + 1, where)


def _refuse_hidden_gates(element: Element, where: str) -> None:
    """Statistics, graphs and the like are passed over; a node of unknown kind that holds gates is not."""
    if next(element.iter("Population", "Gate", "Subpopulations"), None) is not None:
        raise InterchangeError(
            where, f"the node <{local_name(element)}> on line {element.sourceline} holds gates and is not supported",
            expected=", ".join(_POPULATIONS), code="unknown-element",
        )  # fmt: skip


def find_sample(workspace: Workspace, *names: str) -> WorkspaceSample:
    """Find a sample by its name in FlowJo, else by the name of its file, else by ``$FIL``.

    Parameters
    ----------
    workspace
        The workspace.
    names
        Names in the order in which they are tried: the name asked for, the file's name, its ``$FIL``. If none is
        given, the workspace must hold exactly one sample.

    Raises
    ------
    InterchangeError
        No sample carries one of the names, or several do.
    """
    found = list(workspace.samples) if not names else _carrying(workspace, names)
    if len(found) != 1:
        listed = ", ".join(sample.name for sample in workspace.samples[:20])
        asked = " or ".join(map(repr, names)) or "without a name"
        raise InterchangeError(
            str(workspace.path),
            f"{'no' if not found else 'more than one'} sample {asked} in the workspace",
            expected="exactly one",
            got=f"samples {listed}",
            remedy="Name one with --sample",
            code="workspace-sample",
        )
    return found[0]


def find_sample_of(workspace: Workspace, file: Path) -> WorkspaceSample:
    """Find the sample of an FCS file by the file's name, else by its ``$FIL``, which stays when a file is renamed.

    Raises
    ------
    InterchangeError
        No sample carries one of them, or several do.
    FcsError
        The file has another name and cannot be read.
    """
    names = [file.name]
    if file.is_file() and not _carrying(workspace, (file.name,)):
        from cytorecon.fcs import read_fcs

        names.append(read_fcs(file).keywords.get("$FIL", "").strip())
    return find_sample(workspace, *names)


@dataclass(frozen=True)
class ComparedCount:
    """One population, counted here and by FlowJo.

    Parameters
    ----------
    path
        The population.
    ours
        Events as counted here; −1 if they were not.
    flowjo
        Events as the workspace stores them; −1 if it stores none.
    """

    path: str
    ours: int
    flowjo: int

    @property
    def difference(self) -> int | None:
        """Ours less FlowJo's; None if one of them is missing."""
        return None if min(self.ours, self.flowjo) < 0 else self.ours - self.flowjo


def compare_counts(sample: WorkspaceSample, ours: Mapping[str, int]) -> tuple[ComparedCount, ...]:
    """Compare counts with those that the workspace stores, population by population, in the workspace's order.

    Parameters
    ----------
    sample
        The workspace's sample.
    ours
        Population path -> events counted here with `sample_template`'s template; ``""`` for all events.
    """
    stored = {"": sample.event_count, **sample.counts}
    return tuple(ComparedCount(path, ours.get(path, -1), count) for path, count in stored.items())


def _carrying(workspace: Workspace, names: tuple[str, ...]) -> list[WorkspaceSample]:
    for name in names:
        for label in ("name", "file", "fil"):
            found = [sample for sample in workspace.samples if name and getattr(sample, label) == name]
            if found:
                return found
    return []


def sample_template(workspace: Workspace, sample: WorkspaceSample) -> GatingTemplate:
    """Turn one sample's tree into a template.

    Raises
    ------
    InterchangeError
        The sample has no gates, or a gate, scale, matrix or parameter has no equivalent here; the message names it.
    """
    where = f"{workspace.path}: sample {sample.name!r}"
    scales = sample_scales(sample.element, where)
    nodes = _nodes(child(sample.element, "SampleNode", where), where)
    if not nodes:
        raise InterchangeError(where, "the sample has no gates", code="no-gates")
    written = {node.written: node.path for node in nodes}
    populations = tuple(population for node in nodes for population in _populations(node, scales, written))
    with translating(where):
        template = GatingTemplate(
            name=safe_name(f"{workspace.path.stem} {sample.name.removesuffix('.fcs')}"),
            version="0",
            title=f"FlowJo {workspace.version} workspace {workspace.path.name}, sample {sample.name}",
            populations=populations,
            compensation=scales.matrix_name if scales.matrix else "none",
            matrices={scales.matrix_name: scales.matrix} if scales.matrix else {},
        )
        return lean(template)


def _populations(node: _Node, scales: SampleScales, written: Mapping[str, str]) -> Iterator[Population]:
    """Yield the population; before it, where it is what lies outside of a gate, the gate as a sibling of its own."""
    where = f"{scales.where}: population {node.path!r}"
    if local_name(node.element) != "Population":
        yield Population(node.name, node.parent, _boolean(node.element, written, where))
        return
    gates = list(children(child(node.element, "Gate", where)))
    if len(gates) != 1:
        raise InterchangeError(where, "the population needs exactly one gate", got=str(len(gates)), code="gate-count")
    with translating(where):
        gate = read_gate(gates[0], scales, where)
    if gates[0].get("eventsInside", "1") == "1":
        yield Population(node.name, node.parent, gate)
        return
    drawn = Population(f"{node.name} (drawn gate)", node.parent, gate)
    yield drawn
    yield Population(node.name, node.parent, Not(Member(drawn.path)))


def _boolean(element: Element, written: Mapping[str, str], where: str) -> Definition:
    names = [need(each, "name", where) for each in children(child(element, "Dependents", where), "Dependent")]
    for name in names:
        if name not in written:
            raise InterchangeError(
                where, f"a Boolean refers to {name!r}, which is no population of the sample", code="gate-reference"
            )
    terms = tuple(Member(written[name]) for name in names)
    kind = local_name(element)
    if not terms or (kind == "NotNode" and len(terms) != 1):
        raise InterchangeError(where, f"the operand count of {kind} is wrong", got=str(len(terms)), code="boolean")
    if kind == "NotNode":
        return Not(terms[0])
    return And(terms) if kind == "AndNode" else Or(terms)
