"""Signing for parties: an Ed25519 key each, its seed sealed so that a table dump signs nothing.

The platform signs on behalf of a party when one of its members says so on a page or through the
API, or on a standing authority the party gave (a listing that accepts its own offer). The message
is `earnest-<purpose>/1\\n<digest>\\n`: a signature for one purpose is worthless for another.
"""

import base64
from datetime import datetime

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, transaction

from pacts.models import Party, Signature, SigningKey, User


def message(*, purpose: str, digest: str) -> bytes:
    """The exact bytes that are signed."""
    return f"earnest-{purpose}/1\n{digest}\n".encode()


def _seal() -> Fernet:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"earnest signing keys/1").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def key_of(party: Party) -> SigningKey:
    """The party's key in use, made at the first signature."""
    found = SigningKey.objects.filter(party=party, retired_at=None).first()
    if found:
        return found
    private = Ed25519PrivateKey.generate()
    try:
        with transaction.atomic():
            return SigningKey.objects.create(
                party=party,
                public_key=private.public_key().public_bytes_raw(),
                sealed_seed=_seal().encrypt(private.private_bytes_raw()),
            )
    except IntegrityError:  # somebody made it between our look and our insert
        return SigningKey.objects.get(party=party, retired_at=None)


def sign(
    *,
    party: Party,
    purpose: Signature.Purpose,
    digest: str,
    by: User | None,
    authority: str,
    now: datetime,
) -> Signature:
    """Sign `digest` for `party`; signing the same digest again returns the first signature.

    `authority` names what allowed it: the role of the member, or the id of a standing order.
    """
    found = Signature.objects.filter(party=party, purpose=purpose, digest=digest).first()
    if found:
        return found
    key = key_of(party)
    private = Ed25519PrivateKey.from_private_bytes(_seal().decrypt(bytes(key.sealed_seed)))
    return Signature.objects.create(
        party=party,
        key=key,
        purpose=purpose,
        digest=digest,
        signature=private.sign(message(purpose=purpose, digest=digest)),
        signed_by=by,
        authority=authority,
        signed_at=now,
    )


def holds(signature: Signature) -> bool:
    """Whether the stored signature verifies under the stored public key."""
    public = Ed25519PublicKey.from_public_bytes(bytes(signature.key.public_key))
    try:
        public.verify(
            bytes(signature.signature),
            message(purpose=signature.purpose, digest=signature.digest),
        )
    except Exception:  # cryptography raises InvalidSignature; anything else is no proof either
        return False
    return True
