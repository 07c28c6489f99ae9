"""The same through the API: a table mapped, a forecast, a start sent twice, a board, a call-off."""

import pytest

from marketplace.models import Tryout
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import _give
from tests.marketplace.tryouts.offers import finish, offered
from tests.pacts.runs import wrong_from

pytestmark = pytest.mark.django_db

USES = [
    {"column": "a", "role": "input", "field": "number", "kind": "number"},
    {"column": "b", "role": "expected", "field": "answer", "kind": "number"},
]


def test_a_table_is_brought_looked_at_and_made_a_task_set_once() -> None:
    program = program_of(cast.alice())
    table = {"name": "Numbers", "work": "arithmetic", "text": "a,b\n1,2\nx,4\n"}
    made = program.post("task-sheets", table).json()
    assert [(one["column"], one["role"]) for one in made["guess"]] == [
        ("a", "input"),
        ("b", "input"),
    ]
    seen = program.post(f"task-sheets/{made['id']}/preview", {"columns": USES}).json()
    assert seen["good"] == 1
    assert seen["problems"] == [
        {"place": "line 3", "sentence": "“a” is “x”, no number; read the column as text instead"}
    ]
    refused = program.post(f"task-sheets/{made['id']}/task-set", {"columns": USES})
    assert refused.status_code == 422
    sent = {"columns": USES, "leave_out": True}
    first = program.post(f"task-sheets/{made['id']}/task-set", sent).json()
    again = program.post(f"task-sheets/{made['id']}/task-set", sent).json()
    assert first == again
    assert first["size"] == 1


def test_a_column_that_is_not_there_is_named() -> None:
    program = program_of(cast.alice())
    made = program.post(
        "task-sheets", {"name": "Numbers", "work": "arithmetic", "text": "a,b\n1,2\n"}
    ).json()
    wrong = [{"column": "z", "role": "input", "field": "z"}]
    answer = program.post(f"task-sheets/{made['id']}/preview", {"columns": wrong})
    assert answer.status_code == 400
    assert "There is no “z”." in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_several_are_forecast_started_once_and_read_task_by_task() -> None:
    alice, bob = cast.alice(), cast.bob()
    program, tasks = program_of(alice), cast.golden_set(alice, cast.doubling_tasks(40))
    with cast.agent_service(cast.echo) as good, cast.agent_service(wrong_from(38)) as bad:
        listings = [offered(bob, "Good", good).id, offered(bob, "Bad", bad).id]
        asked = {"listings": listings, "task_set_version": tasks.id}
        found = program.post("tryout-forecasts", asked).json()["agents"]
        assert [one["calls"] for one in found] == [42, 42], "at most: canaries among them"
        assert found[0]["clauses"][0]["poor_breached"] > 0.5
        once = {"Idempotency-Key": "one"}
        made = program.post("tryouts", asked | {"full_run": True}, **once).json()
        assert program.post("tryouts", asked | {"full_run": True}, **once).json() == made
        assert Tryout.objects.count() == 1
        finish(Tryout.objects.get())
    board = program.get(f"tryouts/{made['id']}").json()
    assert [seat["state"] for seat in board["agents"]] == ["concluded", "concluded"]
    assert board["agents"][1]["clauses"][0]["failures"] == 2
    rows = program.get(f"tryouts/{made['id']}/tasks?only=differ").json()["tasks"]
    assert [row["position"] for row in rows] == [38, 39]
    assert rows[0]["agents"][1]["reasons"][0][0] == "accuracy"
    for group, many in (("all", 40), ("fails", 2), ("none", 0)):
        answer = program.get(f"tryouts/{made['id']}/tasks?only={group}").json()
        assert len(answer["tasks"]) == many
    assert program.post(f"tryouts/{made['id']}/cancellation").status_code == 409
    other = program_of(cast.mallory())
    assert other.get(f"tryouts/{made['id']}").status_code == 404
    assert other.post("tryouts", asked).status_code == 404, "somebody else's tasks are absent"


def test_hiring_all_needs_a_key_and_the_money() -> None:
    alice, bob = cast.alice(), cast.bob()
    program, tasks = program_of(alice), cast.golden_set(alice, cast.doubling_tasks(5))
    asked = {"listings": [offered(bob, "One").id], "task_set_version": tasks.id}
    assert program.post("tryout-hires", asked).status_code == 400
    assert program.pay("tryout-hires", asked, key="k").status_code == 422
    _give(alice, 20_000)
    made = program.pay("tryout-hires", asked, key="k")
    assert made.status_code == 201, made.content
    assert program.pay("tryout-hires", asked, key="k").json() == made.json()
    assert Tryout.objects.count() == 1
