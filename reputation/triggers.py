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


def texts_erased_only(*columns: str) -> pgtrigger.Trigger:
    """Refuses every UPDATE of a row but emptying these columns: what a person wrote is erased."""
    return pgtrigger.Trigger(
        name="texts_erased_only",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=only_emptying(*columns),
    )


def only_emptying(*columns: str) -> str:
    """The body of a row's trigger: nothing differs but columns that are now empty."""
    names = ", ".join(f"'{column}'" for column in columns)
    same = " AND ".join(f"NEW.{column} IN ('', OLD.{column})" for column in columns)
    return f"""
        IF to_jsonb(NEW) - ARRAY[{names}] = to_jsonb(OLD) - ARRAY[{names}] AND {same} THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% refused: % keeps what happened', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23001';
    """


def never_removed() -> pgtrigger.Trigger:
    """Refuses DELETE and TRUNCATE; what else is refused depends on the row."""
    return _refusing(pgtrigger.Delete | pgtrigger.Truncate, name="never_removed")
