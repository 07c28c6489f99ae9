"""One disputed milestone between alice and bob, and three adjudicators."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now as clock

from pacts import disputes
from pacts.models import Dispute, Milestone, User
from tests import cast
from tests.pacts.test_engagements import offer

Opener = Callable[..., Dispute]


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture
def milestone(alice: cast.Actor, bob: cast.Actor) -> Milestone:
    return offer(alice, bob).milestones.get()


@pytest.fixture
def carol() -> User:
    return cast.carol().user


@pytest.fixture
def erin() -> User:
    return cast.actor("erin", is_adjudicator=True).user


@pytest.fixture
def open_by(milestone: Milestone) -> Opener:
    def opened(actor: cast.Actor, **changes: Any) -> Dispute:
        fields: dict[str, Any] = {
            "milestone": milestone,
            "ground": Dispute.Ground.SCOPE,
            "statement": "That was not what we agreed on.",
            "now": clock(),
        }
        with transaction.atomic():
            return disputes.open_dispute(party=actor.party, by=actor.user, **fields | changes)

    return opened


@pytest.fixture
def case(alice: cast.Actor, open_by: Opener) -> Dispute:
    return open_by(alice)
