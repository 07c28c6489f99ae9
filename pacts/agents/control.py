"""Proof that a builder controls an endpoint: a token served from the endpoint's own origin."""

import hmac

from pacts.egress import Egress, EgressError, parse_url

WELL_KNOWN = "/.well-known/earnest-control"


def control_proved(*, endpoint: str, token: str, egress: Egress) -> tuple[bool, str]:
    """Whether `<origin>/.well-known/earnest-control` serves exactly the token (white space around
    it aside), and if not, a sentence saying what was found there. Never raises for their fault."""
    if not token:
        return False, "There is no token to look for."
    try:
        reply = egress.get(parse_url(endpoint).at(WELL_KNOWN), headers={"Accept": "text/plain"})
    except EgressError as error:
        return False, f"The endpoint's host could not be asked: {error}."
    if reply.status != 200:
        return False, f"The endpoint's host answered {reply.status}."
    if not hmac.compare_digest(reply.body.strip(), token.encode()):
        return False, "The endpoint's host serves another text."
    return True, ""
