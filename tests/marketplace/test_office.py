"""The back office: staff read everything, history is changed by nobody, others see nothing."""

from typing import Any

import pgtrigger
import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from marketplace.models import ApiKey, Listing
from pacts.models import User
from settlement.models import DifferenceResolution
from tests import cast
from tests.marketplace.market import Market, one_of_everything

pytestmark = pytest.mark.django_db

OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in ("reputation", "pacts", "settlement", "marketplace")
]


@pytest.fixture
def market() -> Market:
    return one_of_everything()


@pytest.fixture
def staff() -> Client:
    browser = Client()
    browser.force_login(cast.actor("dora", is_staff=True).user)
    return browser


def test_every_list_and_every_row_can_be_looked_at(market: Market, staff: Client) -> None:
    for model in OURS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page = staff.get(reverse(f"{name}_changelist"), {"q": "a"})
        assert page.status_code == 200, model
        row = model._default_manager.first()
        if row is not None:
            shown = staff.get(reverse(f"{name}_change", args=[row.pk]))
            assert shown.status_code == 200, (model, row)


def test_nothing_is_added_changed_or_deleted(market: Market, staff: Client) -> None:
    for model in OURS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        # Settling a difference adds a row with its reason, and that is all the office adds.
        expected = 200 if model is DifferenceResolution else 403
        assert staff.get(reverse(f"{name}_add")).status_code == expected, model
        row = model._default_manager.first()
        if row is not None:
            for what in ("change", "delete"):
                address = reverse(f"{name}_{what}", args=[row.pk])
                assert staff.post(address, {"post": "yes"}).status_code == 403, (model, what)


# All that is not history, and what of it the office does: everything else only looks.
MAY = {
    "pacts.User": {"change"},  # superusers name staff and adjudicators, and switch accounts off
    "settlement.DifferenceResolution": {"add"},  # a difference is settled once, with a reason
    "account.EmailAddress": {"add", "change", "delete"},  # how people sign in
    "mfa.Authenticator": {"add", "change", "delete"},
}
ACTIONS = {"marketplace.ApiKey": {"revoke"}, "marketplace.Listing": {"suspend", "lift"}}
ACTIONS |= {"pacts.EvaluatorOffer": {"end"}, "account.EmailAddress": {"make_verified"}}
DOORS = ("add", "change", "delete")


def of_root(rf: RequestFactory) -> HttpRequest:
    """Asked by who may do everything there is to do."""
    request = rf.get("/office/")
    request.user = cast.actor("root", is_staff=True, is_superuser=True).user
    return request


def open_doors(one: Any, request: HttpRequest) -> set[str]:
    return {what for what in DOORS if getattr(one, f"has_{what}_permission")(request)}


def test_no_page_of_the_office_adds_changes_or_deletes_history_not_even_for_a_superuser(
    rf: RequestFactory,
) -> None:
    request = of_root(rf)
    for model, page in admin.site._registry.items():
        label = model._meta.label
        assert open_doors(page, request) == MAY.get(label, set()), label
        for rows in page.get_inline_instances(request):
            assert open_doors(rows, request) == set(), (label, rows)
        offered = set(page.get_actions(request)) - {"delete_selected"}
        assert offered == ACTIONS.get(label, set()), (label, offered)
        assert not page.list_editable, label


def test_what_the_database_calls_append_only_is_looked_at_in_the_office_and_nothing_else(
    rf: RequestFactory,
) -> None:
    request, registered = of_root(rf), admin.site._registry
    frozen: set[Any] = {
        model
        for model, trigger in pgtrigger.registered()
        if trigger.name in ("append_only", "never_removed", "texts_erased_only")
    }
    assert len(frozen) > 20
    shown = {model for model in frozen if model in registered}
    assert len(shown) > 10
    for model in shown:
        doors = open_doors(registered[model], request)
        assert doors <= {"add"}, model
        assert "delete_selected" not in registered[model].get_actions(request), model


def test_secrets_are_not_on_any_page(market: Market, staff: Client) -> None:
    key = ApiKey.objects.get(pk=market.ids["key"])
    page = staff.get(reverse("admin:marketplace_apikey_change", args=[key.pk]))
    assert key.secret_digest not in page.content.decode()


def test_whoever_is_not_staff_is_refused_and_nobody_is_sent_to_log_in() -> None:
    browser = Client()
    assert browser.get("/office/")["Location"].startswith("/accounts/login/")
    browser.force_login(cast.mallory().user)
    assert browser.get("/office/").status_code == 403


def test_staff_suspend_a_listing_and_lift_it_to_paused(market: Market, staff: Client) -> None:
    address = reverse("admin:marketplace_listing_changelist")
    listing = Listing.objects.get(pk=market.ids["listing"])
    for action, state in (("suspend", "suspended"), ("lift", "paused")):
        staff.post(address, {"action": action, "_selected_action": [listing.pk]})
        listing.refresh_from_db()
        assert listing.state == state


def test_staff_revoke_a_key_that_leaked(market: Market, staff: Client) -> None:
    address = reverse("admin:marketplace_apikey_changelist")
    staff.post(address, {"action": "revoke", "_selected_action": [market.ids["key"]]})
    assert ApiKey.objects.get(pk=market.ids["key"]).revoked_at is not None


def test_only_a_superuser_names_adjudicators(staff: Client) -> None:
    person = cast.mallory().user
    address = reverse("admin:pacts_user_change", args=[person.pk])
    fields = {"name": "Mallory", "is_active": "on", "is_adjudicator": "on"}
    chief = Client()
    chief.force_login(cast.actor("root", is_staff=True, is_superuser=True).user)
    for browser, allowed in ((staff, False), (chief, True)):
        browser.post(
            address,
            {
                **fields,
                **{
                    f"{rows}-{what}_FORMS": 0
                    for rows in ("memberships", "past_memberships")
                    for what in ("TOTAL", "INITIAL")
                },
            },
        )
        assert User.objects.get(pk=person.pk).is_adjudicator is allowed
