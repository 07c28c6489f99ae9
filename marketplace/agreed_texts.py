"""What two parties sign, or signed, as one document that verifies without this platform.

`earnest-agreed/1`: the agreement and the pact as JSON, their digests (SHA-256 of RFC 8785 JSON),
and for each signature the exact message, the Ed25519 key and the signature in base64. To verify:
digest the text, check that the message names that digest, check the signature over the message.
"""

import base64
from typing import Any

from pacts import proposals, signatures
from pacts.agreements import agreement
from pacts.metering import agreed_text, metering_of
from pacts.models import Engagement, Milestone, PactVersion, Proposal, Signature
from pacts.terms import parse

FORMAT = "earnest-agreed/1"


def of_engagement(engagement: Engagement) -> dict[str, Any]:
    """The agreement of an engagement, its pact, and the signatures that are there so far."""
    milestones = list(engagement.milestones.order_by("position"))
    body = _body(engagement, milestones)
    rows = Signature.objects.filter(
        party__in=[engagement.buyer_id, engagement.builder_id],
        digest__in=[engagement.digest, engagement.pact_version.digest],
    ).select_related("key")
    body["signatures"] = [_signature(row) for row in rows.order_by("signed_at", "pk")]
    return body


def of_proposal(proposal: Proposal) -> dict[str, Any]:
    """What both would sign; nothing is signed yet. Raises `ProposalClosed` once it was erased."""
    engagement = proposals.preview(negotiation=proposal.negotiation, proposal=proposal)
    drafts = proposals.drafts_of(proposals.terms_of(proposal))
    milestones = [
        Milestone(
            position=place,
            title=draft.title,
            amount=draft.amount,
            bond=draft.bond,
            task_set_version=draft.task_set_version,
        )
        for place, draft in enumerate(drafts)
    ]
    engagement.digest = proposal.digest
    return _body(engagement, milestones) | {"signatures": []}


def _body(engagement: Engagement, milestones: list[Milestone]) -> dict[str, Any]:
    pact: PactVersion = engagement.pact_version
    text = agreement(engagement, milestones)
    if hasattr(engagement, "meter"):
        metering = metering_of(engagement.meter.terms)
        text |= {"metering": agreed_text(metering, parse(pact.terms))}
    return {
        "format": FORMAT,
        "agreement": text,
        "agreement_digest": engagement.digest,
        "pact": pact.terms,
        "pact_digest": pact.digest,
    }


def _signature(row: Signature) -> dict[str, Any]:
    message = signatures.message(purpose=row.purpose, digest=row.digest)
    return {
        "party": row.party_id,
        "purpose": row.purpose,
        "digest": row.digest,
        "message": message.decode(),
        "public_key": base64.b64encode(bytes(row.key.public_key)).decode(),
        "signature": base64.b64encode(bytes(row.signature)).decode(),
        "authority": row.authority,
        "signed_at": row.signed_at.isoformat(),
    }
