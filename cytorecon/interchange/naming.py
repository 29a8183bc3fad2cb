"""Names and errors across formats: what a template may be called, ids that XML accepts, whose fault it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cytorecon.errors import CytoreconError, InterchangeError

_NOT_FILE_SAFE = re.compile(r"[^\w .+()\-]+|^[^A-Za-z0-9]+")
_NOT_ID = re.compile(r"[^A-Za-z0-9_.-]+")


def safe_name(text: str) -> str:
    """Turn a file's or sample's name into one that a template may carry (letters, digits, ``. _ + - ( )``)."""
    name = _NOT_FILE_SAFE.sub("_", text).strip(" ._-")[:100].rstrip(" .-(")
    return name or "imported"


def xml_ids(names: Iterable[str]) -> list[str]:
    """Give every name an id that XML accepts and that is unique among them; a name that is one already keeps it."""
    ids: list[str] = []
    taken: set[str] = set()
    for name in names:
        base = _NOT_ID.sub("_", name).strip("_.-") or "gate"
        base = base if base[0].isalpha() else f"g_{base}"
        candidate, count = base, 1
        while candidate in taken:
            count += 1
            candidate = f"{base}_{count}"
        taken.add(candidate)
        ids.append(candidate)
    return ids


@contextmanager
def translating(where: str) -> Iterator[None]:
    """Report what a value refuses (a scale, a gate, a matrix, a template) as a fault of the file it was read from.

    Raises
    ------
    InterchangeError
        In place of any other error of this package, with `where` before its place.
    """
    try:
        yield
    except InterchangeError:
        raise
    except CytoreconError as error:
        raise InterchangeError(
            f"{where}: {error.where}",
            error.problem,
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
            code=error.code,
        ) from error
