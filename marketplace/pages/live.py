"""Pages that stay up to date by asking again: one mechanism, and one answer when nothing changed.

A part of a page inside `<c-live>` asks every few seconds, for its own page or for itself alone at
an address of its own, and says which mark it has seen; whoever has seen the present one is answered
204. `page.js` leaves a part be while the page is hidden or somebody writes in it.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse

Page = Callable[..., HttpResponse]
SEEN = "Live-Seen"
# Forms get a new token each time they are drawn; that is no change.
_TOKENS = re.compile(rb'name="(?:idempotency_key|csrfmiddlewaretoken)" value="[^"]*"')


def mark_of(*facts: object) -> str:
    """A short mark that changes when any of these facts does; they are told apart by `repr`."""
    return _digest(repr(facts).encode())


def minute_of(now: datetime) -> str:
    """A fact that changes every minute, for pages that say how long ago something was, or more
    than a mark can follow."""
    return now.strftime("%d %H:%M")


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]


def unless_seen(request: HttpRequest, mark: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    """Nothing (204) to whoever has seen this mark, in `?seen=` or a header; else what `draw`
    draws, kept by no cache."""
    if mark == request.GET.get("seen", request.headers.get(SEEN)):
        return HttpResponse(status=204)
    response = draw()
    response.headers["Cache-Control"] = "no-store"
    return response


def polled(view: Page) -> Page:
    """Marks a page by what it shows: simple, and as much work each time as showing it."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if not _asks_again(request) or response.status_code != 200:
            return response
        response.headers[SEEN] = _digest(_TOKENS.sub(b"", response.content))
        return unless_seen(request, response.headers[SEEN], lambda: response)

    return shown


def polled_by(mark: Callable[..., str]) -> Callable[[Page], Page]:
    """Marks a page by a few facts, found with a query or two: whoever has seen them makes no other
    work. `mark` takes what the view takes, and like it raises Http404 for what is not there."""

    def decorate(view: Page) -> Page:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            found = mark(request, *args, **kwargs)
            request.live_mark = found  # type: ignore[attr-defined]  # <c-live> sends it back

            def draw() -> HttpResponse:
                response = view(request, *args, **kwargs)
                response.headers[SEEN] = found
                return response

            return unless_seen(request, found, draw) if _asks_again(request) else draw()

        return shown

    return decorate


def _asks_again(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers
