"""Parties and the people who act for them."""

from django.db import IntegrityError, transaction

from pacts.evaluators import is_torn
from pacts.models import Member, Party, User

_KNOWN = "this person is a member already; change the role instead"
_TORN = (
    "this person would act for the evaluator of a hire and for a side of it; "
    "wait until that hire is over"
)


class MemberRefused(ValueError):
    """The membership cannot change that way; the message says why."""


def found_party(*, name: str, kind: Party.Kind, by: User, about: str = "") -> Party:
    """A new party with its founder as owner."""
    with transaction.atomic():
        party = Party.objects.create(name=name, kind=kind, about=about)
        Member.objects.create(party=party, user=by, role=Member.Role.OWNER)
    return party


def add_member(*, party: Party, email: str, role: Member.Role) -> Member:
    """Let somebody who has an account act for the party. Raises `MemberRefused`."""
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None:
        raise MemberRefused("nobody has an account with this address; ask them to sign up first")
    if user.is_adjudicator:
        # A side could otherwise choose who rules, by giving the others an interest.
        raise MemberRefused(
            "this person rules on disputes, so nobody else can make them a member of a party"
        )
    if is_torn(user=user, party=party):
        raise MemberRefused(_TORN)
    try:
        with transaction.atomic():
            return Member.objects.create(party=party, user=user, role=role)
    except IntegrityError as error:
        known = Member.objects.filter(party=party, user=user).exists()
        # If not, the trigger saw a hire that was proposed a moment ago.
        raise MemberRefused(_KNOWN if known else _TORN) from error


def change_role(*, member: Member, role: Member.Role) -> Member:
    """Give a member another role; a party always keeps an owner. Raises `MemberRefused`."""
    with transaction.atomic():
        if role != Member.Role.OWNER:
            _refuse_to_lose_the_last_owner(member)
        member.role = role
        member.save(update_fields=["role"])
    return member


def remove_member(*, member: Member) -> None:
    """End a membership, and with it every key of that user for the party."""
    with transaction.atomic():
        _refuse_to_lose_the_last_owner(member)
        member.delete()


def _refuse_to_lose_the_last_owner(member: Member) -> None:
    # The lock makes two owners who remove each other at once wait for each other.
    Party.objects.select_for_update().get(pk=member.party_id)
    owners = Member.objects.filter(party_id=member.party_id, role=Member.Role.OWNER)
    if owners.filter(pk=member.pk).exists() and owners.count() == 1:
        raise MemberRefused("a party needs an owner; make somebody else one first")
