"""A standing that is carried elsewhere: verified without us, scoped, ended, endable."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.timezone import now as clock
from joserfc import jws
from joserfc.jwk import KeySet

from marketplace import credentials
from marketplace.credentials import CredentialRefused, issue, revoke, status_of
from marketplace.models import StandingCredential
from pacts.models import AgentVersion
from tests import cast
from tests.marketplace.pages.browsers import browser, browser_of
from tests.marketplace.pages.test_showing import offer

pytestmark = pytest.mark.django_db


def seasoned(bob: cast.Actor, units: int = 200) -> AgentVersion:
    return offer(bob, "Seasoned", units=units).versions.get()


def test_anybody_verifies_a_credential_with_two_addresses_and_a_library() -> None:
    text = issue(agent_version=seasoned(cast.bob()), now=clock()).text
    # From here on nothing of ours: the key set and the text, as they are served.
    served = browser().get("/api/v1/jwks").json()
    verified = jws.deserialize_compact(text, KeySet.import_key_set(served), algorithms=["EdDSA"])
    claims = json.loads(verified.payload)
    assert claims["dimensions"]["accuracy"]["estimate_bps"] == 9_000
    assert claims["composite"]["score_bps"] < 9_000
    assert claims["exp"] - claims["iat"] == 30 * 86_400
    path = claims["status"].partition("://")[2].partition("/")[2]
    status = browser().get(f"/{path}").json()
    assert (status["status"], status["jws"]) == ("valid", text)


def test_the_signature_is_ed25519_over_canonical_json() -> None:
    text = issue(agent_version=seasoned(cast.bob()), now=clock()).text
    header, body, signature = text.split(".")

    def raw(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    x = credentials.jwks()["keys"][0]["x"]
    Ed25519PublicKey.from_public_bytes(raw(x)).verify(raw(signature), f"{header}.{body}".encode())
    sorted_again = json.dumps(json.loads(raw(body)), sort_keys=True, separators=(",", ":"))
    assert raw(body).decode() == sorted_again


def test_one_changed_digit_is_found_out() -> None:
    header, body, signature = issue(agent_version=seasoned(cast.bob()), now=clock()).text.split(".")
    forged = base64.urlsafe_b64decode(body + "==").replace(b'"estimate_bps":9', b'"estimate_bps":8')
    text = f"{header}.{base64.urlsafe_b64encode(forged).rstrip(b'=').decode()}.{signature}"
    with pytest.raises(Exception, match="bad_signature"):
        jws.deserialize_compact(
            text,
            KeySet.import_key_set(json.loads(json.dumps(credentials.jwks()))),
            algorithms=["EdDSA"],
        )


def test_a_credential_of_some_dimensions_says_nothing_of_the_whole() -> None:
    version = seasoned(cast.bob())
    made = issue(agent_version=version, dimensions=["accuracy"], audience="shop", now=clock())
    claims = json.loads(base64.urlsafe_b64decode(made.text.split(".")[1] + "=="))
    assert claims["aud"] == "shop"
    assert list(claims["dimensions"]) == ["accuracy"]


def test_it_ends_after_its_last_moment_and_at_once_when_revoked() -> None:
    made = issue(agent_version=seasoned(cast.bob()), days=1, now=clock())
    assert status_of(made, now=made.expires_at) == "valid"
    assert status_of(made, now=made.expires_at + timedelta(microseconds=1)) == "expired"
    first = revoke(credential=made, now=clock()).revoked_at
    assert revoke(credential=made, now=clock() + timedelta(days=1)).revoked_at == first
    assert browser().get(f"/api/v1/credentials/{made.id}").json()["status"] == "revoked"


@pytest.mark.parametrize(
    ("units", "wanted", "days", "wrong"),
    [
        (0, [], 30, "no settled work yet"),
        (19, [], 30, "under 20 units there is no number"),
        (200, ["charm"], 30, "no number to certify: charm"),
        (200, [], 91, "1 to 90 days"),
    ],
)
def test_what_is_not_proved_is_not_certified(
    units: int, wanted: list[str], days: int, wrong: str
) -> None:
    version = seasoned(cast.bob(), units)
    with pytest.raises(CredentialRefused, match=wrong):
        issue(agent_version=version, dimensions=wanted, days=days, now=clock())


def test_a_builder_issues_and_revokes_on_the_page_and_nobody_else_does() -> None:
    bob = cast.bob()
    seasoned(bob)
    page = browser_of(bob).get("/agents/seasoned/standing/").content.decode()
    _press(bob, page, "/agents/seasoned/credentials/")
    page = browser_of(bob).get("/agents/seasoned/standing/").content.decode()
    assert "Valid" in page
    assert 'data-test="credential"' in page
    assert (
        'data-test="credential"' not in browser().get("/agents/seasoned/standing/").content.decode()
    )
    end = f"/credentials/{StandingCredential.objects.get().id}/end/"
    assert _press(cast.mallory(), page, end).status_code == 404
    _press(bob, page, end)
    assert "Revoked" in browser_of(bob).get("/agents/seasoned/standing/").content.decode()


def test_a_builder_chooses_dimensions_audience_and_days_on_the_page_as_in_the_api() -> None:
    bob = cast.bob()
    seasoned(bob)
    page = browser_of(bob).get("/agents/seasoned/standing/").content.decode()
    assert 'name="dimensions" value="accuracy"' in page
    chosen: dict[str, Any] = {"dimensions": ["accuracy"], "audience": "shop.example", "days": "7"}
    _press(bob, page, "/agents/seasoned/credentials/", **chosen)
    made = StandingCredential.objects.get()
    assert (made.dimensions, made.audience) == (["accuracy"], "shop.example")
    assert made.expires_at - made.issued_at == timedelta(days=7)
    shown = browser_of(bob).get("/agents/seasoned/standing/").content.decode()
    assert "for shop.example alone" in shown


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dimensions": ["charm"]}, "charm is not one of the available choices"),
        ({"days": "91"}, "less than or equal to 90"),
        ({"audience": "x" * 121}, "at most 120"),
    ],
)
def test_what_cannot_be_signed_is_refused_with_a_sentence_and_nothing_is_made(
    given: dict[str, Any], says: str
) -> None:
    bob = cast.bob()
    seasoned(bob)
    page = browser_of(bob).get("/agents/seasoned/standing/").content.decode()
    answer = _press(bob, page, "/agents/seasoned/credentials/", follow=True, **given)
    assert says in answer.content.decode()
    assert not StandingCredential.objects.exists()


def _press(who: cast.Actor, page: str, action: str, *, follow: bool = False, **fields: Any) -> Any:
    token = {"idempotency_key": f"press-{who.user.id}-{action[-9:]}"}
    return browser_of(who).post(action, {**token, **fields}, follow=follow)
