"""openCyto gating templates (.csv; doi:10.1371/journal.pcbi.1003806) into a `GatingTemplate`.

Each row adds populations under each of its parents. One-dimensional methods become cut points and phenotypes, methods
on two dimensions become gates that the data place, ``refGate`` reuses either, ``boolGate`` and ``polyFunctions``
become Booleans. Positions on fluorescence channels are brought onto 0 to 1; see `PositionScale`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from cytorecon.errors import InterchangeError
from cytorecon.gates import And, Dimension, Expression, Gate, Member, Not, Or, RangeGate, RectangleGate
from cytorecon.interchange.naming import safe_name, translating
from cytorecon.interchange.opencyto_methods import METHODS, PREPROCESSING, PositionScale, fixed_bounds
from cytorecon.interchange.rvalues import RValue, parse_arguments
from cytorecon.template import Cutpoint, Definition, GatingTemplate, Phenotype, PlacedGate, Population, Term, path_of
from cytorecon.template.names import is_linear_by_nature
from cytorecon.transforms import Logicle

MAX_BYTES = 8 * 2**20
MAX_ROWS = 1_000

_COLUMNS = {
    "alias": ("alias",),
    "pop": ("pop",),
    "parent": ("parent",),
    "dims": ("dims",),
    "gating_method": ("gating_method", "method"),
    "gating_args": ("gating_args", "args"),
    "collapse": ("collapseDataForGating", "collapse"),
    "group_by": ("groupBy",),
    "preprocessing_method": ("preprocessing_method",),
    "preprocessing_args": ("preprocessing_args",),
}
_REQUIRED = ("alias", "pop", "parent", "dims", "gating_method")
_BOTH = ("+/-", "-/+")
_SIGNS = re.compile(r"([^+\-]*)(\+/-|-/\+|[+\-])")
_OPERATORS = re.compile(r"([&|!()])")


@dataclass(frozen=True)
class _Row:
    """One row for one of its parents, and where it stands."""

    where: str
    alias: str
    pop: str
    parent: str
    dims: tuple[str, ...]
    method: str
    arguments: str
    parameters: Mapping[str, RValue]


@dataclass
class _Builder:
    """The template so far, and what its populations were cut by."""

    scale: PositionScale
    populations: list[Population] = field(default_factory=list)
    cutpoints: dict[str, Cutpoint] = field(default_factory=dict)
    markers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cuts: dict[str, str] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)

    def add(self, row: _Row, name: str, definition: Definition, description: str = "") -> str:
        """Add a population under the row's parent and return its path."""
        population = Population(name=name, parent=row.parent, definition=definition, description=description)
        if any(other.path == population.path for other in self.populations):
            raise _error(row, f"the population {population.path!r} exists already", code="siblings")
        self.populations.append(population)
        return population.path


def read_opencyto(path: str | Path) -> GatingTemplate:
    """Read an openCyto gating template.

    Parameters
    ----------
    path
        A table of commas or tabs with openCyto's columns; at most 8 MiB and 1,000 rows. Cells that hold R are read as
        values, never run.

    Returns
    -------
    GatingTemplate
        Data-driven cut points and gates wait for data; all others are fixed.

    Raises
    ------
    InterchangeError
        The table cannot be read, or a row holds a method or pattern that has no equivalent here; the message names
        the row.
    """
    rows = _rows(Path(path))
    builder = _Builder(PositionScale.of((row.dims, row.parameters) for row in rows))
    for line in rows:
        for row in _for_each_parent(line, builder):
            with translating(f"{row.where}, method {row.method!r}"):
                _add(row, builder)
    with translating(str(path)):
        return GatingTemplate(
            name=safe_name(Path(path).stem),
            version="0",
            title=f"openCyto template {Path(path).name}",
            populations=tuple(builder.populations),
            compensation="file",
            markers=builder.markers,
            scales={"default": Logicle()},
            cutpoints=builder.cutpoints,
        )


def _error(row: _Row, problem: str, *, expected: str = "", got: str = "", code: str = "") -> InterchangeError:
    return InterchangeError(row.where, f"method {row.method!r}: {problem}", expected=expected, got=got, code=code)


def _rows(path: Path) -> list[_Row]:
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InterchangeError(str(path), "cannot be read", expected="a text file in UTF-8", got=str(error)) from error
    header = text.partition("\n")[0]
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in header else ","))
    lines = [[cell.strip() for cell in line] for line in lines]
    numbered = [(number, line) for number, line in enumerate(lines, 1) if any(line)]
    if len(content) > MAX_BYTES or not 1 < len(numbered) <= MAX_ROWS:
        raise InterchangeError(
            str(path), "the size of the table is refused", expected=f"1 to {MAX_ROWS:,} rows, at most 8 MiB",
            got=f"{len(numbered) - 1} rows", code="table-size",
        )  # fmt: skip
    columns = _columns(numbered[0][1], path)
    return [_row(line, columns, f"{path}, row {number}") for number, line in numbered[1:]]


def _columns(header: Sequence[str], path: Path) -> dict[str, int]:
    columns = {
        name: header.index(spelling)
        for name, spellings in _COLUMNS.items()
        for spelling in spellings
        if spelling in header
    }
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        raise InterchangeError(
            str(path), "columns of an openCyto template are missing", expected=", ".join(_COLUMNS),
            got=", ".join(header), remedy=f"Add {', '.join(missing)}", code="columns",
        )  # fmt: skip
    return columns


def _row(line: Sequence[str], columns: Mapping[str, int], where: str) -> _Row:
    def cell(name: str) -> str:
        place = columns.get(name, len(line))
        return line[place] if place < len(line) else ""

    method, arguments = cell("gating_method"), cell("gating_args")
    known = METHODS.get(method.removeprefix("gate_").lower(), "")
    if not known:
        raise InterchangeError(
            f"{where}, gating_method",
            f"the method {method!r} has no equivalent",
            expected=", ".join(METHODS),
            code="method",
        )
    referring = known in ("refGate", "boolGate", "polyFunctions")
    parameters: dict[str, RValue] = {} if referring else parse_arguments(arguments, f"{where}, gating_args")
    preprocessing = cell("preprocessing_method")
    if preprocessing and preprocessing not in PREPROCESSING:
        raise InterchangeError(
            f"{where}, preprocessing_method", f"{preprocessing!r} has no equivalent",
            expected=", ".join(sorted(PREPROCESSING)), code="method",
        )  # fmt: skip
    own = parse_arguments(cell("preprocessing_args"), f"{where}, preprocessing_args")
    extra: dict[str, RValue] = {"preprocessing": preprocessing} if preprocessing else {}
    extra |= {f"preprocessing_{name}": value for name, value in own.items()}
    if cell("collapse").upper() in ("TRUE", "T"):
        extra |= {"collapse": True}
    if cell("group_by"):
        extra |= {"group_by": cell("group_by")}
    dims = tuple(dim.strip() for dim in cell("dims").split(",") if dim.strip())
    return _Row(
        where,
        cell("alias"),
        cell("pop"),
        cell("parent"),
        dims,
        known,
        arguments,
        parameters | ({} if referring else extra),
    )


def _for_each_parent(row: _Row, builder: _Builder) -> Iterator[_Row]:
    for parent in row.parent.split(","):
        path = _find(parent.strip(), row, builder, root=True)
        yield _Row(row.where, row.alias, row.pop, path, row.dims, row.method, row.arguments, row.parameters)


def _find(name: str, row: _Row, builder: _Builder, *, root: bool = False) -> str:
    """Path of the population that openCyto's name, path or end of a path means; ``""`` for the root."""
    wanted = name.removeprefix("/").removeprefix("root/")
    if root and name in ("root", "/", "/root"):
        return ""
    paths = [population.path for population in builder.populations]
    found = [path for path in paths if path == wanted] or [path for path in paths if f"/{path}".endswith(f"/{wanted}")]
    if len(found) > 1:
        # A name among the row's own siblings is nearer than the same name elsewhere.
        found = [path for path in found if path == path_of(row.parent, name)] or found
    if len(found) != 1 or not wanted:
        raise _error(
            row,
            f"{name!r} is {'no population' if not found else 'the name of several populations'} above this row",
            expected="a name or path that means one",
            got=", ".join(found),
            code="population-reference",
        )
    return found[0]


def _add(row: _Row, builder: _Builder) -> None:
    if row.method == "boolGate":
        builder.add(row, row.alias, _boolean(row, builder))
    elif row.method == "polyFunctions":
        _add_combinations(row, builder)
    else:
        _add_gated(row, builder)


def _add_gated(row: _Row, builder: _Builder) -> None:
    signs = _signs(row)
    if row.method == "refGate":
        references = [_find(name.strip(), row, builder) for name in row.arguments.split(":")]
        if len(references) == 1 and references[0] in builder.gates:
            _add_side(row, row.alias, builder.gates[references[0]], signs[0], builder)
            return
        cuts = _referred_cuts(references, row, builder)
        _add_phenotypes(row, cuts, signs, builder)
    elif row.method == "boundary":
        _add_side(row, row.alias, _boundary(row, builder), signs[0], builder)
    elif len(row.dims) == 2 and (len(signs) == 1 or row.method == "singlets"):
        gate = PlacedGate(
            tuple(Dimension(_marker(dim, builder)) for dim in row.dims),
            method=row.method,
            on=row.parent,
            parameters=builder.scale.converted(row.parameters, row.dims, row.where),
        )
        _add_side(row, row.alias, gate, signs[0], builder)
    else:
        _add_cut(row, signs, builder)


def _signs(row: _Row) -> tuple[str, ...]:
    """Signs of a `pop` pattern, one a dimension: ``+``, ``-`` or both; a name without sign is positive."""
    if row.pop == "*" or (row.pop and row.method == "dummy_gate"):
        raise _error(
            row, "methods that return several populations have no equivalent", got=f"pop {row.pop!r}", code="pop"
        )
    found = _SIGNS.findall(row.pop)
    if not found:
        return ("+",)
    if "".join(name + sign for name, sign in found) != row.pop or len(found) > 2:
        raise _error(row, f"the pattern {row.pop!r} cannot be read", expected="+, -, +/-, or two of these", code="pop")
    signs = tuple(sign for _, sign in found)
    if len(signs) == 2 and len(row.dims) != 2:
        raise _error(row, f"the pattern {row.pop!r} needs two dimensions", got=", ".join(row.dims), code="pop")
    return signs


def _marker(dim: str, builder: _Builder) -> str:
    """Name of a dimension as phenotypes can write it; the marker's own name stays as an alias."""
    if is_linear_by_nature(dim):
        return dim
    name = re.sub(r"[\s<>]+", "_", dim)
    builder.markers.setdefault(name, (dim,))
    return name


def _add_side(row: _Row, name: str, gate: Gate, sign: str, builder: _Builder) -> None:
    """Add what is inside of a gate; for a negative sign what is outside, after the gate itself as a sibling."""
    if sign in _BOTH:
        raise _error(row, "+/- needs a method on one dimension", got=", ".join(row.dims), code="pop")
    if sign == "+":
        builder.gates[builder.add(row, name, gate)] = gate
        return
    drawn = builder.add(row, f"{name} (drawn gate)", gate)
    builder.gates[builder.add(row, name, Not(Member(drawn)))] = gate


def _boundary(row: _Row, builder: _Builder) -> Gate:
    """Turn the one method that needs no data into a rectangle."""
    minimums, maximums = fixed_bounds(
        builder.scale.converted(row.parameters, row.dims, row.where), len(row.dims), row.where
    )
    dimensions = tuple(Dimension(_marker(dim, builder)) for dim in row.dims)
    if len(dimensions) == 1:
        return RangeGate(dimensions[0], minimums[0], maximums[0], closed=True)
    return RectangleGate(dimensions, minimums, maximums, closed=True)


def _add_cut(row: _Row, signs: Sequence[str], builder: _Builder) -> None:
    """Place a cut point on each dimension, and count what the signs say."""
    if len(row.dims) not in (1, 2) or len(signs) != len(row.dims):
        raise _error(row, f"cannot divide {len(row.dims)} dimensions by the pattern {row.pop!r}", code="pop")
    cuts = {}
    for dim in row.dims:
        parameters = builder.scale.converted(row.parameters, (dim,), row.where)
        limits = parameters.pop("gate_range", None)
        marker = _marker(dim, builder)
        name = _cut_name(marker, row, builder)
        builder.cutpoints[name] = Cutpoint(
            name=name,
            marker=marker,
            method=row.method,
            on=row.parent,
            within=_limits(limits, row),
            parameters=parameters,
        )
        cuts[dim] = name
        if len(row.dims) == 2:
            path = builder.add(row, f"{dim}+", Phenotype((Term(marker, "+", name),)))
            builder.cuts[path] = name
    _add_phenotypes(row, cuts, signs, builder)


def _cut_name(marker: str, row: _Row, builder: _Builder) -> str:
    base = re.sub(r"[\s<>]+", "_", f"{marker}@{row.alias if row.alias != '*' else row.parent.rpartition('/')[2]}")
    names = (marker, base, *(f"{base}_{number}" for number in range(2, MAX_ROWS)))
    return next(name for name in names if name not in builder.cutpoints)


def _limits(value: object, row: _Row) -> tuple[float, float] | None:
    match value:
        case None:
            return None
        case (float(low), float(high)):
            return low, high
    raise _error(row, "gate_range is no pair of numbers", got=str(value), code="r-value")


def _referred_cuts(references: Sequence[str], row: _Row, builder: _Builder) -> dict[str, str]:
    cuts: dict[str, str] = {}
    for dim in row.dims:
        named = [
            builder.cuts[path]
            for path in references
            if path in builder.cuts and builder.cutpoints[builder.cuts[path]].marker == _marker(dim, builder)
        ]
        if len(set(named)) != 1:
            raise _error(
                row, f"the gates it refers to hold {'no' if not named else 'several'} cut points on {dim!r}",
                expected="one on each of its dimensions", got=", ".join(references), code="refgate",
            )  # fmt: skip
        cuts[dim] = named[0]
    return cuts


def _add_phenotypes(row: _Row, cuts: Mapping[str, str], signs: Sequence[str], builder: _Builder) -> None:
    """Add one population for each combination of signs; several are named by their dimensions and signs."""
    if len(signs) != len(row.dims):
        raise _error(row, f"the pattern {row.pop!r} does not fit {len(row.dims)} dimensions", code="pop")
    choices = [tuple(sign.split("/")) if sign in _BOTH else (sign,) for sign in signs]
    several = any(len(choice) == 2 for choice in choices)
    if several != (row.alias == "*"):
        raise _error(
            row, f"the alias {row.alias!r} does not fit the pattern {row.pop!r}", expected="* for +/-", code="pop"
        )
    for chosen in product(*choices):
        terms = tuple(
            Term(_marker(dim, builder), "+" if sign == "+" else "-", cuts[dim])
            for dim, sign in zip(row.dims, chosen, strict=True)
        )
        name = "".join(f"{dim}{sign}" for dim, sign in zip(row.dims, chosen, strict=True)) if several else row.alias
        path = builder.add(row, name, Phenotype(terms))
        if len(cuts) == 1:
            builder.cuts[path] = next(iter(cuts.values()))


def _boolean(row: _Row, builder: _Builder) -> And | Or | Not | Member:
    """Read ``A&!B|C``; as openCyto gives ``&`` and ``|`` no precedence, a mixture without brackets is refused."""
    tokens = [token.strip() for token in _OPERATORS.split(row.arguments) if token.strip()]
    expression = _any(tokens, row, builder, 0)
    if tokens or (isinstance(expression, Member) and not row.arguments):
        raise _boolean_error(row)
    return expression


def _boolean_error(row: _Row) -> InterchangeError:
    return _error(
        row, "cannot read the Boolean", expected="populations joined by & or by |, with ! and brackets",
        got=repr(row.arguments[:80]), code="boolean",
    )  # fmt: skip


def _any(tokens: list[str], row: _Row, builder: _Builder, depth: int) -> And | Or | Not | Member:
    terms: list[Expression] = [_one(tokens, row, builder, depth)]
    operator = tokens[0] if tokens and tokens[0] in "&|" else ""
    while tokens and operator and tokens[0] == operator:
        tokens.pop(0)
        terms.append(_one(tokens, row, builder, depth))
    if tokens and tokens[0] in "&|":
        raise _boolean_error(row)
    if len(terms) == 1:
        only = terms[0]
        assert isinstance(only, And | Or | Not | Member)
        return only
    return And(tuple(terms)) if operator == "&" else Or(tuple(terms))


def _one(tokens: list[str], row: _Row, builder: _Builder, depth: int) -> And | Or | Not | Member:
    if not tokens or depth > 64:
        raise _boolean_error(row)
    token = tokens.pop(0)
    if token == "!":
        return Not(_one(tokens, row, builder, depth + 1))
    if token == "(":
        inner = _any(tokens, row, builder, depth + 1)
        if not tokens or tokens.pop(0) != ")":
            raise _boolean_error(row)
        return inner
    if token in "&|)":
        raise _boolean_error(row)
    return Member(_find(token, row, builder))


def _add_combinations(row: _Row, builder: _Builder) -> None:
    """Add every combination of being in or out of some populations (``polyFunctions``)."""
    paths = [_find(name.strip(), row, builder) for name in row.arguments.split(":")]
    if not 1 < len(paths) <= 8:
        raise _error(row, "the number of populations is refused", expected="2 to 8", got=str(len(paths)), code="poly")
    names = [path.rpartition("/")[2] for path in paths]
    for chosen in product("+-", repeat=len(paths)):
        terms = (Member(path) if sign == "+" else Not(Member(path)) for path, sign in zip(paths, chosen, strict=True))
        builder.add(
            row,
            "".join(f"{name}{sign}" for name, sign in zip(names, chosen, strict=True)),
            And(tuple(terms)),
            row.alias,
        )
