"""Who is replied to hears of it, as each of them wants to, and nobody else does."""

import pytest

from marketplace.models import Incident, Mail, News, Notice
from marketplace.notices import saying
from pacts.models import User
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.consequences.lately import told
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import browser_of
from tests.marketplace.test_replies import say

pytestmark = pytest.mark.django_db


def heard(user: User, kind: str = "finding.replied") -> list[News]:
    """What a person was told of replies, the oldest first."""
    rows = Notice.objects.filter(user=user, news__kind=kind).order_by("news__index")
    return [row.news for row in rows.select_related("news")]


@pytest.fixture
def quiet() -> Market:
    """Everything so far was told."""
    market = one_of_everything()
    while told():
        continue
    Notice.objects.all().delete()
    Mail.objects.all().delete()
    return market


def test_the_buyer_hears_in_the_app_and_by_mail_that_a_builder_replied(quiet: Market) -> None:
    say(quiet, "Three of the tasks had two right answers.")
    told()
    (news,) = heard(quiet.alice.user)
    assert saying.title(news) == "The builder of Doubler changed its reply to a finding"
    assert news.path == f"/evaluations/{quiet.ids['evaluation']}/#replies"
    assert Mail.objects.filter(user=quiet.alice.user, news=news, due_at__isnull=False).exists()
    assert "right answers" not in saying.title(news) + str(news.words)
    assert heard(quiet.bob.user) == [], "who said it knows"
    assert not Notice.objects.exclude(user=quiet.alice.user).filter(news=news).exists()
    page = browser_of(quiet.alice).get("/notices/").content.decode()
    assert "The builder of Doubler changed its reply to a finding" in page


def test_who_has_an_incident_to_deal_with_hears_of_a_reply_to_it(quiet: Market) -> None:
    incident = Incident.objects.get(pk=quiet.ids["incident"])
    assert incident.owner_party_id in (quiet.alice.party.pk, quiet.bob.party.pk)
    dora = cast.actor("dora")
    Incident.objects.filter(pk=incident.pk).update(owner_party=dora.party)
    say(quiet, "The provider was down; we moved.", about=incident)
    told()
    for person in (quiet.alice, dora):
        (news,) = heard(person.user)
        assert saying.title(news) == "The builder of Doubler replied to a finding"
        assert news.path == f"/incidents/{incident.pk}/#replies"
    assert heard(quiet.bob.user) == []


def test_who_wants_no_word_of_replies_gets_none_and_says_so_by_program(quiet: Market) -> None:
    program = program_of(quiet.alice)
    asked = [{"topic": "reply", "channel": one, "wanted": False} for one in ("app", "mail")]
    answer = program.ask("PUT", "/api/v1/notices/choices", {"choices": asked})
    assert answer.status_code == 200, answer.content
    say(quiet, "Read the third task again.")
    told()
    assert heard(quiet.alice.user) == []
    assert not Mail.objects.filter(user=quiet.alice.user).exists()
    assert News.objects.filter(party=quiet.alice.party, kind="finding.replied").count() == 2
