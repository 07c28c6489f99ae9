"""An A2A agent's card, read from its address: what a registration can be filled in from.

Cards of protocol 0.3 (`url`, `preferredTransport`, `additionalInterfaces`) and 1.0
(`supportedInterfaces`) are understood. Source: the A2A specification, "Agent card".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pacts.addresses import Url
from pacts.agents.card_signatures import SignatureDoesNotFit, Signed, check_signatures
from pacts.egress import Egress, EgressError, parse_url
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, sha256

WELL_KNOWN = ("/.well-known/agent-card.json", "/.well-known/agent.json")


class CardUnusable(ValueError):
    """There is no card to register from; the message says what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card says, as far as a registration needs it. `digest` is over its bytes as served."""

    name: str
    description: str
    endpoint: str
    protocol_version: str
    version: str
    skills: tuple[str, ...]
    digest: str
    signed: Signed = "unsigned"

    @property
    def declared(self) -> dict[str, JsonValue]:
        """What a version registered from this card declares."""
        declared: dict[str, JsonValue] = {
            "protocol_version": self.protocol_version,
            "card_digest": self.digest,
            "card_version": self.version,
            "skills": list(self.skills),
        }
        if self.signed != "unsigned":
            declared["card_signed"] = self.signed
        return declared


def fetch_card(*, url: str, egress: Egress) -> Card:
    """The card at an address, or at the well-known places of its host. Raises CardUnusable, or
    EgressRefused for an address nobody may ask."""
    asked = parse_url(url)
    said = "there is no card"
    for place in _places(url, asked):
        try:
            reply = egress.get(place)
        except EgressError as error:
            if error.code in ("url_refused", "address_denied"):
                raise
            raise CardUnusable(f"the host could not be asked for its card: {error}") from error
        if reply.status == 200:
            return read_card(reply.body, egress=egress)
        said = f"{place.target} answered {reply.status}"
    raise CardUnusable(f"no agent card was found: {said}")


def _places(url: str, asked: Url) -> list[Url]:
    if urlsplit(url).path.endswith(".json"):
        return [asked]
    return [asked.at(path) for path in WELL_KNOWN]


def read_card(body: bytes, *, egress: Egress | None = None) -> Card:
    """A card from its bytes. With a way out the keys of a signed one are looked up on the agent's
    own host. Raises CardUnusable."""
    try:
        card = parse_json(body)
    except MalformedJson as error:
        raise CardUnusable(f"the card is not JSON: {error}") from error
    if not isinstance(card, dict) or not isinstance(card.get("name"), str):
        raise CardUnusable("the card is not an object with a name")
    for endpoint, binding, version in _interfaces(card):
        if binding.upper() == "JSONRPC":
            return Card(
                name=_text(card, "name", 80),
                description=_text(card, "description", 280),
                endpoint=endpoint[:2000],
                protocol_version=version[:10],
                version=_text(card, "version", 40),
                skills=tuple(_skills(card)),
                digest=sha256(body),
                signed=_signed(card, endpoint, egress),
            )
    raise CardUnusable("the card offers no JSON-RPC interface; the platform speaks no other")


def _signed(card: dict[str, JsonValue], endpoint: str, egress: Egress | None) -> Signed:
    if egress is None:
        return "unchecked" if card.get("signatures") else "unsigned"
    try:
        return check_signatures(card, host=urlsplit(endpoint).hostname or "", egress=egress)
    except SignatureDoesNotFit as error:
        raise CardUnusable(str(error)) from error


def _interfaces(card: dict[str, JsonValue]) -> Iterator[tuple[str, str, str]]:
    """(address, binding, protocol version) of every interface, preferred first."""
    version = str(card.get("protocolVersion") or "0.3")
    supported = card.get("supportedInterfaces")
    for one in supported if isinstance(supported, list) else []:
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            yield (
                str(one["url"]),
                str(one.get("protocolBinding") or one.get("transport") or ""),
                str(one.get("protocolVersion") or "1.0"),
            )
    if isinstance(card.get("url"), str):
        yield str(card["url"]), str(card.get("preferredTransport") or "JSONRPC"), version
    more = card.get("additionalInterfaces")
    for one in more if isinstance(more, list) else []:
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            yield str(one["url"]), str(one.get("transport") or ""), version


def _skills(card: dict[str, JsonValue]) -> Iterator[str]:
    skills = card.get("skills")
    for one in (skills if isinstance(skills, list) else [])[:50]:
        if isinstance(one, dict) and isinstance(one.get("name") or one.get("id"), str):
            yield str(one.get("name") or one.get("id"))[:80]


def _text(card: dict[str, JsonValue], key: str, longest: int) -> str:
    value = card.get(key)
    return " ".join(value.split())[:longest] if isinstance(value, str) else ""
