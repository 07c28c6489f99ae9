"""Answers when nothing else could answer: unknown addresses, a lost database, a fault of ours."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string

from marketplace.api import errors as problems

RETRY_SECONDS = 5


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "unreadable", "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = str(exception) or "You may not see this."
    return _answer(request, 403, "permission-denied", detail)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, "not-found", problems.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while PostgreSQL is away or refuses for the moment, else 500; never says the cause."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        detail = "The database is out of reach. Send the same request again in a moment."
        response = _answer(request, 503, "database-away", detail)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return _answer(request, 500, "fault", "Something failed on our side, and is in our log.")


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    if problems.is_for_programs(request):
        return problems.as_response(status, code, detail)
    # No request context: it would ask the database that may be the very thing that is away.
    try:
        page = render_to_string(f"{status}.html", {"status": status, "detail": detail})
    except TemplateDoesNotExist:
        page = render_to_string("refusal.html", {"status": status, "detail": detail})
    return HttpResponse(page, status=status)
