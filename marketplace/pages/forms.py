"""What people type, checked before the domain is asked. Each refusal says what to do."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
from marketplace.languages import LANGUAGES
from marketplace.models import ApiKey
from marketplace.pages.attempts import sentence
from pacts.agents import PROTOCOLS
from pacts.currencies import EXPONENTS
from pacts.models import AgentVersion, Member, PactVersion, Party
from pacts.strict_json import MalformedJson, parse_json
from settlement import money

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "USDC")
EVERY_CURRENCY = [
    (_lazy("Often used"), [(code, code) for code in CURRENCIES]),
    (_lazy("All"), [(code, code) for code in sorted(EXPONENTS) if code not in CURRENCIES]),
]
DAY, HOUR = 86_400, 3_600


def amount_in(text: str, currency: str) -> int:
    """What a person typed, in minor units above zero. Raises ValidationError."""
    try:
        found = money.read(text.strip(), currency)
    except (money.AmountMalformed, money.CurrencyUnknown) as error:
        raise forms.ValidationError(sentence(error)) from error
    if found.amount == 0:
        raise forms.ValidationError(_("Write an amount above zero."))
    return found.amount


class AmountForm(forms.Form):
    """An amount of one currency; `minor` holds the minor units."""

    amount = forms.CharField(
        max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    currency = forms.ChoiceField(choices=EVERY_CURRENCY)
    minor: int = 0

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "amount" in data and "currency" in data:
            try:
                self.minor = amount_in(data["amount"], data["currency"])
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return data


class RevisionForm(forms.Form):
    """Which version of the agent delivers again."""

    agent_version = forms.ModelChoiceField(
        AgentVersion.objects.none(), empty_label=None, label=_lazy("Version that delivers")
    )

    def __init__(self, *args: Any, agent_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = AgentVersion.objects.filter(agent_id=agent_id).select_related("agent")
        self.fields["agent_version"].queryset = rows.order_by("-number")  # type: ignore[attr-defined]


class JsonObjectField(forms.CharField):
    """One JSON object, read as strictly as everything else."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return {}
        try:
            found = parse_json(text.encode())
        except MalformedJson as error:
            raise forms.ValidationError(
                _("This is not JSON: %(error)s.") % {"error": error}
            ) from error
        if not isinstance(found, dict):
            raise forms.ValidationError(_("Give one JSON object."))
        return found


class AgentForm(forms.Form):
    """A new agent by its address."""

    name = forms.CharField(max_length=80)
    work = forms.SlugField(
        max_length=40,
        label=_lazy("Kind of work"),
        help_text=_lazy("Lower-case words with dashes, such as language."),
    )
    summary = forms.CharField(max_length=280, help_text=_lazy("One sentence for the market."))
    endpoint = forms.CharField(
        max_length=2000,
        label=_lazy("Address"),
        help_text=_lazy("The URL that the platform calls, one POST for each task."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    protocol = forms.ChoiceField(
        choices=[(name, adapter.TITLE) for name, adapter in PROTOCOLS.items()]
    )
    model = forms.CharField(
        max_length=120,
        required=False,
        help_text=_lazy(
            "Declared as part of the version; chat completions are asked for this model."
        ),
    )
    instructions = forms.CharField(
        max_length=20_000,
        required=False,
        help_text=_lazy("For chat completions: the system message. Part of what is declared."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    max_concurrency = forms.IntegerField(
        min_value=1, max_value=64, initial=4, label=_lazy("Calls at a time")
    )
    deadline_ms = forms.IntegerField(
        min_value=100,
        max_value=60_000,
        initial=10_000,
        label=_lazy("Longest answer, in milliseconds"),
    )
    max_per_minute = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        label=_lazy("Most calls a minute"),
        help_text=_lazy("By everybody together. Empty: no limit."),
    )
    declared = JsonObjectField(required=False, widget=forms.HiddenInput)

    @property
    def registration(self) -> dict[str, Any]:
        """What `registry.register_agent` takes."""
        data = dict(self.cleaned_data)
        said = {name: data.pop(name) for name in ("model", "instructions")}
        data["declared"] = (data.get("declared") or {}) | {k: v for k, v in said.items() if v}
        return data


class CardForm(forms.Form):
    """Where an agent's A2A card is, or the card itself."""

    url = forms.CharField(
        max_length=2000,
        required=False,
        label=_lazy("Address of the agent or of its card"),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    text = forms.CharField(
        max_length=200_000,
        required=False,
        strip=False,
        label=_lazy("Or paste the card"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given = [name for name in ("url", "text") if (data.get(name) or "").strip()]
        if len(given) != 1 and not self.errors:
            self.add_error("url", _lazy("Give the address or paste the card, one of the two."))
        return data


class VersionForm(forms.Form):
    """A new version of an agent."""

    endpoint = AgentForm.base_fields["endpoint"]
    protocol = AgentForm.base_fields["protocol"]
    max_concurrency = AgentForm.base_fields["max_concurrency"]
    deadline_ms = AgentForm.base_fields["deadline_ms"]
    max_per_minute = AgentForm.base_fields["max_per_minute"]
    note = forms.CharField(
        max_length=200,
        required=False,
        label=_lazy("What changed"),
        help_text=_lazy(
            "Part of what is declared, so that a version with the same address is a new one."
        ),
    )


class ListingForm(AmountForm):
    """An agent's offer."""

    field_order = ("agent_version", "pact_version", "amount", "currency", "bond")
    agent_version = forms.ModelChoiceField(
        AgentVersion.objects.none(), empty_label=None, label=_lazy("Version that works")
    )
    pact_version = forms.ModelChoiceField(
        PactVersion.objects.none(), empty_label=None, label=_lazy("Pact")
    )
    bond = forms.CharField(
        required=False,
        max_length=24,
        label=_lazy("Bond for each milestone"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_lazy(
            "Your own money, set aside with the buyer’s. It goes to the buyer if a "
            "critical clause stays breached or a ruling awards you nothing, and returns to "
            "you otherwise."
        ),
    )
    work_hours = forms.IntegerField(
        min_value=1, max_value=24 * 90, initial=24, label=_lazy("Hours to hand over")
    )
    evaluation_hours = forms.IntegerField(
        min_value=1, max_value=24 * 30, initial=24, label=_lazy("Hours to evaluate")
    )
    acceptance_hours = forms.IntegerField(
        min_value=1, max_value=24 * 30, initial=72, label=_lazy("Hours to accept or dispute")
    )
    cure_hours = forms.IntegerField(
        min_value=1, max_value=24 * 30, initial=72, label=_lazy("Hours to do better after a breach")
    )
    max_revisions = forms.IntegerField(
        min_value=0, max_value=9, initial=1, label=_lazy("Revisions")
    )
    languages = forms.MultipleChoiceField(
        choices=list(LANGUAGES.items()),
        required=False,
        label=_lazy("Languages it works in"),
        help_text=_lazy("None chosen means that language does not matter."),
        widget=forms.CheckboxSelectMultiple,
    )
    signs_at_once = forms.BooleanField(
        required=False, initial=True, label=_lazy("Sign at once whoever hires at these terms")
    )
    stake: int = 0

    def __init__(self, *args: Any, agent_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].label = _("Price for one task set")
        versions = AgentVersion.objects.filter(agent_id=agent_id).select_related("agent")
        pacts = PactVersion.objects.filter(pact__agent_id=agent_id, published_at__isnull=False)
        self.fields["agent_version"].queryset = versions.order_by("-number")  # type: ignore[attr-defined]
        self.fields["pact_version"].queryset = pacts.select_related("pact").order_by("-number")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("bond", "").strip() and "currency" in data:
            try:
                self.stake = amount_in(data["bond"], data["currency"])
            except forms.ValidationError as error:
                self.add_error("bond", error)
        return data


class PartyForm(forms.Form):
    """A new party."""

    name = forms.CharField(max_length=120)
    kind = forms.ChoiceField(
        choices=labels.choices(Party.Kind.choices), initial=Party.Kind.ORGANISATION
    )
    about = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class MemberForm(forms.Form):
    """Somebody who will act for the party."""

    email = forms.EmailField(label=_lazy("E-mail of somebody who has signed up"))
    role = forms.ChoiceField(
        choices=[
            (Member.Role.VIEWER, _lazy("Viewer: reads")),
            (Member.Role.EDITOR, _lazy("Editor: agents, pacts, task sets, hires")),
            (Member.Role.FINANCE, _lazy("Finance: money")),
            (Member.Role.OWNER, _lazy("Owner: everything, members included")),
        ]
    )


class KeyForm(forms.Form):
    """A program's way in."""

    name = forms.CharField(max_length=80, help_text=_lazy("What it is for."))
    scopes = forms.MultipleChoiceField(
        choices=[
            (ApiKey.Scope.READ, _lazy("Read")),
            (ApiKey.Scope.WRITE, _lazy("Write: agents, pacts, task sets, engagements")),
            (ApiKey.Scope.MONEY, _lazy("Money: deposits, funding, acceptance, payouts")),
        ],
        widget=forms.CheckboxSelectMultiple,
        label=_lazy("What it may do"),
    )
