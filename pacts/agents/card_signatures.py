"""Whether a signed agent card says what its signer signed.

A card's `signatures` are JSON Web Signatures (RFC 7515) over its canonical JSON (RFC 8785) without
that member. The key is looked up under `kid` in the key set the protected header names as `jku`,
and only where that set lies on the agent's own host: a key from anywhere else proves nothing.
Source: the A2A specification, "Agent Card Signing".
"""

import base64
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pacts.egress import Egress, EgressError, parse_url
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, canonical

ALGORITHMS = ("ES256", "ES384", "Ed25519", "EdDSA", "RS256", "PS256")
MOST_SIGNATURES = 5
Signed = Literal["unsigned", "unchecked", "verified"]


class SignatureDoesNotFit(ValueError):
    """The card is signed, and what was signed is not this card; the message says so."""


def check_signatures(card: Mapping[str, JsonValue], *, host: str, egress: Egress) -> Signed:
    """`verified` when a key of the agent's own host signed exactly this card, `unchecked` when no
    such key is named. Raises SignatureDoesNotFit."""
    found = card.get("signatures")
    signatures = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if not signatures:
        return "unsigned"
    payload = canonical({name: value for name, value in card.items() if name != "signatures"})
    for one in signatures[:MOST_SIGNATURES]:
        keys = _keys(str(one.get("protected", "")), host, egress)
        if keys is not None:
            _verify(one, payload, keys)
            return "verified"
    return "unchecked"


def _keys(protected: str, host: str, egress: Egress) -> KeySet | None:
    """The key set that the header names, if it lies on the agent's host and can be read."""
    place = _header(protected).get("jku")
    if not isinstance(place, str):
        return None
    try:
        if (urlsplit(place).hostname or "") != host:
            return None
        reply = egress.get(parse_url(place))
        read = parse_json(reply.body) if reply.status == 200 else None
        return KeySet.import_key_set(read) if isinstance(read, dict) else None  # type: ignore[arg-type]
    except (EgressError, MalformedJson, JoseError, ValueError, KeyError, TypeError):
        return None


def _verify(one: Mapping[str, JsonValue], payload: bytes, keys: KeySet) -> None:
    body = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    compact = f"{one.get('protected', '')}.{body}.{one.get('signature', '')}"
    try:
        jws.deserialize_compact(compact, keys, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, KeyError) as error:
        raise SignatureDoesNotFit(
            "the card is signed, and the signature does not fit its text; "
            "ask for the card again, or have it signed anew"
        ) from error


def _header(protected: str) -> Mapping[str, JsonValue]:
    try:
        header = parse_json(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    except ValueError:  # MalformedJson and broken base64 are such
        return {}
    return header if isinstance(header, dict) else {}
