"""Final gates of gated samples, out as Gating-ML 2.0: what the ledger holds is enough, no file is read again."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytorecon.compensation import Spillover
from cytorecon.errors import InterchangeError, StudyError
from cytorecon.fcs import Channel
from cytorecon.study import chain, moment, schema, view
from cytorecon.study.folder import Study
from cytorecon.study.moment import Moment
from cytorecon.study.patient import Patients, read_patients
from cytorecon.study.standing import Standing

if TYPE_CHECKING:
    from cytorecon.template import Cutpoint, GatingTemplate

# What the matrix beside a sheet is called in the file.
_SHEET_MATRIX = "sheet"


def write_gates(
    study: Study, name: str, folder: str | Path, as_of: Moment = None, *, version: str | None = None
) -> tuple[Path, ...]:
    """Write the final gates of every sample that was gated by a template, one Gating-ML 2.0 file each.

    Gates and cut points lie where they lay for that sample, whatever placed them: the template, its own events, a pool,
    a person, its tree of a workspace, its patient's LAIP file. Any program that reads Gating-ML counts the same events.

    Parameters
    ----------
    study, name, as_of, version
        As for `read_samples`.
    folder
        Where to write; made if it is not there. Files are named by pseudonym, day, specimen, panel and the number of
        the record, never by the patient.

    Returns
    -------
    tuple of Path
        The files, in the order of their records; TOML in place of Gating-ML where a scale (FlowJo's biexponential) has
        no words there. Samples that failed, and counts that others made, have no gates.

    Raises
    ------
    StudyError
        The study holds no results of that template, or a sample's gates cannot be written.
    InterchangeError
        A gate has no equivalent in Gating-ML.
    IntegrityError
        A record or document is not what was written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with schema.connected(study.ledger) as connection, schema.snapshot(connection):
        last = moment.sequence_at(connection, as_of)
        chosen = view.choose(connection, name, version, last)
        patients = read_patients(connection, last)
        standing = Standing(chosen.sha256, patients).read_on(connection, last)
        for sequence in sorted(standing.entries):
            body = next(chain.bodies(connection, "record.sequence = ?", (sequence,)))
            if body["status"] == "failed" or "channels" not in body["documents"]:
                continue
            template, channels = final_template(connection, body), channels_of(connection, body)
            written.append(_write(template, channels, folder / _stem(body, patients)))
    return tuple(written)


def _write(template: GatingTemplate, channels: Sequence[Channel], stem: Path) -> Path:
    from cytorecon.interchange.gatingml_out import gatingml_text
    from cytorecon.template import to_toml

    try:
        path, text = stem.with_name(f"{stem.name}.xml"), gatingml_text(template, channels=channels)
    except InterchangeError as error:
        if error.code != "scale":
            raise
        path, text = stem.with_name(f"{stem.name}.toml"), to_toml(template).encode()
    path.write_bytes(text)
    return path


def _stem(body: Mapping[str, Any], patients: Patients) -> str:
    row = body["row"]
    panel = re.sub(r"[^\w+.-]+", "_", row.get("panel", ""))
    transplant = f"transplant{row['transplant']}" if row.get("transplant", 1) > 1 else ""
    words = [
        f"P-{patients.standing(body['token'])[:8]}", transplant, f"d{row['day']:+04d}", row["specimen"], panel,
        f"record{body['sequence']}",
    ]  # fmt: skip
    return "_".join(filter(None, words))


def final_template(connection: sqlite3.Connection, body: Mapping[str, Any]) -> GatingTemplate:
    """The template that gated a sample, with its own gates, cut points, phenotypes and compensation in it.

    Parameters
    ----------
    connection, body
        The ledger, and the body of a record that was gated.

    Raises
    ------
    StudyError
        A gate asks for the file's own compensation where the sheet replaced it.
    """
    from cytorecon.template import from_canonical
    from cytorecon.template.geometry import gate_from
    from cytorecon.template.laip import parse_laip, with_laip

    documents = body["documents"]
    template = from_canonical(chain.document(connection, documents.get("tree") or documents["template"]))
    if "laip" in documents:
        template = with_laip(template, parse_laip(chain.document(connection, documents["laip"])))
    if "gates" in documents:
        tables = json.loads(chain.document(connection, documents["gates"]))
        gates = {path: gate_from(table) for path, table in tables.items()}
        populations = tuple(
            replace(one, definition=gates.get(one.path, one.definition)) for one in template.populations
        )
        template = replace(template, populations=populations)
    return _compensated(connection, replace(template, cutpoints=_fixed(template, body["cutpoints"])), body)


def _fixed(template: GatingTemplate, places: Mapping[str, Sequence[Any]]) -> dict[str, Cutpoint]:
    """Cut points where they lay; those that the file did not need stay as the template has them."""
    from cytorecon.template import Cutpoint

    return {
        name: Cutpoint(name, one.marker, at=places[name][2]) if name in places else one
        for name, one in template.cutpoints.items()
    }


def _compensated(connection: sqlite3.Connection, template: GatingTemplate, body: Mapping[str, Any]) -> GatingTemplate:
    """The template with the compensation that the sheet asked for."""
    if "matrix" not in body["documents"]:
        stated = body["row"].get("compensation", "")
        return replace(template, compensation=stated) if stated else template
    if _asks_for_the_files_own(template):
        raise StudyError(
            f"record {body['sequence']}", "has a gate that states compensation = \"file\" beside a matrix of the sheet",
            remedy="Leave the compensation of that gate to the template, and gate again.", code="stated-compensation",
        )  # fmt: skip
    matrix = json.loads(chain.document(connection, body["documents"]["matrix"]))
    spillover = Spillover(
        detectors=tuple(matrix["detectors"]), matrix=matrix["values"], fluorochromes=tuple(matrix["fluorochromes"]),
        source="sheet",
    )  # fmt: skip
    name = _SHEET_MATRIX
    while name in template.matrices:
        name += "_"
    return replace(template, compensation=name, matrices={**template.matrices, name: spillover})


def _asks_for_the_files_own(template: GatingTemplate) -> bool:
    from cytorecon.template import leaves

    stated = (
        dimension.compensation
        for population in template.populations
        for leaf in leaves(population.definition)
        for dimension in getattr(leaf, "dimensions", ())
    )
    return "file" in stated


def channels_of(connection: sqlite3.Connection, body: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Names of the channels of the file that a record is of; ranges and gains are not kept."""
    named = json.loads(chain.document(connection, body["documents"]["channels"]))
    return tuple(Channel(index, name, marker, 32, math.nan) for index, (name, marker) in enumerate(named))
