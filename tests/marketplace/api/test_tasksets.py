"""Task sets through the API: as a list, as text, as a file; hidden from everybody else."""

import io
from base64 import b64encode
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pacts.models import Task, TaskSet
from tests import cast
from tests.marketplace.api.programs import program_of

pytestmark = pytest.mark.django_db
ABSENT = "tsv_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f"


def parquet(columns: dict[str, Any]) -> str:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return b64encode(sink.getvalue()).decode()


SETS = {
    "tasks": [{"input": {"text": "Hallo"}, "expected": {"language": "de"}, "stratum": "short"}],
    "text": "input.text,expected.language,stratum\nHallo,de,short\n",
    "file": parquet({"input.text": ["Hallo"], "expected.language": ["de"], "stratum": ["short"]}),
}


@pytest.mark.parametrize("kind", SETS)
def test_a_set_comes_as_a_list_as_text_or_as_a_file(kind: str) -> None:
    program = program_of(cast.alice())
    body = {"name": "Texts", "work": "language", kind: SETS[kind]}
    made = program.post("task-sets", body)
    assert made.status_code == 201, made.content
    task = Task.objects.get()
    assert (task.input, task.expected, task.stratum) == (
        {"text": "Hallo"},
        {"language": "de"},
        "short",
    )
    version = program.get(f"task-sets/{made.json()['id']}/versions").json()["results"][0]
    shown = program.get(f"task-set-versions/{version['id']}").json()
    assert shown["strata"] == [{"stratum": "short", "tasks": 1}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"text": SETS["text"], "file": SETS["file"]}, 400),
        ({"file": "not base64!"}, 400),
        ({"file": b64encode(b"PAR1junk").decode()}, 422),
        ({"text": "input.text\n"}, 422),
        ({"text": "hello"}, 422),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_kept(
    body: dict[str, Any], status: int
) -> None:
    program = program_of(cast.alice())
    refused = program.post("task-sets", {"name": "Texts", "work": "language", **body})
    assert refused.status_code == status, refused.content
    assert not TaskSet.objects.exists()


def test_a_pool_of_canaries_is_ones_own_and_no_set_to_try_an_agent_on() -> None:
    alice, bob = cast.alice(), cast.bob()
    body = {"name": "Blind", "work": "language", "canaries": True, "tasks": SETS["tasks"]}
    made = program_of(alice).post("task-sets", body).json()
    assert made["canaries"]
    version = program_of(alice).get(f"task-sets/{made['id']}/versions").json()["results"][0]["id"]
    agent = cast.agent_of(bob)
    tried = program_of(alice).post(
        "evaluations",
        {
            "agent_version": agent.id,
            "pact_version": cast.pact_of(agent, bob).id,
            "task_set_version": version,
        },
    )
    assert tried.status_code == 404
    foreign = program_of(bob).get(f"task-set-versions/{version}")
    assert foreign.content == program_of(bob).get(f"task-set-versions/{ABSENT}").content
