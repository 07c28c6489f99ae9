"""What was asked and answered in trials that are over: from the raw bytes that were kept."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from pacts.agents import PROTOCOLS
from pacts.models import Artifact, CallHearing, Trial
from pacts.stored import StoredAnswer
from reputation.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A task and the answer to it; `output` is None where nothing usable is kept."""

    task: JsonValue
    expected: JsonValue
    output: JsonValue


def answers_of(trials: Collection[int]) -> dict[int, Answered]:
    """By trial. Only tasks tried as they are: variants are never read by a jury or by people."""
    rows = list(
        Trial.objects.filter(pk__in=trials, variant="").select_related(
            "task", "evaluation__agent_version"
        )
    )
    bodies = dict(
        Artifact.objects.filter(digest__in={row.output_digest for row in rows}).values_list(
            "digest", "body"
        )
    )
    return {row.pk: _answered(row, bodies.get(row.output_digest)) for row in rows}


def answers_of_calls(hearings: Collection[int]) -> dict[int, Answered]:
    """By hearing of a production call. What was erased has neither task nor answer."""
    rows = CallHearing.objects.filter(pk__in=hearings).select_related("call__content")
    return {row.pk: _said(row) for row in rows}


def _said(hearing: CallHearing) -> Answered:
    content = getattr(hearing.call, "content", None)
    said = json.loads(bytes(content.body)) if content is not None else {}
    return Answered(task=said.get("input"), expected=None, output=said.get("output"))


def _answered(trial: Trial, body: bytes | memoryview | None) -> Answered:
    version = trial.evaluation.agent_version
    stored = StoredAnswer(
        fault=trial.fault,
        error_code=trial.error_code,
        error_message=trial.error_message,
        latency_us=trial.latency_us,
        body=None if body is None else bytes(body),
    )
    reply = stored.reply(PROTOCOLS[version.protocol], version.declared)
    return Answered(task=trial.task.input, expected=trial.task.expected, output=reply.output)
