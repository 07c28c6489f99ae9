"""What a final ruling teaches names nobody: neither who acts, nor who acted, nor whose tasks."""

import pytest

from pacts.disputes import precedents
from pacts.models import Member, Party, Precedent
from settlement import desk
from tests import cast
from tests.settlement.disputed import Case

pytestmark = pytest.mark.django_db


def test_a_published_precedent_names_nobody_of_the_case_past_or_present() -> None:
    case = Case("under_review")
    made, owner = case.made, Party.objects.create(name="Kestrel Data")
    sets = made.milestone.task_set_version.task_set
    sets.owner = owner
    sets.save(update_fields=["owner"])
    left = cast.mallory()
    Member.objects.create(party=made.bob.party, user=left.user, role=Member.Role.EDITOR)
    Member.objects.get(party=made.bob.party, user=left.user).delete()
    desk.rule(
        dispute=case.dispute,
        adjudicator=case.erin,
        award_bps=2_500,
        clauses=["accuracy"],
        reasons="Alice & Co asked, Bob & Co answered through Mallory (mallory@example.org, +49 30 "
        "1234567), Erin read the tasks of Kestrel Data at https://example.org/x: a quarter is due.",
        now=case.now,
    )
    case.nothing_is_wrong()
    text = Precedent.objects.get().reasons
    for name in ("Alice", "Bob", "Mallory", "Erin", "Kestrel", "example.org", "1234567"):
        assert name.lower() not in text.lower(), text
    assert "a quarter is due" in text
    for word in ("quarter", '"a quarter is due"'):
        assert precedents.search(query=word).exists()
    assert not precedents.search(query="Mallory").exists()
