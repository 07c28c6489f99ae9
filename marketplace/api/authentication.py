"""Who is asking: an API key, or a browser's session with its CSRF token."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from marketplace.acting import Acting, acting_by_key, acting_of
from marketplace.keys import key_with
from pacts.models import User
from reputation.clock import database_now

SCHEMES = {"bearer", "api-key"}


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ek_…`, or `Api-Key ek_…`. `request.auth` says whom it acts for."""

    def authenticate(self, request: Request) -> tuple[User, Acting] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in SCHEMES:
            return None
        key = key_with(secret=secret.strip(), now=database_now())
        acting = acting_by_key(key) if key else None
        if acting is None:
            raise AuthenticationFailed(
                "This API key is unknown, expired or revoked; issue another one."
            )
        return acting.user, acting

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="earnest"'


class BrowserAuthentication(SessionAuthentication):
    """A logged-in browser; anything but reading needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        return (found[0], acting_of(request._request)) if found else None
