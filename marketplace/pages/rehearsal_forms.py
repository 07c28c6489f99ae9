"""What a builder brings to a run of its own: sample tasks, pasted answers, a call budget."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.pages.tasks_in import EXAMPLE, TasksField, tasks_of
from pacts import adversity
from pacts.models import Agent, TaskSetVersion
from pacts.rehearsals import MOST_CALLS, MOST_TASKS, USUAL_CALLS, samples_of
from pacts.tables import TaskDraft

FAMILY_TITLES = {
    "injection": _("Planted orders: injection, leaks, tools nobody allowed"),
    "malformed": _("Malformed input: missing fields, wrong types, broken text"),
    "oversize": _("Oversize: long texts, long words, hundreds of fields"),
    "language": _("Other languages and scripts"),
    "boundary": _("Boundary values: empty, invisible, tiny, huge"),
    "code": _("Code that must stay a text: templates, formulas, queries"),
}


class SamplesForm(forms.Form):
    """A few tasks, of a set one has or pasted; `samples` holds what was read."""

    task_set_version = forms.ModelChoiceField(
        TaskSetVersion.objects.none(), required=False, label=_("The first tasks of a set"),
        empty_label=_("None: I paste some"),
    )  # fmt: skip
    tasks = TasksField(
        required=False, label=_("Or paste tasks"),
        help_text=_("One JSON object on each line, with “input” and “expected”; or CSV."),
    )  # fmt: skip
    example = EXAMPLE
    most = MOST_TASKS

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.samples: list[TaskDraft] = []
        own = TaskSetVersion.objects.filter(
            task_set__owner=agent.builder, task_set__work=agent.work, task_set__canaries=False
        )
        field: Any = self.fields["task_set_version"]
        field.queryset = own.select_related("task_set").order_by("-created_at")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        pasted, chosen = data.get("tasks") or "", data.get("task_set_version")
        if "tasks" in self.errors or "task_set_version" in self.errors:
            return data
        if pasted.strip():
            try:
                self.samples = tasks_of(pasted, None)
            except forms.ValidationError as error:
                self.add_error("tasks", error)
        elif chosen:
            self.samples = samples_of(chosen, most=self.most)
        else:
            self.add_error("tasks", _("Choose a set or paste at least one task."))
        return data


class DryRunForm(SamplesForm):
    """Sample tasks for a draft, answered by the agent or by what was pasted."""

    answers = forms.CharField(
        required=False, strip=False, max_length=200_000, label=_("Answers you have already"),
        help_text=_(
            "One JSON object on each line, in the order of the tasks. Then nobody is called, and "
            "nothing is timed. Empty: the agent is asked."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
    )  # fmt: skip
    calls = forms.IntegerField(
        min_value=1, max_value=MOST_CALLS, initial=USUAL_CALLS, required=False,
        label=_("Most calls"),
    )  # fmt: skip

    @property
    def lines(self) -> list[str]:
        """The pasted answers; none is none."""
        said: str = self.cleaned_data.get("answers") or ""
        return [line for line in said.splitlines() if line.strip()]


class AdversarialForm(SamplesForm):
    """Sample tasks to be varied, and how."""

    families = forms.MultipleChoiceField(
        choices=[(name, FAMILY_TITLES[name]) for name in adversity.FAMILIES],
        required=False, widget=forms.CheckboxSelectMultiple, label=_("What to try"),
        help_text=_("None chosen: everything."),
    )  # fmt: skip
