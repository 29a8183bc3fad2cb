"""``cytorecon donor``."""

from __future__ import annotations

from pathlib import Path

from .conftest import EXAMPLES, Run, changed


def test_donor__one_line_a_donor(run: Run) -> None:
    """Each donor's answer stands in one line, with the ligands that make it."""
    done = run("donor", EXAMPLES / "donors.toml")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert 0 == done.code
    assert "mother haploidentical mismatch C2 none" in lines
    assert "sibling matched related not applicable none none" in lines


def test_donor__json(run: Run) -> None:
    """The document holds recipient and donors, each with its answer."""
    document = run("donor", EXAMPLES / "donors.toml", "--json").document
    assert ("P01", ["mismatch", "not_applicable"]) == (
        document["recipient"],
        [donor["answer"] for donor in document["donors"]],
    )
    assert (["C2"], []) == (document["donors"][0]["gvh"], document["donors"][0]["hvg"])


def test_donor__missing_allele_awaits_review(run: Run, tmp_path: Path) -> None:
    """One typed allele is a missing one, never an absent ligand."""
    done = run("donor", changed(tmp_path, "donors.toml", ('C = ["C*07:02", "C*04:01"]', 'C = ["C*07:02"]')))
    assert 4 == done.code
    assert "– (possible: C2)" in done.out
    assert "hla-missing" in done.out


def test_donor__takes_the_site_s_own_ligands(run: Run, tmp_path: Path) -> None:
    """A table of the typing laboratory stands before the built-in rules."""
    table = tmp_path / "ligands.csv"
    table.write_text("allele,group\nC*04:01,C1\n", encoding="utf-8")
    document = run("donor", EXAMPLES / "donors.toml", "--ligands", table, "--json").document
    assert [] == document["donors"][0]["gvh"]


def test_donor__names_a_bad_allele(run: Run, tmp_path: Path) -> None:
    """An allele that cannot be read is refused."""
    done = run("donor", changed(tmp_path, "donors.toml", ("C*04:01", "Cw4")))
    assert (3, True) == (done.code, "is no allele of HLA-A, -B or -C; got 'Cw4'" in done.err)
