"""Who may do what, as data: every route, every method, one table; nothing else decides.

A row names a route (as `resolve(path).view_name` does) and, for each method, who may use it and
which scope an API key needs for it. What is not in the table is refused. `AccessMiddleware` asks
it for pages, `marketplace.api.permissions.ByTable` for the API, and templates may ask `permits`
before they show a button. The table speaks of roles; which rows of the database somebody sees is
each view's query, and what it does not find answers as if it did not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

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

API: Table = {
    "api:me": {"GET": USERS},
    "api:parties": {"GET": USERS, "POST": FOUNDERS},
    "api:party": {"GET": READERS, "PATCH": OWNERS},
    "api:members": {"GET": READERS, "POST": OWNERS},
    "api:member": {"GET": READERS, "PATCH": OWNERS, "DELETE": OWNERS},
    "api:keys": {"GET": OWNERS_READ, "POST": OWNERS},
    "api:key": {"GET": OWNERS_READ, "DELETE": OWNERS},
    "api:agents": {"GET": PUBLIC, "POST": EDITORS},
    "api:agent-cards": {"POST": EDITORS},
    "api:agent": {"GET": PUBLIC},
    "api:agent-versions": {"GET": PUBLIC, "POST": EDITORS},
    "api:agent-version": {"GET": PUBLIC},
    "api:control-proof": {"GET": READERS, "PUT": EDITORS},
    "api:pacts": {"GET": PUBLIC, "POST": EDITORS},
    "api:pact": {"GET": PUBLIC},
    "api:pact-versions": {"GET": PUBLIC},
    "api:pact-version": {"GET": PUBLIC, "PUT": EDITORS},
    "api:pact-lint": {"GET": PUBLIC},
    "api:pact-text": {"GET": PUBLIC},
    "api:pact-difference": {"GET": PUBLIC},
    "api:pact-reviews": {"POST": FOUNDERS},
    "api:pact-schema": {"GET": PUBLIC},
    "api:checks": {"GET": PUBLIC},
    "api:check": {"GET": PUBLIC},
    "api:pact-templates": {"GET": PUBLIC},
    "api:pact-template": {"GET": PUBLIC},
    "api:publication": {"POST": EDITORS},
    "api:task-sets": {"GET": READERS, "POST": EDITORS},
    "api:task-set": {"GET": READERS},
    "api:task-set-versions": {"GET": READERS, "POST": EDITORS},
    "api:task-set-version": {"GET": READERS},
    "api:tasks": {"GET": READERS},
    "api:listings": {"GET": PUBLIC, "POST": EDITORS},
    "api:listing": {"GET": PUBLIC},
    "api:listing-pause": {"PUT": EDITORS, "DELETE": EDITORS},
    "api:claims": {"GET": PUBLIC, "POST": EDITORS},
    "api:claim": {"GET": PUBLIC},
    "api:imported-runs": {"GET": PUBLIC, "POST": EDITORS},
    "api:imported-run": {"GET": PUBLIC},
    "api:imported-trials": {"GET": PUBLIC},
    "api:screening": {"GET": PUBLIC},
    "api:evaluations": {"GET": READERS, "POST": EDITORS},
    "api:evaluation": {"GET": CASE_READERS},
    "api:trials": {"GET": CASE_READERS},
    "api:evaluation-judgements": {"GET": CASE_READERS},
    "api:juries": {"GET": PUBLIC, "POST": REVIEWERS},
    "api:jury": {"GET": PUBLIC},
    "api:calibrations": {"GET": PUBLIC, "POST": REVIEWERS},
    "api:review-draws": {"GET": REVIEWERS_READ, "POST": REVIEWERS},
    "api:reviews": {"GET": REVIEWERS_READ},
    "api:reviews-waiting": {"GET": REVIEWERS_READ},
    "api:review": {"GET": REVIEWERS_READ},
    "api:review-label": {"POST": REVIEWERS},
    "api:verdict": {"GET": CASE_READERS},
    "api:evaluation-cancellation": {"POST": EDITORS},
    "api:rerun": {"POST": EDITORS},
    "api:erasure": {"POST": EDITORS},
    "api:bundle": {"GET": CASE_READERS},
    "api:failure-modes": {"GET": CASE_READERS},
    "api:engagements": {"GET": READERS, "POST": DEALERS},
    "api:engagement": {"GET": CASE_READERS},
    "api:signature": {"POST": DEALERS},
    "api:calls": {"GET": READERS, "POST": REPORTERS},
    "api:call": {"GET": READERS},
    "api:traces": {"POST": REPORTERS},
    "api:call-backlog": {"GET": USERS},
    "api:live-verdicts": {"GET": READERS},
    "api:call-policy": {"GET": READERS, "PUT": EDITORS},
    "api:call-erasure": {"POST": EDITORS},
    "api:milestones": {"GET": READERS},
    "api:milestone": {"GET": CASE_READERS},
    "api:funding": {"POST": TREASURERS},
    "api:acceptance": {"POST": TREASURERS},
    "api:return": {"POST": DEALERS},
    "api:revision": {"POST": DEALERS},
    "api:dispute-opening": {"POST": DEALERS},
    "api:cancellation-opening": {"POST": DEALERS},
    "api:cancellations": {"GET": READERS},
    "api:cancellation": {"GET": READERS},
    "api:cancellation-acceptance": {"POST": TREASURERS},
    "api:cancellation-withdrawal": {"POST": DEALERS},
    "api:disputes": {"GET": CASE_READERS},
    "api:dispute": {"GET": CASE_READERS},
    "api:dispute-answer": {"POST": DEALERS},
    "api:dispute-withdrawal": {"POST": DEALERS},
    "api:dispute-rest": {"POST": DEALERS},
    "api:dispute-steps": {"GET": CASE_READERS},
    "api:exhibits": {"GET": CASE_READERS, "POST": DEALERS},
    "api:exhibit": {"GET": CASE_READERS},
    "api:exhibit-body": {"GET": CASE_READERS},
    "api:appeal": {"POST": DEALERS},
    "api:assignment": {"POST": REVIEWERS},
    "api:recusal": {"POST": REVIEWERS},
    "api:ruling": {"GET": CASE_READERS, "POST": ADJUDICATORS},
    "api:rulings": {"GET": CASE_READERS},
    "api:confirmation": {"POST": ADJUDICATORS},
    "api:award": {"GET": CASE_READERS},
    "api:similar": {"GET": CASE_READERS},
    "api:precedents": {"GET": PUBLIC},
    "api:precedent": {"GET": PUBLIC},
    "api:precedent-review": {"POST": REVIEWERS},
    "api:agreement-reports": {"GET": REVIEWERS_READ, "POST": REVIEWERS},
    "api:agreement-report": {"GET": REVIEWERS_READ},
    "api:suspicions": {"GET": STAFF_READ},
    "api:suspicion": {"GET": STAFF_READ},
    "api:suspicion-freeze": {"POST": STAFF_WRITE},
    "api:suspicion-release": {"POST": STAFF_WRITE},
    "api:policy": {"GET": PUBLIC, "POST": STAFF_WRITE},
    "api:policy-versions": {"GET": PUBLIC},
    "api:balances": {"GET": READERS},
    "api:statement": {"GET": READERS},
    "api:deposits": {"GET": READERS, "POST": TREASURERS},
    "api:statement-period": {"GET": READERS},
    "api:statement-file": {"GET": READERS},
    "api:deposit": {"GET": READERS},
    "api:refund": {"POST": TREASURERS},
    "api:payouts": {"GET": READERS, "POST": TREASURERS},
    "api:payout": {"GET": READERS},
    "api:payout-cancellation": {"POST": TREASURERS},
    "api:reconciliations": {"GET": STAFF_READ},
    "api:differences": {"GET": STAFF_READ},
    "api:difference": {"GET": STAFF_READ},
    "api:difference-resolution": {"POST": STAFF_MONEY},
    "api:receipts": {"GET": READERS},
    "api:receipt": {"GET": READERS},
    "api:receipt-paper": {"GET": READERS},
    "api:controls": {"GET": PUBLIC, "POST": STEERERS},
    "api:control": {"GET": PUBLIC},
    "api:control-versions": {"GET": PUBLIC, "POST": STEERERS},
    "api:control-retirement": {"POST": STEERERS},
    "api:control-reviews": {"GET": OVERSEERS, "POST": STEERERS},
    "api:firings": {"GET": OVERSEERS},
    "api:firing": {"GET": OVERSEERS},
    "api:firing-override": {"POST": STEERERS},
    "api:firing-resolution": {"POST": STEERERS},
    "api:firing-re-evaluation": {"POST": STEERERS},
    "api:oracle": {"GET": PUBLIC},
    "api:evidence-log": {"GET": PUBLIC},
    "api:evidence": {"GET": PUBLIC},
    "api:evidence-proof": {"GET": PUBLIC},
    "api:evidence-bundle": {"GET": PUBLIC},
    "api:agent-bundle": {"GET": PUBLIC},
    "api:engagement-bundle": {"GET": CASE_READERS},
    "api:evidence-kinds": {"GET": PUBLIC},
    "api:log": {"GET": PUBLIC},
    "api:heads": {"GET": PUBLIC},
    "api:consistency": {"GET": PUBLIC},
    "api:standings": {"GET": PUBLIC},
    "api:standing": {"GET": PUBLIC},
    "api:signals": {"GET": PUBLIC},
    "api:standing-history": {"GET": PUBLIC},
    "api:buyer": {"GET": PUBLIC},
    "api:credentials": {"GET": READERS, "POST": EDITORS},
    "api:credential": {"GET": PUBLIC, "DELETE": EDITORS},
    "api:jwks": {"GET": PUBLIC},
}

# Every page of `marketplace.pages.urls`.
PAGES: Table = {
    "market": PUBLIC_PAGE,
    "agent": PUBLIC_PAGE,
    "agent_standing": PUBLIC_PAGE,
    "badge": PUBLIC_PAGE,
    "buyer": PUBLIC_PAGE,
    "credential_new": {"POST": EDITORS},
    "credential_end": {"POST": EDITORS},
    "evidence": PUBLIC_PAGE,
    "evidence_entry": PUBLIC_PAGE,
    "evidence_kinds": PUBLIC_PAGE,
    "log": PUBLIC_PAGE,
    "imported_run": PUBLIC_PAGE,
    "screening": PUBLIC_PAGE,
    "claim_new": {"GET": EDITORS, "POST": EDITORS},
    "import_new": {"GET": EDITORS, "POST": EDITORS},
    "hire": {"GET": READERS, "POST": DEALERS},
    "evaluations": READERS_PAGE,
    "evaluation_new": {"GET": EDITORS, "POST": EDITORS},
    "evaluation": READERS_PAGE,
    "evaluation_live": READERS_PAGE,
    "evaluation_cancellation": {"POST": EDITORS},
    "evaluation_rerun": {"POST": EDITORS},
    "evaluation_bundle": READERS_PAGE,
    "engagements": READERS_PAGE,
    "engagement": READERS_PAGE,
    "engagement_live": READERS_PAGE,
    "engagement_calls": READERS_PAGE,
    "call_policy": {"POST": EDITORS},
    "call_erasure": {"POST": EDITORS},
    "signature": {"POST": DEALERS},
    "funding": {"POST": TREASURERS},
    "acceptance": {"POST": TREASURERS},
    "give_back": {"POST": DEALERS},
    "cancellation": {"POST": DEALERS},
    "cancellation_acceptance": {"POST": TREASURERS},
    "cancellation_withdrawal": {"POST": DEALERS},
    "dispute": {"GET": DEALERS, "POST": DEALERS},
    "revision": {"GET": DEALERS, "POST": DEALERS},
    "failing": READERS_PAGE,
    "receipt": READERS_PAGE,
    "receipt_json": READERS_PAGE,
    "receipt_pdf": READERS_PAGE,
    "statement": READERS_PAGE,
    "statement_csv": READERS_PAGE,
    "money": READERS_PAGE,
    "deposit": {"POST": TREASURERS},
    "payout": {"POST": TREASURERS},
    "refund": {"POST": TREASURERS},
    "payout_cancellation": {"POST": TREASURERS},
    "task_sets": READERS_PAGE,
    "task_set_new": {"GET": EDITORS, "POST": EDITORS},
    "task_set": READERS_PAGE,
    "task_set_version_new": {"GET": EDITORS, "POST": EDITORS},
    "builder": READERS_PAGE,
    "agent_new": {"GET": EDITORS, "POST": EDITORS},
    "builder_agent": READERS_PAGE,
    "control": {"POST": EDITORS},
    "version_new": {"GET": EDITORS, "POST": EDITORS},
    "checks": PUBLIC_PAGE,
    "check": PUBLIC_PAGE,
    "pact_templates": PUBLIC_PAGE,
    "pact_template": PUBLIC_PAGE,
    "pact_schema": PUBLIC_PAGE,
    "pact_changes": PUBLIC_PAGE,
    "pact_new": {"GET": EDITORS, "POST": EDITORS},
    "pact_review": {"POST": EDITORS},
    "pact_draft": {"GET": READERS, "POST": EDITORS},
    "publication": {"POST": EDITORS},
    "listing": {"GET": EDITORS, "POST": EDITORS},
    "listing_pause": {"POST": EDITORS},
    "parties": {"GET": USERS},
    "party_new": {"GET": USERS, "POST": FOUNDERS},
    "party_choice": {"POST": USERS},
    "members": {"POST": OWNERS},
    "member_removal": {"POST": OWNERS},
    "keys": {"GET": OWNERS_READ, "POST": OWNERS},
    "key_end": {"POST": OWNERS},
    "controls": {"GET": OVERSEERS},
    "control_new": {"GET": STEERERS, "POST": STEERERS},
    "control_one": {"GET": OVERSEERS},
    "control_change": {"GET": STEERERS, "POST": STEERERS},
    "control_retirement": {"POST": STEERERS},
    "control_review": {"POST": STEERERS},
    "firing": {"GET": OVERSEERS},
    "firing_override": {"POST": STEERERS},
    "firing_resolution": {"POST": STEERERS},
    "firing_re_evaluation": {"POST": STEERERS},
    "desk": {"GET": ADJUDICATORS},
    "juries": PUBLIC_PAGE,
    "jury": PUBLIC_PAGE,
    "jury_new": {"GET": REVIEWERS, "POST": REVIEWERS},
    "jury_draw": {"POST": REVIEWERS},
    "jury_calibration": {"POST": REVIEWERS},
    "reviews": {"GET": REVIEWERS_READ},
    "review": {"GET": REVIEWERS_READ, "POST": REVIEWERS},
    "disputes": READERS_PAGE,
    "case": {"GET": CASE_READERS},
    "dispute_answer": {"POST": DEALERS},
    "dispute_withdrawal": {"POST": DEALERS},
    "dispute_rest": {"POST": DEALERS},
    "exhibit_new": {"POST": DEALERS},
    "exhibit": {"GET": CASE_READERS},
    "appeal": {"POST": DEALERS},
    "assignment": {"POST": ADJUDICATORS},
    "recusal": {"POST": ADJUDICATORS},
    "ruling": {"POST": ADJUDICATORS},
    "confirmation": {"POST": ADJUDICATORS},
    "precedents": PUBLIC_PAGE,
    "precedent": PUBLIC_PAGE,
    "precedent_review": {"POST": REVIEWERS},
    "agreements": {"GET": REVIEWERS_READ, "POST": REVIEWERS},
    "agreement": {"GET": REVIEWERS_READ},
    "gaming": {"GET": STAFF_READ},
    "suspicion": {"GET": STAFF_READ},
    "suspicion_freeze": {"POST": STAFF_WRITE},
    "suspicion_release": {"POST": STAFF_WRITE},
    "policies": {"GET": STAFF_READ, "POST": STAFF_WRITE},
}

# What other programs bring: allauth's and the back office's own views check further themselves.
SITE: Table = {
    "healthz": PUBLIC_PAGE,
    "readyz": PUBLIC_PAGE,
    "schema": PUBLIC_PAGE,
    "docs": PUBLIC_PAGE,
    "log:*": PUBLIC_PAGE,
    # Nobody logs in here: a rail proves itself by its signature over the raw body.
    "rail_webhook": {"POST": PUBLIC},
    "account_*": PUBLIC_FORM,
    "mfa_*": PUBLIC_FORM,
    "admin:login": PUBLIC_FORM,
    "admin:jsi18n": PUBLIC_PAGE,
    "admin:*": {"GET": STAFF, "POST": STAFF},
}

TABLE: Table = {**API, **PAGES, **SITE}


def methods_of(route: str) -> Methods | None:
    """The row of a route: its own, else that of the first pattern it fits; None when unlisted."""
    if route in TABLE:
        return TABLE[route]
    for name, methods in TABLE.items():
        if "*" in name and fnmatchcase(route, name):
            return methods
    return None


def rule_of(route: str, method: str) -> Rule | None:
    """Who may use `method` on `route`; None when the table does not list it."""
    return (methods_of(route) or {}).get("GET" if method == "HEAD" else method)


def permits(route: str, method: str, acting: Acting | None) -> bool:
    """Whether somebody may: for buttons. An unlisted route permits nobody."""
    rule = rule_of(route, method)
    return rule is not None and rule.answer(acting) is Answer.YES
