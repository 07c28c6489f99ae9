"""The platform's signing key: an Ed25519 seed sealed in the database, a public half for everybody.

A retired key's row stays, so receipts it signed stay verifiable. The seal is derived from
SECRET_KEY; `SECRET_KEY_FALLBACKS` opens seals made under an earlier one.
"""

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reputation import strongbox
from settlement.models import PlatformKey

PURPOSE = "platform keys/1"


class PlatformKeyUnreadable(Exception):
    """The seal does not open: SECRET_KEY changed, and SECRET_KEY_FALLBACKS lacks the old one."""


def key_in_use() -> PlatformKey:
    """The key that signs receipts now, made at the first one."""
    found = PlatformKey.objects.filter(retired_at=None).first()
    if found:
        return found
    private = Ed25519PrivateKey.generate()
    new = PlatformKey(
        public_key=private.public_key().public_bytes_raw(),
        sealed_seed=strongbox.seal(purpose=PURPOSE, secret=private.private_bytes_raw()),
    )
    PlatformKey.objects.bulk_create([new], ignore_conflicts=True)
    return PlatformKey.objects.get(retired_at=None)


def public_keys() -> dict[str, str]:
    """Every key that ever signed a receipt, id → 32 bytes in hex, oldest first."""
    rows = PlatformKey.objects.order_by("created_at").values_list("id", "public_key")
    return {key_id: bytes(public).hex() for key_id, public in rows}


def sign(*, key: PlatformKey, message: bytes) -> bytes:
    """64 bytes. Raises PlatformKeyUnreadable."""
    return sign_all(key=key, messages=[message])[0]


def sign_all(*, key: PlatformKey, messages: Iterable[bytes]) -> list[bytes]:
    """64 bytes for each, opening the seal once. Raises PlatformKeyUnreadable."""
    try:
        seed = strongbox.unseal(purpose=PURPOSE, sealed=bytes(key.sealed_seed))
    except strongbox.SealBroken:
        raise PlatformKeyUnreadable(
            f"the seal of {key.pk} does not open; put the earlier SECRET_KEY in "
            "SECRET_KEY_FALLBACKS, or retire this key"
        ) from None
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return [private.sign(message) for message in messages]
