"""TOML files that people write, read into frozen models; every fault named by field, expected, got and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from cytorecon.errors import ProtocolError
from cytorecon.trial.values import parse_number

RESEARCH_USE = "Research use only. Not a medical device; a clinician decides."


class Model(BaseModel):
    """A table of a file: frozen, and with no field that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


def checked(parse: Callable[[Any], object]) -> BeforeValidator:
    """A parser as a field's validator, so that its refusal names the field."""

    def validate(value: object) -> object:
        try:
            return parse(value)
        except ProtocolError as error:
            parts = [error.problem, error.expected and f"expected {error.expected}", error.remedy]
            raise PydanticCustomError("refused", "{text}", {"text": "; ".join(filter(None, parts))}) from None

    return BeforeValidator(validate)


Number = Annotated[Decimal, checked(parse_number)]
# TOML's only ordered collection is the array, which tomllib gives as a list.
Sequence = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)

AnyModel = TypeVar("AnyModel", bound=Model)


def read_toml(path: str | Path) -> dict[str, Any]:
    """A TOML file, its numbers as exact decimals.

    Raises
    ------
    ProtocolError
        The file is missing, not UTF-8 or not TOML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        return tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise ProtocolError(str(path), "cannot be read", got=error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise ProtocolError(str(path), "is not UTF-8 text", remedy="Save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        remedy = 'A decimal comma needs quotes ("0,5"), as does any text; dates are written 2025-06-30'
        raise ProtocolError(str(path), f"is not TOML ({error})", remedy=remedy) from None


def parse_model(model: type[AnyModel], data: object, where: str) -> AnyModel:
    """The model of a table.

    Raises
    ------
    ProtocolError
        Naming the first faulty field, and how many more there are.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _as_protocol_error(error.errors(), where) from None


def _as_protocol_error(faults: list[ErrorDetails], where: str) -> ProtocolError:
    first = faults[0]
    field = ".".join(str(part) for part in first["loc"]) or "file"
    more = f" ({len(faults) - 1} more faults)" if len(faults) > 1 else ""
    problem, expected, remedy = first["msg"], "", ""
    if first["type"] == "extra_forbidden":
        problem, remedy = "is not a field of this table", "Check its spelling, or leave it out"
    elif first["type"] == "missing":
        problem, remedy = "is missing", f"Write {first['loc'][-1]} = … in this table"
    elif first["type"] in {"literal_error", "enum"}:
        problem, expected = "is none of the accepted values", str(first["ctx"]["expected"])
    elif first["type"] == "date_type":
        remedy = "Write a date as 2025-06-30, without quotes"
    got = "" if first["type"] == "missing" else repr(first["input"])[:80]
    return ProtocolError(f"{where}: {field}", f"{problem}{more}", expected=expected, got=got, remedy=remedy)


def to_mapping(value: object) -> Any:
    """A result as JSON has it: exact numbers as numbers, a fraction as its decimal value, dates as ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = {field.name: getattr(value, field.name) for field in fields(value) if field.repr}
        lines = {"lines": list(value.lines)} if hasattr(value, "lines") else {}
        return {name: to_mapping(part) for name, part in shown.items()} | lines
    if isinstance(value, BaseModel):
        return {name: to_mapping(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(key): to_mapping(part) for key, part in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [to_mapping(part) for part in (sorted(value) if isinstance(value, frozenset) else value)]
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Fraction | Decimal):
        return int(value) if value == int(value) else float(value)
    return value
