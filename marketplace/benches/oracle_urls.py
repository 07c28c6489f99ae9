"""Every address of the site, and a view that returns a constant through the same middleware."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from marketplace.models import OracleAnswer
from marketplace.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@cache
def _bytes() -> bytes:
    row = OracleAnswer.objects.order_by("agent_id").first()
    return row.body.encode() if row else b"{}"


def constant(request: HttpRequest) -> HttpResponse:
    """Bytes that are as many as a document of the oracle has, read once in a process's life."""
    return HttpResponse(_bytes(), content_type="application/json")


def short(request: HttpRequest) -> HttpResponse:
    """Nothing to send at all: what the bytes of a document cost beside it."""
    return HttpResponse(b"{}", content_type="application/json")


# In the API's namespace, so that the access table passes it as it passes the oracle.
_ours = [path("constant", constant, name="constant"), path("short", short, name="short")]
urlpatterns = [
    path("bench/", include((_ours, "api"))),
    *urlpatterns,
]
