"""Model fields that every floor shares: public ids, and texts sealed at rest."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models

from reputation import strongbox
from reputation.identifiers import ID_MAX_LENGTH, new_id

if TYPE_CHECKING:
    _Text = models.CharField[str, str]
    _LongText = models.TextField[str, str]
else:
    _Text = models.CharField
    _LongText = models.TextField

_PURPOSE = "private texts/1"


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


class SealedTextField(_LongText):
    """What a person wrote, sealed under SECRET_KEY, which the database does not hold.

    A dump, a dead row and the write-ahead log show nothing of it, before it is erased and after.
    Empty stays empty; nothing can be searched for in it. Reading raises SealBroken where the key
    was lost.
    """

    def get_prep_value(self, value: Any) -> Any:
        """The sealed text."""
        return sealed_text(value) if value else value

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        """The text itself."""
        if not value:
            return value
        return strongbox.unseal(purpose=_PURPOSE, sealed=value.encode()).decode()


def sealed_text(text: str) -> str:
    """A text as a `SealedTextField` keeps it."""
    return strongbox.seal(purpose=_PURPOSE, secret=text.encode()).decode()


def seal_column(model: Any, schema_editor: Any, *columns: str) -> None:
    """For a migration, before columns of clear text become sealed ones: seal what is there."""
    table = schema_editor.quote_name(model._meta.db_table)
    schema_editor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for row in model.objects.iterator():
        for name in columns:
            if text := getattr(row, name):
                setattr(row, name, sealed_text(text))
        row.save(update_fields=list(columns))
    schema_editor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
