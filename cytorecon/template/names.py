"""Names of markers, channels and populations: how they are compared and how they become paths."""

from __future__ import annotations

import re
import unicodedata

from cytorecon.errors import TemplateError

_SEPARATORS = re.compile(r"[\s._\-]+")
# What a scatter or time parameter is called by the makers of instruments, after folding ("FS INT", "SSC-A").
_LINEAR = re.compile(r"(fsc|ssc|bsc).*|(fs|ss|bs)(a|h|w|area|height|width|int|peak|tof|lin|log)?|time\d*|hdrt")


def fold(name: str) -> str:
    """Bring a marker or channel name to the form in which names are compared.

    Case and separators (blank, ``-``, ``_``, ``.``) do not count; every other character does, so that
    ``HLA-DR`` equals ``hladr`` and ``CD16+56`` differs from ``CD1656``.
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold())


def is_linear_by_nature(name: str) -> bool:
    """Tell whether a channel name is one of scatter or time, which stay linear unless a template says otherwise."""
    return _LINEAR.fullmatch(fold(name)) is not None


def path_of(parent: str, name: str) -> str:
    """Join a parent's path (``""`` for the root) and a population's name; a ``/`` in the name is ``%2F``."""
    step = name.replace("/", "%2F")
    return f"{parent}/{step}" if parent else step


def check_name(name: str, where: str) -> None:
    """Refuse a population name that a path, a report or a log line could not carry.

    Raises
    ------
    TemplateError
        The name is empty, blank, longer than 200 characters, or holds a control character.
    """
    if not name.strip() or len(name) > 200 or any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise TemplateError(
            where,
            "a name cannot be used",
            expected="1 to 200 printable characters",
            got=repr(name[:60]),
            remedy="Give the population a name.",
            code="bad-name",
        )
