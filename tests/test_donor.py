"""KIR ligands of every exception allele, and mismatches that missing typing cannot invent."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.donor import (
    LigandOptions,
    Typing,
    kir_ligand,
    kir_ligands,
    kir_mismatch,
    ligand_of_residues,
    parse_allele,
    read_donors,
    read_ligand_table,
)
from cytorecon.errors import ProtocolError
from cytorecon.trial import read_protocol, to_mapping

PROTOCOL = read_protocol()
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "donors.toml"

C2_IN_C1 = ["03:07", "03:10", "03:15", "07:07", "07:09", "08:10", "12:04", "12:05", "16:02"]
C1_IN_C2 = ["15:07", "05:20", "06:11", "04:11", "17:22", "02:27"]
BW4 = [
    *("15:13", "15:16", "15:17", "15:24", "27:02", "38:01", "49:01", "51:01", "52:01"),
    *("53:01", "57:01", "58:01", "59:01"),
    *("13:01", "13:02", "27:05", "37:01", "44:02", "44:03", "47:01", "44:06"),
]  # fmt: skip
BW6 = ["07:02", "08:01", "15:01", "35:01", "27:08"]


@pytest.mark.parametrize(("fields", "group"), [*product(C2_IN_C1, ["C2"]), *product(C1_IN_C2, ["C1"])])
def test_kir_ligand__exceptions_of_hla_c(fields: str, group: str) -> None:
    """Each exception allele has the other group than its family."""
    assert group == kir_ligand(f"C*{fields}").group


@pytest.mark.parametrize("fields", ["14:02", "14:04", "16:01", "16:04", "01:02", "03:04", "07:02", "08:02", "12:03"])
def test_kir_ligand__c1_families(fields: str) -> None:
    """C*14:04 and C*16:04 stay C1 as their families."""
    assert "C1" == kir_ligand(f"C*{fields}").group


@pytest.mark.parametrize("fields", ["02:02", "04:01", "05:01", "06:02", "15:02", "17:01", "18:01"])
def test_kir_ligand__c2_families(fields: str) -> None:
    """The families of C2."""
    assert "C2" == kir_ligand(f"C*{fields}").group


@pytest.mark.parametrize("family", ["03", "07", "08", "12", "14", "15", "16"])
def test_kir_ligand__first_field_alone_is_unresolved_where_it_misleads(family: str) -> None:
    """No guess for a family that holds both groups in common alleles."""
    assert ("unresolved", False) == (kir_ligand(f"C*{family}").group, kir_ligand(f"C*{family}").certain)


@pytest.mark.parametrize(("family", "group"), [("01", "C1"), ("04", "C2"), ("18", "C2")])
def test_kir_ligand__first_field_alone_elsewhere_is_not_certain(family: str, group: str) -> None:
    """The family's group, with a doubt."""
    ligand = kir_ligand(f"C*{family}")
    assert (group, False, True) == (ligand.group, ligand.certain, "first field only" in ligand.basis)


def test_kir_ligand__other_alleles_of_c16_are_unresolved() -> None:
    """A quarter of C*16 is C2: an allele that is not known is not guessed."""
    assert "unresolved" == kir_ligand("C*16:55").group


@pytest.mark.parametrize(("fields", "group"), [*product(BW4, ["Bw4"]), *product(BW6, ["Bw6"])])
def test_kir_ligand__named_alleles_of_hla_b(fields: str, group: str) -> None:
    """Each named allele by its residues 77 and 80."""
    ligand = kir_ligand(f"B*{fields}")
    assert (group, True) == (ligand.group, ligand.certain)


@pytest.mark.parametrize("fields", ["13:01", "13:02"])
def test_kir_ligand__b13_carries_its_caveat(fields: str) -> None:
    """Bw4 by motif, but no functional ligand in the one study that asked."""
    assert "did not protect" in kir_ligand(f"B*{fields}").basis


@pytest.mark.parametrize(
    ("allele", "group"), [("B*44:05", "Bw4"), ("B*57:03", "Bw4"), ("B*18:01", "Bw6"), ("B*40", "Bw6")]
)
def test_kir_ligand__families_of_hla_b_are_not_certain(allele: str, group: str) -> None:
    """Serology gives a group, with a doubt."""
    assert (group, False) == (kir_ligand(allele).group, kir_ligand(allele).certain)


@pytest.mark.parametrize("allele", ["B*15", "B*27", "B*15:02", "B*27:09", "B*46", "B*78:01", "C*20:01"])
def test_kir_ligand__mixed_families_are_unresolved(allele: str) -> None:
    """B*15 and B*27 hold both groups; a family that is not known has none."""
    assert "unresolved" == kir_ligand(allele).group


@pytest.mark.parametrize("allele", ["B*46:01", "B*73:01"])
def test_kir_ligand__b46_and_b73_by_option(allele: str) -> None:
    """No ligand by default; C1 where the user says so."""
    assert ("none", "C1") == (kir_ligand(allele).group, kir_ligand(allele, LigandOptions(b46_b73_c1=True)).group)


@pytest.mark.parametrize(
    ("option", "bw4"), [("none", set()), ("strong", {"24:02", "32:01"}), ("all", {"23:01", "24:02", "25:01", "32:01"})]
)
def test_kir_ligand__hla_a_by_option(option: Any, bw4: set[str]) -> None:
    """The IPD calculator's none, the two strong ones, or all four."""
    found = {
        fields
        for fields in ("02:01", "23:01", "24:02", "25:01", "32:01")
        if kir_ligand(f"A*{fields}", LigandOptions(bw4_hla_a=option)).group == "Bw4"
    }
    assert bw4 == found


def test_kir_ligand__hla_a_strong_is_the_default() -> None:
    """A*24 and A*32."""
    assert ("Bw4", "none") == (kir_ligand("A*24:02").group, kir_ligand("A*23:01").group)


@pytest.mark.parametrize(("allele", "group"), [("C*04:09N", "none"), ("A*24:09N", "none"), ("B*44:02S", "none")])
def test_kir_ligand__null_alleles_are_no_ligands(allele: str, group: str) -> None:
    """What is not on the surface binds no receptor."""
    assert group == kir_ligand(allele).group


@pytest.mark.parametrize("allele", ["A*24:02L", "C*04:01Q", "B*44:02A"])
def test_kir_ligand__low_or_doubtful_expression_is_unresolved(allele: str) -> None:
    """Neither present nor absent."""
    assert "unresolved" == kir_ligand(allele).group


@pytest.mark.parametrize("allele", ["HLA-C*07:02", "C*07:02:01:01", "c*07:02", "C*07:02G", "C*07:02P"])
def test_parse_allele__reads_longer_names(allele: str) -> None:
    """Further fields and the G and P groups share the residues."""
    assert ("C", "07:02") == (parse_allele(allele).locus, parse_allele(allele).fields)


@pytest.mark.parametrize("allele", ["Cw7", "C*0702", "C*07:AB", "C*07:01/07:02", "DRB1*01:01", "", "C*7:1"])
def test_parse_allele__refuses_what_is_not_resolved(allele: str) -> None:
    """Serology, the old nomenclature, ambiguity strings and codes are not guessed."""
    with pytest.raises(ProtocolError, match=r"is no allele of HLA-A, -B or -C.*Write two fields"):
        parse_allele(allele)


@pytest.mark.parametrize(
    ("locus", "residues", "group"),
    [
        ("C", ("S", "N"), "C1"),
        ("C", ("N", "K"), "C2"),
        ("C", ("N", "T"), "unresolved"),
        ("B", ("N", "I"), "Bw4"),
        ("B", ("N", "T"), "Bw4"),
        ("B", ("D", "T"), "Bw4"),
        ("B", ("S", "T"), "Bw4"),
        ("B", ("G", "N"), "Bw6"),
        ("B", ("S", "N"), "Bw6"),
        ("B", ("V", "N"), "unresolved"),
        ("A", ("N", "I"), "Bw4"),
        ("A", ("S", "N"), "unresolved"),
    ],
)
def test_ligand_of_residues(locus: str, residues: tuple[str, str], group: str) -> None:
    """The rule itself."""
    assert group == ligand_of_residues(locus, *residues)


def typed(name: str = "", kind: Any = "haploidentical", **loci: list[str]) -> Typing:
    whole = {"A": ["A*02:01", "A*03:01"], "B": ["B*07:02", "B*08:01"], "C": ["C*07:02", "C*07:02"], **loci}
    return Typing(name=name, type=kind, **{locus: tuple(alleles) for locus, alleles in whole.items()})


def test_kir_ligands__of_a_homozygous_person() -> None:
    """A repeated allele is homozygous: C1 alone, nothing left possible."""
    ligands = kir_ligands(typed())
    assert ({"C1"}, set(), ()) == (ligands.present, ligands.possible, ligands.missing)


@pytest.mark.parametrize(
    ("loci", "present", "possible", "missing"),
    [
        ({"C": ["C*07:02"]}, {"C1"}, {"C2"}, ("C",)),
        ({"C": []}, set(), {"C1", "C2"}, ("C",)),
        ({"B": ["B*07:02"]}, {"C1"}, {"Bw4"}, ("B",)),
        ({"A": []}, {"C1"}, {"Bw4"}, ("A",)),
        ({"C": ["C*07:02", "C*04:09N"]}, {"C1"}, set(), ()),
        ({"C": ["C*07", "C*04:01"]}, {"C2"}, {"C1"}, ()),
        ({"B": ["B*15:02", "B*44:02"]}, {"C1", "Bw4"}, set(), ()),
    ],
)
def test_kir_ligands__missing_is_not_absent(
    loci: dict[str, list[str]], present: set[str], possible: set[str], missing: tuple[str, ...]
) -> None:
    """A missing or unresolved allele leaves its groups possible; a null allele brings none."""
    ligands = kir_ligands(typed(**loci))
    assert (present, possible, missing) == (ligands.present, ligands.possible, ligands.missing)


def test_kir_ligands__untyped_hla_a_matters_only_where_it_counts() -> None:
    """With the IPD calculator's option HLA-A is not asked for."""
    assert set() == kir_ligands(typed(A=[]), LigandOptions(bw4_hla_a="none")).possible


@pytest.mark.parametrize("loci", [{"C": ["B*07:02", "C*07:02"]}, {"C": ["C*07:02"] * 3}])
def test_kir_ligands__refuses_alleles_of_another_locus(loci: dict[str, list[str]]) -> None:
    """A slip between columns."""
    with pytest.raises(ProtocolError, match="has not two alleles of its own"):
        kir_ligands(typed(**loci))


def test_kir_mismatch__graft_versus_host() -> None:
    """The donor's C2 is absent in the recipient; in the other direction nothing is."""
    found = kir_mismatch(typed(C=["C*07:02", "C*04:01"]), typed(), PROTOCOL)
    assert ("mismatch", {"C2"}, set()) == (found.answer, found.gvh, found.hvg)


def test_kir_mismatch__host_versus_graft_alone_is_none() -> None:
    """The trial's preference is read in the graft-versus-host direction."""
    found = kir_mismatch(typed(), typed(C=["C*07:02", "C*04:01"]), PROTOCOL)
    assert ("none", set(), {"C2"}) == (found.answer, found.gvh, found.hvg)


def test_kir_mismatch__bw4_through_hla_a() -> None:
    """A recipient's A*24 takes the Bw4 mismatch away, unless HLA-A does not count."""
    donor, recipient = typed(B=["B*07:02", "B*44:02"]), typed(A=["A*24:02", "A*02:01"])
    assert "none" == kir_mismatch(donor, recipient, PROTOCOL).answer
    assert "mismatch" == kir_mismatch(donor, recipient, PROTOCOL, LigandOptions(bw4_hla_a="none")).answer


@pytest.mark.parametrize(
    ("donor", "recipient"), [({"C": ["C*07:02", "C*04:01"]}, {"C": ["C*07:02"]}), ({"C": ["C*07:02", "C*16"]}, {})]
)
def test_kir_mismatch__unresolved_where_typing_could_change_it(donor: Any, recipient: Any) -> None:
    """A missing recipient allele may hold the ligand; an unresolved donor allele may bring it."""
    found = kir_mismatch(typed(**donor), typed(**recipient), PROTOCOL)
    assert ("unresolved", set(), {"C2"}) == (found.answer, found.gvh, found.gvh_possible)
    assert any(finding.severity == "review" for finding in found.findings)


def test_kir_mismatch__not_applicable_to_a_matched_related_donor() -> None:
    """Ambiguity 20: identical ligands; a difference means the typing is wrong."""
    same = kir_mismatch(typed(kind="matched_related"), typed(), PROTOCOL)
    assert ("not_applicable", [], ["20"]) == (
        same.answer,
        list(same.findings),
        [entry.number for entry in same.ambiguities],
    )
    other = kir_mismatch(typed(kind="matched_related", C=["C*07:02", "C*04:01"]), typed(), PROTOCOL)
    assert ("not_applicable", set(), ["matched-ligands-differ"]) == (
        other.answer,
        other.gvh,
        [finding.code for finding in other.findings],
    )


ALLELES = st.sampled_from(["C*07:02", "C*04:01", "C*16:02", "C*15:07", "C*07", "C*04:09N"])


@given(st.lists(ALLELES, max_size=2), st.lists(ALLELES, max_size=2), ALLELES)
def test_kir_mismatch__fuller_typing_never_takes_a_certain_one_back(
    donor: list[str], recipient: list[str], further: str
) -> None:
    """What was certain with an allele missing stays certain whatever that allele is."""
    before = kir_mismatch(typed(C=donor), typed(C=recipient), PROTOCOL)
    if len(recipient) < 2:
        after = kir_mismatch(typed(C=donor), typed(C=[*recipient, further]), PROTOCOL)
        assert before.gvh <= after.gvh
        assert after.gvh <= before.gvh | before.gvh_possible


def test_read_donors__reads_the_example() -> None:
    """The mother's C2 is absent in the child; the sibling is not asked."""
    file = read_donors(EXAMPLE)
    answers = [kir_mismatch(donor, file.recipient, PROTOCOL, file.options) for donor in file.donor]
    assert ["mismatch", "not_applicable"] == [each.answer for each in answers]
    lines = to_mapping(answers[0])["lines"]
    assert ("tie-break" in " ".join(lines), "Research use only" in lines[-1]) == (True, True)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[recipient]\n[[donor]]\nname = 'x'\n", "donor x: type is missing; expected haploidentical"),
        ("[recipient]\nD = []\n", "recipient.D: is not a field"),
        ("[recipient]\n[[donor]]\ntype = 'cousin'\n", "donor.0.type: is none of the accepted values"),
    ],
)
def test_read_donors__names_the_fault(tmp_path: Path, text: str, match: str) -> None:
    """Field and remedy."""
    path = tmp_path / "donors.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError, match=match):
        read_donors(path)


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ligands.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_read_ligand_table__stands_above_the_rules(tmp_path: Path) -> None:
    """The laboratory's own groups, or residues, for alleles that are not named here."""
    own = read_ligand_table(table(tmp_path, "allele,group,residue_77,residue_80\nC*16:55,C2,,\nB*15:02,,S,N\n"))
    assert ("C2", "Bw6") == tuple(kir_ligand(allele, table=own).group for allele in ("C*16:55", "B*15:02"))


def test_read_ligand_table__names_the_fault(tmp_path: Path) -> None:
    """A row without group or residues, and a file that is not there."""
    with pytest.raises(ProtocolError, match="line 2: names no ligand group; expected C1, C2"):
        read_ligand_table(table(tmp_path, "allele,group\nC*16:55,C3\n"))
    with pytest.raises(ProtocolError, match="cannot be read as UTF-8 text"):
        read_ligand_table(tmp_path / "none.csv")
