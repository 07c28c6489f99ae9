"""Portable credentials: a version's standing as a JWS (RFC 7515, EdDSA) over RFC 8785 JSON.

Anybody verifies one with the keys of `/api/v1/jwks` and looks at its `status` address: a signature
says what the log came to when it was issued, the address whether it still stands.
"""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse

from marketplace.models import StandingCredential
from pacts.models import AgentVersion
from reputation import queries
from reputation.canonical import canonical
from reputation.envelope import instant
from reputation.identifiers import new_id
from reputation.standing import DimensionStanding
from reputation.tallies import METHOD
from settlement import keys

FORMAT = "earnest-standing-credential/1"
LONGEST = timedelta(days=90)
_SHOWN = (
    *("units", "estimate_bps", "lower_bps", "upper_bps", "promise_bps", "floor_bps", "status"),
    *("is_vouched", "buyers"),
)


class CredentialRefused(ValueError):
    """There is nothing to certify, or not for so long; the message says why."""


def issue(
    *,
    agent_version: AgentVersion,
    dimensions: Sequence[str] = (),
    audience: str = "",
    days: int = 30,
    now: datetime,
) -> StandingCredential:
    """Sign what the log says of the version now: of these dimensions, or of all it has.

    `audience` is for whom alone it is meant; "" is everybody. Raises `CredentialRefused`,
    `settlement.keys.PlatformKeyUnreadable`.
    """
    if not timedelta() < timedelta(days=days) <= LONGEST:
        raise CredentialRefused(f"a credential is valid for 1 to {LONGEST.days} days")
    found = queries.standing_of(
        agent_id=agent_version.agent_id, version_id=agent_version.pk, now=now
    )
    wanted = sorted(set(dimensions)) or sorted(found.dimensions)
    proven = {name: one for name, one in found.dimensions.items() if not one.is_new}
    if lacking := [name for name in wanted if name not in proven]:
        raise CredentialRefused(
            f"under 20 units there is no number to certify: {', '.join(lacking)}"
        )
    if not wanted:
        raise CredentialRefused("this version has no settled work yet, so nothing to certify")
    credential = StandingCredential(
        id=new_id("crd"),
        agent_id=agent_version.agent_id,
        agent_version=agent_version,
        audience=audience,
        dimensions=wanted,
        issued_at=now,
        expires_at=now + timedelta(days=days),
    )
    body = _body(credential, {name: _shown(proven[name]) for name in wanted})
    if wanted == sorted(found.dimensions):  # a part of it has no composite
        composite = asdict(found.composite)
        body["composite"] = {name: composite[name] for name in ("shown_bps", "score_bps", "status")}
    credential.text = sign(body)
    credential.save(force_insert=True)
    return credential


def revoke(*, credential: StandingCredential, now: datetime) -> StandingCredential:
    """End it for good; again changes nothing."""
    StandingCredential.objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=now)
    credential.refresh_from_db()
    return credential


def status_of(credential: StandingCredential, *, now: datetime) -> str:
    """`valid`, `expired` or `revoked`. At exactly its end it is still valid."""
    if credential.revoked_at:
        return "revoked"
    return "expired" if now > credential.expires_at else "valid"


def sign(body: dict[str, Any]) -> str:
    """The JWS in its compact form; `kid` names a key of `jwks`."""
    key = keys.key_in_use()
    header = {"alg": "EdDSA", "kid": key.pk, "typ": "JWT"}
    signed = f"{_text(canonical(header))}.{_text(canonical(body))}"
    return f"{signed}.{_text(keys.sign(key=key, message=signed.encode()))}"


def jwks() -> dict[str, list[dict[str, str]]]:
    """Every key that ever signed (RFC 7517, RFC 8037): a retired one still verifies."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": key_id,
                "x": _text(bytes.fromhex(public)),
            }
            for key_id, public in keys.public_keys().items()
        ]
    }


def _body(credential: StandingCredential, dimensions: dict[str, Any]) -> dict[str, Any]:
    status = reverse("api:credential", args=[credential.pk])
    return {
        "format": FORMAT,
        "method": METHOD,
        "iss": settings.PUBLIC_URL,
        "jti": credential.pk,
        "sub": credential.agent_id,
        "agent_version": credential.agent_version_id,
        "iat": int(credential.issued_at.timestamp()),
        "exp": int(credential.expires_at.timestamp()),
        "status": f"{settings.PUBLIC_URL.rstrip('/')}{status}",
        "dimensions": dimensions,
    } | ({"aud": credential.audience} if credential.audience else {})


def _shown(one: DimensionStanding) -> dict[str, Any]:
    shown = {name: getattr(one, name) for name in _SHOWN}
    return shown | {"last_evidence_at": instant(one.last_evidence_at)}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
