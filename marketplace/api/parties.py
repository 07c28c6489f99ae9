"""Me, parties and their members."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import membership
from marketplace.acting import Acting
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts.models import Member, Party


class PartySerializer(serializers.ModelSerializer[Party]):
    class Meta:
        model = Party
        fields = ["id", "name", "kind", "about", "created_at"]
        read_only_fields = ["id", "created_at"]
        extra_kwargs = {"name": {"min_length": 2}}


class PartyChangeSerializer(serializers.ModelSerializer[Party]):
    class Meta:
        model = Party
        fields = ["name", "about"]
        extra_kwargs = {"name": {"min_length": 2, "required": False}}


class MemberSerializer(serializers.ModelSerializer[Member]):
    user = serializers.CharField(source="user_id")
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")

    class Meta:
        model = Member
        fields = ["user", "email", "name", "role", "created_at"]


class NewMemberSerializer(serializers.Serializer[Member]):
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Member.Role.choices)


class RoleSerializer(serializers.Serializer[Member]):
    role = serializers.ChoiceField(choices=Member.Role.choices)


class MembershipSerializer(serializers.ModelSerializer[Member]):
    party = PartySerializer()

    class Meta:
        model = Member
        fields = ["party", "role"]


class MeSerializer(serializers.Serializer[Acting]):
    """Who the caller is, whom it acts for, and for whom it could."""

    id = serializers.CharField(source="user.id")
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    is_adjudicator = serializers.BooleanField(source="user.is_adjudicator")
    party = PartySerializer(allow_null=True)
    role = serializers.CharField(allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    memberships = serializers.SerializerMethodField()

    def get_memberships(self, acting: Acting) -> list[dict[str, Any]]:
        if not acting.role:
            return []
        rows = Member.objects.filter(user=acting.user).select_related("party").order_by("id")
        return [dict(row) for row in MembershipSerializer(rows, many=True).data]


class Me(Noun):
    """Who the caller is and whom it acts for."""

    gives = MeSerializer

    def get(self, request: Request) -> Response:
        return Response(self.shown(self.acting))


class Parties(Lists, Makes):
    """The parties the caller is a member of; founding one makes the caller its owner."""

    gives = PartySerializer
    takes = PartySerializer
    queryset = Party.objects.none()

    def get_queryset(self) -> QuerySet[Party]:
        return Party.objects.filter(members__user=self.user)

    def create(self, given: dict[str, Any], now: datetime) -> Party:
        return membership.found_party(by=self.user, **{"kind": Party.Kind.ORGANISATION, **given})


class OneParty(Reads):
    """The party the caller acts for."""

    gives = PartySerializer
    takes = PartyChangeSerializer

    def get_queryset(self) -> QuerySet[Party]:
        return Party.objects.filter(pk=self.own)

    def patch(self, request: Request, id: str) -> Response:
        party = self.find(self.get_queryset(), pk=id)
        for name, value in self.given().items():
            setattr(party, name, value)
        party.save()
        return Response(self.shown(party))


class Members(Lists, Makes):
    """Who acts for the party, and in which role."""

    gives = MemberSerializer
    takes = NewMemberSerializer
    queryset = Member.objects.none()

    def get_queryset(self) -> QuerySet[Member]:
        party = self.find(Party.objects.filter(pk=self.own), pk=self.kwargs["id"])
        return Member.objects.filter(party=party).select_related("user")

    def create(self, given: dict[str, Any], now: datetime) -> Member:
        party = self.find(Party.objects.filter(pk=self.own), pk=self.kwargs["id"])
        return membership.add_member(party=party, **given)


class OneMember(Noun):
    """One person's membership; named by the user's id."""

    gives = MemberSerializer
    takes = RoleSerializer
    deletes = True

    def member(self, party: str, user: str) -> Member:
        rows = Member.objects.filter(party_id=self.own).select_related("user")
        return self.find(rows, party_id=party, user_id=user)

    def get(self, request: Request, id: str, member: str) -> Response:
        return Response(self.shown(self.member(id, member)))

    def patch(self, request: Request, id: str, member: str) -> Response:
        found = self.member(id, member)
        return Response(self.shown(membership.change_role(member=found, **self.given())))

    def delete(self, request: Request, id: str, member: str) -> Response:
        membership.remove_member(member=self.member(id, member))
        return Response(status=status.HTTP_204_NO_CONTENT)
