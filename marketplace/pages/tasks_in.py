"""Golden sets as people bring them: pasted or uploaded; `pacts.tables` reads them."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from pacts import tables
from pacts.tables import TaskDraft, TaskSetRefused

EXAMPLE = (
    '{"input": {"text": "Wo bleibt meine Lieferung?"}, "expected": {"language": "de"}}\n'
    '{"input": {"text": "asdf 4711"}, "expected": null, "in_scope": false}'
)


class TasksField(forms.CharField):
    """Pasted tasks; `clean` gives the drafts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
            max_length=tables.MOST_BYTES,
            strip=False,
            **kwargs,
        )


class TasksForm(forms.Form):
    """The tasks of one version, pasted or in a file; `drafts` holds what was read."""

    tasks = TasksField(
        required=False,
        help_text=_lazy(
            "One JSON object on each line, with “input”, “expected” and, if you like, "
            "“in_scope”, “stratum”, “session” and “paraphrases”; or CSV with columns such "
            "as input.text and expected.language."
        ),
        initial="",
    )
    upload = forms.FileField(
        required=False,
        label=_lazy("Or upload a file"),
        help_text=_lazy("JSON Lines or CSV in UTF-8, or Parquet; up to 10 MB and 10,000 tasks."),
    )
    example = EXAMPLE
    drafts: list[TaskDraft] | None = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        pasted, upload = data.get("tasks") or "", data.get("upload")
        if "tasks" in self.errors or "upload" in self.errors:
            return data
        field = "upload" if upload else "tasks"
        if not pasted.strip() and not upload:
            self.add_error("tasks", _("Paste tasks or choose a file."))
            return data
        try:
            self.drafts = tasks_of(pasted, upload)
        except forms.ValidationError as error:
            self.add_error(field, error)
        return data


class TaskSetForm(TasksForm):
    """A new golden set."""

    field_order = ("name", "work", "tasks", "upload", "canaries", "note")
    name = forms.CharField(max_length=120)
    work = forms.SlugField(
        max_length=40,
        label=_lazy("Kind of work"),
        help_text=_lazy("As the agents’ pages have it, for example language."),
    )
    canaries = forms.BooleanField(
        required=False,
        label=_lazy(
            "These are canaries: mix a few, unseen, into every run over my other sets of "
            "this kind of work, and show me beside the verdict how they went"
        ),
    )
    note = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def tasks_of(pasted: str, upload: "UploadedFile[bytes] | None") -> list[TaskDraft]:
    """Tasks from a file if one was given, else from what was pasted. Raises ValidationError."""
    try:
        return tables.read_file(_content(upload)) if upload else tables.read_text(pasted)
    except TaskSetRefused as error:
        text = str(error)
        raise forms.ValidationError(text[:1].upper() + text[1:] + ".") from error


def _content(upload: "UploadedFile[bytes]") -> bytes:
    content: bytes = upload.read(tables.MOST_BYTES + 1)
    return content
