"""The bell: what one was told, what one wants to hear of, and the link in a mail."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from marketplace.models import NoticeChoice
from marketplace.notices import choices, telling
from marketplace.notices.topics import TOPICS
from marketplace.pages.attempts import attempt_button
from marketplace.pages.live import unless_seen
from marketplace.pages.visitors import find, user_of
from marketplace.pages.wording import bell_count
from reputation.clock import database_now

PER_PAGE = 30


def notices(request: HttpRequest) -> HttpResponse:
    """What one was told, the newest first."""
    user = user_of(request)
    unread = request.GET.get("unread") == "1"
    rows = telling.notices_of(user)
    page = Paginator(rows.filter(read_at=None) if unread else rows, PER_PAGE)
    context = {
        "page": page.get_page(request.GET.get("page")),
        "unread": unread,
        "waiting": telling.unread_of(user),
        "query": "unread=1&" if unread else "",
    }
    return render(request, "notices/notices.html", context)


def notices_unread(request: HttpRequest) -> HttpResponse:
    """The bell alone; nothing (204) while it says the same."""
    count = bell_count(telling.unread_of(user_of(request)))
    return unless_seen(
        request, count, lambda: render(request, "notices/bell.html", {"bell_count": count})
    )


def notice(request: HttpRequest, notice_id: str) -> HttpResponse:
    """Go to what a notice is about; it has been read then."""
    user = user_of(request)
    found = find(telling.notices_of(user), pk=notice_id)
    telling.mark_read(user=user, now=database_now(), notices=[found.pk])
    return redirect(found.news.path)


def notices_read(request: HttpRequest) -> HttpResponse:
    """Everything was read."""

    def read() -> str:
        telling.mark_read(user=user_of(request), now=database_now())
        return reverse("notices")

    return attempt_button(request, read, back=reverse("notices"))


def notice_choices(request: HttpRequest) -> HttpResponse:
    """What one wants to hear of, topic by topic and channel by channel."""
    user = user_of(request)

    def choose() -> str:
        now = database_now()
        before = choices.choices_of(user)
        for (topic, channel), was in before.items():
            wanted = f"{topic}.{channel}" in request.POST
            if wanted != was:
                choices.choose(user=user, topic=topic, channel=channel, wanted=wanted, now=now)
        messages.success(request, _("Saved."))
        return reverse("notice_choices")

    if request.method == "POST":
        return attempt_button(request, choose, back=reverse("notice_choices"))
    chosen = choices.choices_of(user)
    channels = NoticeChoice.Channel
    context = {
        "channels": [label for _, label in channels.choices],
        "rows": [
            {
                "title": topic.title,
                "about": topic.about,
                "cells": [
                    {"name": f"{key}.{value}", "label": label, "on": chosen[(key, value)]}
                    for value, label in channels.choices
                ],
            }
            for key, topic in TOPICS.items()
        ],
    }
    return render(request, "notices/choices.html", context)


@csrf_exempt
def notice_off(request: HttpRequest, token: str) -> HttpResponse:
    """End one topic's mails by the signed link in one of them. Looking at it ends nothing: mail
    programs open links by themselves. RFC 8058 sends the POST, without a session."""
    try:
        user, topic = choices.read_off_token(token)
    except choices.ChoiceRefused:
        raise Http404 from None
    if request.method == "POST":
        choices.choose(
            user=user, topic=topic, channel=choices.MAIL, wanted=False, now=database_now()
        )
    context = {"topic": TOPICS[topic], "done": request.method == "POST"}
    return render(request, "notices/off.html", context)
