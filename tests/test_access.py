"""The access table is the site: no route without a row, no row without a route, all of it kept."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from marketplace import access
from marketplace.acting import EVERY_SCOPE, Acting
from pacts.models import Member, User
from tests import cast
from tests.marketplace.api.programs import Program, colleague, program_of
from tests.marketplace.market import Market, one_of_everything

pytestmark = pytest.mark.django_db

ABSENT = "xyz_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OURS = "marketplace."
CHANGING = (access.WRITE, access.MONEY, access.CALLS)
# No role in a party lets anybody use these.
PLATFORM = (
    *(access.ADJUDICATORS, access.REVIEWERS, access.REVIEWERS_READ),
    *(access.STAFF_READ, access.STAFF_WRITE, access.STAFF_MONEY),
)


def routes(
    patterns: Any = None, prefix: str = "", space: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Every route of the URLconf: its name with its namespace, its path, its view."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from routes(entry.url_patterns, prefix + str(entry.pattern), inner)
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name or ''}", prefix + str(entry.pattern), entry.callback


def methods_of(view: Any) -> set[str]:
    """The methods a class-based view has; for a function, those its row lists."""
    found = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return {name for name in METHODS if hasattr(found, name.lower())} if found else set()


EVERY_ROUTE = sorted({(name, path): view for name, path, view in routes()}.items())
API_ROUTES = sorted({name: path for name, path, _ in routes() if name.startswith("api:")}.items())
API_CALLS = [
    (name, method, path) for name, path in API_ROUTES for method in access.API.get(name, {})
]
PAGES = sorted({name: path for name, path, _ in routes() if name in access.PAGES}.items())
PAGE_CALLS = [(name, method, path) for name, path in PAGES for method in access.PAGES[name]]


def test_every_route_of_the_site_has_a_row() -> None:
    # Redirects of allauth and the office to addresses that have a row of their own have no name.
    unlisted = [
        (name, path)
        for (name, path), view in EVERY_ROUTE
        if access.methods_of(name) is None and (name or view.__module__.startswith(OURS))
    ]
    assert unlisted == []


def test_every_method_of_an_api_view_is_listed_and_no_other() -> None:
    views = {name: view for name, _, view in routes() if name.startswith("api:")}
    assert {name: methods_of(view) for name, view in views.items()} == {
        name: set(methods) for name, methods in access.API.items()
    }


def test_every_row_has_a_route() -> None:
    names = {name for name, _, _ in routes()}
    assert {name for name in access.TABLE if "*" not in name} - names == set()


def test_a_route_has_one_name_and_a_name_one_rule() -> None:
    assert not set(access.API) & set(access.PAGES)
    assert not set(access.PAGES) & set(access.SITE)


def test_whoever_changes_something_through_the_api_needs_more_than_the_scope_to_read() -> None:
    for name, methods in access.API.items():
        for method, rule in methods.items():
            assert rule.public or rule.scope, (name, method)
            assert method == "GET" or rule.scope in CHANGING, (name, method)


def test_an_empty_rule_lets_nobody_in() -> None:
    somebody = Acting(User(is_staff=True, is_adjudicator=True), None, "owner", EVERY_SCOPE)
    assert access.Rule().answer(None) is access.Answer.WHO_ARE_YOU
    assert access.Rule().answer(somebody) is access.Answer.NO
    assert access.rule_of("a-route-nobody-listed", "GET") is None


# --- the table is obeyed -----------------------------------------------------------------------


@pytest.fixture
def market(db: None) -> Market:
    return one_of_everything()


def people(market: Market) -> dict[str, cast.Actor]:
    """One person of every group; all but mallory and carol act for alice's party."""
    roles = {role.value: colleague(market.alice.party, role) for role in Member.Role}
    staff = cast.actor("erin", is_staff=True)
    return {**roles, "foreign": cast.mallory(), "adjudicator": cast.carol(), "staff": staff}


def acting_as(who: str, actor: cast.Actor) -> Acting:
    role = who if who in Member.Role.values else Member.Role.OWNER.value
    return Acting(actor.user, actor.party, role)


def filled(path: str, market: Market, absent: bool = False) -> str:
    """The address with the ids of the market's own things, or with ids nothing has."""
    noun = path.removeprefix("api/v1/").split("/")[0]
    named = {"parties": "party", "juries": "jury", "benchmark-claims": "claim"}
    named |= {
        "standings": "agent",
        "oracle": "agent",
        "deliveries": "delivery",
        "saved-searches": "saved-search",
    }
    singular = named.get(noun, noun.removesuffix("s"))
    own = {"id": market.ids.get(singular, ABSENT), "member": market.ids["member"]}
    return "/" + re.sub(r"<\w+:(\w+)>", lambda m: ABSENT if absent else own[m[1]], path)


def ask(program: Program, method: str, path: str) -> Any:
    return program.ask(method, path, None if method == "GET" else {}, **{"Idempotency-Key": "k"})


def test_the_api_lets_in_whom_the_table_lets_in_and_nobody_else(market: Market) -> None:
    programs = {who: (program_of(actor), actor) for who, actor in people(market).items()}
    wrong = []
    for name, method, path in API_CALLS:
        rule = access.API[name][method]
        # An id that nothing has: whoever is let in finds nothing and changes nothing.
        address = filled(path, market, absent=True)
        asked = {"anonymous": (ask(Program(), method, address), rule.answer(None))}
        for who, (program, actor) in programs.items():
            answer = rule.answer(acting_as(who, actor))
            asked[who] = (ask(program, method, address), answer)
        for who, (response, answer) in asked.items():
            refused = {access.Answer.NO: 403, access.Answer.WHO_ARE_YOU: 401}.get(answer)
            status = response.status_code
            if (status != refused) if refused else (status in (401, 403) or status >= 500):
                wrong.append((name, method, who, answer, status, response.content[:200]))
    assert wrong == []


@pytest.mark.parametrize("scope", ["read", "write", "money"])
def test_a_key_opens_what_its_scopes_open(market: Market, scope: str) -> None:
    program = program_of(market.alice, [scope])
    wrong = []
    for name, method, path in API_CALLS:
        rule = access.API[name][method]
        if rule.public or rule in PLATFORM:
            continue
        status = ask(program, method, filled(path, market, absent=True)).status_code
        if (status == 403) != (rule.scope != scope):
            wrong.append((name, method, status))
    assert wrong == []


def test_what_is_somebody_elses_answers_to_the_byte_as_what_does_not_exist(
    market: Market,
) -> None:
    mallory = program_of(cast.mallory())
    wrong = []
    for name, method, path in API_CALLS:
        if "<" not in path or access.API[name][method] in PLATFORM:
            continue
        if access.API[name][method].public:
            continue
        foreign = ask(mallory, method, filled(path, market))
        absent = ask(mallory, method, filled(path, market, absent=True))
        same = (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
        if not same or foreign.status_code not in (400, 404):
            wrong.append((name, method, foreign.status_code, foreign.content, absent.content))
    assert wrong == []


def test_the_owner_finds_each_of_these_things(market: Market) -> None:
    """Otherwise the test above would be comparing nothing with nothing."""
    alice = program_of(market.alice)
    missing = [
        (name, answer.status_code, answer.content)
        for name, method, path in API_CALLS
        if method == "GET" and "<" in path and access.API[name][method] not in PLATFORM
        if name not in ("api:ruling", "api:control-proof")
        for answer in [ask(alice, method, filled(path, market))]
        if answer.status_code != 200
    ]
    assert missing == []


def test_a_draft_of_a_pact_is_its_builders_alone(market: Market) -> None:
    from pacts import publishing
    from pacts.models import Agent

    agent = Agent.objects.get(pk=market.ids["agent"])
    draft = publishing.draft_pact(agent=agent, data=cast.pact_terms())
    path = f"pact-versions/{draft.id}"
    assert program_of(market.bob).get(path).status_code == 200
    for program in (Program(), program_of(market.alice)):
        assert program.get(path).content == program.get(f"pact-versions/{ABSENT}").content


def test_pages_let_in_whom_the_table_lets_in_and_nobody_else(market: Market) -> None:
    wrong = []
    browsers: dict[str, tuple[Client, Acting | None]] = {
        "anonymous": (Client(raise_request_exception=False), None)
    }
    for who, actor in people(market).items():
        browser = Client(raise_request_exception=False)
        browser.force_login(actor.user)
        browsers[who] = (browser, acting_as(who, actor))
    for name, method, path in PAGE_CALLS:
        address = "/" + re.sub(r"<(\w+):\w+>", lambda m: "1" if m[1] == "int" else ABSENT, path)
        for who, (browser, acting) in browsers.items():
            answer = access.PAGES[name][method].answer(acting)
            response = browser.generic(method, address)
            status = response.status_code
            to_login = status == 302 and response["Location"].startswith("/accounts/login/")
            expected = {
                access.Answer.NO: status == 403,
                access.Answer.WHO_ARE_YOU: to_login,
                access.Answer.YES: status < 500 and status != 403 and not to_login,
            }[answer]
            if not expected:
                wrong.append((name, method, who, answer, status))
    assert wrong == []
