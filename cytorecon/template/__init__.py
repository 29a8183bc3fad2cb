"""Gating templates: the language of ``gating/*.toml``, its values, and their meaning for one file's channels."""

from cytorecon.gates import Term
from cytorecon.template.definition import Definition, describe, leaves
from cytorecon.template.folder import template_dir
from cytorecon.template.model import Cutpoint, GatingTemplate, Population
from cytorecon.template.names import fold, path_of
from cytorecon.template.panel import Panel, resolve
from cytorecon.template.phenotype import Phenotype, parse_phenotype, parse_term
from cytorecon.template.placed import PlacedGate
from cytorecon.template.reading import from_canonical, parse_template, read_template
from cytorecon.template.writing import canonical_json, to_toml

__all__ = [
    "Cutpoint",
    "Definition",
    "GatingTemplate",
    "Panel",
    "Phenotype",
    "PlacedGate",
    "Population",
    "Term",
    "canonical_json",
    "describe",
    "fold",
    "from_canonical",
    "leaves",
    "parse_phenotype",
    "parse_template",
    "parse_term",
    "path_of",
    "read_template",
    "resolve",
    "template_dir",
    "to_toml",
]
