"""Pressing twice does it once: each form carries a token, and a token has one effect.

The row is written in the transaction of its effect, so a refused or crashed press leaves nothing
behind and may be pressed again.
"""

import re
import secrets
from collections.abc import Callable
from hashlib import sha256

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from marketplace.models import ReplayedRequest
from marketplace.pages.visitors import user_of
from settlement.retries import retried

FIELD = "idempotency_key"
_TOKEN = re.compile(r"[!-~]{8,80}")
_SPENT = "press_is_spent"
_SKIPPED = {"csrfmiddlewaretoken", FIELD}


class PressTokenMissing(ValueError):
    """The form came without its token; it was not made by a page of this site."""


def new_token() -> str:
    """A token for one form as it is drawn."""
    return secrets.token_urlsafe(18)


def token_of(request: HttpRequest) -> str:
    """The token a form was sent with. Raises `PressTokenMissing`."""
    token = request.POST.get(FIELD, "")
    if not _TOKEN.fullmatch(token):
        raise PressTokenMissing(_("this form has expired; open the page again and press once more"))
    return token


@retried
def press_once(request: HttpRequest, effect: Callable[[], str]) -> str:
    """Run `effect`, which answers where to go next, at most once for this form's token.

    A second press goes where the first one went. Whatever `effect` raises undoes the press.
    A page drawn after this in the same request gives its forms tokens of their own.
    """
    token, caller = token_of(request), f"page:{user_of(request).id}"
    try:
        with transaction.atomic():
            row = ReplayedRequest.objects.create(
                caller=caller, key=token, request_digest=_digest(request), status=303, body=""
            )
            row.body = effect()
            row.save(update_fields=["body"])
    except IntegrityError:
        row = ReplayedRequest.objects.filter(caller=caller, key=token).first()  # type: ignore[assignment]
        if row is None:  # the effect itself broke a rule of the database
            raise
        messages.info(request, _("This was already done; pressing again changed nothing."))
    setattr(request, _SPENT, True)
    return row.body


def token_to_draw(request: HttpRequest) -> str:
    """The token of a form on the page that answers this request: a refused press keeps its own,
    so that it may be pressed again; a spent one would make every button do nothing."""
    kept = request.method == "POST" and not getattr(request, _SPENT, False)
    return (kept and request.POST.get(FIELD, "")) or new_token()


def _digest(request: HttpRequest) -> str:
    sent = [(k, v) for k, vs in sorted(request.POST.lists()) if k not in _SKIPPED for v in vs]
    return sha256(repr((request.path, sent)).encode()).hexdigest()
