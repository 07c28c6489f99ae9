"""What people type about metered hires: an offer, a top-up, a ruling on a window."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
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
        help_text=_lazy("Set aside when you fund it. You may add to it at any time while it runs."),
    )
    basis = forms.ChoiceField(
        label=_lazy("What is paid for"),
        choices=[
            ("call", _lazy("Each verified call of a window that kept the pact")),
            ("window", _lazy("Each whole window that kept the pact")),
        ],
        initial="call",
        widget=forms.RadioSelect,
    )
    price = forms.CharField(
        max_length=24,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text=_lazy("For so many verified calls, or for one window."),
    )
    per = forms.IntegerField(
        label=_lazy("For so many calls"),
        min_value=1,
        max_value=MOST_CALLS_PER_PRICE,
        initial=1,
        required=False,
        widget=forms.TextInput(attrs=_WHOLE),
        help_text=_lazy("A price per 1000 calls may be finer than one minor unit a call."),
    )
    holdback = forms.DecimalField(
        label=_lazy("Held back, in percent"),
        min_value=0,
        max_value=MOST_HELD_BACK_BPS // 100,
        decimal_places=2,
        initial=10,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text=_lazy(
            "Of what each window earned; paid at the end, unless a critical clause breaks."
        ),
    )
    cooling = forms.IntegerField(
        label=_lazy("Days the holdback cools after the end"),
        min_value=0,
        max_value=366,
        initial=3,
        widget=forms.TextInput(attrs=_WHOLE),
    )
    runs = forms.IntegerField(
        label=_lazy("Days it runs at the most"),
        min_value=1,
        max_value=366,
        initial=30,
        widget=forms.TextInput(attrs=_WHOLE),
    )
    counts = forms.ChoiceField(
        label=_lazy("Whose reports of calls count"),
        choices=[
            ("buyer", _lazy("Yours, by the guard around your calls")),
            ("platform", _lazy("The platform’s")),
        ],
        initial="buyer",
        widget=forms.RadioSelect,
    )
    pausers = forms.MultipleChoiceField(
        label=_lazy("Who may pause"),
        choices=[("buyer", _lazy("You")), ("builder", _lazy("The builder"))],
        initial=["buyer", "builder"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        for name in ("budget", "price"):
            self.fields[name].label = _("%(name)s in %(currency)s") % {
                "name": labels.said(name.title()),
                "currency": currency,
            }

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
        self.fields["amount"].label = _("Add, in %(currency)s") % {"currency": currency}

    def clean_amount(self) -> int:
        return amount_in(self.cleaned_data["amount"], self.currency)


class WindowRulingForm(forms.Form):
    """An adjudicator's decision on one window."""

    share = forms.DecimalField(
        label=_lazy("The builder’s share, in percent"),
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
