"""Sealing what identifies a patient."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytorecon.errors import IntegrityError
from cytorecon.study.patient import mark, seal, unseal

KEYS = st.binary(min_size=32, max_size=32)


@given(KEYS, st.text(alphabet=st.characters(exclude_characters="\0"), max_size=200))
def test_seal__is_undone_by_its_key(key: bytes, text: str) -> None:
    """What is sealed comes back whole."""
    assert text == unseal(key, seal(key, text))


@given(KEYS, st.integers(0, 111), st.integers(1, 255))
def test_unseal__notices_every_changed_byte(key: bytes, position: int, change: int) -> None:
    """A changed byte or another key is an error, never another name."""
    sealed = bytearray(base64.b64decode(seal(key, "Ivanova")))
    sealed[position] ^= change
    with pytest.raises(IntegrityError, match="name and key do not fit"):
        unseal(key, base64.b64encode(sealed).decode())


def test_seal__hides_length_and_repetition() -> None:
    """Two names look alike, and one name never looks the same twice."""
    key = bytes(32)
    assert len(seal(key, "Li")) == len(seal(key, "Ivanova-Petrova"))
    assert seal(key, "Li") != seal(key, "Li")
    assert mark(key, "Li") != mark(bytes([1] * 32), "Li")
