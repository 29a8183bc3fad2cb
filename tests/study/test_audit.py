"""Every edit of a ledger is found, and the first bad record is named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import xarray as xr
from made import gated, record_all, sample

from cytorecon.errors import IntegrityError, StudyError
from cytorecon.study import Study, read_cube, verify
from cytorecon.study.audit import MAX_PROBLEMS
from cytorecon.study.chain import document
from cytorecon.study.schema import connected


@pytest.fixture
def filled(study: Study) -> Study:
    """A study with four results of two patients, one of them gated again."""
    rows = [sample("P1", -7), sample("P1", 30), sample("P2", 30)]
    record_all(study, [gated(row, (100 + i, 60, 20, 5)) for i, row in enumerate(rows)])
    record_all(study, [gated(sample("P2", 30, wbc_per_ul=4000))])
    return study


@contextmanager
def tampering(study: Study) -> Iterator[sqlite3.Connection]:
    """The ledger as someone opens it who gets around its rules and puts them back."""
    with closing(sqlite3.connect(study.ledger)) as connection:
        rules = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        for name in rules:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for sql in rules.values():
            connection.execute(sql)
        connection.commit()


def rows_of(study: Study) -> list[tuple[int, str, str]]:
    with connected(study.ledger) as connection:
        return connection.execute("SELECT sequence, body, hash FROM record ORDER BY sequence").fetchall()


def flipped(text: str, position: int) -> str:
    """One character made another, of one byte still."""
    return text[:position] + ("x" if text[position] != "x" else "y") + text[position + 1 :]


def test_verify__of_what_was_written_finds_nothing(filled: Study) -> None:
    """A sound ledger is sound, with the number of its records and its head."""
    read_cube(filled, "small")
    found = verify(filled)
    assert ((), None, len(rows_of(filled))) == (found.problems, found.first_bad, found.record_count)
    assert found.head.hash == rows_of(filled)[-1][2]


def test_verify__finds_every_edit_of_a_record(filled: Study) -> None:
    """Any one character of any record's body or hash, changed, is found in that very record."""
    rows = rows_of(filled)
    every = [(n, column, at) for n, *texts in rows for column, text in enumerate(texts) for at in range(len(text))]
    for sequence, column, position in random.Random(1).sample(every, 150):
        name = ("body", "hash")[column]
        original = rows[sequence - 1][1 + column]
        with tampering(filled) as connection:
            try:
                connection.execute(
                    f"UPDATE record SET {name} = ? WHERE sequence = ?", (flipped(original, position), sequence)
                )
            except sqlite3.OperationalError:  # no longer JSON: SQLite's own index refuses it
                continue
        assert sequence == verify(filled).first_bad
        with tampering(filled) as connection:
            connection.execute(f"UPDATE record SET {name} = ? WHERE sequence = ?", (original, sequence))
    assert None is verify(filled).first_bad


def delete(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM record WHERE sequence = 3")


def delete_and_close_the_gap(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM record WHERE sequence = 3")
    connection.execute("UPDATE record SET sequence = sequence - 1 WHERE sequence > 3")


def insert(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE record SET sequence = -sequence - 1 WHERE sequence >= 3")
    connection.execute("UPDATE record SET sequence = -sequence WHERE sequence < 0")
    body = "json_set(body, '$.key', 'other')"
    connection.execute(
        f"INSERT INTO record (sequence, body, hash) SELECT 3, {body}, hash FROM record WHERE sequence = 5"
    )


def swap(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE record SET sequence = -3 WHERE sequence = 3")
    connection.execute("UPDATE record SET sequence = 3 WHERE sequence = 4")
    connection.execute("UPDATE record SET sequence = 4 WHERE sequence = -3")


@pytest.mark.parametrize("tamper", [delete, delete_and_close_the_gap, insert, swap])
def test_verify__finds_deletion_insertion_and_reordering(
    filled: Study, tamper: Callable[[sqlite3.Connection], None]
) -> None:
    """Whatever is done at record 3 is found at record 3."""
    with tampering(filled) as connection:
        tamper(connection)
    assert 3 == verify(filled).first_bad


def test_verify__finds_a_tail_cut_off_by_cubes_and_reports(filled: Study) -> None:
    """A chain cut at its end is sound in itself; what carries its head says otherwise."""
    read_cube(filled, "small")
    head = verify(filled).head
    with tampering(filled) as connection:
        connection.execute("DELETE FROM record WHERE sequence = ?", (head.sequence,))
    by_cube = verify(filled)
    assert (head.sequence, True) == (by_cube.first_bad, "ledger ends at" in by_cube.problems[0].message)
    shutil.rmtree(filled.cubes)
    assert None is verify(filled).first_bad
    assert head.sequence == verify(filled, {head.sequence: head.hash}).first_bad
    assert 2 == verify(filled, {2: "0" * 64}).first_bad


def test_verify__finds_changed_documents_keys_and_rules(filled: Study) -> None:
    """Documents, keys and triggers are covered too."""
    with tampering(filled) as connection:
        connection.execute("UPDATE document SET body = body || ' ' WHERE kind = 'summary'")
    assert "the summary document of record 3 was changed" == verify(filled).problems[0].message
    with tampering(filled) as connection:
        connection.execute("UPDATE document SET body = rtrim(body)")
        connection.execute("DELETE FROM document WHERE kind = 'sheet'")
    assert "the sheet document of record 3 is missing" == verify(filled).problems[0].message


def test_verify__finds_a_changed_or_missing_key(filled: Study) -> None:
    """A key that was changed or lost without a record of forgetting is found."""
    with closing(sqlite3.connect(filled.ledger)) as connection:
        connection.execute("UPDATE secret SET key = zeroblob(32)")
        connection.commit()
        assert "the key of the patient of record 1 was changed" == verify(filled).problems[0].message
        connection.execute("DELETE FROM secret")
        connection.commit()
    assert "is gone, and no record says so" in verify(filled).problems[0].message


def test_verify__finds_rules_taken_away(filled: Study) -> None:
    """A ledger without its append-only rules is not as declared."""
    with closing(sqlite3.connect(filled.ledger)) as connection:
        connection.execute("DROP TRIGGER record_is_not_deleted")
        connection.commit()
    assert "the ledger's record_is_not_deleted is not as this version declares it" == verify(filled).problems[0].message


def test_verify__finds_a_changed_cube(filled: Study) -> None:
    """A count changed in a cube's file is found by building it again."""
    read_cube(filled, "small")
    (path,) = filled.cubes.glob("*.nc")
    samples, cube = xr.load_dataset(path, group="samples"), xr.load_dataset(path)
    cube["event_count"][0, 0, 0, 0] += 1
    cube.to_netcdf(path)
    samples.to_netcdf(path, mode="a", group="samples")
    assert f"{path.name} is not what the ledger's records give" in verify(filled).problems[0].message
    path.write_bytes(b"not netCDF")
    assert "cannot be read" in verify(filled).problems[0].message


def test_verify__any_byte_of_the_file_is_found_or_changes_nothing(filled: Study, tmp_path: Path) -> None:
    """A byte flipped anywhere in the ledger's file is found, unless it lies where nothing is stored."""
    with closing(sqlite3.connect(filled.ledger)) as connection:
        expected = list(connection.iterdump())
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good = filled.ledger.read_bytes()
    generator = random.Random(2)
    found = 0
    for _ in range(150):
        position = generator.randrange(len(good))
        bad = bytearray(good)
        bad[position] ^= 1 << generator.randrange(8)
        folder = tmp_path / "copy"
        folder.mkdir()
        copy = Study(folder)
        copy.ledger.write_bytes(bad)
        try:
            sound = not verify(copy).problems
        except StudyError:
            sound = False
        if sound:
            with closing(sqlite3.connect(copy.ledger)) as connection:
                assert expected == list(connection.iterdump())
        found += not sound
        shutil.rmtree(folder)
    assert found > 20


def test_read_cube__refuses_a_changed_record(filled: Study) -> None:
    """A cube is never built from a record that is not what was written."""
    with tampering(filled) as connection:
        connection.execute("UPDATE record SET body = replace(body, '[100,200,1]', '[101,200,1]')")
    with pytest.raises(IntegrityError, match=r"record \d: is not what was written. Run verify"):
        read_cube(filled, "small")


@pytest.mark.parametrize(
    ("attrs", "message"),
    [({"template_sha256": "f" * 64}, "has no records in the ledger"), ({"template": None}, "cannot be rebuilt")],
)
def test_verify__finds_a_cube_of_something_else(filled: Study, attrs: dict, message: str) -> None:
    """A cube that says it is of another template, or of none, is named."""
    read_cube(filled, "small")
    (path,) = filled.cubes.glob("*.nc")
    samples, cube = xr.load_dataset(path, group="samples"), xr.load_dataset(path)
    cube.attrs = {name: value for name, value in {**cube.attrs, **attrs}.items() if value is not None}
    cube.to_netcdf(path)
    samples.to_netcdf(path, mode="a", group="samples")
    assert f"{path.name} {message}" in verify(filled).problems[0].message


def test_verify__stops_counting_problems_somewhere(study: Study) -> None:
    """A ledger that is wrong all over says so a hundred times, the first record first."""
    record_all(study, [gated(sample(f"P{number}", 1)) for number in range(MAX_PROBLEMS)])
    with tampering(study) as connection:
        connection.execute('UPDATE record SET body = replace(body, \'"user":"\', \'"user":"x\')')
    found = verify(study)
    assert (1, MAX_PROBLEMS) == (found.first_bad, len(found.problems))


def test_document__is_there_and_unchanged(filled: Study) -> None:
    """A document that is missing or changed is never read as if it were right."""
    with connected(filled.ledger) as connection, pytest.raises(IntegrityError, match=r"document 0{12}: is missing"):
        document(connection, "0" * 64)
    with tampering(filled) as connection:
        (digest,) = connection.execute("SELECT sha256 FROM document WHERE kind = 'template'").fetchone()
        connection.execute("UPDATE document SET body = body || ' ' WHERE sha256 = ?", (digest,))
    with connected(filled.ledger) as connection, pytest.raises(IntegrityError, match=f"{digest[:12]}: was changed"):
        document(connection, digest)
