"""The access table is the site: no route without a row, no row without a route, all of it kept."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import urls
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from marketplace import access, health
from marketplace.access_site import OFFICE
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


API_ROUTES = sorted({name: path for name, path, _ in routes() if name.startswith("api:")}.items())
API_CALLS = [
    (name, method, path) for name, path in API_ROUTES for method in access.API.get(name, {})
]
PAGES = sorted({name: path for name, path, _ in routes() if name in access.PAGES}.items())
SITES = sorted({(name, path) for name, path, _ in routes() if name in access.SITE})
OFFICES = sorted({(name, path) for name, path, _ in routes() if name.startswith("admin:")})
PAGE_CALLS = [(name, method, path) for name, path in PAGES for method in access.PAGES[name]]


def unlisted(patterns: Any = None) -> list[tuple[str, str]]:
    """Routes without a row. Nameless redirects of allauth and the office lead to addresses that
    have one; a nameless route is let in by no row, so nothing of ours may be so."""
    return [
        (name, path)
        for name, path, view in routes(patterns)
        if access.methods_of(name) is None and (name or view.__module__.startswith(OURS))
    ]


def test_every_route_of_the_site_has_a_row() -> None:
    assert unlisted() == []


@pytest.mark.parametrize(
    "route",
    [
        *("a-page-nobody-listed", "account_a_new_view", "mfa_a_new_view", "log:a-new-file"),
        *("api:a-new-endpoint", ""),
    ],
)
def test_a_route_that_nobody_listed_is_found(route: str) -> None:
    space, _, name = route.rpartition(":")
    pattern = urls.path("new/", health.live, name=name)
    made = URLResolver(RegexPattern(""), [pattern], namespace=space) if space else pattern
    assert unlisted([made]) == [(route, "new/")]


@pytest.mark.parametrize("method", [*METHODS, "HEAD", "OPTIONS"])
def test_a_route_that_nobody_listed_is_refused(method: str, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    refused = Client(raise_request_exception=False)
    refused.force_login(cast.actor("erin", is_staff=True, is_superuser=True).user)
    assert refused.generic(method, "/new/").status_code == 403
    assert refused.generic(method, "/nameless/").status_code == 403


urlpatterns = [
    urls.path("new/", health.live, name="account_a_new_view"),
    urls.path("nameless/", health.live),
]


def test_only_the_office_is_let_in_by_a_pattern_and_it_holds_what_models_make() -> None:
    assert [name for name in access.TABLE if "*" in name] == [OFFICE]
    office = {name for name, _, _ in routes() if name.startswith("admin:")}
    views = ("add", "change", "changelist", "delete", "history")
    models = [f"admin:{one._meta.app_label}_{one._meta.model_name}" for one in admin.site._registry]
    made = {f"{model}_{view}" for model in models for view in views}
    own = ("app_list", "autocomplete", "index", "login", "logout", "password_change", "search")
    named = {
        f"admin:{name}" for name in (*own, "password_change_done", "jsi18n", "view_on_site", "")
    }
    assert office - made - named == set()


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
    named = {"parties": "party", "juries": "jury", "replies": "reply", "benchmark-claims": "claim"}
    named |= {
        "standings": "agent",
        "oracle": "agent",
        "deliveries": "delivery",
        "replies": "reply",
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
    sides = [program_of(market.alice), program_of(market.bob)]
    missing = [
        (name, [answer.status_code for answer in answers])
        for name, method, path in API_CALLS
        if method == "GET" and "<" in path and access.API[name][method] not in PLATFORM
        if name not in ("api:ruling", "api:control-proof")
        for answers in [[ask(side, method, filled(path, market)) for side in sides]]
        if all(answer.status_code != 200 for answer in answers)
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


Browsers = dict[str, tuple[Client, Acting | None]]


def browsers_of(market: Market) -> Browsers:
    """A browser for nobody and for one of every group, with whom it acts as."""
    found: Browsers = {"anonymous": (Client(raise_request_exception=False), None)}
    for who, actor in people(market).items():
        browser = Client(raise_request_exception=False)
        browser.force_login(actor.user)
        found[who] = (browser, acting_as(who, actor))
    return found


def nowhere(path: str) -> str:
    """The address of a route about what does not exist."""
    known = {"int": "1", "slug": "absent", "str": ABSENT, "path": "000"}
    bare = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "absent", path)
    return "/" + re.sub(r"<(\w+):\w+>", lambda m: known[m[1]], bare).replace("^", "").rstrip("$")


def disagreements(calls: list[tuple[str, str, str]], browsers: Browsers) -> list[Any]:
    """Where pages answer otherwise than the table: route, method, who, its answer, the status."""
    wrong: list[Any] = []
    for name, method, path in calls:
        rule = access.rule_of(name, method)
        assert rule, (name, method)
        for who, (browser, acting) in browsers.items():
            answer = rule.answer(acting)
            response = browser.generic(method, nowhere(path))
            status = response.status_code
            to_login = status == 302 and response["Location"].startswith("/accounts/login/")
            expected = {
                access.Answer.NO: status == 403,
                access.Answer.WHO_ARE_YOU: to_login,
                access.Answer.YES: status < 500 and status != 403 and not to_login,
            }[answer]
            if not expected:
                wrong.append((name, method, who, answer, status))
    return wrong


def test_pages_let_in_whom_the_table_lets_in_and_nobody_else(market: Market) -> None:
    assert disagreements(PAGE_CALLS, browsers_of(market)) == []


def test_accounts_and_files_let_in_whom_the_table_lets_in_and_nobody_else(market: Market) -> None:
    calls = [
        (name, method, path)
        for name, path in SITES
        for method in access.SITE[name]
        # What these find absent, or the session lacks, they answer by the way to sign in.
        if name not in ("account_logout", "account_confirm_login_code", "mfa_authenticate")
    ]
    assert disagreements(calls, browsers_of(market)) == []


def test_the_office_is_shut_to_everybody_but_staff(market: Market) -> None:
    outside = {
        who: seen
        for who, seen in browsers_of(market).items()
        if who in ("anonymous", "owner", "adjudicator")
    }
    calls = [
        (name, method, path)
        for name, path in OFFICES
        if name not in access.SITE
        for method in ("GET", "POST")
    ]
    assert disagreements(calls, outside) == []


def test_a_method_that_is_not_in_the_row_is_not_answered(market: Market) -> None:
    browser = browsers_of(market)["owner"][0]
    every = [*METHODS, "OPTIONS", "TRACE"]
    wrong = [
        (name, method, response.status_code)
        for name, path in [*PAGES, *SITES]
        for method in every
        if method not in (access.methods_of(name) or {})
        for response in [browser.generic(method, nowhere(path))]
        if response.status_code != 405
    ]
    assert wrong == []


def test_the_api_answers_no_method_beyond_its_rows(market: Market) -> None:
    alice = program_of(market.alice)
    every = [*METHODS, "OPTIONS", "TRACE"]
    wrong = [
        (name, method, status)
        for name, path in API_ROUTES
        for method in every
        if method not in access.API[name]
        for status in [ask(alice, method, filled(path, market, absent=True)).status_code]
        if status not in (403, 405)
    ]
    assert wrong == []
