"""Templates from wherever they are kept: shipped by name, or files of any format read here."""

from __future__ import annotations

import re
from pathlib import Path

from cytorecon.errors import InterchangeError, TemplateError
from cytorecon.template import GatingTemplate, read_template, template_dir

_NAME = re.compile(r"\w[\w\-]*")

ENDINGS = (".toml", ".xml", ".wsp", ".csv")

__all__ = ["ENDINGS", "convert", "load_template", "template_names"]


def load_template(source: str | Path, sample: str | None = None, file: str | Path | None = None) -> GatingTemplate:
    """Load a template by name or from a file: TOML, Gating-ML 2.0 (.xml), FlowJo 10 (.wsp) or openCyto (.csv).

    Parameters
    ----------
    source
        Name of a shipped template (``"tbnk"``), or the path of a file; its ending tells the format.
    sample
        Name of a FlowJo workspace's sample; for other formats it must be left out.
    file
        The FCS file that is to be gated. Without `sample`, its name, else its ``$FIL``, finds the workspace's sample;
        without either, the workspace must hold one sample. Other formats do not look at it.

    Raises
    ------
    TemplateError
        There is no such template or file, its ending is unknown, or it is not sound.
    InterchangeError
        A Gating-ML, FlowJo or openCyto file cannot be translated, or a workspace holds no such sample, or several.
    """
    path = Path(source)
    if isinstance(source, str) and _NAME.fullmatch(source) and not path.is_file():
        path = _shipped(source)
    ending = path.suffix.lower()
    if sample is not None and ending != ".wsp":
        raise TemplateError(path.name, "only a FlowJo workspace has samples", got=f"sample {sample!r}", code="sample")
    match ending:
        case ".toml":
            return read_template(path)
        case ".xml":
            from cytorecon.interchange.gatingml import read_gatingml

            return read_gatingml(path)
        case ".wsp":
            return _workspace_template(path, sample, file)
        case ".csv":
            from cytorecon.interchange.opencyto import read_opencyto

            return read_opencyto(path)
    raise TemplateError(
        path.name,
        "has an ending no template has",
        expected=", ".join(ENDINGS),
        got=path.suffix or "none",
        remedy=f"Shipped templates go by name: {', '.join(template_names())}.",
        code="template-ending",
    )


def _workspace_template(path: Path, sample: str | None, file: str | Path | None) -> GatingTemplate:
    from cytorecon.interchange.flowjo import find_sample, find_sample_of, read_workspace, sample_template

    workspace = read_workspace(path)
    if sample is not None or file is None:
        return sample_template(workspace, find_sample(workspace, *filter(None, [sample])))
    return sample_template(workspace, find_sample_of(workspace, Path(file)))


def convert(source: str | Path, target: str | Path, sample: str | None = None) -> GatingTemplate:
    """Convert a template: from TOML, Gating-ML, FlowJo or openCyto to TOML or Gating-ML, by the endings.

    Parameters
    ----------
    source
        As for `load_template`.
    target
        A .toml or .xml file to write; one that is there is replaced.
    sample
        As for `load_template`.

    Returns
    -------
    GatingTemplate
        What was read and written.

    Raises
    ------
    TemplateError
        The source cannot be read.
    InterchangeError
        The target's ending is neither .toml nor .xml, or the template holds what the target's format cannot.
    """
    path = Path(target)
    ending = path.suffix.lower()
    if ending not in (".toml", ".xml"):
        raise InterchangeError(
            path.name, "templates are written as TOML or Gating-ML only", expected=".toml or .xml",
            got=path.suffix or "none", code="template-ending",
        )  # fmt: skip
    template = load_template(source, sample=sample)
    if ending == ".toml":
        from cytorecon.template import to_toml

        path.write_text(to_toml(template), encoding="utf-8")
    else:
        from cytorecon.interchange.gatingml_out import write_gatingml

        write_gatingml(template, path)
    return template


def template_names() -> tuple[str, ...]:
    """Names of the shipped templates, sorted."""
    return tuple(sorted(path.stem for path in template_dir().glob("*.toml")))


def _shipped(name: str) -> Path:
    if name not in template_names():
        raise TemplateError(
            f"template {name!r}",
            "is not one that comes with cytorecon",
            expected=", ".join(template_names()),
            remedy="Write a path (with its ending) for a template of your own.",
            code="unknown-template",
        )
    return template_dir() / f"{name}.toml"
