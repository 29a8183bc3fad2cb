"""What the names in a template file refer to: a population by path, or by name where that is unique."""

from __future__ import annotations

from collections.abc import Container, Sequence

from cytorecon.errors import TemplateError
from cytorecon.gates import Member, Term
from cytorecon.template.names import path_of
from cytorecon.template.phenotype import parse_term
from cytorecon.template.soundness import cycle_error, unknown


class References:
    """Paths of a file's populations, and the populations and cut points that text may mean.

    Parameters
    ----------
    rows
        Name and parent, as written, of each population.
    cutpoints
        Names of the cut points.

    Raises
    ------
    TemplateError
        A parent is unknown, could be two populations, or populations are each other's parents.
    """

    def __init__(self, rows: Sequence[tuple[str, str]], cutpoints: Container[str]) -> None:
        self._rows: dict[str, list[int]] = {}
        for index, (name, _) in enumerate(rows):
            self._rows.setdefault(name, []).append(index)
        self._cutpoints = cutpoints
        self._paths: dict[int, str] = {}
        self._known = {""}
        parents: dict[int, str] = {}
        while True:
            found = {
                index: parent
                for index, (_, wanted) in enumerate(rows)
                if index not in parents and (parent := self._find(wanted)) is not None
            }
            if not found:
                break
            parents |= found
            self._paths |= {index: path_of(parent, rows[index][0]) for index, parent in found.items()}
            self._known = {"", *self._paths.values()}
        if len(parents) < len(rows):
            raise self._unplaced(rows)
        self.parents = [parents[index] for index in range(len(rows))]

    def population(self, name: str, where: str) -> str:
        """Path of the population that `name` means.

        Raises
        ------
        TemplateError
            No population has that path or name, or several have that name.
        """
        path = self._find(name)
        if path is None:
            raise self._error(name, where, "population")
        return path

    def term_or_member(self, text: str) -> Term | Member:
        """Read text that is either a phenotype term or a population.

        Raises
        ------
        TemplateError
            It is neither, or both.
        """
        path = self._find(text) if text else None
        term = self._term(text)
        if term is not None and path is not None:
            raise TemplateError(
                "boolean",
                f"{text!r} is both a phenotype term and a population",
                expected="one meaning",
                code="two-meanings",
                remedy=f'Write {{ phenotype = "{text}" }} or {{ population = "{text}" }}.',
            )
        if term is not None:
            return term
        if path is None and text.endswith(("+", "-")):
            return parse_term(text)  # its unknown cut point is reported with what would define it
        return Member(self.population(text, "boolean"))

    def _term(self, text: str) -> Term | None:
        try:
            term = parse_term(text)
        except TemplateError:
            return None
        return term if term.cutpoint in self._cutpoints else None

    def _find(self, name: str) -> str | None:
        """Path meant by `name`, None if there is none (yet)."""
        if name in self._known:
            return name
        match self._rows.get(name):
            case [index]:
                return self._paths.get(index)
        return None

    def _error(self, name: str, where: str, what: str) -> TemplateError:
        same = sorted(self._paths[index] for index in self._rows.get(name, ()) if index in self._paths)
        if len(same) > 1:
            return TemplateError(
                where,
                f"{name!r} is the name of several populations",
                expected=" or ".join(map(repr, same)),
                remedy="Write the path.",
                code="ambiguous-population",
            )
        return unknown(where, what, name, {*self._paths.values(), *self._rows})

    def _unplaced(self, rows: Sequence[tuple[str, str]]) -> TemplateError:
        """Explain why some populations found no parent: the first that is at fault itself, else the circle."""
        needs = {}
        for index, (name, parent) in enumerate(rows):
            if index in self._paths:
                continue
            if len(self._rows.get(parent, ())) != 1:
                return self._error(parent, f"population {name!r}, parent", "parent")
            needs[name] = {parent}
        return cycle_error(needs)
