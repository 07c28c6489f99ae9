"""What a buyer says when hiring: which tasks decide, and what the builder stakes."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.forms import amount_in
from marketplace.pages.tasks_in import TasksField, tasks_of
from marketplace.pages.wording import plural
from pacts.models import EvaluatorOffer, Party, TaskSetVersion


class StakeForm(forms.Form):
    """The bond a buyer may ask for; `stake` holds it in minor units of the listing's currency."""

    bond = forms.CharField(
        required=False,
        max_length=24,
        label=_lazy("Ask the builder for a bond"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_lazy(
            "For each milestone. More than the offer stakes is the builder’s to agree to, "
            "so it then signs for itself."
        ),
    )
    stake: int = 0

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        typed = data.get("bond", "")
        try:
            self.stake = amount_in(typed, self.currency) if typed.strip() else 0
        except forms.ValidationError as error:
            self.add_error("bond", error)
        return data


class HireForm(StakeForm):
    """One of the buyer's task sets, or tasks pasted here; more milestones and a bond, if wanted."""

    task_set_version = forms.ModelChoiceField(
        TaskSetVersion.objects.none(),
        label=_lazy("Your task set"),
        required=False,
        empty_label=_lazy("Paste tasks below instead"),
    )
    tasks = TasksField(
        label=_lazy("Or paste tasks"),
        required=False,
        help_text=_lazy(
            "They are used instead of a chosen set. One JSON object on each line, with "
            "“input” and “expected”; or CSV with columns such as input.text and "
            "expected.language."
        ),
    )
    further = forms.ModelMultipleChoiceField(
        TaskSetVersion.objects.none(),
        required=False,
        label=_lazy("Further milestones"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_lazy("One more milestone for each, at the same price, funded one by one."),
    )
    drafts: Any = None

    def __init__(self, *args: Any, owner: Party, work: str, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, currency=currency, **kwargs)
        newest = (
            TaskSetVersion.objects.filter(
                task_set__owner=owner, task_set__work=work, task_set__canaries=False
            )
            .select_related("task_set")
            .order_by("task_set_id", "-number")
            .distinct("task_set_id")
        )
        rows = TaskSetVersion.objects.filter(pk__in=newest.values("pk"))
        field = self.fields["task_set_version"]
        field.queryset = rows.select_related("task_set").order_by("-created_at")  # type: ignore[attr-defined]
        self.has_sets = bool(field.queryset)  # type: ignore[attr-defined]
        self.fields["further"].queryset = field.queryset  # type: ignore[attr-defined]
        self.has_several = len(field.queryset) > 1  # type: ignore[attr-defined]
        if self.has_sets:
            field.initial = field.queryset[0].pk  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        pasted = (data.get("tasks") or "").strip()
        if self.errors:
            return data
        if not pasted and data.get("task_set_version") in data["further"]:
            self.add_error("further", _("This set is the first milestone already; untick it."))
        if not data.get("task_set_version") and not pasted:
            raise forms.ValidationError(_("Choose one of your task sets, or paste tasks."))
        if pasted:
            try:
                self.drafts = tasks_of(data["tasks"], None)
            except forms.ValidationError as error:
                self.add_error("tasks", error)
        return data


class OfferChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An evaluator by its name, with how much it brings."""

    def label_from_instance(self, obj: EvaluatorOffer) -> str:
        return f"{obj.evaluator.name}: {plural(obj.task_set_version.size, 'task')}"


class JudgedHireForm(StakeForm):
    """The third party whose tasks decide, for a pact that asks for one."""

    offer = OfferChoice(
        EvaluatorOffer.objects.none(),
        label=_lazy("Who judges"),
        widget=forms.RadioSelect,
        empty_label=None,
        help_text=_lazy(
            "Neither you nor the builder sees its tasks, and nobody acts for it and for one of you."
        ),
    )
    drafts: Any = None

    def __init__(self, *args: Any, offers: QuerySet[EvaluatorOffer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["offer"].queryset = offers  # type: ignore[attr-defined]
        self.offers = offers
