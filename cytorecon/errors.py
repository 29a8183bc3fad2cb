"""Every error and every finding of cytorecon: what went wrong, where, and what to do.

The tree::

    CytoreconError              something a person can mend
    ├── FcsError                a file cannot be read as FCS without guessing
    ├── SpilloverError          a spillover matrix cannot be used for compensation
    ├── TransformError          a scale's parameters describe no scale
    ├── TemplateError           a gating template is not sound
    │   ├── GateError           a gate's geometry is degenerate
    │   ├── PanelError          a file lacks, or has twice, a marker the template needs
    │   └── InterchangeError    a Gating-ML, FlowJo or openCyto file cannot be translated
    ├── SheetError              a sample sheet row or column is wrong
    ├── StudyError              a study folder cannot be opened, read or written
    │   └── IntegrityError      stored records or cubes do not match their hashes
    ├── CubeError               a Dataset is not a valid cube
    ├── PlacementError          a cut point cannot be placed as the template asks
    ├── CountError              numbers cannot be turned into a count or an MRD result
    └── ProtocolError           a protocol, case or outcome file is wrong
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "review"]


@dataclass(frozen=True, order=True)
class Finding:
    """A deviation that was accepted, and how: stored with every result it touches.

    Parameters
    ----------
    code
        Stable, hyphenated name, for example ``end-exclusive``.
    message
        One sentence: what was found and what was assumed. Never holds a patient identifier.
    severity
        ``info``, ``warning``, or ``review`` (a person has to look before the result is used).
    where
        The keyword, channel, population or row concerned; empty if the whole file.
    """

    code: str
    message: str
    severity: Severity = "warning"
    where: str = ""


class CytoreconError(Exception):
    """Something a person can mend. The message says where, what, expected, got and remedy.

    Parameters
    ----------
    where
        File, row, keyword, population: the place to look.
    problem
        What is wrong, in one clause.
    expected, got
        What would have been right and what was found; left out of the message when empty.
    remedy
        What to write or do instead; left out when empty.
    code
        Stable, hyphenated name of the situation, for programs and tests; may be empty.
    """

    def __init__(
        self, where: str, problem: str, *, expected: str = "", got: str = "", remedy: str = "", code: str = ""
    ) -> None:
        self.where, self.problem, self.code = where, problem, code
        self.expected, self.got, self.remedy = expected, got, remedy
        super().__init__(where, problem)

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        details = [f"{name} {value}" for name, value in (("expected", self.expected), ("got", self.got)) if value]
        text = "; ".join([text, ", ".join(details)]) if details else text
        return f"{text}. {self.remedy}" if self.remedy else text

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every field when an error crosses a process border."""
        return _rebuild, (type(self), self.__dict__)


def _rebuild(cls: type[CytoreconError], fields: dict[str, str]) -> CytoreconError:
    rest = {name: fields[name] for name in ("expected", "got", "remedy", "code")}
    return cls(fields["where"], fields["problem"], **rest)


class FcsError(CytoreconError):
    """A file cannot be read as FCS without guessing."""


class SpilloverError(CytoreconError):
    """A spillover matrix cannot be used for compensation."""


class TransformError(CytoreconError):
    """A scale's parameters describe no scale."""


class TemplateError(CytoreconError):
    """A gating template is not sound."""


class GateError(TemplateError):
    """A gate's geometry is degenerate."""


class PanelError(TemplateError):
    """A file lacks, or has twice, a marker the template needs."""


class InterchangeError(TemplateError):
    """A Gating-ML, FlowJo or openCyto file cannot be translated."""


class SheetError(CytoreconError):
    """A sample sheet row or column is wrong."""


class StudyError(CytoreconError):
    """A study folder cannot be opened, read or written."""


class IntegrityError(StudyError):
    """Stored records or cubes do not match their hashes."""


class CubeError(CytoreconError):
    """A Dataset is not a valid cube."""


class PlacementError(CytoreconError):
    """A cut point cannot be placed as the template asks."""


class CountError(CytoreconError):
    """Numbers cannot be turned into a count or an MRD result."""


class ProtocolError(CytoreconError):
    """A protocol, case or outcome file is wrong."""
