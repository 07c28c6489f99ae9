"""Who may read the private part of which evidence. Everybody may check that it is the same one."""

from collections.abc import Iterable, Mapping

from django.db.models import Q, QuerySet

from marketplace.acting import Acting
from pacts.models import Engagement
from reputation.models import Evidence, EvidenceSubject

# The roles in which evidence names a party that its private part is for.
OWN_ROLES = ("party", "buyer", "builder")
# What both sides of the engagement share, and what an adjudicator rules on.
SHARED = frozenset(
    {"engagement.proposed", "dispute.opened", "ruling.made", "cancellation.proposed"}
)
ADJUDICATED = frozenset({"dispute.opened", "ruling.made"})
PUBLISHED = frozenset({"pact.published"})


def opened_to(acting: Acting | None, *, evidence_ids: Iterable[str]) -> set[str]:
    """Those of the evidence whose private part the asker may see; the public sees what is public.

    Notes on controls and their firings are for whoever set them, so no bundle opens them.
    """
    kinds = dict(Evidence.objects.filter(pk__in=list(evidence_ids)).values_list("pk", "kind"))
    readable = {pk for pk, kind in kinds.items() if kind in PUBLISHED}
    if acting and acting.user.is_adjudicator:
        readable |= {pk for pk, kind in kinds.items() if kind in ADJUDICATED}
    if acting and acting.party:
        readable |= _of_party(acting.party.id, kinds)
    return readable


def _of_party(party_id: str, kinds: Mapping[str, str]) -> set[str]:
    named = EvidenceSubject.objects.filter(evidence__in=list(kinds))
    engagements = Engagement.objects.filter(Q(buyer=party_id) | Q(builder=party_id))
    shared = named.filter(role="engagement", subject_id__in=engagements.values("id"))
    own = named.filter(role__in=OWN_ROLES, subject_id=party_id)
    return {pk for pk in _ids(own) if not kinds[pk].startswith("control.")} | {
        pk for pk in _ids(shared) if kinds[pk] in SHARED
    }


def _ids(named: QuerySet[EvidenceSubject]) -> Iterable[str]:
    return named.values_list("evidence_id", flat=True)
