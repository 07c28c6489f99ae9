"""Golden sets as people bring them: pasted or uploaded; `pacts.tables` reads them."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

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
