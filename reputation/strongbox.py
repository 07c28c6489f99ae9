"""Secrets at rest: sealed under keys derived from SECRET_KEY, one per purpose.

`SECRET_KEY_FALLBACKS` opens what was sealed under an earlier SECRET_KEY.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


class SealBroken(Exception):
    """The seal does not open: SECRET_KEY changed, and SECRET_KEY_FALLBACKS lacks the old one."""


def seal(*, purpose: str, secret: bytes) -> bytes:
    """The secret, encrypted and authenticated for this purpose alone."""
    return _box(purpose).encrypt(secret)


def unseal(*, purpose: str, sealed: bytes) -> bytes:
    """What was sealed for this purpose. Raises SealBroken."""
    try:
        return _box(purpose).decrypt(sealed)
    except InvalidToken:
        raise SealBroken(
            f"a seal for {purpose} does not open; put the earlier SECRET_KEY in "
            "SECRET_KEY_FALLBACKS"
        ) from None


def _box(purpose: str) -> MultiFernet:
    return _box_of(purpose, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=16)
def _box_of(purpose: str, *secrets: str | bytes) -> MultiFernet:
    return MultiFernet([Fernet(_derived(purpose, secret)) for secret in secrets])


def _derived(purpose: str, secret: str | bytes) -> bytes:
    key = HKDF(hashes.SHA256(), 32, salt=None, info=f"earnest {purpose}".encode())
    return base64.urlsafe_b64encode(key.derive(force_bytes(secret)))
