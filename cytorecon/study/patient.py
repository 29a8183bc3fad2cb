"""Patients in a ledger: records know them by a token; names lie apart, under keys that can be destroyed.

A name is enciphered with a key of its patient's own (HMAC-SHA-256 in counter mode, then a tag over the result).
The enciphered text is part of the chain; the key is not, so deleting it makes every name, file name and comment of that
patient unreadable while every hash stays valid.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cytorecon.errors import IntegrityError
from cytorecon.study import chain

_BLOCK = 32
_NONCE = 16
_PADDED = 64


def seal(key: bytes, text: str) -> str:
    """Encipher a text; its length is hidden up to multiples of 64 bytes."""
    plain = text.encode("utf-8", "surrogatepass")
    plain += b"\0" * (-len(plain) % _PADDED)
    nonce = secrets.token_bytes(_NONCE)
    hidden = nonce + _xor(plain, key, nonce)
    return base64.b64encode(hidden + _tag(key, hidden)).decode()


def unseal(key: bytes, sealed: str) -> str:
    """Decipher what `seal` made.

    Raises
    ------
    IntegrityError
        The text or the key was changed.
    """
    data = base64.b64decode(sealed)
    hidden, tag = data[:-_BLOCK], data[-_BLOCK:]
    if not hmac.compare_digest(tag, _tag(key, hidden)):
        raise IntegrityError("patient", "name and key do not fit", remedy="Restore the ledger from a backup.")
    return _xor(hidden[_NONCE:], key, hidden[:_NONCE]).rstrip(b"\0").decode("utf-8", "surrogatepass")


def _xor(data: bytes, key: bytes, nonce: bytes) -> bytes:
    count = -(-len(data) // _BLOCK)
    stream = b"".join(hmac.digest(key, b"cipher" + nonce + i.to_bytes(8, "big"), "sha256") for i in range(count))
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
    return mixed.to_bytes(len(data), "big")


def _tag(key: bytes, hidden: bytes) -> bytes:
    return hmac.digest(key, b"tag" + hidden, "sha256")


def mark(key: bytes, text: str) -> str:
    """Fingerprint of a text that says nothing without the patient's key."""
    return hmac.digest(key, b"mark" + text.encode("utf-8", "surrogatepass"), "sha256").hex()


@dataclass
class Patients:
    """Who is who in a ledger up to some record.

    Parameters
    ----------
    names
        Token -> present name; a token whose key was destroyed has none.
    tokens
        Every name ever given -> token.
    keys
        Token -> key.
    into
        Token -> token it was merged into.
    """

    names: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    into: dict[str, str] = field(default_factory=dict)

    def standing(self, token: str) -> str:
        """Token that stands for this one after merging."""
        while token in self.into:
            token = self.into[token]
        return token

    def standing_identity(self, identity: str) -> str:
        """Identity of a sample after merging: the same text with the standing patient's token."""
        if not self.into:
            return identity
        token, *rest = json.loads(identity)
        return chain.canonical([self.standing(token), *rest])

    def label(self, token: str) -> str:
        """Name to show: that of the patient it was merged into; a forgotten patient is a number."""
        token = self.standing(token)
        return self.names.get(token) or f"forgotten-{token[:12]}"


def read_patients(connection: sqlite3.Connection, as_of: int | None = None) -> Patients:
    """Read who is who, up to a sequence number; keys are always those of now."""
    keys = {token: bytes(key) for token, key in connection.execute("SELECT token, key FROM secret")}
    patients = Patients(keys=keys)
    where = "record.template IS NULL AND record.kind IN ('patient', 'rename', 'merge') AND record.sequence <= ?"
    for body in chain.bodies(connection, where, (2**62 if as_of is None else as_of,)):
        token = body["token"]
        if body["kind"] == "merge":
            patients.into[token] = body["into"]
        elif token in keys:
            name = unseal(keys[token], body["sealed"])
            patients.names[token] = name
            patients.tokens[name] = token
    return patients


def add_patients(connection: sqlite3.Connection, names: Iterable[str]) -> Patients:
    """Record every patient not known yet, inside a transaction, and return all."""
    patients = read_patients(connection)
    for name in sorted(set(names) - patients.tokens.keys()):
        token, key = secrets.token_hex(16), secrets.token_bytes(_BLOCK)
        connection.execute("INSERT INTO secret (token, key) VALUES (?, ?)", (token, key))
        chain.append(connection, {"kind": "patient", "token": token, "sealed": seal(key, name)})
        patients.keys[token], patients.names[token], patients.tokens[name] = key, name, token
    return patients


def unsealed(patients: Patients, token: str, sealed: str) -> Mapping[str, object]:
    """Read the part of a record that may identify its patient; empty once the key is destroyed."""
    key = patients.keys.get(token)
    found: Mapping[str, object] = json.loads(unseal(key, sealed)) if key else {}
    return found
