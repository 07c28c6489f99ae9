"""Forms for screening: a run log, a benchmark claim."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
from marketplace.models import BenchmarkClaim
from pacts import imports
from pacts.models import Agent, AgentVersion, ImportedRun

MOST_BYTES = 48_000_000


class ImportForm(forms.Form):
    """A file or archive; which of its runs, where it holds several."""

    file = forms.FileField(
        label=_lazy("Run log"),
        help_text=_lazy("A file, or a .zip, .tar, .xz or .gz of one or many."),
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("", _lazy("Recognise it")), *imports.titles().items()],
        help_text=_lazy("Only where it is not recognised."),
    )
    agent_name = forms.CharField(
        required=False,
        max_length=200,
        label=_lazy("Whose run"),
        help_text=_lazy("As the file names the agent, where it holds several."),
    )
    benchmark = forms.CharField(
        required=False,
        max_length=200,
        help_text=_lazy("As the file names it, for one of several. Empty: every run of the agent."),
    )

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file has more than %(most_bytes)s MB; pack it, or bring a part of it.")
                % {"most_bytes": MOST_BYTES // 10**6}
            )
        return file


class ClaimForm(forms.Form):
    """A benchmark's score as its source states it; `score_bps` holds it in basis points."""

    agent_version = forms.ModelChoiceField(AgentVersion.objects.none(), empty_label=None)
    benchmark = forms.CharField(max_length=120)
    score = forms.DecimalField(
        min_value=0,
        max_value=100,
        decimal_places=2,
        label=_lazy("Score"),
        help_text=_lazy("In percent."),
    )
    units = forms.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        label=_lazy("Tasks"),
        help_text=_lazy("How many the score rests on."),
    )
    method = forms.CharField(
        max_length=400, help_text=_lazy("How it was scored, and by which version.")
    )
    not_measured = forms.CharField(
        max_length=400, help_text=_lazy("What this benchmark says nothing about.")
    )
    contamination = forms.CharField(
        required=False,
        max_length=400,
        label=_lazy("Seen in training?"),
        help_text=_lazy("Since when its tasks are public, or who holds them back."),
    )
    ran_by = forms.ChoiceField(
        choices=labels.choices(BenchmarkClaim.Runner.choices), label=_lazy("Run by")
    )
    measured_on = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    imported_run = forms.ModelChoiceField(
        ImportedRun.objects.none(),
        required=False,
        label=_lazy("The run behind it"),
        empty_label=_lazy("None is on record"),
    )
    score_bps: int = 0

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = AgentVersion.objects.filter(agent=agent).order_by("-number")
        runs = ImportedRun.objects.filter(agent_version__agent=agent)
        self.fields["agent_version"].queryset = versions  # type: ignore[attr-defined]
        self.fields["imported_run"].queryset = runs  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "score" in data:
            self.score_bps = int(data["score"] * 100)
        return data
