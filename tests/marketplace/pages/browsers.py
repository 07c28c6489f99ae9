"""Browsers of the cast, and the addresses of all pages."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from marketplace import access
from marketplace.acting import PARTY_IN_SESSION
from marketplace.pages.urls import urlpatterns
from pacts.models import Member, User
from tests.cast import Actor
from tests.marketplace.market import Market

ROUTES = [str(pattern.name) for pattern in urlpatterns]
TOKEN = re.compile(r'name="idempotency_key" value="([^"]+)"')
# What the parts of addresses name, by route argument.
ARGUMENTS = {
    "engagement_id": "engagement",
    "search_id": "saved-search",
    "evaluation_id": "evaluation",
    "milestone_id": "milestone",
    "receipt_id": "receipt",
    "deposit_id": "deposit",
    "payout_id": "payout",
    "task_set_id": "task-set",
    "task_set_version_id": "task-set-version",
    "offer_id": "evaluator-offer",
    "cancellation_id": "cancellation",
    "dispute_id": "dispute",
    "evidence_id": "evidence",
    "control_id": "control",
    "firing_id": "firing",
    "version_id": "pact-version",
    "party_id": "party",
    "credential_id": "credential",
    "key_id": "key",
    "run_id": "imported-run",
    "template": "pact-template",
    "kind": "check",
    "jury_id": "jury",
    "review_id": "review",
    "notice_id": "notice",
    "token": "off-token",
    "hook_id": "hook",
    "delivery_id": "delivery",
    "incident_id": "incident",
    "route_id": "route",
    "shadow_id": "shadow",
    "replay_id": "replay",
    "call_id": "call",
    "sheet_id": "task-sheet",
    "asked_id": "asked-pact",
    "tryout_id": "tryout",
    "need_id": "need",
    "archive_id": "archive",
    "sealed_id": "sealed-offer",
    "exhibit_id": "exhibit",
    "precedent_id": "precedent",
    "report_id": "agreement-report",
    "suspicion_id": "suspicion",
    "policy_id": "policy",
    "meter_id": "meter",
    "negotiation_id": "negotiation",
    "proposal_id": "proposal",
    "window_id": "meter-window",
    "rehearsal_id": "rehearsal",
    "reply_id": "reply",
}

# Pages of the other side of the same market: for bob, not alice.
BUILDERS = {
    "need_offer",
    "need_offer_withdrawal",
    "builder_agent",
    "version_new",
    "import_new",
    "claim_new",
    "pact_new",
    "pact_draft",
    "pact_forecast",
    "readiness",
    "earnings",
    "evaluation_reply",
    "incident_reply",
    "reply_erasure",
    "earnings_file",
    "prospects",
    "ping",
    "dry_run_new",
    "adversarial_new",
    "proposal_acceptance",
    "proposal_decline",
    "rehearsal",
    "rehearsal_live",
    "rehearsal_deletion",
    "listing",
    "credential_new",
    "credential_end",
    "listing_pause",
    "control",
    "publication",
    "revision",
    "control_new",
    "control_one",
    "control_change",
    "control_retirement",
    "control_review",
    "firing",
    "firing_override",
    "firing_resolution",
    "firing_re_evaluation",
}


def side_of(route: str, market: Market) -> Actor:
    """Whose page or form it is in the market: alice's, unless it is a builder's."""
    return market.bob if route in BUILDERS else market.alice


def visitor_of(route: str, market: Market, carol: Actor, erin: Actor) -> Actor:
    """For whom a page is: an adjudicator, the platform's staff, or a side of the market."""
    rule = methods(route).get("GET") or methods(route)["POST"]
    if not (rule.roles or rule.users or rule.public):
        return carol if rule.adjudicators else erin
    return side_of(route, market)


def browser(user: User | None = None) -> Client:
    """A browser, signed in if a user is given."""
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client


def browser_of(actor: Actor) -> Client:
    """A browser that acts for the actor's own party."""
    client = browser(actor.user)
    session = client.session
    session[PARTY_IN_SESSION] = actor.party.id
    session.save()
    return client


def member_of(actor: Actor, role: str) -> Client:
    """A browser of a new member of the actor's party in this role."""
    user = User.objects.create_user(email=f"{role}-{actor.party.id[-6:]}@example.org")
    Member.objects.create(party=actor.party, user=user, role=role)
    return browser(user)


def address(route: str, market: Market) -> str:
    """The address of a route about what is in the market."""
    pattern = next(one for one in urlpatterns if one.name == route)
    values: dict[str, Any] = {}
    for name in pattern.pattern.converters:
        if name == "slug":
            values[name] = "doubler"
        elif name == "member_id":
            values[name] = Member.objects.get(party=market.alice.party, user=market.alice.user).pk
        else:
            noun = ARGUMENTS.get(name, "")
            assert noun in market.ids, (
                f"No sample for <{name}> of the page {route}: let `one_of_everything` in "
                "tests/marketplace/market.py make one and put its id under a noun of its own, "
                "then say which noun it is in ARGUMENTS of tests/marketplace/pages/browsers.py."
            )
            values[name] = market.ids[noun]
    return reverse(route, kwargs=values)


def methods(route: str) -> access.Methods:
    """The row of a route in the access table."""
    found = access.methods_of(route)
    assert found is not None, f"{route} has no row"
    return found


def token_in(response: Any) -> str:
    """The token of the first form on a page."""
    found = TOKEN.search(response.content.decode())
    assert found, "the page has no form with a token"
    return found[1]
