"""Golden sets in: parsed strictly, frozen as a version, committed to the log before first use."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from pacts.models import Party, Task, TaskSet, TaskSetVersion
from pacts.strict_json import MalformedJson, parse_json
from reputation import evidence
from reputation.canonical import JsonValue, canonical, digest, sha256

MAX_TASKS = 10_000
FIELDS = {"input", "expected", "in_scope", "stratum"}


class TaskSetRefused(ValueError):
    """The tasks cannot be used; the message names the line and what to do."""


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """One task before it is stored: `input` and `expected` are JSON objects."""

    input: dict[str, Any]
    expected: dict[str, Any] | None
    in_scope: bool = True
    stratum: str = ""


def parse_jsonl(text: str) -> list[TaskDraft]:
    """Tasks from JSON Lines: `{"input": {…}, "expected": {…}, "in_scope"?: bool, "stratum"?: str}`.

    Raises `TaskSetRefused` naming the first line that does not fit.
    """
    drafts = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            drafts.append(_task(number, line))
    if not drafts:
        raise TaskSetRefused("there are no tasks: give one JSON object on each line")
    if len(drafts) > MAX_TASKS:
        raise TaskSetRefused(f"at most {MAX_TASKS} tasks fit in one set; there are {len(drafts)}")
    return drafts


def _task(number: int, line: str) -> TaskDraft:
    try:
        data = parse_json(line.encode())
    except MalformedJson as error:
        raise TaskSetRefused(f"line {number} is not JSON: {error}") from error
    given = data.get("input") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(given, dict):
        raise TaskSetRefused(f"line {number}: give an object whose “input” is an object")
    if _has_nul(data):
        raise TaskSetRefused(f"line {number}: text with a NUL character cannot be stored")
    if unknown := sorted(set(data) - FIELDS):
        raise TaskSetRefused(f"line {number}: unknown field {unknown[0]}; known: {sorted(FIELDS)}")
    expected, in_scope = data.get("expected"), data.get("in_scope", True)
    if expected is not None and not isinstance(expected, dict):
        raise TaskSetRefused(f"line {number}: “expected” must be an object or null")
    if not isinstance(in_scope, bool):
        raise TaskSetRefused(f"line {number}: “in_scope” must be true or false")
    return TaskDraft(given, expected, in_scope, str(data.get("stratum", ""))[:40])


def _has_nul(value: JsonValue) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_has_nul(inner) for inner in value)


def create_task_set(
    *,
    owner: Party | None,
    name: str,
    work: str,
    tasks: Iterable[TaskDraft],
    now: datetime,
    note: str = "",
) -> TaskSetVersion:
    """A new task set with its first version."""
    with transaction.atomic():
        task_set = TaskSet.objects.create(owner=owner, name=name, work=work, note=note)
        return add_version(task_set=task_set, tasks=tasks, now=now)


def add_version(*, task_set: TaskSet, tasks: Iterable[TaskDraft], now: datetime) -> TaskSetVersion:
    """Freeze `tasks` as the next version and log a salted commitment to them.

    Only the commitment is public: the tasks themselves stay hidden from the builder.
    """
    drafts = list(tasks)
    if not drafts:
        raise TaskSetRefused("a task set needs at least one task")
    rows = [asdict(draft) for draft in drafts]
    salt = secrets.token_bytes(32)
    with transaction.atomic():
        TaskSet.objects.select_for_update().get(pk=task_set.pk)
        latest = task_set.versions.order_by("-number").first()
        version = TaskSetVersion.objects.create(
            task_set=task_set,
            number=latest.number + 1 if latest else 1,
            size=len(drafts),
            digest=digest(rows),
            salt=salt,
        )
        Task.objects.bulk_create(
            [Task(version=version, position=position, **row) for position, row in enumerate(rows)],
            batch_size=1000,
        )
        evidence.append(
            kind="taskset.committed",
            subjects={"taskset": version.id}
            | ({"party": task_set.owner_id} if task_set.owner_id else {}),
            facts={"tasks": version.size, "number": version.number},
            digests={"commitment": sha256(salt + canonical(rows))},
            at=now,
        )
    return version
