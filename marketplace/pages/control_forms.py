"""The form of a control: values as people write them, in the metric's own unit."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from marketplace import steering
from marketplace.acting import Acting
from marketplace.labels import said
from reputation.controls import ACTIONS, METRICS, SCOPES, Terms
from reputation.models import Control

_HUNDREDFOLD = {"bps", "hundredths"}
_SCOPE_NAMES = {
    "agent": _lazy("One agent"),
    "listing": _lazy("One listing"),
    "builder": _lazy("All agents of a builder"),
    "category": _lazy("A kind of work"),
    "platform": _lazy("The whole platform"),
}


def _metrics() -> list[tuple[str, str]]:
    return [(key, said(one.title)) for key, one in METRICS.items()]


def _actions() -> list[tuple[str, str]]:
    found = [(key, said(text)) for key, text in ACTIONS.items()]
    return [(key, text[:1].upper() + text[1:]) for key, text in found]


class ControlForm(forms.Form):
    """A control. `terms` holds what was written, once the form is valid."""

    name = forms.CharField(max_length=120, help_text=_lazy("What it is for, in a few words."))
    metric = forms.ChoiceField(choices=_metrics, label=_lazy("What is looked at"))
    dimension = forms.CharField(
        max_length=80,
        required=False,
        help_text=_lazy(
            "For the lower bound: one dimension, such as accuracy; empty is all together."
        ),
    )
    threshold = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=_lazy(
            "Per cent for rates, else days or a number. Rates and units fire below it, "
            "everything else above it."
        ),
    )
    recover_at = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
        label=_lazy("Clears again at"),
        help_text=_lazy("On the good side of the threshold; empty takes a small margin."),
    )
    scope = forms.ChoiceField(
        choices=[(one, _SCOPE_NAMES[one]) for one in SCOPES], label=_lazy("About"), initial="agent"
    )
    scope_id = forms.CharField(
        max_length=40,
        required=False,
        label=_lazy("Its id, or the kind of work"),
        help_text=_lazy("Such as agt_…, lst_…, pty_… or language; empty for the whole platform."),
    )
    action = forms.ChoiceField(
        choices=_actions,
        label=_lazy("What happens when it fires"),
    )
    limit = forms.DecimalField(
        min_value=0,
        max_digits=15,
        decimal_places=2,
        required=False,
        label=_lazy("Exposure left"),
        help_text=_lazy(
            "For narrowing: how much may be held on the agent, in units of the currency."
        ),
    )
    hold_days = forms.IntegerField(
        min_value=0,
        max_value=366,
        required=False,
        label=_lazy("Days withheld at the most"),
        help_text=_lazy("For withholding."),
    )
    cadence_days = forms.IntegerField(
        min_value=0, max_value=10_000, initial=30, label=_lazy("Reviewed every how many days")
    )
    owner_user = forms.ChoiceField(label=_lazy("Who owns it"))

    def __init__(self, *args: Any, acting: Acting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = steering.owners_for(acting).order_by("name", "email").distinct()
        owner = self.fields["owner_user"]
        owner.choices = [(one.id, str(one)) for one in people]  # type: ignore[attr-defined]
        owner.initial = acting.user.id

    @property
    def terms(self) -> Terms:
        """What was written, in the units the domain counts in."""
        data = dict(self.cleaned_data)
        scale = 100 if METRICS[data["metric"]].unit in _HUNDREDFOLD else 1
        for name in ("threshold", "recover_at"):
            data[name] = _whole(data[name], scale)
        data["limit"] = _whole(data["limit"], 100)
        data["scope_id"] = data["scope_id"].strip()
        data["dimension"] = data["dimension"].strip()
        return steering.terms_of(data)


def _whole(value: Decimal | None, scale: int) -> int | None:
    return None if value is None else int(value * scale)


def written(control: Control) -> dict[str, Any]:
    """A control as its form shows it."""
    scale = 100 if METRICS[control.metric].unit in _HUNDREDFOLD else 1
    return {
        "name": control.name,
        "metric": control.metric,
        "dimension": control.dimension,
        "threshold": Decimal(control.threshold) / scale,
        "recover_at": Decimal(control.recover_at) / scale,
        "scope": control.scope,
        "scope_id": control.scope_id,
        "action": control.action,
        "limit": None if control.limit is None else Decimal(control.limit) / 100,
        "hold_days": control.hold_days,
        "cadence_days": control.cadence_days,
        "owner_user": control.owner_user,
    }


class OverrideForm(forms.Form):
    """Suspending a restriction for a time."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy("At least a sentence. Its builder, its buyers and the owner can read it."),
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=90,
        initial=7,
        label=_lazy("For how many days"),
        help_text=_lazy("1 to 90."),
    )
