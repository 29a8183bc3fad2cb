"""What a gating template is once it is read: frozen values in which every reference holds."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cytorecon.compensation import Spillover
from cytorecon.errors import TemplateError
from cytorecon.template.definition import Definition, describe
from cytorecon.template.names import check_name, fold, is_linear_by_nature, path_of
from cytorecon.template.soundness import check_references, in_order
from cytorecon.transforms import Linear, Transform

# A template's name becomes part of a file name.
_FILE_SAFE = re.compile(r"[^\W_](?:[\w .+()\-]{0,98}[\w+)])?")


@dataclass(frozen=True)
class Cutpoint:
    """A threshold on one marker, fixed or to be placed by the data.

    Parameters
    ----------
    name
        What phenotypes call it; usually the marker's name.
    marker
        The marker it divides.
    at
        Position on the display scale; None if only a method places it.
    method
        How the data place it; None if it is fixed.
    on
        Path of the population whose events place it; ``""`` for all events, None if not said.
    within
        Lowest and highest position allowed, display scale; None if not said.
    parameters
        Further parameters of the method.
    """

    name: str
    marker: str
    at: float | None = None
    method: str | None = None
    on: str | None = None
    within: tuple[float, float] | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"cutpoint {self.name!r}"
        if self.at is None and self.method is None:
            raise TemplateError(where, "has no position", expected="at = NUMBER or method = NAME", code="no-position")
        if self.at is not None and not math.isfinite(self.at):
            raise TemplateError(where, "at is not a number", expected="a finite number", got=str(self.at))
        if self.within is not None and not -math.inf < self.within[0] < self.within[1] < math.inf:
            raise TemplateError(
                where, "within is no interval", expected="two ascending numbers", got=str(list(self.within))
            )


@dataclass(frozen=True)
class Population:
    """Events of a parent that answer a definition.

    Parameters
    ----------
    name
        Its name, unique among its siblings.
    parent
        The parent's path; ``""`` for the root (all events).
    definition
        A phenotype, a gate, one part of a quadrant gate, or a Boolean of terms and other populations.
    role
        What it is for: ``leukocytes``, ``lymphocytes``, ``beads``, ``nucleated``, ``cd45``, ``blasts``, ``mrd``; may be
        empty.
    cell_ontology, loinc, reference, description
        Identifiers, a source and the definition in words; may be empty.
    optional
        True: without its marker in the tube it is *not measured* rather than an error.
    transparent
        True (only with `optional`): where it is not measured, what depends on it goes on with its parent, as a tube
        without a viability dye goes on with all singlets.
    """

    name: str
    parent: str
    definition: Definition
    role: str = ""
    cell_ontology: str = ""
    loinc: str = ""
    reference: str = ""
    description: str = ""
    optional: bool = False
    transparent: bool = False

    def __post_init__(self) -> None:
        where = f"population {self.name[:60]!r}"
        check_name(self.name, where)
        if self.transparent and not self.optional:
            raise TemplateError(
                where,
                "is transparent but not optional",
                expected="optional = true with transparent = true",
                remedy="A population that must be measured cannot be passed through.",
                code="transparent",
            )

    @property
    def path(self) -> str:
        """Names from the root joined by ``/``."""
        return path_of(self.parent, self.name)

    @property
    def words(self) -> str:
        """The definition in words: as the template's author wrote it, else derived."""
        return self.description or describe(self.definition)


@dataclass(frozen=True)
class GatingTemplate:
    """How populations are counted: markers, scales, cut points and a tree of populations.

    Populations are kept in an order in which each follows its parent and everything else it refers to; otherwise as
    they were written.

    Parameters
    ----------
    name, version, title, reference
        Identity and source of the template.
    populations
        The tree.
    compensation
        ``"file"`` (the matrix in each file), ``"none"``, or the name of one of `matrices`.
    matrices
        Spillover matrices by name.
    markers
        Marker -> the names it may carry in a file.
    scales
        Display scale by marker or channel; ``"default"`` for the others.
    cutpoints
        Cut points by name.
    quality
        Limits of quality checks: name of the check -> its parameters.

    Raises
    ------
    TemplateError
        A reference points nowhere, populations form a cycle, siblings share a name, …
    """

    name: str
    version: str
    populations: tuple[Population, ...]
    title: str = ""
    reference: str = ""
    compensation: str = "file"
    matrices: Mapping[str, Spillover] = field(default_factory=dict)
    markers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scales: Mapping[str, Transform] = field(default_factory=dict)
    cutpoints: Mapping[str, Cutpoint] = field(default_factory=dict)
    quality: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in ("name", "version"):
            if not _FILE_SAFE.fullmatch(getattr(self, part)):
                raise TemplateError(
                    part,
                    "cannot become part of a file name",
                    got=repr(getattr(self, part)[:60]),
                    expected="letters, digits, blanks and . _ + - ( ), beginning with a letter or digit",
                )
        check_references(self)
        object.__setattr__(self, "populations", in_order(self.populations, self.cutpoints))

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the canonical content: the same however the file was laid out."""
        from cytorecon.template.writing import canonical_json

        return hashlib.sha256(canonical_json(self)).hexdigest()

    @cached_property
    def by_path(self) -> Mapping[str, Population]:
        """Populations by their path."""
        return {population.path: population for population in self.populations}

    @cached_property
    def _own_scales(self) -> Mapping[str, Transform]:
        return {fold(name): scale for name, scale in self.scales.items() if name != "default"}

    def scale_of(self, channel: str) -> Transform:
        """Display scale of a marker or channel: its own, else linear for scatter and time, else the default."""
        return self.stated_scale_of(channel) or Linear()

    def stated_scale_of(self, channel: str) -> Transform | None:
        """Like `scale_of`, but None where the template says nothing and values stay as they are."""
        if (scale := self._own_scales.get(fold(channel))) is not None:
            return scale
        return Linear() if is_linear_by_nature(channel) else self.scales.get("default")
