"""Production calls come in: read one by one, counted once each, queued for their checks.

A batch is taken as far as it goes: what cannot be taken is told record by record, and nothing
else suffers from it. A call counts once by its `call_id`: the same record again is a duplicate,
another record under the same id is refused.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from pacts import live_draws
from pacts.guard.records import CallRecord, RecordRefused, read_record
from pacts.judges.sampling import commitment
from pacts.models import AgentVersion, Call, CallPolicy, CallStream, Engagement, Party
from reputation import evidence
from reputation.canonical import JsonValue, sha256
from reputation.hints import hint

KEEP_DAYS = 30
AHEAD = timedelta(minutes=10)  # how far a caller's clock may run before the platform's


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record that does not count, and why. `index` is its place in the batch."""

    index: int
    call_id: str
    code: str
    problem: str


@dataclass(slots=True, kw_only=True)
class Taken:
    """What became of a batch."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A record that could be read, and where its calls are kept."""

    index: int
    call: CallRecord
    digest: bytes
    stream: CallStream
    keeps_until: datetime

    @property
    def uuid(self) -> UUID:
        return UUID(self.call.call_id)


class _Unknown(ValueError):
    """The record names nothing that this caller may report on."""


def take_calls(
    *,
    reporter: Party,
    records: Sequence[JsonValue],
    now: datetime,
    engagement: str | None = None,
    independence: str | None = None,
    clock: str = Call.Clock.GUARD,
) -> Taken:
    """Store and queue a batch of records as `pacts.guard.records` describes them.

    `engagement` is the only one the caller may report on; None allows all of the party's. Raises
    nothing for what is wrong with a record: `Taken.refused` tells it.
    """
    taken, doors = Taken(), _Doors(reporter, engagement, independence, now)
    found: dict[UUID, _Read] = {}
    for index, record in enumerate(records):
        try:
            read = _read(index, record, doors, now)
        except RecordRefused as wrong:
            taken.refused.append(_refused(index, record, "malformed", str(wrong)))
        except _Unknown as wrong:
            taken.refused.append(_refused(index, record, "unknown", str(wrong)))
        else:
            _once(read, found, taken)
    _settle(reporter, sorted(found.values(), key=lambda one: one.uuid), taken, now, clock)
    if taken.accepted:
        transaction.on_commit(lambda: hint("pacts.tasks.check_calls"))
    return taken


def _read(index: int, record: JsonValue, doors: "_Doors", now: datetime) -> _Read:
    call = read_record(record)
    if datetime.fromisoformat(call.started_at) > now + AHEAD:
        raise RecordRefused("$.started_at", "in the future; set the caller's clock")
    stream, until = doors.stream_of(call)
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return _Read(index=index, call=call, digest=digest, stream=stream, keeps_until=until)


def _once(read: _Read, found: dict[UUID, _Read], taken: Taken) -> None:
    earlier = found.setdefault(read.uuid, read)
    if earlier is read:
        return
    if earlier.digest == read.digest:
        taken.duplicates += 1
    else:
        taken.refused.append(_conflict(read))


def _refused(index: int, record: JsonValue, code: str, problem: str) -> Refused:
    said = record.get("call_id") if isinstance(record, dict) else None
    call_id = said[:60] if isinstance(said, str) else ""
    return Refused(index=index, call_id=call_id, code=code, problem=problem)


def _conflict(read: _Read) -> Refused:
    problem = "another record has this call_id; what was said of a call is not changed"
    return Refused(index=read.index, call_id=read.call.call_id, code="conflict", problem=problem)


class _Doors:
    """Which stream a record belongs to; remembers what a batch asks again and again."""

    def __init__(
        self, reporter: Party, engagement: str | None, independence: str | None, now: datetime
    ) -> None:
        self.reporter, self.engagement, self.now = reporter, engagement, now
        self.independence = independence
        self._known: dict[tuple[str | None, str | None], tuple[CallStream, datetime]] = {}

    def stream_of(self, call: CallRecord) -> tuple[CallStream, datetime]:
        """The stream, and how long its contents are kept. Raises _Unknown."""
        key = (call.engagement, call.agent_version)
        if key not in self._known:
            engagement = self._engagement(call)
            stream = self._stream(engagement, self._version(engagement, call.agent_version))
            self._known[key] = (stream, self.now + kept_for(engagement))
        return self._known[key]

    def _engagement(self, call: CallRecord) -> Engagement:
        rows = Engagement.objects.select_related("agent_version__agent", "pact_version")
        own = Q(buyer=self.reporter) | Q(builder=self.reporter)
        rows = rows.filter(own, state=Engagement.State.ACTIVE)
        wanted = call.engagement or self.engagement
        if self.engagement not in (None, wanted):
            raise _Unknown("this key reports on another engagement")
        if wanted is not None:
            rows = rows.filter(pk=wanted)
        else:
            rows = rows.filter(agent_version__agent__versions=call.agent_version)
        found = list(rows[:2])
        if not found:
            raise _Unknown("no engagement of yours that is in force has this id or agent")
        if len(found) > 1:
            raise _Unknown("several engagements have this agent; name the engagement")
        return found[0]

    def _version(self, engagement: Engagement, named: str | None) -> AgentVersion:
        if named in (None, engagement.agent_version_id):
            return engagement.agent_version
        versions = AgentVersion.objects.filter(agent_id=engagement.agent_version.agent_id)
        found = versions.select_related("agent").filter(pk=named).first()
        if found is None:
            raise _Unknown("the agent of this engagement has no such version")
        return found

    def _stream(self, engagement: Engagement, version: AgentVersion) -> CallStream:
        side = self.independence or _side(engagement, self.reporter)
        return open_stream(
            engagement=engagement,
            version=version,
            reporter=self.reporter,
            independence=side,
            now=self.now,
        )


def _side(engagement: Engagement, reporter: Party) -> str:
    """Whose word the calls are: a builder's own, or the buyer's."""
    sides = CallStream.Independence
    return sides.SELF if reporter.pk == engagement.builder_id else sides.BUYER


def open_stream(
    *,
    engagement: Engagement,
    version: AgentVersion,
    reporter: Party,
    independence: str,
    now: datetime,
) -> CallStream:
    """The stream of these calls, opened when there is none yet.

    A stream of another version than the one hired says so in the log at once.
    """
    wanted = {
        "engagement": engagement,
        "agent_version": version,
        "reporter": reporter,
        "independence": independence,
    }
    found = CallStream.objects.filter(**wanted).first()
    if found is not None:
        return found
    seed = secrets.token_bytes(32)
    try:
        with transaction.atomic():
            found = CallStream.objects.create(
                **wanted, seed=seed, commitment=commitment(seed), opened_at=now
            )
            live_draws.commit_draws(stream=found, subjects=subjects_of(found), now=now)
            if version.pk != engagement.agent_version_id:
                _log_version(found, now)
    except IntegrityError:  # somebody was faster
        return CallStream.objects.get(**wanted)
    return found


def _log_version(stream: CallStream, now: datetime) -> None:
    evidence.append(
        kind="version.changed",
        subjects=subjects_of(stream),
        facts={
            "number": stream.agent_version.number,
            "hired": stream.engagement.agent_version_id,
            "independence": stream.independence,
        },
        digests={"fingerprint": stream.agent_version.fingerprint},
        at=now,
    )


def subjects_of(stream: CallStream) -> dict[str, str]:
    """Whom evidence about a stream names."""
    engagement, version = stream.engagement, stream.agent_version
    return {
        "stream": stream.pk,
        "engagement": engagement.pk,
        "agent": version.agent_id,
        "agent_version": version.pk,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
        "pact_version": engagement.pact_version_id,
    }


def kept_for(engagement: Engagement) -> timedelta:
    """How long contents are kept; nothing at all where only digests are wanted, and then they go
    once they are checked."""
    policy = CallPolicy.objects.filter(engagement=engagement).first()
    if policy is None:
        return timedelta(days=KEEP_DAYS)
    if policy.keeps == CallPolicy.Keeps.DIGESTS:
        return timedelta(0)
    return timedelta(days=policy.keep_days)


def _settle(
    reporter: Party, reads: Sequence[_Read], taken: Taken, now: datetime, clock: str
) -> None:
    """Insert what is new, and tell duplicates from conflicts among the rest."""
    if not reads:
        return
    with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
        columns = [list(column) for column in zip(*(_row(one, now) for one in reads), strict=True)]
        values = {"reporter": reporter.pk, "now": now, "clock": clock}
        names = {f"c{place}": column for place, column in enumerate(columns)}
        rows = cursor.execute(_TAKE, {**values, **names}, prepare=True).fetchall()
        new = {row[0] for row in rows}
        # Sorted by id and read again in a statement of its own: it sees what others just stored.
        rest = [one for one in reads if one.uuid not in new]
        known = _known(cursor, reporter, [one.uuid for one in rest]) if rest else {}
    taken.accepted += len(new)
    for one in rest:
        if known.get(one.uuid) == one.digest:
            taken.duplicates += 1
        else:
            taken.refused.append(_conflict(one))


def _known(
    cursor: "psycopg.Cursor[Any]", reporter: Party, ids: Iterable[UUID]
) -> dict[UUID, bytes]:
    rows = cursor.execute(
        "SELECT call_id, digest FROM pacts_call WHERE reporter_id = %s AND call_id = ANY(%s)",
        [reporter.pk, list(ids)],
    ).fetchall()
    return {call_id: bytes(digest) for call_id, digest in rows}


def _row(one: _Read, now: datetime) -> tuple[Any, ...]:
    call = one.call
    usage, cost = call.usage or {}, call.cost or {}
    return (
        one.stream.pk,
        one.uuid,
        one.digest,
        call.input_digest or (sha256(_text(call.input)) if call.has_input else ""),
        call.output_digest or (sha256(_text(call.output)) if call.has_output else ""),
        datetime.fromisoformat(call.started_at),
        None if call.latency_ms is None else round(call.latency_ms * 1000),
        call.fault,
        _plain(call.error),
        _plain(call.model.get("name", "")),
        _plain(call.model.get("fingerprint", "")),
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        cost.get("micros"),
        cost.get("currency", ""),
        call.sample_rate,
        _text(_content(call)),
        one.keeps_until,
    )


def _content(call: CallRecord) -> Mapping[str, Any]:
    """What is kept of a call apart from its row, without what was not said."""
    found: dict[str, Any] = {
        "tool_calls": call.tool_calls,
        "in_scope": call.in_scope,
        "labels": dict(call.labels) or None,
        "checks": [[one.clause, one.check, one.outcome] for one in call.checks] or None,
    }
    content = {name: value for name, value in found.items() if value is not None}
    if call.has_input:
        content["input"] = call.input
    if call.has_output:
        content["output"] = call.output
    return content


def _text(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(text: str) -> str:
    return text.replace("\x00", " ")


_TAKE = """
WITH came AS (
    SELECT * FROM unnest(%(c0)s::text[], %(c1)s::uuid[], %(c2)s::bytea[], %(c3)s::text[],
                         %(c4)s::text[], %(c5)s::timestamptz[], %(c6)s::bigint[], %(c7)s::text[],
                         %(c8)s::text[], %(c9)s::text[], %(c10)s::text[], %(c11)s::bigint[],
                         %(c12)s::bigint[], %(c13)s::bigint[], %(c14)s::text[], %(c15)s::float8[],
                         %(c16)s::bytea[], %(c17)s::timestamptz[])
        AS f (stream, call_id, digest, input, output, started, latency, fault, error, model,
              fingerprint, read, written, cost, currency, rate, body, until)
), new AS (
    INSERT INTO pacts_call
           (stream_id, reporter_id, call_id, digest, input_digest, output_digest, started_at,
            received_at, clock, latency_us, fault, error, model, model_fingerprint, input_tokens,
            output_tokens, cost_micros, cost_currency, sample_rate)
    SELECT stream, %(reporter)s, call_id, digest, input, output, started, %(now)s, %(clock)s,
           latency, fault, error, model, fingerprint, read, written, cost, currency, rate
      FROM came ORDER BY call_id
        ON CONFLICT (reporter_id, call_id) DO NOTHING
 RETURNING id, stream_id, call_id
), kept AS (
    INSERT INTO pacts_callcontent (call_id, body, kept_until)
    SELECT new.id, came.body, came.until FROM new JOIN came ON came.call_id = new.call_id
), queued AS (
    INSERT INTO pacts_waitingcall (call_id, stream_id, received_at)
    SELECT id, stream_id, %(now)s FROM new
)
SELECT call_id FROM new
"""
