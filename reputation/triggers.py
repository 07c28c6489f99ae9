"""What the database itself refuses, whoever asks: a superuser's careless SQL included."""

import pgtrigger

# restrict_violation: Django raises it as IntegrityError.
_REFUSE = """
    RAISE EXCEPTION '% refused: % is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001';
"""


def append_only() -> pgtrigger.Trigger:
    """Refuses UPDATE, DELETE and TRUNCATE, even of no rows."""
    return _refusing(pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate)


def never_edited() -> pgtrigger.Trigger:
    """Refuses UPDATE and TRUNCATE; a single row may still be deleted."""
    return _refusing(pgtrigger.Update | pgtrigger.Truncate)


def never_emptied() -> pgtrigger.Trigger:
    """Refuses TRUNCATE; what else is refused depends on the row."""
    return _refusing(pgtrigger.Truncate, name="never_emptied")


def _refusing(operation: pgtrigger.Operation, name: str = "append_only") -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=operation,
        func=_REFUSE,
    )
