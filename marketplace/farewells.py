"""A person's account that becomes nobody's: what names them goes, what they signed stays."""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from marketplace.models import ApiKey, Mail, SavedSearch
from pacts.models import Member, Party, User
from settlement import ledger
from settlement.models import FINAL, Escrow

NOBODY = "erased"


class PersonNeeded(Exception):
    """Money would be left that nobody could take out; the message says what to do first."""


def take_leave(*, subject_id: str, now: datetime) -> bool:
    """Make a user's account, or a natural person's party, nobody's; whether there was one to do.

    The address, the name, the second factors, the names of keys and the searches that were kept go,
    and the mails that wait; keys end and nobody logs in any more. Raises PersonNeeded for the only
    owner of a party that money still belongs to.
    """
    user = User.objects.select_for_update().filter(pk=subject_id).first()
    if user is not None:
        return _leave(user, now)
    return bool(_unname(Party.objects.filter(pk=subject_id)))


def _leave(user: User, now: datetime) -> bool:
    if user.email == _address(user):
        return False
    alone = [party for party in Party.objects.filter(members__user=user) if _is_alone(user, party)]
    for party in alone:
        _refuse_with_money(party)
    _unname(Party.objects.filter(pk__in=[party.pk for party in alone]))
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    ApiKey.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
    ApiKey.objects.filter(user=user).update(name=NOBODY)
    SavedSearch.objects.filter(user=user).delete()
    Mail.objects.filter(user=user).update(due_at=None, problem="")  # a server's words name it
    kind = ContentType.objects.get_for_model(User)
    told = LogEntry.objects.filter(content_type=kind, object_id=user.pk)
    told.update(object_repr=user.pk, change_message="")
    user.email, user.name, user.last_login = _address(user), "", None
    user.is_active = user.is_staff = user.is_superuser = user.is_adjudicator = False
    user.set_unusable_password()
    user.save()
    return True


def _address(user: User) -> str:
    """An address nobody has: `.invalid` is reserved for that (RFC 2606)."""
    return f"{user.pk}@erased.invalid"


def _is_alone(user: User, party: Party) -> bool:
    owners = party.members.filter(role=Member.Role.OWNER).values_list("user_id", flat=True)
    return list(owners) == [user.pk]


def _refuse_with_money(party: Party) -> None:
    open_ones = Escrow.objects.exclude(state__in=FINAL)
    engaged = open_ones.filter(milestone__engagement__buyer=party) | open_ones.filter(
        milestone__engagement__builder=party
    )
    if any(ledger.balances_of(party).values()) or engaged.exists():
        raise PersonNeeded(
            f"only this person owns {party.pk}, and money is in its name: pay it out, end what is "
            "under way, or make somebody else an owner first"
        )


def _unname(parties: QuerySet[Party]) -> int:
    """Natural persons alone: the name of an organisation is public."""
    rows = parties.filter(kind=Party.Kind.PERSON).exclude(name=NOBODY)
    return int(rows.update(name=NOBODY, about=""))
