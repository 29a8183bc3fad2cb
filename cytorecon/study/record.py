"""What one gated sample is in the ledger, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cytorecon
from cytorecon.cube import PopulationSummary, SampleRow, TemplateSummary, row_of
from cytorecon.cube.variables import STATUS
from cytorecon.sheet import DERIVED
from cytorecon.study import chain
from cytorecon.study.assigning import Own
from cytorecon.study.correcting import lineage
from cytorecon.study.patient import Patients, mark, seal, unsealed
from cytorecon.template.geometry import gate_table

if TYPE_CHECKING:
    from cytorecon.gating import GatedSample
    from cytorecon.sheet import Sample

NOTHING = Own()

# What a person wrote freely, or what may hold a name: sealed. The patient is kept as a token.
PERSONAL = ("file_name", "control_for", "laip", "comment", "extra")


@cache
def software() -> str:
    """Versions of everything that computes a count, as a document."""
    from importlib.metadata import version

    names = ("numpy", "flowutils", "scipy", "scikit-learn")
    return chain.canonical({"cytorecon": cytorecon.__version__, **{name: version(name) for name in names}})


def identity(sample: Sample | Mapping[str, Any], token: str) -> str:
    """Identity of a sample whose patient is known by a token."""
    row = sample if isinstance(sample, Mapping) else sample.model_dump(mode="json")
    parts = [row["transplant"], row["day"], row["specimen"], row.get("panel", ""), row["replicate"]]
    return chain.canonical([token, *parts])


def content(sample: Sample, digest: str) -> str:
    """Identity of the bytes a sample was counted from; empty if they could not be read."""
    return f"{digest}#{sample.dataset or 1}" if digest else ""


def key(
    sample: Sample,
    digest: str,
    template_sha256: str,
    patients: Patients,
    given: str = "",
    own: Own = NOTHING,
) -> str:
    """SHA-256 of everything that determines the result.

    The bytes of the file, the template's content, the row of the sheet (what may identify the patient through a
    fingerprint under the patient's key), a matrix given beside the sheet, what persons, pools and control files settled
    (by its digest, where there is any), what belongs to this sample alone (a patient's LAIP file, its tree of a
    workspace), and the engine's version.
    """
    token = patients.tokens[sample.patient]
    public, personal = _parts(_plain(sample))
    material = {
        "content": content(sample, digest),
        "template": template_sha256,
        "row": {**public, "patient": token},
        "personal": mark(patients.keys[token], chain.canonical(personal)),
        "compensation": _file_digest(sample.compensation_file) if sample.compensation_file else "",
        "engine": cytorecon.__version__,
        **({"given": given} if given else {}),
        **_own_material(own, patients.keys[token]),
    }
    return chain.sha256(chain.canonical(material))


def _own_material(own: Own, key: bytes) -> dict[str, Any]:
    if not own.documents:
        return {}
    hashes = {kind: chain.sha256(text) for kind, text in own.documents.items()}
    return {"own": {**hashes, "personal": mark(key, chain.canonical(own.personal))}}


def _plain(sample: Sample) -> dict[str, Any]:
    dumped = sample.model_dump(mode="json", exclude=set(DERIVED))
    return {name: value for name, value in dumped.items() if value not in (None, "", {})}


def _parts(sheet: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    public = {name: value for name, value in sheet.items() if name not in (*PERSONAL, "patient")}
    return public, {name: sheet[name] for name in PERSONAL if name in sheet}


def _file_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def status_of(row: SampleRow) -> str:
    """Tell in one word what became of a sample: ``failed``, ``needs_review`` or ``done``."""
    if row.error:
        return "failed"
    flagged = any(cell[2] == STATUS["needs_review"] for cell in row.counts.values())
    return "needs_review" if flagged or any(one["severity"] == "review" for one in row.findings) else "done"


def texts_of(gated: GatedSample, own: Own) -> dict[str, str]:
    """Documents of one result, by kind: with them and its record the final gates can be written out."""
    texts = dict(own.documents)
    if gated.channels:
        texts["channels"] = chain.canonical([[channel.name, channel.marker] for channel in gated.channels])
    if gated.gates:
        tables = {path: gate_table(gate) for path, gate in gated.gates.items()}
        # Bounds may be infinite, which `canonical` has no word for.
        texts["gates"] = json.dumps(tables, sort_keys=True, ensure_ascii=False)
    if gated.matrix is not None:
        texts["matrix"] = chain.canonical(
            {
                "detectors": list(gated.matrix.detectors),
                "fluorochromes": list(gated.matrix.fluorochromes),
                "values": gated.matrix.matrix.tolist(),
            }
        )
    return texts


def encode(
    gated: GatedSample,
    sample: Sample,
    patients: Patients,
    documents: Mapping[str, str],
    given: str = "",
    own: Own = NOTHING,
) -> dict[str, Any]:
    """Body of the record of one gated sample, but for what it supersedes."""
    row = row_of(gated)
    token = patients.tokens[sample.patient]
    public, personal = _parts(row.sheet)
    hidden = {**personal, **own.personal, "sheet": lineage(sample), "error": row.error}
    return {
        "kind": "gated",
        "identity": identity(public, patients.standing(token)),
        "token": token,
        "template": gated.template_sha256,
        "content": content(sample, row.sha256),
        "key": key(sample, row.sha256, gated.template_sha256, patients, given, own),
        "status": status_of(row),
        "documents": dict(documents),
        "row": public,
        "sealed": seal(patients.keys[token], chain.canonical(hidden)),
        "sha256": row.sha256,
        "acquired_count": row.acquired_count,
        "compensation": row.compensation,
        "counts": row.counts,
        "cutpoints": row.cutpoints,
        "findings": row.findings,
        "error_code": row.error_code,
    }


def decode(body: Mapping[str, Any], patients: Patients) -> SampleRow:
    """Read a record back; what a destroyed key hid is missing, and a failure then says so."""
    token = body["token"]
    personal = dict(unsealed(patients, token, body["sealed"]))
    error = str(personal.pop("error", ""))
    documents = body.get("documents", {})
    for name in ("laip_patient", "workspace_sample", "sheet"):
        personal.pop(name, None)
    sheet = {"file_name": "forgotten", **body["row"], **personal, "patient": patients.label(token)}
    if body["status"] == "failed" and not error:
        error = body["error_code"] or "failed"
    return SampleRow(
        sheet=sheet,
        sha256=body["sha256"],
        acquired_count=body["acquired_count"],
        # Two matrices beside sheets are two compensations.
        compensation=" ".join(filter(None, [body["compensation"], documents.get("matrix", "")[:12]])),
        counts=body["counts"],
        cutpoints=body["cutpoints"],
        findings=body["findings"],
        error=error,
        error_code=body["error_code"],
        laip=documents.get("laip", ""),
        tree=documents.get("tree", ""),
    )


def summary_document(summary: TemplateSummary) -> str:
    """What a cube says about a template, as a document from which cubes are rebuilt."""
    return chain.canonical(asdict(summary))


def read_summary_document(text: str) -> TemplateSummary:
    """Read back what `summary_document` wrote."""
    plain = json.loads(text)
    populations = tuple(PopulationSummary(**one) for one in plain.pop("populations"))
    return TemplateSummary(**plain, populations=populations)


def sheet_document(samples: Sequence[Sample], patients: Patients) -> str:
    """Rows of a sheet as a document, without what may identify a patient."""
    rows = [{**_parts(_plain(sample))[0], "patient": patients.tokens[sample.patient]} for sample in samples]
    return chain.canonical(rows)
