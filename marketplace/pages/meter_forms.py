"""What people type about metered hires: an offer, a top-up, a ruling on a window."""

from typing import Any

from django import forms

from marketplace.pages.forms import DAY, amount_in
from pacts.metering import MOST_CALLS_PER_PRICE, MOST_HELD_BACK_BPS, MeteringTerms
from settlement import meters

_DECIMAL = {"inputmode": "decimal", "autocomplete": "off"}
_WHOLE = {"inputmode": "numeric", "autocomplete": "off"}


class MeterOfferForm(forms.Form):
    """A metered hire in a listing's currency; `terms` are what was typed, in minor units."""

    budget = forms.CharField(
        max_length=24,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text="Set aside when you fund it. You may add to it at any time while it runs.",
    )
    basis = forms.ChoiceField(
        label="What is paid for",
        choices=[
            ("call", "Each verified call of a window that kept the pact"),
            ("window", "Each whole window that kept the pact"),
        ],
        initial="call",
        widget=forms.RadioSelect,
    )
    price = forms.CharField(
        max_length=24,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text="For so many verified calls, or for one window.",
    )
    per = forms.IntegerField(
        label="For so many calls",
        min_value=1,
        max_value=MOST_CALLS_PER_PRICE,
        initial=1,
        required=False,
        widget=forms.TextInput(attrs=_WHOLE),
        help_text="A price per 1000 calls may be finer than one minor unit a call.",
    )
    holdback = forms.DecimalField(
        label="Held back, in percent",
        min_value=0,
        max_value=MOST_HELD_BACK_BPS // 100,
        decimal_places=2,
        initial=10,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text="Of what each window earned; paid at the end, unless a critical clause breaks.",
    )
    cooling = forms.IntegerField(
        label="Days the holdback cools after the end",
        min_value=0,
        max_value=366,
        initial=3,
        widget=forms.TextInput(attrs=_WHOLE),
    )
    runs = forms.IntegerField(
        label="Days it runs at the most",
        min_value=1,
        max_value=366,
        initial=30,
        widget=forms.TextInput(attrs=_WHOLE),
    )
    counts = forms.ChoiceField(
        label="Whose reports of calls count",
        choices=[
            ("buyer", "Yours, by the guard around your calls"),
            ("platform", "The platform’s"),
        ],
        initial="buyer",
        widget=forms.RadioSelect,
    )
    pausers = forms.MultipleChoiceField(
        label="Who may pause",
        choices=[("buyer", "You"), ("builder", "The builder")],
        initial=["buyer", "builder"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        for name in ("budget", "price"):
            self.fields[name].label = f"{name.title()} in {currency}"

    def clean_budget(self) -> int:
        return amount_in(self.cleaned_data["budget"], self.currency)

    def clean_price(self) -> int:
        return amount_in(self.cleaned_data["price"], self.currency)

    def terms(self) -> MeteringTerms:
        """What is offered, after the form was found valid."""
        typed = self.cleaned_data
        per_call = typed["basis"] == "call"
        return MeteringTerms(
            budget=typed["budget"],
            price=typed["price"],
            basis=typed["basis"],
            per=typed["per"] or 1 if per_call else 1,
            holdback_bps=int(typed["holdback"] * 100),
            cooling_seconds=typed["cooling"] * DAY,
            runs_seconds=typed["runs"] * DAY,
            counts=typed["counts"],
            pausers=tuple(typed["pausers"]),
        )


class TopUpForm(forms.Form):
    """An amount of the budget's own currency."""

    amount = forms.CharField(max_length=24, widget=forms.TextInput(attrs=_DECIMAL))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].label = f"Add, in {currency}"

    def clean_amount(self) -> int:
        return amount_in(self.cleaned_data["amount"], self.currency)


class WindowRulingForm(forms.Form):
    """An adjudicator's decision on one window."""

    share = forms.DecimalField(
        label="The builder’s share, in percent",
        min_value=0,
        max_value=100,
        decimal_places=2,
        widget=forms.TextInput(attrs=_DECIMAL),
    )
    reasons = forms.CharField(
        min_length=meters.LEAST_REASONS,
        max_length=meters.MOST_REASONS,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
