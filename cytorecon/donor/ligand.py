"""The KIR ligand of one HLA allele.

The residue rules are those of the IPD-KIR ligand calculator: HLA-C residue 80 N is C1, K is C2; HLA-B residues 77 and
80 decide Bw4 and Bw6. The few alleles named here are a hand-made list, no table derived from a database; any other is
for the typing laboratory's own file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cytorecon.errors import ProtocolError
from cytorecon.trial.reading import Model

Group = Literal["C1", "C2", "Bw4", "Bw6", "none", "unresolved"]

_ALLELE = re.compile(
    r"(?:HLA-)?([ABC])\*([0-9]{2,3})(?::([0-9]{2,4})(?::[0-9]{2,4}){0,2})?([NLSCAQGP]?)", re.IGNORECASE
)

# HLA-C by first field, and the alleles that break it (IPD-IMGT/HLA 3.58.0).
_C1_FAMILIES = frozenset({"01", "03", "07", "08", "12", "14", "16"})
_C2_FAMILIES = frozenset({"02", "04", "05", "06", "15", "17", "18"})
_C_EXCEPTIONS: dict[str, Group] = {
    **dict.fromkeys(
        ("03:07", "03:10", "03:15", "07:07", "07:09", "08:10", "12:04", "12:05", "16:02"), "C2"
    ),
    **dict.fromkeys(("15:07", "05:20", "06:11", "04:11", "17:22", "02:27"), "C1"),
    **dict.fromkeys(("14:04", "16:01", "16:04"), "C1"),
}  # fmt: skip
# The first field alone misleads here; in C*16 a quarter of the two-field alleles is C2, so that each has to be known.
_C_MISLEADING = frozenset({"03", "07", "08", "12", "14", "15", "16"})
_C_EACH = frozenset({"16"})

# HLA-B: residues of named alleles (same release), then families by serology, which two fields have to confirm.
_B_ALLELES: dict[str, Group] = {
    **dict.fromkeys(("15:13", "15:16", "15:17", "15:24", "27:02", "38:01", "44:06", "49:01", "51:01", "52:01"), "Bw4"),
    **dict.fromkeys(("53:01", "57:01", "58:01", "59:01"), "Bw4"),
    **dict.fromkeys(("13:01", "13:02", "27:05", "37:01", "44:02", "44:03", "47:01"), "Bw4"),
    **dict.fromkeys(("07:02", "08:01", "15:01", "27:08", "35:01"), "Bw6"),
    **dict.fromkeys(("46:01", "73:01"), "none"),
}  # fmt: skip
_BW4_FAMILIES = frozenset({"13", "37", "38", "44", "47", "49", "51", "52", "53", "57", "58", "59"})
_BW6_FAMILIES = frozenset({"07", "08", "14", "18", "35", "39", "40", "41", "42", "45", "48", "50", "54", "55", "56"})
_B13 = frozenset({"13:01", "13:02"})

_A_BW4 = {"none": frozenset[str](), "strong": frozenset({"24", "32"}), "all": frozenset({"23", "24", "25", "32"})}
_A_ALLELES = frozenset({"23:01", "24:02", "25:01", "32:01"})  # tested by Foley 2008, Blood 112:435
_RESIDUES_BW4 = frozenset({("N", "I"), ("N", "T"), ("D", "T"), ("S", "T")})
_RESIDUES_BW6 = frozenset({("G", "N"), ("S", "N")})


class LigandOptions(Model):
    """What counts as a ligand where sources differ.

    ``bw4_hla_a``: none, ``strong`` (A*24, A*32) or all (A*23, A*25 too); the IPD calculator ignores HLA-A.
    ``b46_b73_c1``: B*46:01 and B*73:01 carry the C1 motif (V76, N80); that they work as C1 was not verified.
    """

    bw4_hla_a: Literal["none", "strong", "all"] = "strong"
    b46_b73_c1: bool = False


@dataclass(frozen=True)
class Allele:
    """A parsed HLA allele: locus, up to two fields, and the expression suffix; G and P groups keep their letter."""

    locus: str
    first: str
    second: str
    suffix: str

    @property
    def fields(self) -> str:
        """``07:02``, or the first field alone."""
        return f"{self.first}:{self.second}" if self.second else self.first


def parse_allele(text: str) -> Allele:
    """An allele such as ``C*07:02``, ``HLA-B*15:01:01:01`` or ``A*24:09N``.

    Raises
    ------
    ProtocolError
        Not of that form: an ambiguity string, a multiple-allele code, or the nomenclature before 2010.
    """
    match = _ALLELE.fullmatch(text.strip())
    if match is None or (len(match[2]) > 2 and not match[3]):
        remedy = "Write two fields, such as C*07:02; resolve ambiguity strings and allele codes first"
        raise ProtocolError("HLA typing", "is no allele of HLA-A, -B or -C", got=repr(text), remedy=remedy)
    return Allele(match[1].upper(), match[2].zfill(2), match[3] or "", match[4].upper())


@dataclass(frozen=True)
class Ligand:
    """The ligand group of one allele, and on what it rests.

    Parameters
    ----------
    group
        ``C1``, ``C2``, ``Bw4``, ``Bw6``, ``none`` (no ligand, or not expressed) or ``unresolved``.
    basis
        The rule or list used, in words.
    certain
        Whether two fields were known and the allele itself was looked up.
    """

    allele: str
    group: Group
    basis: str
    certain: bool = True


def ligand_of_residues(locus: str, residue_77: str, residue_80: str) -> Group:
    """Ligand group from residues 77 and 80 (HLA-C: residue 80 alone), one-letter code.

    Other residues are ``unresolved``; an HLA-A molecule is Bw4 by the same residues as HLA-B.
    """
    if locus == "C":
        groups: dict[str, Group] = {"N": "C1", "K": "C2"}
        return groups.get(residue_80, "unresolved")
    if (residue_77, residue_80) in _RESIDUES_BW4:
        return "Bw4"
    return "Bw6" if locus == "B" and (residue_77, residue_80) in _RESIDUES_BW6 else "unresolved"


def kir_ligand(allele: str, options: LigandOptions | None = None, table: Mapping[str, Group] | None = None) -> Ligand:
    """The KIR ligand of one allele.

    Parameters
    ----------
    allele
        Two fields for HLA-C and -B. A first field alone is ``unresolved`` where its alleles differ.
    options
        By default HLA-A*24 and A*32 count as Bw4.
    table
        The site's own groups by allele (``C*16:55``), from `read_ligand_table`; they stand above the rules here.

    Raises
    ------
    ProtocolError
        Not an allele.
    """
    parsed, options = parse_allele(allele), options or LigandOptions()
    if parsed.suffix in {"N", "S", "C"}:
        return Ligand(allele, "none", "not expressed on the cell surface")
    if parsed.suffix in {"L", "A", "Q"}:
        return Ligand(allele, "unresolved", "expression is low, aberrant or questionable", certain=False)
    own = (table or {}).get(f"{parsed.locus}*{parsed.fields}")
    if own is not None:
        return Ligand(allele, own, "the site's own table")
    group, basis, certain = {"A": _of_a, "B": _of_b, "C": _of_c}[parsed.locus](parsed, options)
    return Ligand(allele, group, basis, certain)


_Found = tuple[Group, str, bool]


def _of_c(allele: Allele, options: LigandOptions) -> _Found:
    if allele.fields in _C_EXCEPTIONS:
        return _C_EXCEPTIONS[allele.fields], "named allele, residue 80", True
    known = allele.first in _C1_FAMILIES | _C2_FAMILIES
    if not known or allele.first in _C_EACH or (not allele.second and allele.first in _C_MISLEADING):
        why = "the first field misleads" if known else "no such family here"
        return "unresolved", f"{why}: give two fields, or the site's own table", False
    group: Group = "C1" if allele.first in _C1_FAMILIES else "C2"
    return group, f"family C*{allele.first}{'' if allele.second else ', first field only'}", bool(allele.second)


def _of_b(allele: Allele, options: LigandOptions) -> _Found:
    if allele.fields in {"46:01", "73:01"} and options.b46_b73_c1:
        return "C1", "V76 and N80 as in C1 (option)", True
    if allele.fields in _B_ALLELES:
        note = ", which did not protect from KIR3DL1+ NK cells (Foley 2008, Blood 112:435)"
        return _B_ALLELES[allele.fields], f"named allele{note if allele.fields in _B13 else ''}", True
    families: tuple[tuple[Group, frozenset[str]], ...] = (("Bw4", _BW4_FAMILIES), ("Bw6", _BW6_FAMILIES))
    for group, family in families:
        if allele.first in family:
            return group, f"family B*{allele.first} by serology, residues not looked up", False
    return "unresolved", f"alleles of B*{allele.first} differ: give residues in the site's own table", False


def _of_a(allele: Allele, options: LigandOptions) -> _Found:
    if allele.first not in _A_BW4["all"]:
        return "none", "HLA-A without Bw4", True
    group: Group = "Bw4" if allele.first in _A_BW4[options.bw4_hla_a] else "none"
    named = allele.fields in _A_ALLELES
    return group, f"{'named allele' if named else f'family A*{allele.first}'}, option {options.bw4_hla_a}", named


def read_ligand_table(path: str | Path) -> dict[str, Group]:
    """The site's own ligand groups: CSV with ``allele`` and either ``group``, or ``residue_77`` and ``residue_80``.

    Raises
    ------
    ProtocolError
        A column is missing, or a row names no group.
    """
    try:
        rows = list(csv.DictReader(Path(path).read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(str(path), "cannot be read as UTF-8 text", got=type(error).__name__) from None
    table: dict[str, Group] = {}
    for line, row in enumerate(rows, start=2):
        where = f"{path}, line {line}"
        allele = parse_allele(row.get("allele") or "")
        groups: dict[str, Group] = {"C1": "C1", "C2": "C2", "Bw4": "Bw4", "Bw6": "Bw6", "none": "none"}
        group = groups.get(row.get("group") or "")
        if group is None:
            group = ligand_of_residues(allele.locus, row.get("residue_77") or "", row.get("residue_80") or "")
        if group == "unresolved":
            raise ProtocolError(where, "names no ligand group", expected=f"{', '.join(groups)}, or both residues")
        table[f"{allele.locus}*{allele.fields}"] = group
    return table
