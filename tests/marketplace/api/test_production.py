"""Programs are told: notices of their user, the feed of their party, hooks and deliveries."""

from typing import Any

import pytest

from marketplace.models import Hook, News
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.consequences.lately import broken_hire, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


def test_the_feed_tells_everything_once_and_in_the_order_of_the_log(alice: cast.Actor) -> None:
    broken_hire(alice, cast.bob())
    told()
    program, seen, after = program_of(alice), [], -1
    while page := program.get(f"feed?after={after}").json()["messages"]:
        seen += [one["index"] for one in page]
        after = page[-1]["index"]
    mine = News.objects.filter(party=alice.party).order_by("index")
    assert seen == list(mine.values_list("index", flat=True))
    assert seen == sorted(set(seen))
    kinds = {one.kind for one in mine}
    assert {"window.breached", "incident.opened"} <= kinds


def test_a_feed_holds_nothing_of_others_and_refuses_what_is_no_place(alice: cast.Actor) -> None:
    broken_hire(alice, cast.bob())
    stranger = program_of(cast.mallory())
    assert stranger.get("feed").json() == {"messages": [], "next": -1}
    for after in ("x", "1e9", "--1", "9" * 40, "١"):
        assert stranger.get(f"feed?after={after}").status_code == 400


def test_notices_are_read_and_chosen_by_the_user_behind_the_key(alice: cast.Actor) -> None:
    broken_hire(alice, cast.bob())
    program = program_of(alice)
    unread = program.get("notices?unread=true").json()["results"]
    assert unread[0]["read_at"] is None
    one = program.post("notices/readings", {"notices": [unread[0]["id"]]})
    assert one.json() == {"read": 1}
    assert program.post("notices/readings").json() == {"read": len(unread) - 1}
    wanted = {"topic": "violation", "channel": "mail", "wanted": False}
    chosen = program.ask("PUT", "notices/choices", {"choices": [wanted]}).json()["choices"]
    assert wanted in chosen
    assert len(chosen) == len(program.get("notices/choices").json()["choices"])
    wrong = wanted | {"topic": "weather"}
    assert program.ask("PUT", "notices/choices", {"choices": [wrong]}).status_code == 400


def test_a_hooks_secret_is_told_once_and_never_replayed(alice: cast.Actor) -> None:
    program = program_of(alice)
    body = {"url": "https://receiver.example/told", "topics": ["violation"]}
    made = program.post("hooks", body, **{"Idempotency-Key": "same"})
    again = program.post("hooks", body, **{"Idempotency-Key": "same"})
    assert made.status_code == again.status_code == 201
    assert made.json()["secret"] != again.json()["secret"]
    hook = made.json()["hook"]["id"]
    assert "secret" not in program.get(f"hooks/{hook}").json()
    assert program.post(f"hooks/{hook}/secrets").json()["secret"].startswith("whsec_")
    assert program.post("hooks", body | {"topics": ["weather"]}).status_code == 400
    assert program.post("hooks", {"url": "ftp://receiver.example/"}).status_code == 422


def test_a_test_is_queued_repeated_and_shown_with_its_tries(alice: cast.Actor) -> None:
    program = program_of(alice)
    hook = program.post("hooks", {"url": "https://receiver.example/told"}).json()["hook"]["id"]
    first = program.post(f"hooks/{hook}/trial").json()
    assert (first["kind"], first["state"], first["tries"]) == ("hook.tried", "waiting", [])
    again = program.post(f"deliveries/{first['id']}/repetition").json()
    assert again["message_id"] == first["message_id"]
    listed = program.get(f"deliveries?hook={hook}").json()["results"]
    assert {one["id"] for one in listed} == {first["id"], again["id"]}
    ended = program.ask("DELETE", f"hooks/{hook}")
    assert ended.json()["off_because"] == "by_party"
    assert program.post(f"hooks/{hook}/trial").status_code == 409
    assert Hook.objects.get().off_at is not None
