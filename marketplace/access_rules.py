"""The words of the access table: a rule, its answer, and the groups that rows name."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from marketplace.acting import Acting
from marketplace.models import ApiKey
from pacts.models import Member

READ, WRITE, MONEY = ApiKey.Scope.READ, ApiKey.Scope.WRITE, ApiKey.Scope.MONEY
CALLS = ApiKey.Scope.CALLS
OWNER, FINANCE = Member.Role.OWNER, Member.Role.FINANCE
EDITOR, VIEWER = Member.Role.EDITOR, Member.Role.VIEWER


class Answer(Enum):
    """What the table says to somebody."""

    YES = "yes"
    WHO_ARE_YOU = "who are you"  # logging in, or a key, may help
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may use one method of one route: any of the groups named here suffices."""

    public: bool = False
    users: bool = False  # anybody who is logged in, with or without a party
    roles: frozenset[str] = frozenset()  # in the party one acts for
    adjudicators: bool = False
    staff: bool = False
    scope: str | None = None  # what an API key must hold

    def answer(self, acting: Acting | None) -> Answer:
        """What this rule says to somebody."""
        if self.public:
            return Answer.YES
        if acting is None:
            return Answer.WHO_ARE_YOU
        if self.scope and self.scope not in acting.scopes:
            return Answer.NO
        allowed = (
            self.users
            or acting.role in self.roles
            or (self.adjudicators and acting.user.is_adjudicator)
            or (self.staff and acting.user.is_staff)
        )
        return Answer.YES if allowed else Answer.NO

    def sentence(self, *, for_programs: bool = True) -> str:
        """Who may, for the one who may not; people in a browser hear nothing of scopes."""
        roles = ", ".join(role for role in Member.Role.values if role in self.roles)
        groups = [f"members of a party in the role {roles}"] if roles else []
        groups += ["everybody who is logged in"] if self.users else []
        groups += ["adjudicators"] if self.adjudicators else []
        groups += ["the platform's staff"] if self.staff else []
        named = for_programs and self.scope
        scope = f"; an API key needs the scope {self.scope}" if named else ""
        return f"This is for {' and for '.join(groups)}{scope}."


Methods = Mapping[str, Rule]
Table = Mapping[str, Methods]


def members(*roles: str, scope: str, adjudicators: bool = False) -> Rule:
    """Members of the acting party in one of these roles; owners always."""
    return Rule(roles=frozenset({OWNER, *roles}), scope=scope, adjudicators=adjudicators)


PUBLIC = Rule(public=True)
USERS = Rule(users=True, scope=READ)
FOUNDERS = Rule(users=True, scope=WRITE)
READERS = members(VIEWER, EDITOR, FINANCE, scope=READ)
CASE_READERS = members(VIEWER, EDITOR, FINANCE, scope=READ, adjudicators=True)
EDITORS = members(EDITOR, scope=WRITE)
TREASURERS = members(FINANCE, scope=MONEY)
# Programs that report production calls hold a key that does nothing else.
REPORTERS = members(EDITOR, FINANCE, scope=CALLS)
# A hire promises money, and a challenge moves it: both sides of a party's work may do them.
DEALERS = members(EDITOR, FINANCE, scope=MONEY)
OWNERS_READ = members(scope=READ)
OWNERS = members(scope=WRITE)
ADJUDICATORS = Rule(adjudicators=True, scope=MONEY)
REVIEWERS_READ = Rule(adjudicators=True, scope=READ)
REVIEWERS = Rule(adjudicators=True, scope=WRITE)
STAFF = Rule(staff=True)
# The same people through the API: a key of theirs opens it with these scopes, nobody else's does.
STAFF_READ = Rule(staff=True, scope=READ)
STAFF_WRITE = Rule(staff=True, scope=WRITE)
STAFF_MONEY = Rule(staff=True, scope=MONEY)
# Controls: parties over what they build, the platform's staff over everything.
OVERSEERS = Rule(roles=READERS.roles, staff=True, scope=READ)
STEERERS = Rule(roles=EDITORS.roles, staff=True, scope=WRITE)

PUBLIC_PAGE: Methods = {"GET": PUBLIC}
PUBLIC_FORM: Methods = {"GET": PUBLIC, "POST": PUBLIC}
READERS_PAGE: Methods = {"GET": READERS}
