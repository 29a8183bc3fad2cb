"""Which KIR ligands a donor has and a recipient lacks; a missing or unresolved allele is never an absent ligand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cytorecon.donor.ligand import Group, Ligand, LigandOptions, kir_ligand, parse_allele
from cytorecon.errors import Finding, ProtocolError
from cytorecon.trial.case import DonorType
from cytorecon.trial.protocol import Ambiguity, Protocol
from cytorecon.trial.reading import RESEARCH_USE, Model, Sequence, parse_model, read_toml

LIGANDS = ("C1", "C2", "Bw4")


class Typing(Model):
    """A person's alleles by locus: two each, a homozygous one repeated; fewer are missing, not homozygous."""

    name: str = ""
    type: DonorType | None = None
    A: Annotated[tuple[str, ...], Sequence] = ()
    B: Annotated[tuple[str, ...], Sequence] = ()
    C: Annotated[tuple[str, ...], Sequence] = ()


class DonorFile(Model):
    """A recipient and possible donors."""

    recipient: Typing
    donor: Annotated[tuple[Typing, ...], Sequence]
    options: LigandOptions = LigandOptions()


def read_donors(path: str | Path) -> DonorFile:
    """A donor file (TOML): ``[recipient]``, ``[[donor]]``, ``[options]``.

    Raises
    ------
    ProtocolError
        A field is unknown, or a donor has no type.
    """
    file = parse_model(DonorFile, read_toml(path), str(path))
    for donor in file.donor:
        if donor.type is None:
            expected = "haploidentical, matched_related, …"
            raise ProtocolError(f"{path}: donor {donor.name}", "type is missing", expected=expected)
    return file


@dataclass(frozen=True)
class Ligands:
    """The ligand groups a person has for certain, and those that the typing leaves possible.

    Parameters
    ----------
    present, possible
        Of `LIGANDS`; `possible` holds no group that is present.
    alleles
        Each allele's ligand.
    missing
        Loci with fewer than two alleles.
    """

    present: frozenset[str]
    possible: frozenset[str]
    alleles: tuple[Ligand, ...]
    missing: tuple[str, ...]


def kir_ligands(
    typing: Typing, options: LigandOptions | None = None, table: Mapping[str, Group] | None = None
) -> Ligands:
    """A person's ligand groups; a missing or unresolved allele leaves its locus' groups possible, never absent.

    Raises
    ------
    ProtocolError
        More than two alleles at a locus, or an allele under another locus.
    """
    options = options or LigandOptions()
    loci = {"A": typing.A, "B": typing.B, "C": typing.C}
    if options.bw4_hla_a == "none":
        loci.pop("A")
    found: list[Ligand] = []
    missing = []
    possible: set[str] = set()
    for locus, alleles in loci.items():
        ligands = [kir_ligand(allele, options, table) for allele in alleles]
        wrong = [allele for allele in alleles if parse_allele(allele).locus != locus]
        if len(alleles) > 2 or wrong:
            got = ", ".join(wrong or alleles)
            raise ProtocolError(f"HLA-{locus} of {typing.name}", "has not two alleles of its own", got=got)
        found += ligands
        if len(alleles) < 2:
            missing.append(locus)
        if len(alleles) < 2 or any(ligand.group == "unresolved" for ligand in ligands):
            possible |= _groups_of(locus, options)
    present = frozenset(ligand.group for ligand in found) & frozenset(LIGANDS)
    return Ligands(present, frozenset(possible) - present, tuple(found), tuple(missing))


def _groups_of(locus: str, options: LigandOptions) -> set[str]:
    """The ligand groups an unknown allele of a locus may bring."""
    if locus == "C":
        return {"C1", "C2"}
    return {"Bw4", "C1"} if locus == "B" and options.b46_b73_c1 else {"Bw4"}


@dataclass(frozen=True)
class KirMismatch:
    """KIR-ligand mismatch between a donor and a recipient.

    Parameters
    ----------
    answer
        ``mismatch``, ``none``, ``unresolved``, or ``not_applicable``: in the protocol's direction.
    gvh, hvg
        Groups the donor has and the recipient lacks for certain (graft versus host), and the reverse.
    gvh_possible, hvg_possible
        Groups that fuller typing could add.
    """

    donor: str
    donor_type: str
    answer: Literal["mismatch", "none", "unresolved", "not_applicable"]
    gvh: frozenset[str]
    hvg: frozenset[str]
    gvh_possible: frozenset[str]
    hvg_possible: frozenset[str]
    donor_ligands: Ligands
    recipient_ligands: Ligands
    ambiguities: tuple[Ambiguity, ...]
    findings: tuple[Finding, ...]
    note: str = RESEARCH_USE

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer, ligands and their basis, ambiguities, findings, and the note on use."""
        return (
            f"Donor {self.donor} ({self.donor_type}): KIR-ligand mismatch {self.answer.replace('_', ' ')}",
            f"Graft versus host: {_named(self.gvh)}; possible: {_named(self.gvh_possible)}",
            f"Host versus graft: {_named(self.hvg)}; possible: {_named(self.hvg_possible)}",
            f"Donor has {_named(self.donor_ligands.present)}; recipient has {_named(self.recipient_ligands.present)}",
            *(
                f"{whose} {ligand.allele}: {ligand.group} ({ligand.basis})"
                for whose, person in (("Donor", self.donor_ligands), ("Recipient", self.recipient_ligands))
                for ligand in person.alleles
            ),
            "Model: ligand-ligand incompatibility; the donor's KIR are assumed. A tie-break between donors who are"
            " equal by the standard criteria (CMV, sex, blood group), nothing more.",
            *(f"Ambiguity {each.number}: {each.record} Treatment: {each.treatment}" for each in self.ambiguities),
            *(f"{finding.severity}: {finding.message}" for finding in self.findings),
            self.note,
        )


def _named(groups: Iterable[str]) -> str:
    return ", ".join(sorted(groups)) or "none"


def kir_mismatch(
    donor: Typing,
    recipient: Typing,
    protocol: Protocol,
    options: LigandOptions | None = None,
    table: Mapping[str, Group] | None = None,
) -> KirMismatch:
    """Which ligand groups of the donor the recipient lacks (GvH), and the reverse (HvG).

    Parameters
    ----------
    donor, recipient
        Typing; the donor's `type` decides whether the question applies.
    protocol
        Names the donor types without a mismatch, and the direction that counts.
    options, table
        As for `kir_ligand`.

    Raises
    ------
    ProtocolError
        A typing cannot be read.
    """
    own, other = kir_ligands(donor, options, table), kir_ligands(recipient, options, table)
    gvh, gvh_possible = _minus(own, other)
    hvg, hvg_possible = _minus(other, own)
    certain, open_ = (gvh, gvh_possible) if protocol.donor.kir_direction == "gvh" else (hvg, hvg_possible)
    answer: Literal["mismatch", "none", "unresolved", "not_applicable"]
    answer = "mismatch" if certain else "unresolved" if open_ else "none"
    if donor.type in protocol.donor.kir_not_applicable:
        answer, gvh, hvg, gvh_possible, hvg_possible = "not_applicable", *[frozenset[str]()] * 4
    return KirMismatch(
        donor=donor.name,
        donor_type=donor.type or "type not stated",
        answer=answer,
        gvh=gvh,
        hvg=hvg,
        gvh_possible=gvh_possible,
        hvg_possible=hvg_possible,
        donor_ligands=own,
        recipient_ligands=other,
        ambiguities=protocol.ambiguities("donor"),
        findings=(*_doubts({"donor": own, "recipient": other}), *_disagreement(answer, own, other)),
    )


def _minus(left: Ligands, right: Ligands) -> tuple[frozenset[str], frozenset[str]]:
    """Groups on the left that are absent on the right: for certain, and possibly."""
    certain = left.present - right.present - right.possible
    return certain, (left.present | left.possible) - right.present - certain


def _disagreement(answer: str, own: Ligands, other: Ligands) -> tuple[Finding, ...]:
    """A matched donor whose certain ligands differ is not matched, or not typed correctly."""
    if answer != "not_applicable" or not (_minus(own, other)[0] or _minus(other, own)[0]):
        return ()
    message = "the ligands of a matched donor differ from the recipient's: check the typing"
    return (Finding("matched-ligands-differ", message, "review"),)


def _doubts(people: Mapping[str, Ligands]) -> tuple[Finding, ...]:
    findings = []
    for whose, person in people.items():
        for locus in person.missing:
            message = f"HLA-{locus} of the {whose} lacks an allele: repeat a homozygous one"
            findings.append(Finding("hla-missing", message, "review", f"HLA-{locus}"))
        for ligand in person.alleles:
            if not ligand.certain:
                message = f"{ligand.allele} of the {whose}: {ligand.group}, {ligand.basis}"
                severity: Literal["review", "warning"] = "review" if ligand.group == "unresolved" else "warning"
                findings.append(Finding("hla-not-looked-up", message, severity, ligand.allele))
    return tuple(findings)
