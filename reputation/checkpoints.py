"""Signed heads of the log: what everybody is shown, and nobody can take back.

Before a head is signed the tree must prove that it begins with the head signed before: a log that
was rewritten below us is never signed again.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from reputation import keys, merkle, notes, tiles
from reputation.models import Checkpoint, Cosignature, LogEntry

_LOCK = 0x68656164  # "head"
# A head is signed when there is news and the last one is this old: well within ten seconds.
EVERY = timedelta(seconds=2)


class LogRewritten(Exception):
    """The log no longer begins with what was signed; nothing is signed until somebody looked."""


def size() -> int:
    """How many entries the log has, signed or not."""
    last = LogEntry.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


def newest() -> Checkpoint | None:
    """The largest signed head."""
    return Checkpoint.objects.order_by("-size").first()


def sign_when_due(*, now: datetime) -> Checkpoint | None:
    """Sign the log as it is, if it grew and the last head is old enough; else None.

    Raises LogRewritten, and SealBroken where the key cannot be opened.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (mine,) = cursor.fetchone()
        last = newest()
        if not mine or (last and last.signed_at + EVERY > now):
            return None
        return _sign(last=last, now=now)


def sign_now(*, now: datetime) -> Checkpoint:
    """The head of the log as it is at this moment, signed unless it is already.

    Raises as `sign_when_due` does.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = newest()
        signed = _sign(last=last, now=now) or last
        assert signed is not None, "the first head is always news"
        return signed


def newest_or_first(*, now: datetime) -> Checkpoint:
    """The newest head; where nothing was ever signed, the present one. Raises LogRewritten."""
    return newest() or sign_now(now=now)


def text_of(checkpoint: Checkpoint) -> str:
    """The checkpoint as a signed note, with every cosignature that came so far."""
    lines = Cosignature.objects.filter(checkpoint=checkpoint).order_by("witness")
    return checkpoint.note + "".join(line.line for line in lines)


def head_of(checkpoint: Checkpoint) -> notes.Head:
    """What the checkpoint states."""
    return notes.Head(checkpoint.key.origin, checkpoint.size, bytes(checkpoint.root))


def _sign(*, last: Checkpoint | None, now: datetime) -> Checkpoint | None:
    grown = size()
    if last and last.size == grown:
        return None
    root = _proved_root(last, grown)
    key = keys.key_in_use(now=now)
    head = notes.Head(key.origin, grown, root)
    note = keys.sign(key=key, text=head.text)
    return Checkpoint.objects.create(
        size=grown,
        root=root,
        key=key,
        note=str(note),
        tail=_tail(last.size if last else 0, grown),
        signed_at=now,
    )


def _tail(signed: int, grown: int) -> bytes:
    """The new leaf hashes that lie behind the last complete tile; each is in one tail at most."""
    first = max(signed, grown - grown % merkle.TILE_WIDTH)
    return tiles.row(level=0, first=first, count=grown - first) if first < grown else b""


def _proved_root(last: Checkpoint | None, grown: int) -> bytes:
    root = merkle.root_at(size=grown, read=tiles.read)
    if last is None:
        return root
    try:
        merkle.verify_consistency(
            old=last.size,
            old_root=bytes(last.root),
            new=grown,
            new_root=root,
            proof=merkle.consistency_proof(old=last.size, new=grown, read=tiles.read),
        )
    except (merkle.ProofInvalid, merkle.OutsideTree) as error:
        raise LogRewritten(
            f"{error}; run `manage.py audit`, which names the first bad entry"
        ) from error
    return root
