"""The model field for public ids."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models

from reputation.identifiers import ID_MAX_LENGTH, new_id

if TYPE_CHECKING:
    _Text = models.CharField[str, str]
else:
    _Text = models.CharField


class PublicIdField(_Text):
    """A column whose default is a fresh id: `id = PublicIdField("agt", primary_key=True)`.

    Compared byte by byte (collation `C`), so the database sorts ids exactly as Python does.
    """

    def __init__(self, prefix: str, *args: Any, **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.setdefault("max_length", ID_MAX_LENGTH)
        kwargs.setdefault("db_collation", "C")
        kwargs.setdefault("default", partial(new_id, prefix))
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """The field as a migration writes it: the prefix says the default."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["default"]
        return name, path, [self.prefix, *args], kwargs
