#!/usr/bin/env python3
"""Verify evidence by yourself: Python 3.11 and `cryptography`, nothing of the platform.

    python3 verify.py BUNDLE.json [--key VKEY] [--witness VKEY]... [--seen FILE]...

BUNDLE.json  what `…/bundle` gave you: envelopes, proofs, a signed checkpoint
--key        the log's key as you know it from elsewhere; else the bundle's own word is taken
--witness    a witness's key whose cosignature you insist on
--seen       a receipt (JSON) or a checkpoint (text) you kept: the log must still begin with it

Exit 0: everything holds; 1: the last line says what does not. Formats: RFC 6962; C2SP signed-note,
tlog-checkpoint, tlog-cosignature."""

import argparse
import hashlib
import json
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def read_key(vkey: str) -> tuple[str, bytes, int, bytes]:
    """A vkey `name+id+base64(type ‖ key)` as (name, id, type, key)."""
    name, key_id, encoded = vkey.strip().split("+", 2)
    raw = b64decode(encoded)
    check(sha256(name.encode(), b"\n", raw)[:4].hex() == key_id, f"the id of {vkey} is wrong")
    return name, bytes.fromhex(key_id), raw[0], raw[1:]


def signed_by(note: str, vkey: str) -> bool:
    """Whether the key signed the note: no signature is False, a wrong one is refuted."""
    text, _, lines = note.rpartition("\n\n")
    name, key_id, kind, public = read_key(vkey)
    for mark, signer, encoded in (line.split(" ") for line in lines.splitlines()):
        raw = b64decode(encoded)
        if (mark, signer, raw[:4]) != ("—", name, key_id):
            continue
        message, signature = f"{text}\n", raw[4:]
        if kind == 4:  # a witness signs the time as well
            seconds, signature = int.from_bytes(raw[4:12], "big"), raw[12:]
            message = f"cosignature/v1\ntime {seconds}\n{message}"
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message.encode())
        except InvalidSignature:
            raise ValueError(f"the signature of {name} is wrong") from None
        return True
    return False


def read_head(note: str, vkeys: list[str]) -> tuple[int, bytes]:
    """(size, root) that a checkpoint states, signed by one of the log's keys."""
    origin, size, root = note.split("\n")[:3]
    signed = [signed_by(note, vkey) for vkey in vkeys if read_key(vkey)[0] == origin]
    check(any(signed), "a checkpoint is not signed by the log's key")
    return int(size), b64decode(root)


def included(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 6962 2.1.1), taking steps off the proof."""
    if size == 1:
        return leaf
    middle = 1 << (size - 1).bit_length() - 1
    if index < middle:
        return sha256(b"\x01", included(leaf, index, middle, proof), proof.pop(0))
    inner = included(leaf, index - middle, size - middle, proof)
    return sha256(b"\x01", proof.pop(0), inner)


def extended(old: int, new: int, known: bytes | None, proof: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of both sizes that a consistency proof leads to (RFC 6962 2.1.2)."""
    if old == new:
        known = known or proof.pop(0)
        return known, known
    middle = 1 << (new - 1).bit_length() - 1
    if old <= middle:
        before, after = extended(old, middle, known, proof)
        return before, sha256(b"\x01", after, proof.pop(0))
    before, after = extended(old - middle, new - middle, None, proof)
    left = proof.pop(0)
    return sha256(b"\x01", left, before), sha256(b"\x01", left, after)


def check_entry(entry: dict[str, Any], size: int, root: bytes) -> None:
    """One piece of evidence: its place in the log, and its private part where it was given."""
    envelope, proof = entry["envelope"].encode(), [b64decode(step) for step in entry["proof"]]
    said = json.loads(envelope)
    check(said["id"] == entry["id"], f"{entry['id']} is not what its envelope says")
    check(0 <= entry["index"] < size, f"index {entry['index']} is outside the log")
    found = included(sha256(b"\x00", envelope), entry["index"], size, proof)
    check(found == root and not proof, f"{entry['id']} does not lead to the signed root")
    if private := entry.get("private"):
        opened = sha256(bytes.fromhex(private["salt"]), private["payload"].encode())
        said_so = said.get("commitment") == f"sha256:{opened.hex()}"
        check(said_so, f"the payload of {entry['id']} is not the committed one")


def check_seen(path: str, bundle: dict[str, Any], vkeys: list[str]) -> None:
    """The head in a receipt or checkpoint somebody kept: the log must still begin with it."""
    note = Path(path).read_text("utf-8")
    if note.lstrip().startswith("{"):
        body = json.loads(note)
        note = (json.loads(body["body"]) if "body" in body else body)["log"]["checkpoint"]
    (old, old_root), (new, root) = read_head(note, vkeys), read_head(bundle["checkpoint"], vkeys)
    proofs = {one["from"]: one["proof"] for one in bundle["consistency"] if one["to"] == new}
    check(old <= new, f"the log has {new} entries, and {old} were signed before")
    check(old in (0, new) or old in proofs, f"no proof from size {old}; ask for ?since={old}")
    proof = [b64decode(step) for step in proofs[old]] if 0 < old < new else []
    found = extended(old, new, old_root, proof) if old else (sha256(), root)
    said = f"the log of {new} entries does not begin with the {old} that were signed"
    check(found == (old_root, root) and not proof, said)


def verify(bundle: dict[str, Any], key: str | None, witnesses: list[str], seen: list[str]) -> str:
    vkeys = [key] if key else bundle["log_keys"]
    size, root = read_head(bundle["checkpoint"], vkeys)
    for vkey in [*witnesses, *bundle["witness_keys"]]:
        cosigned = signed_by(bundle["checkpoint"], vkey)
        check(cosigned or vkey not in witnesses, f"{read_key(vkey)[0]} did not cosign")
    for entry in bundle["entries"]:
        check_entry(entry, size, root)
    for path in seen:
        check_seen(path, bundle, vkeys)
    return f"{len(bundle['entries'])} entries and {len(seen)} earlier heads hold at size {size}\n"


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Verify evidence offline; see the top of the file.")
    asked.add_argument("bundle")
    asked.add_argument("--key")
    for many in ("--witness", "--seen"):
        asked.add_argument(many, action="append", default=[])
    given = asked.parse_args()
    try:
        content = json.loads(Path(given.bundle).read_text("utf-8"))
        sys.stdout.write(verify(content, given.key, given.witness, given.seen))
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as fault:
        sys.exit(f"refuted: {fault}" if isinstance(fault, ValueError) else f"refuted: {fault!r}")
