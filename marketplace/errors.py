"""Answers when nothing else could answer: unknown addresses, a lost database, a fault of ours."""

import sys
from collections.abc import Iterable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext_noop as _noop

from marketplace import labels
from marketplace.api import errors as problems

RETRY_SECONDS = 5
TOO_MANY_SECONDS = 60


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "unreadable", _noop("The request could not be read."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = str(exception) or _noop("You may not see this.")
    return _answer(request, 403, "permission-denied", detail)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, "not-found", problems.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while PostgreSQL is away or refuses for the moment, else 500; never says the cause."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        detail = _noop("The database is out of reach. Send the same request again in a moment.")
        response = _answer(request, 503, "database-away", detail)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    detail = _noop("Something failed on our side, and is in our log.")
    return _answer(request, 500, "fault", detail)


def not_allowed(request: HttpRequest, methods: Iterable[str]) -> HttpResponse:
    """405 with what is allowed: most often a form's address that was opened as a page."""
    detail = _noop("This address takes what a form sends, and shows nothing by itself.")
    response = _answer(request, 405, "method-not-allowed", detail)
    response["Allow"] = ", ".join(methods)
    return response


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """429: somebody, or a program, tried too often."""
    detail = _noop("That was tried too often. Wait a minute, then try again; nothing was changed.")
    response = _answer(request, 429, "too-many-requests", detail)
    response["Retry-After"] = str(TOO_MANY_SECONDS)
    return response


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without the token of this session: nothing was done with it."""
    detail = _noop("This form is from an earlier session or from elsewhere, so nothing was done.")
    return _answer(request, 403, "permission-denied", detail, form=True)


def _answer(
    request: HttpRequest, status: int, code: str, detail: str, **facts: object
) -> HttpResponse:
    if problems.is_for_programs(request):
        return problems.as_response(status, code, detail)
    # No request context: it would ask the database that may be the very thing that is away.
    looks = request.method in ("GET", "HEAD")
    again = escape_leading_slashes(request.get_full_path()) if looks else ""
    context = {"status": status, "detail": labels.said(detail), "again": again, **facts}
    return HttpResponse(render_to_string("refusal.html", context), status=status)
