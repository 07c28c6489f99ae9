"""What every answer goes through: a request id, the security policy, the access table."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from marketplace import access, errors
from marketplace.acting import acting_of

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
# The back office's theme evaluates expressions in its attributes and styles its charts inline.
# Only staff get there, and nothing on those pages comes unescaped from strangers.
OFFICE_POLICY = POLICY | {
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
}


# What shrinks when it is compressed; events must leave at once, one by one.
TEXTS = re.compile(r"(?!text/event-stream)text/.+|application/(problem\+)?json|image/svg\+xml")


class TextCompressionMiddleware(GZipMiddleware):
    """Sends texts compressed to whoever takes that, with random padding against guesses at what
    their lengths tell (Django's answer to BREACH); archives and papers go as they are."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if not TEXTS.fullmatch(kind):
            return response
        return super().process_response(request, response)


def written(policy: dict[str, str]) -> str:
    """The value of a Content-Security-Policy header."""
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class RequestIdMiddleware:
    """Names each request: by the caller's own `X-Request-Id` where it is harmless, else afresh."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        request.META["EARNEST_REQUEST_ID"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class SecurityPolicyMiddleware:
    """Says what a page may load: our own files and nothing inline."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = OFFICE_POLICY if request.path.startswith("/office/") else POLICY
        response.setdefault("Content-Security-Policy", written(policy))
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


class AccessMiddleware:
    """Asks the access table before any page; the API asks it once it knows whose key it is.

    Sets `request.acting`, whom the page is shown to (None for nobody).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """The refusal, or None to go on."""
        if "\x00" in request.path:  # no text of PostgreSQL holds it, so nothing has this address
            raise Http404
        route = request.resolver_match.view_name if request.resolver_match else ""
        if route.startswith("api:"):
            return None
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise Http404
        # The log is the same for everybody: who asks is not looked up, so caches may keep it.
        who = None if route.startswith("log:") else acting_of(request)
        request.acting = who  # type: ignore[attr-defined]
        methods = access.methods_of(route)
        if methods is None:
            raise PermissionDenied(f"The route {route!r} is not in the access table.")
        rule = access.rule_of(route, request.method or "")
        if rule is None:
            return errors.not_allowed(request, sorted({*methods, "HEAD"}))
        answer = rule.answer(request.acting)  # type: ignore[attr-defined]
        if answer is access.Answer.WHO_ARE_YOU:
            return redirect_to_login(_way_back(request, methods), "account_login")
        if answer is access.Answer.NO:
            raise PermissionDenied(rule.sentence(for_programs=False))
        return None


def _way_back(request: HttpRequest, methods: access.Methods) -> str:
    """Where signing in leads: here, or to the page of the form if this address shows nothing."""
    if "GET" in methods:
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    return came_from.path if came_from.netloc == request.get_host() and came_from.path else "/"
