"""What people ask for when they try an agent."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from pacts.budgets import Budget
from pacts.models import Party, TaskSetVersion

MINUTE = 60
MICROS = 1_000_000


class BudgetForm(forms.Form):
    """What one run may use; `budget` holds it."""

    calls = forms.IntegerField(
        min_value=1, max_value=10**9, required=False, label=_lazy("Most calls"),
        help_text=_lazy("Empty: as many as the tasks need."),
    )  # fmt: skip
    minutes = forms.IntegerField(
        min_value=1, max_value=1440, required=False, label=_lazy("Most minutes"),
        help_text=_lazy("No call is made that could end later."),
    )  # fmt: skip
    cost = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=6, required=False, label=_lazy("Most money"),
        help_text=_lazy("What the calls may cost together, by what the agent reports of each."),
    )  # fmt: skip
    call_cost = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=6,
        required=False,
        label=_lazy("Most for one call"),
        help_text=_lazy(
            "Set aside for every call in flight, and counted for one that reports none. "
            "The budget is exceeded only by a call that reports more than this."
        ),
    )
    currency = forms.ChoiceField(choices=[(code, code) for code in ("EUR", "USD", "GBP", "CHF")])
    full_run = forms.BooleanField(
        required=False,
        label=_lazy("Try every task"),
        help_text=_lazy(
            "Otherwise the run ends as soon as more calls could not change the verdict."
        ),
    )

    @property
    def budget(self) -> Budget:
        """What was asked for; refused by the domain where it cannot be kept."""
        data = self.cleaned_data
        minutes, cost = data["minutes"], data["cost"]
        return Budget(
            calls=data["calls"],
            seconds=minutes * MINUTE if minutes else None,
            cost_micros=int(cost * MICROS) if cost else None,
            call_cost_micros=int((data["call_cost"] or 0) * MICROS) if cost else 0,
            currency=data["currency"] if cost else "",
        )


class EvaluationForm(BudgetForm):
    """Which tasks to try an agent on, and what that may use."""

    field_order = ("task_set_version",)
    task_set_version = forms.ModelChoiceField(
        TaskSetVersion.objects.none(), empty_label=None, label=_lazy("Task set")
    )

    def __init__(self, *args: Any, party: Party, work: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sets = TaskSetVersion.objects.filter(
            task_set__owner=party, task_set__work=work, task_set__canaries=False
        )
        field = self.fields["task_set_version"]
        field.queryset = sets.select_related("task_set").order_by("-created_at")  # type: ignore[attr-defined]
