"""Arguments written in R, read as values: numbers, texts, truth values and vectors of them. Nothing is ever run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from cytorecon.errors import InterchangeError

RScalar = float | str | bool | None
RValue = RScalar | tuple[RScalar, ...]

MAX_LENGTH = 10_000

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+\-]?[0-9]+)?L?)
    |(?P<name>[A-Za-z.][A-Za-z0-9._]*)
    |(?P<text>"[^"\\]*"|'[^'\\]*')
    |(?P<sign>[(),=:+\-])
    )""",
    re.VERBOSE,
)
_WORDS: dict[str, RScalar] = {
    "TRUE": True, "T": True, "FALSE": False, "F": False, "NULL": None, "NA": None, "Inf": math.inf,
}  # fmt: skip


def parse_arguments(text: str, where: str) -> dict[str, RValue]:
    """Read the arguments of a call in R, such as ``K=2, target=c(1e5, 5e4)``.

    Parameters
    ----------
    text
        What stands between the parentheses; may be empty.
    where
        Row and column, for errors.

    Returns
    -------
    dict
        Argument -> number, text, truth value, None (``NULL``, ``NA``) or a tuple of these. Unnamed arguments are called
        ``"1"``, ``"2"``, … by their place.

    Raises
    ------
    InterchangeError
        The text is anything but literal values: a call, a formula, an operator, a variable.
    """
    tokens = _Tokens(text, where)
    arguments: dict[str, RValue] = {}
    place = 0
    while tokens.left():
        place += 1
        name = tokens.argument_name() or str(place)
        if name in arguments:
            raise tokens.error(f"argument {name!r} twice")
        arguments[name] = tokens.value()
        if tokens.left():
            tokens.expect(",")
    return arguments


class _Tokens:
    """Tokens of one cell, read once from left to right."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.place = text, where, 0
        self.tokens = list(self._split())

    def _split(self) -> Iterator[tuple[str, str]]:
        if len(self.text) > MAX_LENGTH:
            raise InterchangeError(self.where, "the cell is too long", expected=f"at most {MAX_LENGTH:,} characters")
        at, end = 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if match is None or match.lastgroup is None:
                raise self.error(f"cannot read {self.text[at : at + 20]!r}")
            yield match.lastgroup, match[match.lastgroup]
            at = match.end()

    def error(self, problem: str) -> InterchangeError:
        return InterchangeError(
            self.where,
            f"arguments in R: {problem}",
            expected="name = value with numbers, texts, TRUE, FALSE or c(…) of them",
            got=repr(self.text[:80]),
            remedy="R is read here, never run: write the value itself",
            code="r-value",
        )

    def left(self) -> bool:
        return self.place < len(self.tokens)

    def _take(self) -> tuple[str, str]:
        if not self.left():
            raise self.error("it ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, sign: str) -> None:
        if self._take() != ("sign", sign):
            raise self.error(f"{sign!r} is missing")

    def argument_name(self) -> str | None:
        following = self.tokens[self.place : self.place + 2]
        if len(following) == 2 and following[0][0] in ("name", "text") and following[1] == ("sign", "="):
            self.place += 2
            return following[0][1].strip("\"'")
        return None

    def value(self) -> RValue:
        if self.tokens[self.place : self.place + 2] == [("name", "c"), ("sign", "(")]:
            self.place += 2
            return tuple(self._items())
        return self._scalar()

    def _items(self) -> Iterator[RScalar]:
        while True:
            if self.tokens[self.place : self.place + 1] == [("sign", ")")]:
                self.place += 1
                return
            self.argument_name()
            yield self._scalar()
            if self.tokens[self.place : self.place + 1] != [("sign", ")")]:
                self.expect(",")

    def _scalar(self) -> RScalar:
        kind, token = self._take()
        if kind == "sign" and token in "+-":
            kind, number = self._take()
            if kind == "name" and number == "Inf":
                return math.inf if token == "+" else -math.inf
            if kind != "number":
                raise self.error(f"{token}{number} is no number")
            return float(token + number.rstrip("L"))
        if kind == "number":
            return float(token.rstrip("L"))
        if kind == "text":
            return token[1:-1]
        if kind == "name" and token in _WORDS:
            return _WORDS[token]
        raise self.error(f"{token!r} is no value")
