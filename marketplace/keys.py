"""API keys: issued once in clear, stored as a digest, revoked at any time."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from marketplace.models import ApiKey
from pacts.models import Engagement, Party, User

PREFIX = "ek_"
USE_IS_NOTED_EVERY = timedelta(minutes=1)
OVERLAP = timedelta(hours=24)


class KeyRefused(ValueError):
    """The key cannot be issued; the message says what to change."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key and, this once, its secret in clear."""

    key: ApiKey
    secret: str


def issue_key(
    *,
    party: Party,
    user: User,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
    engagement: Engagement | None = None,
) -> IssuedKey:
    """A new key of 256 random bits that acts for `party` as `user`; with an `engagement` it only
    reports that one's production calls. Raises `KeyRefused`."""
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(ApiKey.Scope.values):
        raise KeyRefused(f"choose at least one scope of {', '.join(ApiKey.Scope.values)}")
    if expires_at is not None and expires_at <= now:
        raise KeyRefused("the key would expire in the past; choose a later moment")
    if engagement is not None and wanted != [ApiKey.Scope.CALLS]:
        raise KeyRefused("a key of one engagement reports its calls: give it the scope calls alone")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        party=party,
        user=user,
        name=name,
        secret_digest=ApiKey.digest_of(secret),
        scopes=wanted,
        expires_at=expires_at,
        engagement=engagement,
    )
    return IssuedKey(key, secret)


def revoke_key(*, key: ApiKey, now: datetime) -> ApiKey:
    """End a key at once; ending it again changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    key.refresh_from_db()
    return key


def key_with(*, secret: str, now: datetime) -> ApiKey | None:
    """The key in force that has this secret; notes its use at most once a minute."""
    if not secret.startswith(PREFIX) or not secret.isascii():
        return None
    found = (
        ApiKey.objects.select_related("user", "party")
        .filter(Q(expires_at=None) | Q(expires_at__gte=now), revoked_at=None)
        .filter(secret_digest=ApiKey.digest_of(secret))
        .first()
    )
    if found and (found.last_used_at is None or now - found.last_used_at > USE_IS_NOTED_EVERY):
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def rotate_key(*, key: ApiKey, by: User, now: datetime) -> IssuedKey:
    """A successor that may do exactly what the key may, as the same user; the key itself works on
    for OVERLAP (or to its own end, if that is sooner), so that programs change over in between.

    A key acts as whoever made it, so nobody else is handed its successor. Raises `KeyRefused` for
    somebody else's key and for one that is not in force.
    """
    with transaction.atomic():
        held = ApiKey.objects.select_for_update().get(pk=key.pk)
        if held.user_id != by.pk:
            raise KeyRefused(
                "a key acts as whoever made it, and only they rotate it; end it and issue your own"
            )
        if held.revoked_at is not None or (held.expires_at and held.expires_at < now):
            raise KeyRefused("this key is over; issue a new one")
        issued = issue_key(
            party=held.party,
            user=held.user,
            name=held.name,
            scopes=held.scopes,
            now=now,
            expires_at=held.expires_at,
            engagement=held.engagement,
        )
        ends = now + OVERLAP
        held.expires_at = min(held.expires_at, ends) if held.expires_at else ends
        held.save(update_fields=["expires_at"])
    return issued
