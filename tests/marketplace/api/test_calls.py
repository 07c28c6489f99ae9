"""The way in of production calls: packed, partly taken, refused in time, scoped, read back."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now as clock

from marketplace.keys import KeyRefused, issue_key
from pacts import calls_backlog
from pacts.models import Call, CallContent, CallShift, Engagement
from pacts.otlp import read_json
from tests import cast
from tests.pacts.live.hired import check, hire, record, stream_of, wrong
from tests.pacts.live.test_otlp import trace

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def secret_of(actor: cast.Actor, *scopes: str, engagement: Engagement | None = None) -> str:
    return issue_key(
        party=actor.party,
        user=actor.user,
        name="k",
        scopes=scopes or ("calls",),
        engagement=engagement,
        now=clock(),
    ).secret


def post(secret: str, records: list[Any], *, packed: bool = True, **headers: str) -> Any:
    body = json.dumps({"format": "earnest-calls/1", "calls": records}).encode()
    named = {"Authorization": f"Bearer {secret}"} | headers
    if packed:
        named["Content-Encoding"] = "gzip"
        body = gzip.compress(body, mtime=0)
    return Client().post("/api/v1/calls", body, content_type="application/json", headers=named)


def ask(secret: str, path: str, method: str = "get", data: Any = None) -> Any:
    named = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    body = {} if data is None else {"data": data, "content_type": "application/json"}
    return getattr(Client(), method)(f"/api/v1/{path}", headers=named, **body)


@pytest.mark.parametrize("packed", [True, False])
def test_a_batch_is_taken_as_far_as_it_goes(
    alice: cast.Actor, bob: cast.Actor, packed: bool
) -> None:
    engagement = hire(alice=alice, bob=bob)
    one = record(engagement)
    answer = post(secret_of(alice), [one, one, record("eng_1"), {"call_id": 7}], packed=packed)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["accepted"], told["duplicates"]) == (1, 1)
    assert [(each["index"], each["code"]) for each in told["refused"]] == [
        (2, "unknown"),
        (3, "malformed"),
    ]


def test_a_key_of_an_engagement_reports_its_calls_and_does_nothing_else(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    other = hire(alice=alice, bob=bob, version=engagement.agent_version)
    secret = secret_of(alice, engagement=engagement)
    assert post(secret, [record(engagement)]).json()["accepted"] == 1
    assert post(secret, [record(other)]).json()["refused"][0]["code"] == "unknown"
    assert ask(secret, "engagements").status_code == 403


def test_a_key_of_an_engagement_takes_no_other_scope(alice: cast.Actor, bob: cast.Actor) -> None:
    with pytest.raises(KeyRefused):
        secret_of(alice, "calls", "money", engagement=hire(alice=alice, bob=bob))


def test_a_key_that_may_only_read_reports_nothing(alice: cast.Actor, bob: cast.Actor) -> None:
    assert post(secret_of(alice, "read"), [record(hire(alice=alice, bob=bob))]).status_code == 403


def test_a_full_queue_says_when_to_come_again(
    alice: cast.Actor, bob: cast.Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engagement, secret = hire(alice=alice, bob=bob), secret_of(alice)
    monkeypatch.setattr(calls_backlog, "MOST_WAITING", 2)
    assert post(secret, [record(engagement) for _ in range(3)]).status_code == 201
    refused = post(secret, [record(engagement)])
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    CallShift.objects.create(
        stream=stream_of(engagement), first_place=1, calls=20, seconds=1, finished_at=clock()
    )
    assert post(secret, [record(engagement)])["Retry-After"] == "1"
    check()
    assert post(secret, [record(engagement)]).status_code == 201


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"no gzip at all", "gzip", 400),
        (gzip.compress(b"{}", mtime=0)[:-9], "gzip", 400),
        (gzip.compress(b" " * 5_000_000, mtime=0), "gzip", 413),
        (b"{}", "br", 415),
        (b"{}", "identity", 400),
        (b'{"format": "earnest-calls/1", "calls": []}', "identity", 400),
    ],
    ids=["no-gzip", "cut-off", "swelling", "unknown-packing", "no-format", "no-calls"],
)
def test_a_body_that_is_no_batch_is_refused(
    alice: cast.Actor, body: bytes, encoding: str, status: int
) -> None:
    named = {"Authorization": f"Bearer {secret_of(alice)}", "Content-Encoding": encoding}
    answer = Client().post("/api/v1/calls", body, content_type="application/json", headers=named)
    assert answer.status_code == status


def test_both_sides_read_the_calls_and_a_stranger_finds_none(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    post(secret_of(alice), [record(engagement), wrong(engagement)])
    check()
    id = f"cll_{Call.objects.order_by('id')[0].call_id.hex}"
    for actor in (alice, bob):
        secret = secret_of(actor, "read")
        assert len(ask(secret, "calls").json()["results"]) == 2
        assert ask(secret, f"calls/{id}").json()["observations"][0]["outcome"] == "pass"
    stranger = secret_of(cast.mallory(), "read")
    absent = ask(stranger, "calls/cll_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f")
    assert ask(stranger, f"calls/{id}").content == absent.content
    assert ask(stranger, "calls").json()["results"] == []


def test_the_live_verdicts_tell_windows_and_lag(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    post(secret_of(alice), [wrong(engagement) for _ in range(5)])
    secret = secret_of(bob, "read")
    before = ask(secret, f"engagements/{engagement.pk}/live").json()["streams"][0]
    assert (before["waiting"], before["windows"]) == (5, [])
    check()
    after = ask(secret, f"engagements/{engagement.pk}/live").json()["streams"][0]
    assert (after["waiting"], after["lag_seconds"]) == (0, 0.0)
    assert after["windows"][0]["status"] == "breached"
    assert ask(secret, "call-backlog").json()["waiting"] == 0


def test_only_the_buyer_says_how_contents_are_kept(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    path, wanted = f"engagements/{engagement.pk}/call-policy", {"keeps": "digests", "keep_days": 1}
    assert ask(secret_of(bob, "write"), path, "put", wanted).status_code == 422
    assert ask(secret_of(alice, "write"), path, "put", wanted).status_code == 200
    post(secret_of(alice), [record(engagement)])
    check(clock() + timedelta(seconds=1))
    assert not CallContent.objects.exists()
    assert Call.objects.get().output_digest.startswith("sha256:")


def test_contents_are_erased_on_request_and_observations_stay(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = hire(alice=alice, bob=bob)
    post(secret_of(alice), [record(engagement) for _ in range(2)])
    check()
    path = f"engagements/{engagement.pk}/call-erasure"
    one = {"call_ids": [str(Call.objects.order_by("id")[0].call_id)]}
    assert ask(secret_of(alice, "write"), path, "post", one).json() == {"contents": 1}
    assert CallContent.objects.count() == 1
    assert sum(call.observations.count() for call in Call.objects.all()) == 2


def test_traces_become_calls_in_both_encodings(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = hire(alice=alice, bob=bob)
    secret = secret_of(alice, engagement=engagement)
    data = trace()
    data["resourceSpans"][0]["resource"] = {}
    packed = read_json(data).SerializeToString()
    named = {"Authorization": f"Bearer {secret}", "Content-Encoding": "gzip"}
    for body, kind in ((packed, "application/x-protobuf"), (json.dumps(data), "application/json")):
        sent = gzip.compress(body.encode() if isinstance(body, str) else body)
        answer = Client().post("/api/v1/otlp/v1/traces", sent, content_type=kind, headers=named)
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    check()
    assert Call.objects.get().observations.get().outcome == "pass"


def test_a_trace_of_no_engagement_is_told_as_partial_success(alice: cast.Actor) -> None:
    named = {"Authorization": f"Bearer {secret_of(alice)}"}
    answer = Client().post(
        "/api/v1/otlp/v1/traces", trace(), content_type="application/json", headers=named
    )
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
