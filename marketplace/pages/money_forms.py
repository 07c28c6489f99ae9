"""Money in and out by any rail that is set up here, as a person types it."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.forms import CURRENCIES, AmountForm
from settlement.rails import rails_here


class RailForm(AmountForm):
    """An amount, a rail, and where on that rail the money is: `place` is the rail's own token."""

    field_order = ("amount", "currency", "rail", "place")
    rail = forms.ChoiceField(label=_lazy("By"))
    place = forms.CharField(max_length=80, required=False)
    comes_in = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"currency": CURRENCIES[0]})
        super().__init__(*args, **kwargs)
        guides = {name: rail.guide for name, rail in rails_here().items()}
        rail = self.fields["rail"]
        rail.choices = [(name, guide.title) for name, guide in guides.items()]  # type: ignore[attr-defined]
        if len(guides) == 1:
            rail.widget, rail.initial = forms.HiddenInput(), next(iter(guides))
        place = self.fields["place"]
        place.label = _("From") if self.comes_in else _("To")
        place.help_text = " ".join(
            f"{guide.title}: {guide.source if self.comes_in else guide.destination}"
            for guide in guides.values()
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        rail = rails_here().get(data.get("rail", ""))
        if rail and not data.get("place"):
            data["place"] = rail.guide.usual
            if not rail.guide.usual:
                self.add_error(
                    "place",
                    _("%(guide)s needs to know where the money is.") % {"guide": rail.guide.title},
                )
        return data


class DepositForm(RailForm):
    """Money in."""


class PayoutForm(RailForm):
    """Money out."""

    comes_in = False
