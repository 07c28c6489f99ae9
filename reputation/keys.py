"""The log's signing key: an Ed25519 seed sealed in the database, a public half for everybody.

A retired key's row stays, so checkpoints it signed stay verifiable.
"""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from reputation import notes, strongbox
from reputation.models import LogKey

PURPOSE = "log keys/1"


def key_in_use(*, now: datetime) -> LogKey:
    """The key that signs checkpoints now, made at the first one, as is the log's origin."""
    found = LogKey.objects.filter(retired_at=None).first()
    return found or _made(origin=_origin(), now=now)


def rotate(*, now: datetime) -> LogKey:
    """Retire the key in use and make another under the same origin."""
    used = key_in_use(now=now)
    LogKey.objects.filter(pk=used.pk).update(retired_at=now)
    return _made(origin=used.origin, now=now)


def vkeys() -> list[notes.Vkey]:
    """Every key that ever signed a checkpoint, the newest first."""
    return [vkey_of(key) for key in LogKey.objects.order_by("-created_at", "-id")]


def vkey_of(key: LogKey) -> notes.Vkey:
    """The public half, as verifiers of notes write it."""
    return notes.Vkey(key.origin, notes.ED25519, bytes(key.public_key))


def sign(*, key: LogKey, text: str) -> notes.Note:
    """The text as a note signed by this key. Raises SealBroken."""
    seed = strongbox.unseal(purpose=PURPOSE, sealed=bytes(key.sealed_seed))
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return notes.Note(text, (notes.sign(text=text, name=key.origin, key=private),))


def _made(*, origin: str, now: datetime) -> LogKey:
    private = Ed25519PrivateKey.generate()
    seed = strongbox.seal(purpose=PURPOSE, secret=private.private_bytes_raw())
    new = LogKey(
        origin=origin,
        public_key=private.public_key().public_bytes_raw(),
        sealed_seed=seed,
        created_at=now,
    )
    LogKey.objects.bulk_create([new], ignore_conflicts=True)  # another process may be first
    return LogKey.objects.get(retired_at=None)


def _origin() -> str:
    """The name the log has had from its first key on; the setting names only a new log."""
    first = LogKey.objects.order_by("created_at").first()
    return first.origin if first else settings.LOG_ORIGIN
