"""Every page there is to look at: its route, a sample address, and who looks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.test import Client
from django.urls import reverse

from marketplace import access
from tests import cast
from tests.marketplace.market import Market
from tests.marketplace.pages.browsers import (
    ROUTES,
    address,
    browser,
    browser_of,
    methods,
    visitor_of,
)
from tests.test_access import routes

# What answers no page of the site's own: probes, the log for programs, and other people's design.
ELSEWHERE = ("api:", "admin:", "log:", "healthz", "readyz", "schema", "docs", "rail_webhook")
# These need a state of the session that no address has, or only lead on.
ON_THE_WAY = {
    "account_confirm_login_code",  # sign-in by a mailed code is not offered
    "account_set_password",  # everybody here has one
    "mfa_authenticate",  # walked by whoever is half signed in
    "mfa_download_recovery_codes",  # a file
    "notice_opening",
}
# Addresses of ours that are no page and lead to one.
LEADS_ON = {
    "notice",  # to what it tells of
    "pact_draft",  # to the agent, where no draft waits
}
# Whoever walks a page of allauth; the rest of them are alice's.
ACCOUNTS_OF = {
    "account_login": "visitor",
    "account_signup": "visitor",
    "account_inactive": "visitor",
    "account_email_verification_sent": "visitor",
    "account_confirm_email": "visitor",
    "account_reset_password": "visitor",
    "account_reset_password_done": "visitor",
    "account_reset_password_from_key": "visitor",
    "account_reset_password_from_key_done": "visitor",
    "mfa_deactivate_totp": "bob",
    "mfa_view_recovery_codes": "bob",
    "mfa_generate_recovery_codes": "bob",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One page on the walk; `status` is what it answers."""

    name: str
    path: str
    who: str = "visitor"
    status: int = 200


def itinerary(
    market: Market, people: dict[str, cast.Actor], *, missing: list[str]
) -> Iterator[Stop]:
    """All of them. Of a route without a sample, `missing` says where to add one."""
    yield from _pages(market, people, missing)
    yield from _accounts(people)
    yield from _states(market)


def _pages(market: Market, people: dict[str, cast.Actor], missing: list[str]) -> Iterator[Stop]:
    """The site's own pages. Files, parts of pages and addresses that lead on are left out."""
    names = {actor.user.pk: name for name, actor in people.items()}
    looking: dict[str, Client] = {name: browser_of(actor) for name, actor in people.items()}
    looking["visitor"] = browser()
    for route in ROUTES:
        rule = methods(route).get("GET")
        if rule is None:
            continue
        owner = visitor_of(route, market, people["carol"], people["erin"])
        who = "visitor" if rule.public else names[owner.user.pk]
        try:
            path = address(route, market)
        except AssertionError as error:
            missing.append(str(error))
            continue
        answer = looking[who].get(path)
        if answer.status_code != (302 if route in LEADS_ON else 200):
            to = answer.headers.get("Location", "")
            missing.append(f"{route} at {path} answers {answer.status_code} {to} to {who}")
        if answer.headers.get("Location", "").startswith(str(settings.LOGIN_URL)):
            missing.append(f"{route} at {path} does not know {who}")
        if answer.status_code == 200 and is_page(answer):
            yield Stop(route, path, who)


def is_page(answer: Any) -> bool:
    """A whole page: neither a file nor a part that a page takes in."""
    return not answer.streaming and answer.content.lstrip()[:9].lower() == b"<!doctype"


def _accounts(people: dict[str, cast.Actor]) -> Iterator[Stop]:
    user = people["bob"].user
    mail, _ = EmailAddress.objects.get_or_create(user=user, email=user.email, primary=True)
    keys = {
        "account_confirm_email": {"key": EmailConfirmationHMAC(mail).key},
        "account_reset_password_from_key": {
            "uidb36": user_pk_to_url_str(user),
            "key": default_token_generator.make_token(user),
        },
    }
    for name in sorted({name for name, _, _ in routes()}):
        if not name or name in ROUTES or name in ON_THE_WAY or name.startswith(ELSEWHERE):
            continue
        if "GET" not in (access.methods_of(name) or {}):
            continue
        assert name.startswith(("account_", "mfa_")), (
            f"No sample for the page {name}: add one to tests/browser/stops.py."
        )
        path = reverse(name, kwargs=keys.get(name, {}))
        yield Stop(name, path, ACCOUNTS_OF.get(name, "alice"))


def _states(market: Market) -> Iterator[Stop]:
    """Pages as they are when there is nothing, too much or no leave."""
    yield Stop("market-nothing-found", "/?q=zzzzzzzz")
    yield Stop("market-signed-in", "/", "alice")
    yield Stop("compare-two", "/compare/?agent=doubler&agent=labeller")
    yield Stop("agent-signed-in", "/agents/doubler/", "alice")
    yield Stop("engagement-of-the-builder", address("engagement", market), "bob")
    for nothing in ("engagements", "task_sets", "money", "builder", "notices", "disputes"):
        yield Stop(f"{nothing}-nothing-yet", reverse(nothing), "mallory")
    yield Stop("absent", "/there-is-no-such-page/", status=404)
    yield Stop("absent-for-mallory", address("engagement", market), "mallory", 404)
    yield Stop("shows-nothing", reverse("deposit"), "alice", 405)
    yield Stop("forbidden", reverse("gaming"), "alice", 403)


def give_second_factor(actor: cast.Actor) -> None:
    """The actor's account asks for a code at the next sign-in."""
    TOTP.activate(actor.user, generate_totp_secret())
    RecoveryCodes.activate(actor.user)
