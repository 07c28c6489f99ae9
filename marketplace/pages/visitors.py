"""Who looks at a page. `marketplace.access` has let them in before any view runs."""

from datetime import datetime
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from marketplace.acting import Acting
from pacts.models import Party, User

Row = TypeVar("Row", bound=Model)


class PageRequest(HttpRequest):
    """A request behind the access table; `acting` is None for a visitor who is not signed in."""

    acting: Acting | None
    htmx: HtmxDetails
    now: datetime


def now_of(request: HttpRequest) -> datetime:
    """The one instant a page speaks of; what it does is decided by the database's own clock."""
    found = getattr(request, "now", None)
    if found is None:
        found = timezone.now()
        request.now = found  # type: ignore[attr-defined]
    return found


def acting_of(request: HttpRequest) -> Acting | None:
    """Whom the page is shown to; None also where no view was reached."""
    return getattr(request, "acting", None)


def party_of(request: HttpRequest) -> Party:
    """The party acted for; routes for roles let nobody in without one."""
    acting = acting_of(request)
    assert acting is not None
    assert acting.party is not None
    return acting.party


def user_of(request: HttpRequest) -> User:
    """The user; routes that are not public let nobody in without one."""
    acting = acting_of(request)
    assert acting is not None
    return acting.user


def authority_of(request: HttpRequest) -> str:
    """What allows this user's signature: the role held in the party."""
    acting = acting_of(request)
    return f"member:{acting.role if acting else 'nobody'}"


def find(rows: QuerySet[Row], **ids: str) -> Row:
    """One row the visitor may see; what is somebody else's answers as if it were not there."""
    try:
        return rows.get(**ids)
    except ObjectDoesNotExist:
        raise Http404 from None
