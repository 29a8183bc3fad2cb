"""``overrides.toml`` beside a sheet: a person moves a cut point or a gate for some samples and leaves the others."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytorecon.errors import Finding, TemplateError
from cytorecon.gates import PolygonGate
from cytorecon.gating.given import Found, Given
from cytorecon.template import GatingTemplate, PlacedGate
from cytorecon.transforms import Linear

if TYPE_CHECKING:
    from cytorecon.sheet import Sample

FILE_NAME = "overrides.toml"
# Generous: a scale shows its range at 0 to 1, and compensated values somewhat below it.
DISPLAY = (-1.0, 2.0)
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Override(BaseModel):
    """One ``[[override]]``: for whom, what, and who says so.

    Parameters
    ----------
    file, patient, panel, day
        The samples it is for: those that agree in all that is given; `file` as the sheet has it.
    cutpoint, at
        A cut point and its position on the display scale.
    population, vertices
        A population (path, or name where unique) with a polygon gate, and the polygon's corners.
    who, when, why
        Who moved it, on which day, and for what reason; kept in the ledger, so without names of patients.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    file: Words | None = None
    patient: Words | None = None
    panel: Words | None = None
    day: int | None = None
    cutpoint: Words | None = None
    at: Annotated[float, Field(allow_inf_nan=False)] | None = None
    population: Words | None = None
    vertices: list[list[float]] | None = None
    who: Words
    when: date
    why: Words

    @property
    def words(self) -> str:
        """What was moved, by whom, when and why."""
        what = f"{self.cutpoint} at {self.at:g}" if self.cutpoint else f"{self.population} redrawn"
        return f"{what}, by {self.who} on {self.when}: {self.why}"

    def concerns(self, sample: Sample) -> bool:
        """Whether it is for this sample."""
        wanted = {"file_name": self.file, "patient": self.patient, "panel": self.panel, "day": self.day}
        return all(getattr(sample, name) == value for name, value in wanted.items() if value is not None)


@dataclass(frozen=True)
class Overrides:
    """All overrides of a sheet, in the order written."""

    entries: tuple[Override, ...] = ()

    def for_sample(self, sample: Sample, template: GatingTemplate) -> Given:
        """What they say of one sample.

        Raises
        ------
        TemplateError
            One names a cut point or a population that the template does not have, a position that no display shows, or
            what another one moves for the same sample.
        """
        moved: dict[str, Override] = {}
        cutpoints: dict[str, Found] = {}
        vertices: dict[str, tuple[tuple[float, float], ...]] = {}
        findings: list[Finding] = []
        for entry in self.entries:
            if not entry.concerns(sample):
                continue
            check_override(entry, template)
            what = entry.cutpoint or population_path(entry.population or "", template)
            if (first := moved.setdefault(what, entry)) is not entry:
                raise TemplateError(
                    f"overrides of {what}",
                    "are two for one sample",
                    got=f"{first.words}; {entry.words}",
                    remedy="Keep one, or let them name different samples.",
                    code="two-overrides",
                )
            if entry.cutpoint is not None and entry.at is not None:
                cutpoints[entry.cutpoint] = Found(entry.at, None, "override")
                findings.append(Finding("override", entry.words, "info", entry.cutpoint))
            elif entry.population is not None:
                path = population_path(entry.population, template)
                vertices[path] = tuple((x, y) for x, y in entry.vertices or ())
                findings.append(Finding("override", entry.words, "info", path))
        return Given(cutpoints, vertices, findings=tuple(findings))

    def unmatched(self, samples: Sequence[Sample]) -> tuple[Finding, ...]:
        """Say of every override that is for none of the samples that it changes nothing."""
        return tuple(
            Finding("override-unmatched", f"override {number} is for no sample of this run", "review", FILE_NAME)
            for number, entry in enumerate(self.entries, 1)
            if not any(entry.concerns(sample) for sample in samples)
        )


def read_overrides(path: str | Path) -> Overrides:
    """Read an ``overrides.toml``.

    Raises
    ------
    TemplateError
        It cannot be read, is not TOML, or an entry is not one cut point with a position or one polygon, with who,
        when and why.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TemplateError(path.name, "cannot be read", got=str(error)[:200], expected="TOML in UTF-8") from error
    entries = data.pop("override", None)
    if data or not isinstance(entries, list):
        raise TemplateError(path.name, "holds something else", expected="[[override]] tables", got=", ".join(data))
    return Overrides(tuple(_entry(item, f"{path.name}, override {n}") for n, item in enumerate(entries, 1)))


def beside(sheet: str | Path) -> Overrides:
    """Overrides in the folder of a sheet; none if there is no such file."""
    path = Path(sheet).parent / FILE_NAME
    return read_overrides(path) if path.is_file() else Overrides()


def _entry(item: object, where: str) -> Override:
    try:
        entry = Override.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ", ".join(map(str, first["loc"])) or "entry"
        raise TemplateError(where, f"{field!r} cannot be used", got=first["msg"], code="bad-override") from error
    kinds = (entry.cutpoint is not None and entry.at is not None, entry.population is not None and bool(entry.vertices))
    if sum(kinds) != 1 or not any((entry.file, entry.patient, entry.panel)):
        raise TemplateError(
            where,
            "is not one change for some samples",
            expected="file, patient or panel; and cutpoint with at, or population with vertices",
            code="bad-override",
        )
    if any(len(corner) != 2 for corner in entry.vertices or ()):
        raise TemplateError(where, "has a corner that is no point", expected="[x, y]", code="bad-override")
    return entry


def check_override(entry: Override, template: GatingTemplate) -> None:
    """Refuse an override of something the template does not have.

    Raises
    ------
    TemplateError
        The cut point or population is unknown, the population has no gate on two channels, or the position lies where
        no event is shown.
    """
    if entry.cutpoint is not None and entry.cutpoint not in template.cutpoints:
        raise TemplateError(
            f"override of cutpoint {entry.cutpoint!r}",
            "names no cut point of the template",
            expected=", ".join(template.cutpoints),
            code="unknown-cut-point",
        )
    if entry.cutpoint is not None and entry.at is not None and not _shown(entry.cutpoint, entry.at, template):
        low, high = DISPLAY
        raise TemplateError(
            f"override of cutpoint {entry.cutpoint!r}",
            "lies where no event is shown",
            expected=f"a position on the display scale, {low:g} to {high:g}",
            got=f"{entry.at:g}",
            code="bad-override",
        )
    if entry.population is not None:
        population_path(entry.population, template)


def _shown(cutpoint: str, at: float, template: GatingTemplate) -> bool:
    """Whether a position can be one of the display scale; raw units, which some templates keep, have no bounds."""
    scale = template.scale_of(template.cutpoints[cutpoint].marker)
    return scale == Linear() or DISPLAY[0] <= at <= DISPLAY[1]


def population_path(name: str, template: GatingTemplate) -> str:
    """Path of a population with a gate on two channels, by path or by a name that is unique.

    Raises
    ------
    TemplateError
        There is none, or several.
    """
    paths = [one.path for one in template.populations if name in (one.path, one.name)]
    if len(paths) != 1 or not _drawable(template, paths[0]):
        raise TemplateError(
            f"override of population {name!r}",
            "names no single population with a polygon to redraw",
            got=", ".join(paths) or "none",
            code="unknown-population",
        )
    return paths[0]


def _drawable(template: GatingTemplate, path: str) -> bool:
    definition = template.by_path[path].definition
    return isinstance(definition, PolygonGate | PlacedGate) and len(definition.dimensions) == 2
