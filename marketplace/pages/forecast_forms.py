"""What a builder asks of a forecast: how many tasks, and what one call costs it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.pages.forms import CURRENCIES
from pacts.forecasts import MOST_TASKS

MICROS = 1_000_000


class ForecastForm(forms.Form):
    """A question, sent by GET: every answer has an address of its own."""

    tasks = forms.IntegerField(
        min_value=1, max_value=MOST_TASKS, required=False, label=_("Tasks of a buyer"),
        help_text=_("How likely so many are to decide, either way."),
    )  # fmt: skip
    call_cost = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=6, required=False, label=_("One call costs you"),
        help_text=_("What your model or your servers take for a call."),
    )  # fmt: skip
    currency = forms.ChoiceField(
        choices=[(code, code) for code in CURRENCIES], required=False, label=_("Currency")
    )

    @property
    def call_micros(self) -> int | None:
        """Millionths of a unit of the currency; None where nothing was said."""
        said = self.cleaned_data.get("call_cost")
        return None if said is None else int(said * MICROS)
