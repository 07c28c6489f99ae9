"""Registering agents: names, fingerprinted versions, and proof that the builder controls them."""

import secrets
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from pacts.agents import PROTOCOLS
from pacts.agents.control import control_proved
from pacts.egress import Egress, parse_url
from pacts.models import Agent, AgentVersion, Party
from reputation import evidence
from reputation.canonical import digest


class UnknownProtocol(ValueError):
    """The agent is said to speak a protocol the platform does not."""


class NameTaken(ValueError):
    """Another agent already has this name."""


class ControlNotProved(ValueError):
    """The endpoint did not answer with the agent's control token."""


class SameVersion(ValueError):
    """Nothing in the fingerprint changed, so there is no new version to register."""


def register_agent(
    *,
    builder: Party,
    name: str,
    work: str,
    summary: str,
    endpoint: str,
    now: datetime,
    protocol: str = "earnest-json/1",
    declared: dict[str, Any] | None = None,
    max_concurrency: int = 4,
    deadline_ms: int = 10_000,
    max_per_minute: int | None = None,
) -> AgentVersion:
    """Create an agent with its first version.

    Raises `UnknownProtocol`, `NameTaken`, or `egress.EgressRefused` for a URL nobody may call.
    """
    agent = Agent(
        builder=builder,
        name=name,
        slug=slugify(name),
        work=work,
        summary=summary,
        control_token=secrets.token_urlsafe(24),
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                agent.save()
        except IntegrityError as error:
            raise NameTaken(f"“{name}” is taken; choose another name") from error
        return add_version(
            agent=agent,
            endpoint=endpoint,
            protocol=protocol,
            declared=declared or {},
            max_concurrency=max_concurrency,
            deadline_ms=deadline_ms,
            max_per_minute=max_per_minute,
            now=now,
        )


def add_version(
    *,
    agent: Agent,
    endpoint: str,
    protocol: str,
    declared: dict[str, Any],
    max_concurrency: int,
    deadline_ms: int,
    now: datetime,
    max_per_minute: int | None = None,
) -> AgentVersion:
    """Register the next version; evidence of earlier ones stays with them. Raises `SameVersion`."""
    if protocol not in PROTOCOLS:
        raise UnknownProtocol(f"“{protocol}” is unknown; choose one of {', '.join(PROTOCOLS)}")
    parse_url(endpoint)
    fingerprint = digest({"endpoint": endpoint, "protocol": protocol, "declared": declared})
    with transaction.atomic():
        Agent.objects.select_for_update().get(pk=agent.pk)
        latest = agent.versions.order_by("-number").first()
        if agent.versions.filter(fingerprint=fingerprint).exists():
            raise SameVersion("this endpoint and declaration are already registered as a version")
        version = AgentVersion.objects.create(
            agent=agent,
            number=latest.number + 1 if latest else 1,
            endpoint=endpoint,
            protocol=protocol,
            declared=declared,
            fingerprint=fingerprint,
            max_concurrency=max_concurrency,
            deadline_ms=deadline_ms,
            max_per_minute=max_per_minute,
        )
        evidence.append(
            kind="agent.registered",
            subjects={
                "agent": agent.id,
                "agent_version": version.id,
                "builder": agent.builder_id,
            },
            facts={"protocol": protocol},
            digests={"fingerprint": fingerprint},
            private={"name": agent.name, "endpoint": endpoint, "declared": declared},
            at=now,
        )
    return version


def prove_control(*, version: AgentVersion, egress: Egress, now: datetime) -> None:
    """Fetch the control token from the agent's origin. `ControlNotProved` says what to do."""
    agent = version.agent
    proved, reason = control_proved(
        endpoint=version.endpoint, token=agent.control_token, egress=egress
    )
    if not proved:
        raise ControlNotProved(
            f"{reason} Serve the text {agent.control_token} at /.well-known/earnest-control "
            "on the agent's own host, then try again."
        )
    with transaction.atomic():
        changed = Agent.objects.filter(pk=agent.pk, control_proved_at=None).update(
            control_proved_at=now
        )
        if changed:
            evidence.append(
                kind="agent.control_proved",
                subjects={
                    "agent": agent.id,
                    "agent_version": version.id,
                    "builder": agent.builder_id,
                },
                facts={"method": "well-known"},
                at=now,
            )
    agent.refresh_from_db()
