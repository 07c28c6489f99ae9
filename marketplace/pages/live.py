"""Pages that stay up to date by asking again: one mechanism, and one answer when nothing changed.

A part of a page inside `<c-live>` asks for its own page every few seconds; `page.js` sends what it
last saw, and leaves it be while the page is hidden or somebody types in it.
"""

import re
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse

Page = Callable[..., HttpResponse]
SEEN = "Live-Seen"
# Forms get a new token each time they are drawn; that is no change.
_TOKENS = re.compile(rb'name="(?:idempotency_key|csrfmiddlewaretoken)" value="[^"]*"')


def polled(view: Page) -> Page:
    """Answers 204 to whoever has seen exactly this page already."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if "HX-Request" not in request.headers or response.status_code != 200:
            return response
        digest = sha256(_TOKENS.sub(b"", response.content)).hexdigest()[:16]
        if request.headers.get(SEEN) == digest:
            return HttpResponse(status=204)
        response.headers[SEEN] = digest
        response.headers["Cache-Control"] = "no-store"
        return response

    return shown
