"""Whom a request acts for: a user, and the party that user chose among its own."""

from dataclasses import dataclass, field

from django.http import HttpRequest

from marketplace.models import ApiKey
from pacts.models import Member, Party, User

PARTY_HEADER = "Earnest-Party"
PARTY_IN_SESSION = "party"
EVERY_SCOPE = frozenset(ApiKey.Scope.values)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who asks. `party` and `role` are None for a user without one. A browser has all scopes.
    `engagement` is the only one a key reports on, None for all of its party's."""

    user: User
    party: Party | None = None
    role: str | None = None
    scopes: frozenset[str] = field(default=EVERY_SCOPE)
    engagement: str | None = None

    @property
    def caller(self) -> str:
        """Whose requests are replayed to whom: the party's, so that a new key repeats nothing."""
        return self.party.id if self.party else self.user.id


def acting_of(request: HttpRequest) -> Acting | None:
    """Whom a browser's request acts for; None for nobody.

    The party is the one named in the `Earnest-Party` header, else the one chosen in the session,
    else the first the user joined. Naming a party one is no member of is acting without a party.
    """
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    named = request.headers.get(PARTY_HEADER) or request.session.get(PARTY_IN_SESSION)
    memberships = Member.objects.filter(user=user).select_related("party").order_by("id")
    member = memberships.filter(party_id=named).first() if named else memberships.first()
    if member is None:
        return Acting(user)
    return Acting(user, member.party, member.role)


def acting_by_key(key: ApiKey) -> Acting | None:
    """Whom a program acts for: its key's user in its key's party, while that user is a member."""
    member = Member.objects.filter(user=key.user, party=key.party).first()
    if member is None or not key.user.is_active:
        return None
    scopes = frozenset(key.scopes)
    return Acting(key.user, key.party, member.role, scopes, key.engagement_id)


def choose_party(request: HttpRequest, party: Party) -> None:
    """Remember in the session which party the browser acts for from now on."""
    request.session[PARTY_IN_SESSION] = party.id
