"""A table of tasks as it is brought, and what each of its columns is for."""

from hashlib import sha256
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from marketplace.pages.tasks_in import TasksField
from pacts import sheets, tables
from pacts.sheets import KINDS, Sheet, Use
from pacts.tables import TaskSetRefused

ROLE_NAMES = {
    "input": _("Input: the agent is given it"),
    "expected": _("Expected answer: the agent never sees it"),
    "ignore": _("Leave it out"),
    "stratum": _("Group of tasks"),
    "session": _("Session"),
    "in_scope": _("In scope, yes or no"),
}
KIND_NAMES = {"as_is": _("as it is"), "number": _("a number"), "json": _("JSON")}


class SheetForm(forms.Form):
    """What is brought, and what kind of work it is for."""

    name = forms.CharField(max_length=120, label=_("Name of the task set"))
    work = forms.SlugField(
        max_length=40,
        label=_("Kind of work"),
        help_text=_("As the agents’ pages have it, for example language."),
    )
    upload = forms.FileField(
        required=False,
        label=_("A file"),
        help_text=_("CSV, JSON Lines, JSON or Parquet; up to 10 MB and 10,000 tasks."),
    )
    tasks = TasksField(
        required=False,
        label=_("Or paste it"),
        help_text=_("With a line of column names first, as it comes out of a spreadsheet."),
    )
    data_brought: bytes | str = ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        upload, pasted = data.get("upload"), data.get("tasks") or ""
        if self.errors:
            return data
        if not upload and not pasted.strip():
            self.add_error("upload", _("Choose a file, or paste a table below."))
            return data
        self.data_brought = _content(upload) if upload else pasted
        try:  # what cannot be read at all is said before anything is kept
            _try(self.data_brought)
        except TaskSetRefused as error:
            text = str(error)
            self.add_error("upload" if upload else "tasks", text[:1].upper() + text[1:] + ".")
        return data


def _try(data: bytes | str) -> Sheet:
    return sheets.read(data) if isinstance(data, bytes) else sheets.read_text(data)


def _content(upload: "UploadedFile[bytes]") -> bytes:
    content: bytes = upload.read(tables.MOST_BYTES + 1)
    return content


class ColumnForm(forms.Form):
    """One column: what it is for, what the field is called, and how its cells are read."""

    role = forms.ChoiceField(choices=list(ROLE_NAMES.items()), label=_("This column is"))
    field = forms.CharField(max_length=60, required=False, label=_("Field"))
    kind = forms.ChoiceField(choices=[(one, KIND_NAMES[one]) for one in KINDS], label=_("Read as"))

    @property
    def use(self) -> Use:
        """What was chosen."""
        data = self.cleaned_data
        return Use(data["role"], data["field"].strip(), data["kind"])


def prefix_of(column: str) -> str:
    """Under what a form sends a column: by its name, so a corrected text moves no choice."""
    return f"column-{sha256(column.encode()).hexdigest()[:12]}"


class MappingForm(forms.Form):
    """The whole mapping; `uses` holds it by column once the form is valid. A column that was not
    sent, because a corrected text brought it, is as guessed."""

    name = forms.CharField(max_length=120, label=_("Name of the task set"))
    work = forms.SlugField(max_length=40, label=_("Kind of work"))
    leave_out = forms.BooleanField(
        required=False, label=_("Leave out the lines that have a problem")
    )

    def __init__(self, *args: Any, sheet: Sheet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        guessed = sheets.guess(sheet)
        self.columns = [
            (
                name,
                ColumnForm(
                    self.data if f"{prefix_of(name)}-role" in self.data else None,
                    prefix=prefix_of(name),
                    initial={
                        "role": guessed[name].role,
                        "field": guessed[name].field or sheets.field_name(name),
                        "kind": guessed[name].kind,
                    },
                ),
            )
            for name in sheet.columns
        ]
        self.guessed = guessed

    def is_valid(self) -> bool:
        parts = [form.is_valid() for _name, form in self.columns if form.is_bound]
        return super().is_valid() and all(parts)

    @property
    def uses(self) -> dict[str, Use]:
        """What each column is for: as chosen, else as guessed."""
        return {
            name: form.use if form.is_bound else self.guessed[name] for name, form in self.columns
        }
