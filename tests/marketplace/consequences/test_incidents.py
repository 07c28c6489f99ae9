"""Violations of one clause are one incident; people follow it until somebody says how it ended."""

from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace.acting import Acting
from marketplace.incidents import handling, opening
from marketplace.models import Incident, IncidentEntry
from pacts.models import Member
from reputation.models import Evidence
from tests import cast
from tests.marketplace.api.programs import Program, colleague, program_of
from tests.marketplace.consequences.lately import breach, broken_hire, critical, told
from tests.pacts.live.hired import called, hire
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

REASON = "The model behind it was replaced by the one that was promised."


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


def acting(actor: cast.Actor, role: str = "owner") -> Acting:
    return Acting(actor.user, actor.party, role)


def lines(incident: Incident) -> list[str]:
    return list(incident.timeline.order_by("id").values_list("what", flat=True))


def test_a_breach_opens_an_incident_that_its_clauses_owner_answers_for(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = broken_hire(alice, bob, owner="buyer")
    incident = Incident.objects.get()
    assert (incident.engagement_id, incident.clause) == (engagement.pk, "form")
    assert (incident.severity, incident.violations) == ("critical", 1)
    assert incident.owner_party == alice.party
    assert lines(incident) == ["opened", "violation"]
    assert Evidence.objects.filter(kind="incident.opened").count() == 1


def test_a_clause_may_name_a_member_by_mail_and_nobody_elses_member(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    cast.mallory()
    broken_hire(alice, bob, owner="alice@example.org")
    assert Incident.objects.get().owner == alice.user
    Incident.objects.all()
    other = hire(
        critical(owner="mallory@example.org"),
        alice=alice,
        bob=bob,
        version=cast.agent_of(bob, name="Other"),
    )
    breach(alice, other)
    found = Incident.objects.get(engagement=other)
    assert (found.owner, found.owner_party) == (None, bob.party)


def test_what_breaks_again_joins_the_open_incident_and_may_make_it_worse(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = broken_hire(alice, bob)
    Incident.objects.update(severity="minor")
    from django.db import transaction

    with transaction.atomic():
        opening.observe(
            kind="window.breached",
            evidence_id=Incident.objects.get().evidence_id,
            subjects={"engagement": engagement.pk},
            facts={"clause": "form", "critical": False, "window": 2},
            now=clock(),
        )
    incident = Incident.objects.get()
    assert (incident.violations, incident.severity) == (2, "major")
    assert lines(incident)[-1] == "worsened"


def test_two_clauses_are_two_incidents(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(critical("form"), called("shape"), alice=alice, bob=bob)
    breach(alice, engagement)
    severities = dict(Incident.objects.values_list("clause", "severity"))
    assert severities == {"form": "critical", "shape": "major"}


@pytest.mark.django_db(transaction=True)
def test_violations_seen_at_once_open_one_incident() -> None:
    from django.db import transaction

    alice, bob = cast.alice(), cast.bob()
    engagement = hire(critical(), alice=alice, bob=bob)
    logged = Evidence.objects.order_by("id")[0].pk

    def see() -> None:
        with transaction.atomic():
            opening.observe(
                kind="window.breached",
                evidence_id=logged,
                subjects={"engagement": engagement.pk},
                facts={"clause": "form", "critical": True, "window": 1},
                now=clock(),
            )

    assert [one for one in in_parallel(4, see) if one is not None] == []
    assert Incident.objects.get().violations == 4


def test_a_resolved_incident_stays_and_the_next_violation_opens_another(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = broken_hire(alice, bob)
    first = Incident.objects.get()
    handling.resolve(
        incident=first, acting=acting(bob), outcome="fixed", reason=REASON, now=clock()
    )
    with pytest.raises(handling.IncidentResolved):
        handling.assign(incident=first, acting=acting(bob), party=bob.party.pk, now=clock())
    from django.db import transaction

    with transaction.atomic():
        opening.observe(
            kind="window.breached",
            evidence_id=first.evidence_id,
            subjects={"engagement": engagement.pk},
            facts={"clause": "form", "critical": True, "window": 2},
            now=clock(),
        )
    assert Incident.objects.count() == 2
    again = Incident.objects.get(resolved_at=None)
    assert "1 earlier" in again.timeline.order_by("id")[0].says


@pytest.mark.parametrize("outcome", ["false_alarm", "accepted"])
def test_that_it_was_nothing_is_the_buyers_word_and_never_the_builders(
    alice: cast.Actor, bob: cast.Actor, outcome: str
) -> None:
    broken_hire(alice, bob)
    incident = Incident.objects.get()
    with pytest.raises(handling.IncidentNotYours):
        handling.resolve(
            incident=incident, acting=acting(bob), outcome=outcome, reason=REASON, now=clock()
        )
    done = handling.resolve(
        incident=incident, acting=acting(alice), outcome=outcome, reason=REASON, now=clock()
    )
    assert (done.outcome, done.reason) == (outcome, REASON)


def test_it_ends_with_a_reason_or_not_at_all(alice: cast.Actor, bob: cast.Actor) -> None:
    broken_hire(alice, bob)
    for outcome, reason in (("fixed", "ok"), ("vanished", REASON)):
        with pytest.raises(handling.IncidentRefused):
            handling.resolve(
                incident=Incident.objects.get(),
                acting=acting(bob),
                outcome=outcome,
                reason=reason,
                now=clock(),
            )
    assert Incident.objects.get().resolved_at is None


def test_it_is_handed_to_members_of_the_two_sides_alone(alice: cast.Actor, bob: cast.Actor) -> None:
    broken_hire(alice, bob)
    mallory = cast.mallory()
    helper = colleague(bob.party, Member.Role.EDITOR)
    incident = Incident.objects.get()
    for party, user in (
        (mallory.party.pk, ""),
        (bob.party.pk, mallory.user.pk),
        (bob.party.pk, alice.user.pk),
    ):
        with pytest.raises(handling.IncidentRefused):
            handling.assign(
                incident=incident, acting=acting(bob), party=party, user=user, now=clock()
            )
    found = handling.assign(
        incident=incident,
        acting=acting(bob),
        party=bob.party.pk,
        user=helper.user.pk,
        now=clock(),
    )
    assert found.owner == helper.user
    assert lines(incident)[-1] == "assigned"


def test_strangers_see_no_incident_and_a_viewer_changes_none(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    broken_hire(alice, bob)
    incident = Incident.objects.get()
    mallory, viewer = cast.mallory(), colleague(alice.party, Member.Role.VIEWER)
    assert program_of(mallory).get(f"incidents/{incident.pk}").status_code == 404
    theirs: Program = program_of(viewer)
    assert theirs.get(f"incidents/{incident.pk}").status_code == 200
    assert theirs.post(f"incidents/{incident.pk}/note", {"text": "hm"}).status_code == 403
    assert IncidentEntry.objects.filter(what="noted").count() == 0


def test_an_incident_is_followed_to_its_end_through_the_api(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    broken_hire(alice, bob)
    buyer, builder = program_of(alice), program_of(bob)
    (found,) = buyer.get("incidents?open=true").json()["results"]
    path = f"incidents/{found['id']}"
    noted = builder.post(f"{path}/note", {"text": "Rolled back to last week's prompt."})
    assert noted.status_code == 201
    over = builder.post(f"{path}/assignment", {"party": bob.party.pk, "user": bob.user.pk})
    assert over.json()["owner"] == bob.user.pk
    ended: Any = builder.post(f"{path}/resolution", {"outcome": "fixed", "reason": REASON})
    assert ended.status_code == 201, ended.content
    told()
    seen = buyer.get(path).json()
    assert (seen["outcome"], seen["reason"]) == ("fixed", REASON)
    assert [one["what"] for one in seen["timeline"]] == [
        *("opened", "violation", "noted", "assigned", "resolved"),
    ]
    again = builder.post(f"{path}/resolution", {"outcome": "fixed", "reason": REASON})
    assert again.status_code == 409
    titles = [one["title"] for one in buyer.get("notices").json()["results"]]
    assert "An incident about Doubler is resolved: fixed" in titles
