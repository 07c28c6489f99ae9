"""Signed notes, checkpoints, cosignatures, proofs and policies: the text formats of C2SP.

Sources: c2sp.org/signed-note, /tlog-checkpoint, /tlog-cosignature, /tlog-proof. Ed25519 alone.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
MOST_SIGNATURES = 64
MOST_NOTE_BYTES = 64 * 1024
LARGEST_SIZE = 2**63 - 1
_MARK = "— "
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")
PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class NoteMalformed(ValueError):
    """The text is not a signed note, a checkpoint, a proof or a key of the format it claims."""


class SignatureUnknown(ValueError):
    """No signature under the note is by a key we know."""


class SignatureWrong(ValueError):
    """A signature names a key we know, and does not verify."""


@dataclass(frozen=True, slots=True)
class Vkey:
    """A verifier's key: `<name>+<hex key id>+<base64 of type and public key>`."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that, with the name, say which key signed."""
        content = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(content).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it says it is, and its bytes after the key id."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        return f"{_MARK}{self.name} {base64.b64encode(self.key_id + self.content).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint states: the first `size` entries of the log `origin` hash to `root`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The body of the checkpoint, without extensions."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That an entry is at `index` of the log whose checkpoint is `note`."""

    index: int
    hashes: tuple[bytes, ...]
    note: str

    def __str__(self) -> str:
        lines = [PROOF_HEADER, f"index {self.index}", *map(_b64, self.hashes)]
        return "\n".join(lines) + f"\n\n{self.note}"


def read_vkey(text: str) -> Vkey:
    """The key that a vkey says, its id checked. Raises NoteMalformed."""
    name, _, rest = text.strip().partition("+")
    given_id, _, encoded = rest.partition("+")
    content = _bytes(encoded)
    if not _NAME.fullmatch(name) or len(content) != 33 or content[0] not in (ED25519, COSIGNATURE):
        raise NoteMalformed(f"{text[:80]!r} is no Ed25519 key of a note")
    key = Vkey(name, content[0], content[1:])
    if given_id != key.id.hex():
        raise NoteMalformed(f"the id of {text[:80]!r} is not that of its key")
    return key


def sign(*, text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    """An Ed25519 signature of a note's text."""
    vkey = Vkey(name, ED25519, key.public_key().public_bytes_raw())
    return Signature(name, vkey.id, key.sign(text.encode()))


def cosign(*, text: str, name: str, key: Ed25519PrivateKey, seconds: int) -> Signature:
    """A witness's timestamped signature of a checkpoint's text; `seconds` are POSIX time."""
    vkey = Vkey(name, COSIGNATURE, key.public_key().public_bytes_raw())
    signed = key.sign(_cosigned(text, seconds))
    return Signature(name, vkey.id, seconds.to_bytes(8, "big") + signed)


def cosigned_at(signature: Signature) -> int:
    """The POSIX seconds a cosignature states."""
    return int.from_bytes(signature.content[:8], "big")


def read_note(text: str) -> Note:
    """Take a signed note apart; verifies nothing. Raises NoteMalformed."""
    if len(text) > MOST_NOTE_BYTES or any(sign < " " and sign != "\n" for sign in text):
        raise NoteMalformed("the note is too long or holds control characters")
    body, gap, lines = text.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NoteMalformed("a note is a text, an empty line and signatures")
    rows = lines[:-1].split("\n")
    if len(rows) > MOST_SIGNATURES:
        raise NoteMalformed(f"more than {MOST_SIGNATURES} signatures")
    return Note(body + "\n", tuple(read_signature(row) for row in rows))


def read_signature(line: str) -> Signature:
    """One signature line, without its newline. Raises NoteMalformed."""
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    content = _bytes(encoded)
    if not line.startswith(_MARK) or not _NAME.fullmatch(name) or len(content) < 5:
        raise NoteMalformed(f"{line[:80]!r} is no signature line")
    return Signature(name, content[:4], content[4:])


def verified(note: Note, keys: Iterable[Vkey]) -> list[Vkey]:
    """The keys among those given that signed. Raises SignatureUnknown or SignatureWrong.

    Signatures by strangers are passed over; a wrong one by a known key condemns the note.
    """
    known = {(key.name, key.id): key for key in keys}
    found = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not _holds(note.text, signature, key):
            raise SignatureWrong(f"the signature by {key.name} does not verify")
        found.append(key)
    if not found:
        raise SignatureUnknown("no known key signed this note")
    return found


def read_head(text: str) -> Head:
    """What a checkpoint's text states. Raises NoteMalformed."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteMalformed("a checkpoint is an origin, a size and a root, a line each")
    origin, size, root = lines[0], lines[1], _bytes(lines[2])
    if not _NUMBER.fullmatch(size) or int(size) > LARGEST_SIZE or len(root) != 32:
        raise NoteMalformed("the size or the root of the checkpoint is malformed")
    return Head(origin, int(size), root)


def read_checkpoint(text: str, keys: Iterable[Vkey]) -> Head:
    """The head that a checkpoint signed by one of these keys states, origin and signer agreeing.

    Raises NoteMalformed, SignatureUnknown or SignatureWrong.
    """
    note = read_note(text)
    head = read_head(note.text)
    verified(note, [key for key in keys if key.name == head.origin])
    return head


def read_proof(text: str) -> TlogProof:
    """A proof in C2SP's tlog-proof format. Raises NoteMalformed."""
    top, gap, note = text.partition("\n\n")
    lines = top.split("\n")
    if not gap or lines[0] != PROOF_HEADER:
        raise NoteMalformed(f"a proof begins with {PROOF_HEADER}")
    rest = lines[2:] if lines[1:2] and lines[1].startswith("extra ") else lines[1:]
    index = rest[0].removeprefix("index ") if rest else ""
    if not rest or not rest[0].startswith("index ") or not _NUMBER.fullmatch(index):
        raise NoteMalformed("the proof does not say the index")
    return TlogProof(int(index), read_hashes(rest[1:]), note)


def read_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Hashes, one in base64 on each line. Raises NoteMalformed."""
    hashes = tuple(_bytes(line) for line in lines)
    if len(hashes) > 64 or any(len(one) != 32 for one in hashes):
        raise NoteMalformed("a proof holds at most 64 hashes of 32 bytes")
    return hashes


def policy(*, log: Vkey, url: str, witnesses: Sequence[tuple[Vkey, str]]) -> str:
    """A trust policy (C2SP tlog-policy): this log, and every one of these witnesses."""
    lines = [f"log {log} {url}".rstrip()]
    lines += [
        f"witness w{number} {key} {place}".rstrip()
        for number, (key, place) in enumerate(witnesses, 1)
    ]
    names = " ".join(f"w{number}" for number in range(1, len(witnesses) + 1))
    lines += [f"group witnesses all {names}", "quorum witnesses"] if names else ["quorum none"]
    return "\n".join(lines) + "\n"


def _holds(text: str, signature: Signature, key: Vkey) -> bool:
    message, proof = text.encode(), signature.content
    if key.kind == COSIGNATURE:
        message, proof = _cosigned(text, cosigned_at(signature)), signature.content[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(proof, message)
    except InvalidSignature:
        return False
    return True


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(encoded: str) -> bytes:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed(f"{encoded[:80]!r} is not base64") from None
    if _b64(content) != encoded:
        raise NoteMalformed(f"{encoded[:80]!r} is not canonical base64")
    return content
