"""Golden sets in: frozen as a version, committed to the log before first use.

What a file or a text holds is read by `pacts.tables`.
"""

import secrets
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from pacts.models import Party, Task, TaskSet, TaskSetVersion
from pacts.tables import MAX_TASKS, TaskDraft, TaskSetRefused, parse_jsonl
from reputation import evidence
from reputation.canonical import canonical, digest, sha256

__all__ = [
    "MAX_TASKS",
    "TaskDraft",
    "TaskSetRefused",
    "add_version",
    "create_task_set",
    "parse_jsonl",
    "strata_of",
]


def create_task_set(
    *,
    owner: Party | None,
    name: str,
    work: str,
    tasks: Iterable[TaskDraft],
    now: datetime,
    note: str = "",
    canaries: bool = False,
) -> TaskSetVersion:
    """A new task set with its first version; with `canaries` a pool that is mixed, unseen, into
    runs over other sets of the same work (`pacts.canaries`)."""
    with transaction.atomic():
        task_set = TaskSet.objects.create(
            owner=owner, name=name, work=work, note=note, canaries=canaries
        )
        return add_version(task_set=task_set, tasks=tasks, now=now)


def add_version(*, task_set: TaskSet, tasks: Iterable[TaskDraft], now: datetime) -> TaskSetVersion:
    """Freeze `tasks` as the next version and log a salted commitment to them.

    Only the commitment is public: the tasks themselves stay hidden from the builder. Raises
    TaskSetRefused.
    """
    drafts = list(tasks)
    if not drafts:
        raise TaskSetRefused("a task set needs at least one task")
    if len(drafts) > MAX_TASKS:
        raise TaskSetRefused(f"at most {MAX_TASKS} tasks fit in one set; there are {len(drafts)}")
    rows = [_row(draft) for draft in drafts]
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
        _log(version, drafts, commitment=sha256(salt + canonical(rows)), now=now)
    return version


def _row(draft: TaskDraft) -> dict[str, object]:
    """A task as it is stored and committed to. What is not said is left out of the digest, so
    that sets from before there were sessions keep theirs."""
    row = asdict(draft)
    for name in ("session", "paraphrases"):
        if not row[name]:
            del row[name]
        elif name == "paraphrases":
            row[name] = list(row[name])
    return row


def _log(
    version: TaskSetVersion, drafts: list[TaskDraft], *, commitment: str, now: datetime
) -> None:
    owner, sessions = version.task_set.owner_id, {one.session for one in drafts if one.session}
    evidence.append(
        kind="taskset.committed",
        subjects={"taskset": version.id} | ({"party": owner} if owner else {}),
        facts={
            "tasks": version.size,
            "number": version.number,
            "strata": len({one.stratum for one in drafts if one.stratum}),
            "sessions": len(sessions),
            "canaries": version.task_set.canaries,
        },
        digests={"commitment": commitment},
        at=now,
    )


def strata_of(version: TaskSetVersion) -> list[dict[str, object]]:
    """How many tasks each stratum of a version holds: rows of `stratum` and `tasks`, by name."""
    rows = version.tasks.order_by("stratum").values("stratum").annotate(tasks=Count("id"))
    return [dict(row) for row in rows]
