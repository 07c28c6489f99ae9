"""A builder's replies to findings: they stand beside a number and never change it.

A reply is signed with the party's key over a salted digest, and that digest is in the log; so
everybody can check whose words they are, and erasing them leaves every proof as it was.
"""

import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from marketplace.models import FindingReply, Incident
from pacts.models import Agent, Evaluation, Party, Signature, User
from pacts.signatures import sign
from reputation import evidence
from reputation.canonical import digest

LONGEST = 1_000
MOST_VERSIONS = 20
SHOWN_LINES = "\n\t"


class ReplyRefused(ValueError):
    """The reply cannot stand; the message says what to change."""


def reply(
    *,
    about: Evaluation | Incident,
    party: Party,
    by: User,
    authority: str,
    text: str,
    now: datetime,
) -> FindingReply:
    """The builder's words on a finding, or its next version of them. Raises ReplyRefused."""
    agent = _agent_of(about)
    if agent.builder_id != party.pk:
        raise ReplyRefused("only the agent's builder replies to what was found of it")
    if isinstance(about, Evaluation) and not _is_finding(about):
        raise ReplyRefused("only a concluded run of a hire is a finding; this one is not")
    words = _clean(text)
    with transaction.atomic():
        Agent.objects.select_for_update().get(pk=agent.pk)
        last = replies_to(about).order_by("-number").first()
        if last and last.text == words:
            raise ReplyRefused("these are the words that stand there already")
        if last and last.number >= MOST_VERSIONS:
            raise ReplyRefused(f"a reply has at most {MOST_VERSIONS} versions")
        number = last.number + 1 if last else 1
        return _write(about, agent, party, by, authority, words, number, now)


def _write(
    about: Evaluation | Incident,
    agent: Agent,
    party: Party,
    by: User,
    authority: str,
    words: str,
    number: int,
    now: datetime,
) -> FindingReply:
    salt = secrets.token_hex(32)
    committed = digest_of(about=about.pk, number=number, salt=salt, text=words)
    signature = sign(
        party=party,
        purpose=Signature.Purpose.REPLY,
        digest=committed,
        by=by,
        authority=authority,
        now=now,
    )
    named = "evaluation" if isinstance(about, Evaluation) else "incident"
    entry = evidence.append(
        kind="finding.replied",
        subjects={"party": party.pk, "agent": agent.pk, named: about.pk},
        facts={"number": number},
        digests={"text": committed},
        at=now,
    )
    said: dict[str, Any] = {named: about}
    return FindingReply.objects.create(
        agent=agent,
        party=party,
        number=number,
        text=words,
        salt=salt,
        digest=committed,
        signature=signature,
        by=by,
        evidence_id=entry.id,
        replied_at=now,
        **said,
    )


def digest_of(*, about: str, number: int, salt: str, text: str) -> str:
    """`sha256:<hex>` over the canonical JSON (RFC 8785) of exactly these four."""
    return digest({"about": about, "number": number, "salt": salt, "text": text})


def erase_reply(*, reply: FindingReply, now: datetime) -> FindingReply:
    """Take the words away, every version of them; erasing again changes nothing."""
    about = reply.evaluation or reply.incident
    assert about is not None, "the database keeps replies about one thing"
    replies_to(about).filter(erased_at=None).update(text="", salt="", erased_at=now)
    reply.refresh_from_db()
    return reply


def replies_to(about: Evaluation | Incident) -> QuerySet[FindingReply]:
    """Every version of what was said to one finding, the newest first."""
    rows = FindingReply.objects.select_related("party", "signature__key").order_by("-number")
    if isinstance(about, Evaluation):
        return rows.filter(evaluation=about)
    return rows.filter(incident=about)


def newest_of(evaluations: Iterable[str]) -> dict[str, FindingReply]:
    """Evaluation id → the words that stand beside it now; none where they were erased."""
    rows = FindingReply.objects.filter(evaluation__in=list(evaluations)).order_by("number")
    newest = {str(row.evaluation_id): row for row in rows}
    return {key: row for key, row in newest.items() if row.text}


def may_reply(about: Evaluation | Incident, party: Party | None) -> bool:
    """Whether the party is the builder the finding is about."""
    if party is None or _agent_of(about).builder_id != party.pk:
        return False
    return isinstance(about, Incident) or _is_finding(about)


def _agent_of(about: Evaluation | Incident) -> Agent:
    return about.agent_version.agent if isinstance(about, Evaluation) else about.agent


def _is_finding(run: Evaluation) -> bool:
    return run.purpose == Evaluation.Purpose.MILESTONE and run.state == Evaluation.State.CONCLUDED


def _clean(text: str) -> str:
    words = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if not words:
        raise ReplyRefused("write what you have to say")
    if len(words) > LONGEST:
        raise ReplyRefused(f"a reply has at most {LONGEST} characters; this one has {len(words)}")
    if any(unicodedata.category(c) in ("Cc", "Cf") and c not in SHOWN_LINES for c in words):
        raise ReplyRefused("a reply holds no invisible or turning characters; type it plainly")
    return words
