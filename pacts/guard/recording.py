"""From what was captured to the bytes of a record: plain, checked, redacted, within bounds."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from pacts.guard.capture import Frozen, Plainer, compact, released, sorted_bytes
from pacts.guard.captured import Captured
from pacts.guard.clauses import Clause, Seen
from pacts.guard.identifiers import instant, uuid7
from pacts.guard.records import LONGEST_TEXT, MOST_CHECKS, MOST_LABELS, JsonValue, LocalCheck
from pacts.guard.redaction import Redactor
from pacts.guard.settings import Settings

LONGEST_RECORD = 512 * 1024


class Recorder:
    """Makes records by one guard's settings. Used by one thread at a time."""

    def __init__(self, settings: Settings, clauses: tuple[Clause, ...]) -> None:
        self._settings, self._clauses = settings, clauses
        self._redactor = Redactor(also=settings.redact, keep=settings.keep)

    def record(self, captured: Captured) -> dict[str, JsonValue]:
        """The record of a call, without what must not leave the process."""
        self._redactor.taken()
        plainer = Plainer()
        given = plainer.plain(asked(captured))
        facts = facts_of(captured)
        output = plainer.plain(facts.pop("output", None))
        facts = {name: plainer.plain(value) for name, value in facts.items() if value is not None}
        truncated = plainer.truncated or captured.truncated
        checks = captured.checks
        if checks is None:
            seen = seen_of(captured, output, facts, truncated)
            checks = tuple(clause.answer(seen) for clause in self._clauses)
        record: dict[str, JsonValue] = {
            "call_id": uuid7(captured.started_ns),
            "agent_version": self._settings.agent_version,
            "engagement": self._settings.engagement,
            "started_at": instant(captured.started_ns),
            "latency_ms": captured.took_ns / 1e6,
            "first_output_ms": None if captured.first_ns is None else captured.first_ns / 1e6,
            **self._content("input", given, there=True),
            **self._content("output", output, there=captured.fault == "none"),
            "fault": captured.fault if captured.fault != "none" else None,
            "error": self._redactor.text(captured.error)[:LONGEST_TEXT] or None,
            **self._reported(facts),
            "sample_rate": self._settings.sample_rate if self._settings.sample_rate < 1 else None,
            "labels": self._texts({**self._settings.labels, **captured.wrapped.labels}) or None,
            "in_scope": captured.wrapped.in_scope,
            "streamed": captured.streamed or None,
            "blocked": captured.blocked or None,
            "truncated": truncated or None,
            "checks": [self._told(check) for check in checks[:MOST_CHECKS]] or None,
        }
        record["redactions"] = dict(self._redactor.taken()) or None
        whole = ("input", "output")
        return {k: v for k, v in record.items() if v is not None or k in whole}

    def line(self, record: dict[str, JsonValue]) -> bytes:
        """The record's bytes; one that is too long keeps digests of its content only."""
        data = compact(record)
        if len(data) <= LONGEST_RECORD:
            return data
        short = dict(record)
        short.pop("tool_calls", None)
        for name in ("input", "output"):
            if name in short:
                short[f"{name}_digest"] = self._digest(short.pop(name))
        return compact(short | {"truncated": True})

    def _content(self, name: str, value: JsonValue, *, there: bool) -> dict[str, JsonValue]:
        if not there or self._settings.content == "none":
            return {}
        if self._settings.content == "digests":
            return {f"{name}_digest": self._digest(value)}
        return {name: self._redactor.value(value)}

    def _digest(self, value: JsonValue) -> str:
        data, key = sorted_bytes(value), self._settings.digest_key
        if key:
            return "hmac-sha256:" + hmac.new(key, data, hashlib.sha256).hexdigest()
        return "sha256:" + hashlib.sha256(data).hexdigest()

    def _reported(self, facts: Mapping[str, Any]) -> dict[str, JsonValue]:
        """What was read beside the output; of tool calls only the names where content stays."""
        found: dict[str, JsonValue] = {
            name: facts[name] for name in ("usage", "cost") if facts.get(name)
        }
        if facts.get("model"):
            found["model"] = self._texts(facts["model"])
        calls = facts.get("tool_calls")
        if isinstance(calls, list):
            bare = self._settings.content != "full"
            found["tool_calls"] = [
                {"name": call["name"]} if bare else self._redactor.value(call) for call in calls
            ]
        return found

    def _texts(self, texts: Mapping[str, Any]) -> dict[str, JsonValue]:
        return {
            str(name)[:LONGEST_TEXT]: self._redactor.text(str(text))[:LONGEST_TEXT]
            for name, text in list(texts.items())[:MOST_LABELS]
            if text is not None
        }

    def _told(self, check: LocalCheck) -> JsonValue:
        return {
            "clause": check.clause[:LONGEST_TEXT],
            "check": check.check[:LONGEST_TEXT],
            "outcome": check.outcome,
            "reason": self._redactor.text(check.reason)[:LONGEST_TEXT],
        }


def asked(captured: Captured) -> Any:
    """The input of a call."""
    held = captured.input
    if type(held) is Frozen:
        args, kwargs = released(held)  # type: ignore[misc]
    elif isinstance(held, list | tuple) and len(held) == 2:
        args, kwargs = released(held[0]), released(held[1])
    else:
        return released(held)
    return captured.wrapped.input_of(args, kwargs)


def facts_of(captured: Captured) -> dict[str, Any]:
    """`output` and what else the wrapped function's reader finds in the answer."""
    if captured.facts is not None:
        return dict(captured.facts)
    if captured.fault != "none" and captured.output is None:
        return {}
    wrapped = captured.wrapped
    read = wrapped.reads_stream if captured.streamed else wrapped.reads
    answer = released(captured.output)
    try:
        return dict(read(answer))
    except Exception:  # an answer of a form its reader does not know is still an answer
        return {"output": answer}


def seen_of(captured: Captured, output: JsonValue, facts: Mapping[str, Any], cut: bool) -> Seen:
    """The call as the clauses see it."""
    return Seen(
        output=output,
        latency_ms=captured.took_ns / 1e6,
        fault=captured.fault,
        error=captured.error,
        in_scope=captured.wrapped.in_scope,
        usage=facts.get("usage"),
        cost=facts.get("cost"),
        tool_calls=facts.get("tool_calls"),
        truncated=cut,
    )
