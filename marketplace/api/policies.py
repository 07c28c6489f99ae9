"""What the platform sets: in force, its versions, and changes that two people make."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import policy
from marketplace.api.fields import WholeField
from marketplace.api.nouns import Lists, Makes, Reads
from marketplace.models import PolicyProposal
from marketplace.policy_effects import Effect
from marketplace.policy_terms import MONEY_TERMS, SETTINGS
from pacts.models import PolicyVersion
from reputation.clock import database_now


class PlatformPolicySerializer(serializers.Serializer[policy.Policy]):
    """The policy in force; `number` is 0 before the first change."""

    number = serializers.IntegerField()
    values = serializers.DictField(child=serializers.IntegerField())


class EffectSerializer(serializers.Serializer[Effect]):
    """One setting that would change, and what follows from it."""

    key = serializers.CharField()
    title = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    sentence = serializers.CharField()
    is_money = serializers.BooleanField()


class PolicyVersionSerializer(serializers.ModelSerializer[PolicyVersion]):
    """The settings that differ from their defaults, from `changed_at` on; `effects` are what it
    changed. `seconded` says that a second person confirmed it."""

    values = serializers.DictField(child=serializers.IntegerField())
    seconded = serializers.SerializerMethodField()
    effects = serializers.SerializerMethodField()

    class Meta:
        model = PolicyVersion
        fields = [
            *("id", "number", "values", "effects", "reason", "seconded", "changed_at"),
            "evidence_id",
        ]

    def get_seconded(self, row: PolicyVersion) -> bool:
        return row.seconded_by_id is not None

    @extend_schema_field(EffectSerializer(many=True))
    def get_effects(self, row: PolicyVersion) -> Any:
        return [EffectSerializer(one).data for one in policy.effects_of_version(row)]


class PolicyChangeSerializer(serializers.Serializer[PolicyVersion]):
    changes = serializers.DictField(
        child=WholeField(min_value=0, max_value=10**9),
        help_text=f"New values of some of: {', '.join(SETTINGS)}. Two people change "
        f"{', '.join(key for key in SETTINGS if key in MONEY_TERMS)}.",
    )
    reason = serializers.CharField(max_length=policy.LONGEST_REASON)
    seen = WholeField(
        min_value=0,
        max_value=10**6,
        help_text="The number of the policy you looked at; somebody else's change is refused over.",
    )


class PolicyProposalSerializer(serializers.ModelSerializer[PolicyProposal]):
    """A change that waits for a second person. `may_be_confirmed` is false once it was decided,
    lapsed or overtaken by another change."""

    changes = serializers.DictField(child=serializers.IntegerField())
    effects = serializers.SerializerMethodField()
    may_be_confirmed = serializers.BooleanField()

    class Meta:
        model = PolicyProposal
        fields = [
            *("id", "seen", "changes", "reason", "proposed_by_id", "proposed_at", "lapses_at"),
            *("state", "decided_by_id", "decided_at", "version_id", "may_be_confirmed", "effects"),
        ]

    @extend_schema_field(EffectSerializer(many=True))
    def get_effects(self, row: PolicyProposal) -> Any:
        return [EffectSerializer(one).data for one in policy.effects_of_proposal(row)]


class DecisionSerializer(serializers.Serializer[PolicyProposal]):
    confirmed = serializers.BooleanField()


class ThePolicy(Makes):
    """What the platform sets: fees, windows and limits, for work agreed on from now on. A change of
    money terms is proposed (`POST /policy/proposals`)."""

    gives = PlatformPolicySerializer
    takes = PolicyChangeSerializer
    makes = PolicyVersionSerializer

    def get(self, request: Request) -> Response:
        return Response(self.shown(policy.at(database_now())))

    def create(self, given: dict[str, Any], now: datetime) -> PolicyVersion:
        made = policy.change(by=self.user, now=now, **given)
        return policy.versions().get(pk=made.pk)


class PolicyVersions(Lists):
    """Every change of the policy, newest first."""

    gives = PolicyVersionSerializer
    queryset = PolicyVersion.objects.none()

    def get_queryset(self) -> QuerySet[PolicyVersion]:
        return policy.versions()


class PolicyProposals(Lists, Makes):
    """Changes that wait, or waited, for a second person; newest first."""

    gives = PolicyProposalSerializer
    takes = PolicyChangeSerializer
    queryset = PolicyProposal.objects.none()

    def get_queryset(self) -> QuerySet[PolicyProposal]:
        return policy.proposals(now=database_now())

    def create(self, given: dict[str, Any], now: datetime) -> PolicyProposal:
        made = policy.propose(by=self.user, now=now, **given)
        return policy.proposals(now=now).get(pk=made.pk)


class OneProposal(Reads):
    """One of them."""

    gives = PolicyProposalSerializer
    queryset = PolicyProposal.objects.none()

    def get_queryset(self) -> QuerySet[PolicyProposal]:
        return policy.proposals(now=database_now())


class ProposalDecision(Makes):
    """A second person confirms the proposal, or somebody of the staff declines it."""

    gives = PolicyProposalSerializer
    takes = DecisionSerializer
    queryset = PolicyProposal.objects.none()

    def create(self, given: dict[str, Any], now: datetime) -> PolicyProposal:
        row = self.find(policy.proposals(now=now), pk=self.kwargs["id"])
        if given["confirmed"]:
            policy.confirm(proposal=row, by=self.user, now=now)
        else:
            policy.decline(proposal=row, by=self.user, now=now)
        return policy.proposals(now=now).get(pk=row.pk)
