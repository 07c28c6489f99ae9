"""What a buyer says of a need, what a builder offers on it, and which offer is picked."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.pages.forms import EVERY_CURRENCY, amount_in
from marketplace.pages.tasks_in import TasksField, tasks_of
from marketplace.pages.tryout_forms import PactField
from pacts.models import Agent, AgentVersion, Need, PactVersion, Party, TaskSetVersion
from pacts.needs import NeedDraft

HOUR = 3_600


class MomentField(forms.DateTimeField):
    """A moment in UTC, as browsers send it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        super().__init__(widget=widget, input_formats=formats, **kwargs)


class NeedForm(forms.Form):
    """A need; `draft` is what the domain is asked."""

    title = forms.CharField(max_length=120, label=_("What do you need?"))
    about = forms.CharField(
        max_length=4000,
        required=False,
        label=_("Description"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Every builder reads it. Leave out what is confidential."),
    )
    work = forms.SlugField(
        max_length=40,
        label=_("Kind of work"),
        help_text=_("As the agents’ pages have it, for example language."),
    )
    pact = PactField(
        PactVersion.objects.none(),
        label=_("Your pact"),
        empty_label=None,
        help_text=_("Every offer is made under it, and what settles is judged by it."),
    )
    ceiling = forms.CharField(
        max_length=24,
        label=_("At most, for one task set"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(choices=EVERY_CURRENCY, label=_("Currency"))
    offers_until = MomentField(
        label=_("Offers until (UTC)"),
        help_text=_("At that moment all offers are opened together; nobody reads one before."),
    )
    choose_until = MomentField(label=_("You choose until (UTC)"))
    starts_on = forms.DateField(
        required=False,
        label=_("Work starts on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    samples = TasksField(
        required=False,
        label=_("Sample tasks"),
        help_text=_(
            "Up to ten, shown to every builder: one JSON object on each line, or CSV with columns "
            "such as input.text. Your golden set stays yours."
        ),
    )
    draft: NeedDraft | None = None

    def __init__(self, *args: Any, party: Party, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        rows = PactVersion.objects.filter(pact__buyer=party, published_at__isnull=False)
        fields["pact"].queryset = rows.select_related("pact").order_by("-published_at")
        self.has_pacts = fields["pact"].queryset.exists()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        amount, samples = 0, []
        try:
            amount = amount_in(data["ceiling"], data["currency"])
        except forms.ValidationError as error:
            self.add_error("ceiling", error)
        try:
            samples = tasks_of(data["samples"], None) if data["samples"].strip() else []
        except forms.ValidationError as error:
            self.add_error("samples", error)
        self.draft = NeedDraft(
            title=data["title"],
            about=data["about"],
            work=data["work"],
            pact_version=data["pact"],
            ceiling=amount,
            currency=data["currency"],
            offers_until=data["offers_until"],
            choose_until=data["choose_until"],
            starts_on=data["starts_on"],
            samples=samples,
        )
        return data


class AgentField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the builder's agents by its name."""

    def label_from_instance(self, obj: AgentVersion) -> str:
        return f"{obj.agent.name}, version {obj.number}"


class SealedOfferForm(forms.Form):
    """An offer; `minor` holds the price in minor units."""

    agent_version = AgentField(
        AgentVersion.objects.none(), label=_("With which agent"), empty_label=None
    )
    price = forms.CharField(
        max_length=24,
        label=_("Your price for one task set"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    hours = forms.IntegerField(
        min_value=1, max_value=366 * 24, label=_("The work takes at most, in hours"), initial=24
    )
    note = forms.CharField(
        max_length=4000,
        required=False,
        label=_("A note to the buyer"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Sealed like the price, until all are opened."),
    )
    minor: int = 0

    def __init__(self, *args: Any, need: Need, party: Party, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.need = need
        agents = Agent.objects.filter(
            builder=party, work=need.work, control_proved_at__isnull=False
        )
        newest = AgentVersion.objects.filter(agent__in=agents)
        newest = newest.order_by("agent_id", "-number").distinct("agent_id")
        rows = AgentVersion.objects.filter(pk__in=newest.values("pk")).select_related("agent")
        fields: dict[str, Any] = self.fields
        fields["agent_version"].queryset = rows
        self.has_agents = bool(rows)

    def clean_price(self) -> str:
        typed: str = self.cleaned_data["price"]
        self.minor = amount_in(typed, self.need.currency)
        return typed

    @property
    def seconds(self) -> int:
        hours: int = self.cleaned_data["hours"]
        return hours * HOUR


class PickForm(forms.Form):
    """On which of the buyer's task sets the picked offer is judged."""

    task_set_version = forms.ModelChoiceField(
        TaskSetVersion.objects.none(), empty_label=None, label=_("Judged on")
    )

    def __init__(self, *args: Any, need: Need, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = TaskSetVersion.objects.filter(
            task_set__owner=need.buyer_id, task_set__work=need.work, task_set__canaries=False
        )
        fields: dict[str, Any] = self.fields
        fields["task_set_version"].queryset = rows.select_related("task_set").order_by(
            "-created_at"
        )
        self.has_sets = fields["task_set_version"].queryset.exists()


def moment_typed(at: datetime) -> str:
    """A moment as a `datetime-local` control shows it."""
    return at.strftime("%Y-%m-%dT%H:%M")
