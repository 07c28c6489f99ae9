"""The oracle: what it says, that it can be verified, and that it costs nothing to ask again."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import oracle, oversight, steering
from marketplace.models import OracleAnswer
from reputation import checkpoints
from reputation.canonical import canonical
from reputation.tallies import METHOD
from tests.marketplace.api.programs import Program
from tests.marketplace.test_oversight import World

pytestmark = pytest.mark.django_db

VERIFIER = Path(__file__).resolve().parents[3] / "reputation/verifier/verify.py"


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    oracle._kept.clear()


@pytest.fixture
def world(db: None) -> World:
    return World()


def ask(world: World, **headers: str) -> Any:
    return Program().get(f"oracle/{world.agent_id}", **headers)


def test_it_states_the_standing_with_its_method_evidence_and_proofs(world: World) -> None:
    world.score(40, 10)
    checkpoints.sign_now(now=clock())
    answer = ask(world)
    said = answer.json()
    assert answer.content == canonical(said)
    assert said["method"] == METHOD
    assert said["agent_version"] == world.version.pk
    assert said["dimensions"]["accuracy"]["units"] == 50
    assert said["proofs"]["format"] == "earnest-evidence/1"
    assert {one["id"] for one in said["proofs"]["entries"]} == set(said["evidence"])
    assert said["proofs"]["waiting"] == []
    assert OracleAnswer.objects.get().is_whole


def test_the_stand_alone_verifier_takes_its_proofs(world: World, tmp_path: Any) -> None:
    world.score(40, 10)
    checkpoints.sign_now(now=clock())
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(ask(world).json()["proofs"]))
    done = subprocess.run(
        [sys.executable, str(VERIFIER), str(bundle)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_names_the_restrictions_in_force(world: World) -> None:
    world.control()
    world.score(20, 30)
    world.look()
    (one,) = ask(world).json()["restrictions"]
    assert one["action"] == "narrow"
    assert one["evidence"].startswith("evd_")


def test_an_unchanged_document_answers_304_by_tag_and_by_date(world: World) -> None:
    first = ask(world)
    assert "max-age" in first["Cache-Control"]
    for headers in (
        {"If-None-Match": first["ETag"]},
        {"If-None-Match": f'"other", W/{first["ETag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first["Last-Modified"]},
    ):
        again = ask(world, **headers)
        assert (again.status_code, again.content) == (304, b""), headers
        assert again["ETag"] == first["ETag"]
    stale = {"If-None-Match": '"other"', "If-Modified-Since": first["Last-Modified"]}
    assert ask(world, **stale).status_code == 200


def test_news_change_the_tag_and_looking_again_does_not(world: World) -> None:
    world.score(40, 10)
    world.look()
    before = OracleAnswer.objects.get().digest
    world.look()
    assert OracleAnswer.objects.get().digest == before
    world.score(40, 10)
    world.look()
    assert OracleAnswer.objects.get().digest != before


def test_a_document_that_is_not_whole_yet_is_looked_at_again_at_once(world: World) -> None:
    world.score(40, 10)
    oversight.oversee(now=clock())
    assert oversight.due(clock(), 10) == [world.agent_id]
    checkpoints.sign_now(now=clock())
    oversight.oversee(now=clock())
    assert oversight.due(clock(), 10) == []
    assert OracleAnswer.objects.get().is_whole


def test_what_was_just_read_costs_no_query(world: World, django_assert_num_queries: Any) -> None:
    ask(world)
    with django_assert_num_queries(0):
        assert ask(world).status_code == 200


def test_an_absent_agent_is_not_found_and_a_write_is_not_allowed(world: World) -> None:
    assert Program().get("oracle/agt_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f").status_code == 404
    assert Program().post(f"oracle/{world.agent_id}").status_code == 405


def test_an_override_ends_in_the_document_too(world: World) -> None:
    world.control()
    world.score(20, 30)
    checkpoints.sign_now(now=clock())
    (firing,) = world.look()
    checkpoints.sign_now(now=clock())
    now = clock()
    until = now + timedelta(minutes=5)
    steering.override(
        acting=world.staff, firing=firing, reason="a fixed outage", until=until, now=now
    )
    world.look(now)
    assert ask(world).json()["restrictions"] == []
    assert oversight.due(until, 10) == []
    assert oversight.due(until + timedelta(seconds=1), 10) == [world.agent_id]
