"""Templates by name or file ending, and from one format to another."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest
from flowkit._resources import gml_schema
from interchange.fixed_templates import FIXED
from interchange.shipped import gate_shipped
from lxml import etree

from cytorecon.errors import InterchangeError, TemplateError
from cytorecon.fcs import read_fcs
from cytorecon.gating import GatedSample, gate_file
from cytorecon.interchange import convert, load_template, template_names
from cytorecon.interchange.gatingml_out import gatingml_text, write_gatingml
from cytorecon.template import GatingTemplate, PlacedGate, parse_template, to_toml

NAMES = ("CD16+CD56-", "1st gate", "NK, bright", "a b", "a_b", "Größe/µ", "<&\"'>", ".", "A" * 200)


def named(name: str) -> GatingTemplate:
    return parse_template(
        f"""
        name = "names"
        version = "1"
        [[population]]
        name = {etree_text(name)}
        gate = {{ type = "range", channels = ["FSC-A"], min = 1 }}
        [[population]]
        name = "child"
        parent = {etree_text(name.replace("/", "%2F"))}
        gate = {{ type = "range", channels = ["SSC-A"], max = 5, closed = true }}
        """
    )


def etree_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def without_template(document: bytes) -> etree._Element:
    """The document as a program leaves it that keeps the gates and drops what it does not know at the top."""
    root = etree.fromstring(document)
    for info in root.findall("{*}custom_info"):
        root.remove(info)
    return root


def is_fixed(template: GatingTemplate) -> bool:
    """Nothing in the template waits for data."""
    drawn = any(isinstance(population.definition, PlacedGate) for population in template.populations)
    return not drawn and all(cutpoint.method is None for cutpoint in template.cutpoints.values())


SHIPPED = sorted(template_names())


def counts(gated: GatedSample) -> dict[str, tuple[int, int]]:
    return {one.path: (one.event_count, one.parent_count) for one in gated.counts if one.status != "not_measured"}


def assert_there_and_back(template: GatingTemplate, folder: Path) -> None:
    """TOML → Gating-ML → TOML, byte for byte of its content."""
    (folder / "first.toml").write_text(to_toml(template), encoding="utf-8")
    assert template == convert(folder / "first.toml", folder / "there.xml")
    convert(folder / "there.xml", folder / "back.toml")
    again = load_template(folder / "back.toml")
    assert (template, template.sha256) == (again, again.sha256)
    assert (folder / "first.toml").read_text(encoding="utf-8") == to_toml(again)
    gml_schema.assertValid(etree.parse(folder / "there.xml"))


@pytest.mark.parametrize("name", FIXED)
def test_convert__toml_to_gatingml_and_back_is_the_identity(name: str, tmp_path: Path) -> None:
    """Every gate and scale at fixed places comes back as it was."""
    assert_there_and_back(parse_template(FIXED[name]), tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_convert__shipped_template_once_settled(name: str, tmp_path: Path) -> None:
    """A shipped template whose places are written down comes back as it was; before, it is refused at its defaults."""
    shipped = gate_shipped(name, tmp_path)
    assert not is_fixed(shipped.template)
    with pytest.raises(InterchangeError, match=r"has no (position|shape) until the data"):
        gatingml_text(shipped.template)
    assert is_fixed(shipped.settled())
    assert_there_and_back(shipped.settled(), tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_write_gatingml__final_gates_of_a_shipped_template(name: str, tmp_path: Path) -> None:
    """The final gates of a gated sample, written and read again, count the same, also from the gates alone."""
    shipped = gate_shipped(name, tmp_path)
    path = tmp_path / "final.xml"
    channels = read_fcs(shipped.fcs).channels
    write_gatingml(shipped.template, path, cutpoints=shipped.cutpoints, gates=shipped.gates, channels=channels)
    document = without_template(path.read_bytes())
    gml_schema.assertValid(document)
    (tmp_path / "alone.xml").write_bytes(etree.tostring(document))
    expected = counts(shipped.gated)
    assert len(expected) >= 8
    assert sum(count > 0 for count, _ in expected.values()) >= 5
    for each in (path, tmp_path / "alone.xml"):
        again = load_template(each)
        assert is_fixed(again)
        found = counts(gate_file(shipped.fcs, again))
        assert expected == {population: found[population] for population in expected}
        # Gates alone: a Boolean's terms have become gates, and what was passed through a copy of its parent.
        more = found.keys() - expected.keys() - shipped.template.by_path.keys()
        assert all(".term" in population for population in more)


@pytest.mark.parametrize("name", NAMES)
def test_gatingml_text__names_that_are_no_ids(name: str, tmp_path: Path) -> None:
    """Names survive in the gates themselves, also where the template beside them is lost."""
    document = without_template(gatingml_text(named(name)))
    gml_schema.assertValid(document)
    path = tmp_path / "gates.xml"
    path.write_bytes(etree.tostring(document))
    path_in_tree = name.replace("/", "%2F")
    assert [path_in_tree, f"{path_in_tree}/child"] == [each.path for each in load_template(path).populations]


def test_embedded_template__changed_gates_count(tmp_path: Path) -> None:
    """Once someone moved an edge, the gates are read and the template beside them is not."""
    path = tmp_path / "gates.xml"
    write_gatingml(named("moved"), path)
    path.write_text(path.read_text(encoding="utf-8").replace('min="1.0"', 'min="2.0"'), encoding="utf-8")
    (first, _) = load_template(path).populations
    assert 2.0 == first.definition.minimum
    assert "names" != load_template(path).name


def test_gatingml_text__gates_alone_count_the_same(shared: Path, tmp_path: Path) -> None:
    """ISAC's gates, read, written, and read again from the gates alone, hold the same events."""
    folder = shared / "data" / "isac_gatingml"
    template = load_template(folder / "gml" / "gml_all_gates.xml")
    document = without_template(gatingml_text(template))
    gml_schema.assertValid(document)
    (tmp_path / "again.xml").write_bytes(etree.tostring(document))
    counts = [
        {each.path: each.event_count for each in gate_file(folder / "data1.fcs", given).counts}
        for given in (template, load_template(tmp_path / "again.xml"))
    ]
    assert 49 == len(counts[0])
    assert counts[0] == counts[1]


def test_convert__workspace_to_toml(shared: Path, tmp_path: Path) -> None:
    """A workspace's sample becomes a TOML template that counts the same."""
    folder = shared / "data" / "flowjo_luciernaga"
    fcs = folder / "CellCounts4L-NY071-1.fcs"
    template = convert(folder / "CellCounts.wsp", tmp_path / "sample.toml", sample=fcs.name)
    again = load_template(tmp_path / "sample.toml")
    assert template == again
    assert gate_file(fcs, template).counts == gate_file(fcs, again).counts


def test_load_template__workspace_sample_by_the_files_own_fil(shared: Path, tmp_path: Path) -> None:
    """A renamed file is found by its $FIL; one that the workspace does not know is an error that lists its samples."""
    folder = shared / "data" / "flowjo_luciernaga"
    renamed = tmp_path / "renamed.fcs"
    shutil.copy(folder / "CellCounts4L-NY072-1.fcs", renamed)
    assert "CellCounts4L-NY072-1.fcs" in load_template(folder / "CellCounts.wsp", file=renamed).title
    with pytest.raises(InterchangeError, match=r"no sample 'other.fcs'.*got samples CellCounts4L-NY072-1.fcs"):
        load_template(folder / "CellCounts.wsp", file="other.fcs")
    with pytest.raises(InterchangeError, match="more than one sample without a name"):
        load_template(folder / "CellCounts.wsp")


def test_convert__scale_without_equivalent(shared: Path, tmp_path: Path) -> None:
    """FlowJo's biexponential is no scale of Gating-ML; the error says what holds it."""
    path = shared / "data" / "flowjo_simple_diamond" / "test_data_diamond_biex_rect.wsp"
    with pytest.raises(InterchangeError, match=r"the scale Biex has no equivalent in Gating-ML.*Write TOML instead"):
        convert(path, tmp_path / "out.xml")
    assert not (tmp_path / "out.xml").exists()


def test_gatingml_text__open_cut_point() -> None:
    """A cut point that waits for data has no place in a file of gates."""
    template = parse_template(
        'name = "open"\nversion = "1"\n[cutpoint.CD3]\nmethod = "mindensity"\n'
        '[[population]]\nname = "T"\nphenotype = "CD3+"'
    )
    with pytest.raises(InterchangeError, match=r"cut point 'CD3' has no position until the data place it.*Gate a file"):
        gatingml_text(template)


@pytest.mark.parametrize("ending", [".wsp", ".csv", ".json", ""])
def test_convert__other_targets(ending: str, tmp_path: Path) -> None:
    """Only TOML and Gating-ML are written."""
    with pytest.raises(InterchangeError, match="templates are written as TOML or Gating-ML only"):
        convert("tbnk", tmp_path / f"out{ending}")


def test_load_template__unknown_ending(tmp_path: Path) -> None:
    """An ending that no template has lists those that are read."""
    with pytest.raises(TemplateError, match=r"expected \.toml, \.xml, \.wsp, \.csv, got \.json"):
        load_template(tmp_path / "template.json")


def test_load_template__sample_of_a_template() -> None:
    """Only a workspace has samples."""
    with pytest.raises(TemplateError, match="only a FlowJo workspace has samples"):
        load_template("tbnk", sample="Tube 1")


@pytest.mark.parametrize("seed", range(4))
def test_load_template__damaged_files(seed: int, shared: Path, tmp_path: Path) -> None:
    """Files with pieces lost, doubled or exchanged are read or refused; nothing else happens."""
    data = shared / "data"
    sources = [
        data / "isac_gatingml" / "gml" / "gml_all_gates.xml",
        data / "flowjo_simple_line" / "single_ellipse_51_events.wsp",
    ]
    rng = random.Random(seed)
    for source in sources * 20:
        pieces = re.split(rb'([\s"<>=/]+)', source.read_bytes())
        for _ in range(rng.choice((1, 2, 5))):
            place = rng.randrange(len(pieces) - 40)
            pieces[place : place + rng.randrange(3)] = rng.choice(([], [b"NaN"], [rng.choice(pieces)], [b"-1"]))
        damaged = tmp_path / f"damaged{source.suffix}"
        damaged.write_bytes(b"".join(pieces))
        try:
            template = load_template(damaged)
        except TemplateError:
            continue
        assert template.populations
