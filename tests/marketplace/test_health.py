"""Liveness asks nobody, readiness asks everybody, and a lost database is a 503."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils.timezone import now as clock

from marketplace import health
from reputation.clock import database_now
from tests import cast
from tests.pacts.live import hired


def test_a_process_that_answers_is_alive_without_a_database() -> None:
    assert Client().get("/healthz").json() == {"status": "live"}


@pytest.mark.django_db
def test_ready_means_database_broker_and_sequencer() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready"), answer.json()


@pytest.mark.django_db
def test_without_a_broker_it_is_not_ready(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, "away")
    assert answer["Retry-After"]


@pytest.mark.django_db
def test_evidence_that_waits_too_long_for_its_place_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cast.golden_set(cast.alice(), cast.doubling_tasks(1))
    assert Client().get("/readyz").status_code == 200
    later = clock() + health.LONGEST_WAIT + timedelta(seconds=1)
    monkeypatch.setattr(health, "database_now", lambda: later)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["sequencer"]) == (503, "behind")
    assert database_now() < later


@pytest.mark.django_db
def test_calls_that_wait_too_long_to_be_checked_degrade_it_and_take_no_server_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = cast.alice()
    engagement = hired.hire(alice=alice, bob=cast.bob())
    then = clock()
    hired.take(alice, [hired.record(engagement)], then)
    monkeypatch.setattr(health, "_sequencer", lambda: "ok")
    for late, said in ((timedelta(0), "ok"), (timedelta(microseconds=1), "behind")):
        moment = then + health.LONGEST_LAG + late
        monkeypatch.setattr(health, "database_now", lambda moment=moment: moment)
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()["ingestion"]) == (200, said)
        assert answer.json()["ingestion_lag_seconds"] == 30.0
        assert answer.json()["ingestion_waiting"] == 1
    assert answer.json()["status"] == "degraded"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/agents", "/"])
def test_while_the_database_is_away_everybody_is_asked_to_come_back(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.7 failed: swordfish")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    answer = Client(raise_request_exception=False).get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"swordfish" not in answer.content


def test_every_answer_has_a_request_id_and_a_security_policy() -> None:
    answer = Client().get("/healthz", headers={"X-Request-Id": "trace-1234"})
    assert answer["X-Request-Id"] == "trace-1234"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "a\tb", "new\u00e9line"])
def test_a_request_id_that_could_forge_a_log_line_is_replaced(given: str) -> None:
    answer = Client().get("/healthz", headers={"X-Request-Id": given})
    assert answer["X-Request-Id"] != given
