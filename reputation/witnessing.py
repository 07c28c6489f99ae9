"""What a witness decides (C2SP tlog-witness): pure, for a program that shares nothing with us."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reputation import notes
from reputation.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency

MOST_STEPS = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest head of a log that a witness cosigned; nothing yet is size 0."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Asked:
    """An `add-checkpoint` request whose head was found to continue what was seen."""

    head: notes.Head
    text: str


class Declined(Exception):
    """A head that is not cosigned: the HTTP status of the protocol, and why.

    `size` is what the witness has seen, where the answer must say so. `attested` is True where the
    log's own signature is under what does not fit: that is proof of its misbehaviour.
    """

    def __init__(
        self, status: int, reason: str, *, size: int | None = None, attested: bool = False
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.size = size
        self.attested = attested


def judge(*, body: bytes, logs: Sequence[notes.Vkey], seen: Callable[[str], Seen]) -> Asked:
    """Whether the head in a request continues what this witness saw of its log.

    `logs` are the keys trusted; `seen` answers for an origin. Raises Declined.
    """
    old, steps, note = _taken_apart(body)
    try:
        head = notes.read_head(note.text)
    except notes.NoteMalformed as error:
        raise Declined(400, str(error)) from error
    _check_signature(note, head, logs)
    if old > head.size:
        raise Declined(400, f"the old size {old} is beyond the new size {head.size}")
    before = seen(head.origin)
    if old != before.size:
        reason = f"{before.size} entries were seen, not {old}"
        raise Declined(409, reason, size=before.size, attested=head.size < before.size)
    if old == head.size and before.root != head.root:
        reason = f"two roots of the same {old} entries"
        raise Declined(409, reason, size=before.size, attested=True)
    try:
        verify_consistency(
            old=old, old_root=before.root, new=head.size, new_root=head.root, proof=steps
        )
    except ProofInvalid as error:
        raise Declined(422, str(error)) from error
    return Asked(head, note.text)


def _taken_apart(body: bytes) -> tuple[int, tuple[bytes, ...], notes.Note]:
    try:
        top, gap, checkpoint = body.decode().partition("\n\n")
        lines = top.split("\n")
        old = _OLD.fullmatch(lines[0])
        if not gap or not old or len(lines) - 1 > MOST_STEPS:
            raise Declined(400, "a request is `old <size>`, hashes, an empty line and a checkpoint")
        return int(old[1]), notes.read_hashes(lines[1:]), notes.read_note(checkpoint)
    except (UnicodeDecodeError, notes.NoteMalformed) as error:
        raise Declined(400, f"the request cannot be read: {error}") from error


def _check_signature(note: notes.Note, head: notes.Head, logs: Sequence[notes.Vkey]) -> None:
    known = [key for key in logs if key.name == head.origin]
    if not known:
        raise Declined(404, "this log is not known here")
    try:
        notes.verified(note, known)
    except (notes.SignatureUnknown, notes.SignatureWrong) as error:
        raise Declined(403, str(error)) from error
