"""Refusals as RFC 9457 problems: `{type, title, status, detail[, errors]}`, and where each is from.

The exceptions of the domain carry sentences that say what to do; `marketplace.refusals` gives each
its status. What is not listed is nobody's answer: it is logged and becomes a bare 500.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from marketplace.api import idempotency
from marketplace.refusals import REFUSALS
from pacts.calls_backlog import TooManyWaiting

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:earnest:problem:"
NOT_FOUND = "Nothing is at this address that you may see."
OF_REQUESTS: dict[type, int] = {
    idempotency.KeyMissing: 400,
    idempotency.KeyMalformed: 400,
    idempotency.KeyReused: 422,
    idempotency.RequestInFlight: 409,
}
STATUS = REFUSALS | OF_REQUESTS
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def respond(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler; None leaves an unknown error to become a 500."""
    body = problem_of(error)
    if body is None:
        return None
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, TooManyWaiting):
        headers["Retry-After"] = str(error.seconds)
    return Response(body, body["status"], headers=headers, content_type=CONTENT_TYPE)


def problem_of(error: Exception) -> dict[str, Any] | None:
    """The problem an exception stands for; None when it is not a refusal."""
    if isinstance(error, Http404 | exceptions.NotFound):
        detail = str(error.detail) if isinstance(error, exceptions.NotFound) else NOT_FOUND
        return problem(404, "not-found", detail)
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    if isinstance(error, exceptions.APIException):
        code = str(error.default_code).replace("_", "-")
        return problem(error.status_code, code, str(error.detail))
    if isinstance(error, DjangoPermissionDenied):
        return problem(403, "permission-denied", str(error) or "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return problem(413, "body-too-large", "The body is too long; send less at a time.")
    if isinstance(error, SuspiciousOperation | UnreadablePostError | RawPostDataException):
        return problem(400, "unreadable", "The request could not be read; check how it is sent.")
    return _refusal(error)


def problem(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """The body of a problem."""
    title = HTTPStatus(status).phrase
    return {"type": TYPE + code, "title": title, "status": status, "detail": detail, **more}


def _refusal(error: Exception) -> dict[str, Any] | None:
    for kind in type(error).__mro__:
        if status := STATUS.get(kind):
            code = _WORD.sub("-", type(error).__name__).lower()
            sentence = str(error)
            detail = sentence[:1].upper() + sentence[1:]
            return problem(status, code, detail if detail.endswith(".") else detail + ".")
    return None


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    found = [{"field": path, "message": message} for path, message in _flat(error.detail, "")]
    return problem(400, "invalid", "Correct the fields named in errors.", errors=found)


def _flat(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            own = "" if key == "non_field_errors" else str(key)
            yield from _flat(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            deeper = f"{path}.{index}" if isinstance(inner, dict | list) else path
            yield from _flat(inner, deeper)
    else:
        yield path, str(detail)


def as_response(status: int, code: str, detail: str) -> JsonResponse:
    """A problem outside of DRF's views: an unknown address, a lost database."""
    return JsonResponse(problem(status, code, detail), status=status, content_type=CONTENT_TYPE)


def is_for_programs(request: HttpRequest) -> bool:
    """Whether an answer to this request should be a problem rather than a page."""
    return request.path.startswith("/api/")
