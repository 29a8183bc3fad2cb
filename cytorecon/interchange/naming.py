"""Names across formats: what a template may be called, and ids that XML accepts."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
