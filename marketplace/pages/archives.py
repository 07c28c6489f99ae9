"""Taking everything along: an archive asked for, packed by a worker, downloaded for a week."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.exporting import packing
from marketplace.models import Archive
from marketplace.pages.attempts import attempt_button, sentence
from marketplace.pages.visitors import find, now_of, party_of, user_of
from reputation.clock import database_now
from reputation.hints import hint

MOST_SHOWN = 20


def _own(request: HttpRequest) -> QuerySet[Archive]:
    return Archive.objects.filter(party=party_of(request)).select_related("asked_by")


def archives(request: HttpRequest) -> HttpResponse:
    """The party's archives, newest first; a POST asks for one."""
    if request.method == "POST":
        return attempt_button(request, lambda: _ask(request), back=reverse("archives"))
    rows = list(_own(request)[:MOST_SHOWN])
    waits = any(one.state in ("queued", "packing") for one in rows)
    context = {"archives": rows, "waits": waits, "now": now_of(request)}
    return render(request, "archives/archives.html", context)


def _ask(request: HttpRequest) -> str:
    asked = packing.ask(party=party_of(request), by=user_of(request), now=database_now())
    if asked.state == Archive.State.READY:
        messages.info(request, _(packing.SAME))
        return reverse("archives")
    hint("marketplace.tasks.pack_archives")
    messages.success(request, _("It is being packed. This page shows when it is ready."))
    return reverse("archives")


def archive_zip(request: HttpRequest, archive_id: str) -> HttpResponseBase:
    """The zip itself, streamed; once its time is over, a sentence that says so."""
    row = find(_own(request), pk=archive_id)
    try:
        pieces = packing.pieces_of(row, now=database_now())
    except packing.ArchiveGone as error:
        messages.error(request, sentence(error))
        return redirect("archives")
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="earnest-{row.pk}.zip"'
    response["Content-Length"] = str(row.size)
    response["Cache-Control"] = "no-store"
    return response
