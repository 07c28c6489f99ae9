"""What keeps a third party apart from the hires it judges, in the database.

No user acts both for an evaluator and for a side of a hire it judges: neither when the hire is
proposed nor by joining later. Both triggers take one lock, so that of two that would meet in a
conflict the later one sees the earlier.
"""

import pgtrigger

_WITHOUT_A_SIDE = """
    IF NEW.evaluator_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('pacts.evaluators'));
    IF EXISTS (
        SELECT 1 FROM pacts_member a JOIN pacts_member b ON b.user_id = a.user_id
         WHERE a.party_id = NEW.evaluator_id AND b.party_id IN (NEW.buyer_id, NEW.builder_id)
    ) THEN
        RAISE EXCEPTION 'somebody acts for the evaluator and for a side' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""

_KEPT_APART = """
    PERFORM pg_advisory_xact_lock(hashtext('pacts.evaluators'));
    IF EXISTS (
        SELECT 1 FROM pacts_engagement e JOIN pacts_member m ON m.user_id = NEW.user_id
         WHERE e.evaluator_id IS NOT NULL AND e.state IN ('proposed', 'active')
           AND ((NEW.party_id = e.evaluator_id AND m.party_id IN (e.buyer_id, e.builder_id))
             OR (m.party_id = e.evaluator_id AND NEW.party_id IN (e.buyer_id, e.builder_id)))
    ) THEN
        RAISE EXCEPTION 'somebody would act for the evaluator of a hire and for a side of it'
        USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""

_JUDGED_BY_WHOM_IT_SAYS = """
    IF NEW.purpose <> 'milestone' OR NEW.deliverable_id IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT e.evaluator_id INTO agreed
      FROM pacts_deliverable d JOIN pacts_milestone m ON m.id = d.milestone_id
      JOIN pacts_engagement e ON e.id = m.engagement_id WHERE d.id = NEW.deliverable_id;
    IF agreed IS NULL THEN
        IF NEW.independence <> 'platform' THEN
            RAISE EXCEPTION 'no third party was agreed on for this hire' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
    END IF;
    SELECT k.owner_id INTO owner FROM pacts_tasksetversion s
      JOIN pacts_taskset k ON k.id = s.task_set_id WHERE s.id = NEW.task_set_version_id;
    IF NEW.independence <> 'third_party' OR NEW.requested_by_id <> agreed
       OR owner IS DISTINCT FROM agreed THEN
        RAISE EXCEPTION 'only the agreed evaluator judges this hire, on its own tasks'
        USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""


def without_a_side() -> pgtrigger.Trigger:
    """On engagements: the evaluator shares no member with the buyer or the builder."""
    return pgtrigger.Trigger(
        name="evaluator_without_a_side",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=_WITHOUT_A_SIDE,
    )


def kept_apart() -> pgtrigger.Trigger:
    """On members: nobody joins a side and the evaluator of a hire that is proposed or in force."""
    return pgtrigger.Trigger(
        name="evaluator_kept_apart",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("party_id", "user_id"),  # type: ignore[no-untyped-call]
        func=_KEPT_APART,
    )


def judged_by_whom_it_says() -> pgtrigger.Trigger:
    """On evaluations: money waits for the agreed evaluator's run, or for the platform's."""
    return pgtrigger.Trigger(
        name="judged_by_whom_it_says",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert
        | pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
            "purpose", "independence", "requested_by_id", "deliverable_id", "task_set_version_id"
        ),
        declare=[("agreed", "varchar"), ("owner", "varchar")],
        func=_JUDGED_BY_WHOM_IT_SAYS,
    )
