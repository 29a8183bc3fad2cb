"""Which channel of a file carries each marker that a template needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cytorecon.errors import PanelError
from cytorecon.gates import And, Expression, Member, Not, Or, Term
from cytorecon.template.definition import Definition, leaves
from cytorecon.template.model import GatingTemplate, Population
from cytorecon.template.names import fold

if TYPE_CHECKING:
    from cytorecon.fcs import Channel

_SUFFIX = re.compile(r"(.*?)[\s._\-]*([AHW])", re.IGNORECASE)


@dataclass(frozen=True)
class Panel:
    """The meaning of a template's marker and channel names in one file.

    Parameters
    ----------
    channels
        Name as the template writes it -> channel of the file.
    not_measured
        Paths of the optional populations whose marker the file lacks, and of all that depend on them.
    passed_through
        Those of them that are `transparent`: what depends on them goes on with their parent.
    missing
        Markers those populations lack.
    """

    channels: Mapping[str, Channel]
    not_measured: frozenset[str] = field(default=frozenset())
    passed_through: frozenset[str] = field(default=frozenset())
    missing: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Channel:
        return self.channels[name]


def resolve(template: GatingTemplate, channels: Sequence[Channel]) -> Panel:
    """Find the channel of every marker and channel that a template's populations use.

    Names match exactly once case and separators are folded, a channel's $PnS before its $PnN. Where -A, -H and -W
    of one detector share a $PnS, -A is meant.

    Parameters
    ----------
    template
        Its `markers` give the names that a marker may carry.
    channels
        The channels of one file.

    Raises
    ------
    PanelError
        A marker is in none of the channels and its population is not optional, or it is in two of them.
    """
    # A name that a phenotype uses is a marker, also where [markers] says nothing of it.
    markers = {cutpoint.marker: () for cutpoint in template.cutpoints.values()} | dict(template.markers)
    found: dict[str, Channel] = {}
    blocked: set[str] = set()
    passed: set[str] = set()
    missing: dict[str, None] = {}
    for population in template.populations:
        unknown = not blocked.isdisjoint((population.parent, *members(population)))
        # The complement of what was not measured is not known either, also where children go on without it.
        if unknown or not passed.isdisjoint(_negated(population.definition)):
            blocked.add(population.path)
            continue
        absent = []
        for name in channel_names(population, template):
            channel = found.get(name) or find_channel(name, markers, channels)
            if channel is None:
                absent.append(name)
            else:
                found[name] = channel
        if absent and not population.optional:
            raise missing_marker(absent[0], f"population {population.path!r}", channels)
        if absent:
            (passed if population.transparent else blocked).add(population.path)
            missing |= dict.fromkeys(absent)
    return Panel(found, frozenset(blocked | passed), frozenset(passed), tuple(missing))


def channel_names(population: Population, template: GatingTemplate) -> Iterator[str]:
    """Names of the markers and channels that a population's own definition uses, as the template writes them.

    The detectors of a matrix that the template itself gives are among them.
    """
    for leaf in leaves(population.definition):
        if isinstance(leaf, Term):
            yield from _inputs(template.cutpoints[leaf.cutpoint].marker, None, template)
        elif not isinstance(leaf, Member):
            for dimension in leaf.dimensions:
                for name in dimension.channels:
                    yield from _inputs(name, dimension.compensation, template)


def _inputs(name: str, compensation: str | None, template: GatingTemplate) -> Iterator[str]:
    matrix = template.matrices.get(compensation or template.compensation)
    if matrix is not None:
        yield from matrix.detectors
        if name in matrix.fluorochromes:
            return  # computed from the detectors; it need not be a channel of the file
    yield name


def members(population: Population) -> Iterator[str]:
    """Paths of the populations that a population's Boolean names."""
    return (leaf.path for leaf in leaves(population.definition) if isinstance(leaf, Member))


def _negated(definition: Definition | Expression, below_not: bool = False) -> Iterator[str]:
    """Paths of the populations that a Boolean names under a ``not``."""
    match definition:
        case Not(term):
            yield from _negated(term, True)
        case And(terms) | Or(terms):
            for term in terms:
                yield from _negated(term, below_not)
        case Member(path) if below_not:
            yield path


def find_channel(name: str, markers: Mapping[str, Sequence[str]], channels: Sequence[Channel]) -> Channel | None:
    """Find the channel that carries a marker or channel name; None if there is none.

    Raises
    ------
    PanelError
        More than one channel carries it, other than as -A, -H and -W of one detector; or it is no marker of the
        template, and the $PnS of one channel but the $PnN of another.
    """
    wanted = {fold(name)}
    for marker, aliases in markers.items():
        if fold(marker) == fold(name):
            wanted |= set(map(fold, aliases))
    wanted.discard("")
    for attribute in ("marker", "name"):  # $PnS before $PnN
        matches = [channel for channel in channels if fold(getattr(channel, attribute)) in wanted]
        if len(matches) > 1:
            matches = _area_of_one_detector(matches)
        if len(matches) > 1:
            raise PanelError(
                f"marker {name!r}",
                "is in more than one channel",
                expected="one channel",
                got=", ".join(map(_label, matches)),
                code="double-marker",
                remedy="Name the channel ($PnN) meant in [markers], or mend the file's $PnS.",
            )
        if matches:
            _refuse_crossed(name, matches[0], markers, channels)
            return matches[0]
    return None


def _refuse_crossed(
    name: str, found: Channel, markers: Mapping[str, Sequence[str]], channels: Sequence[Channel]
) -> None:
    """Refuse a name that is no marker of the template and that is one channel's $PnS and another's $PnN."""
    named = next((channel for channel in channels if channel.name == name), found)
    if named != found and fold(name) not in map(fold, markers):
        raise PanelError(
            f"channel {name!r}",
            "is the $PnN of one channel and the $PnS of another",
            expected="one channel",
            got=f"{_label(named)}, {_label(found)}",
            code="double-marker",
            remedy="Mend the file's $PnS, or name the marker in [markers] if the $PnS is meant.",
        )


def _area_of_one_detector(matches: list[Channel]) -> list[Channel]:
    """Keep only the -A channel of matches that are -A, -H or -W of one detector."""
    parts = [_SUFFIX.fullmatch(channel.name) for channel in matches]
    if None in parts or len({part[1].casefold() for part in parts if part}) > 1:
        return matches
    return [channel for channel, part in zip(matches, parts, strict=True) if part and part[2] in "Aa"] or matches


def missing_marker(name: str, where: str, channels: Iterable[Channel]) -> PanelError:
    """Build the error for a marker that no channel carries, with the line that would add an alias."""
    return PanelError(
        where,
        f"no channel carries {name!r}",
        got="channels " + ", ".join(map(_label, channels)),
        code="missing-marker",
        remedy=f'Add the name this file uses to [markers]: {_key(name)} = ["{name}", "…"].',
    )


def _label(channel: Channel) -> str:
    return f"{channel.name} ({channel.marker})" if channel.marker else channel.name


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_\-]+", name) else f'"{name}"'
