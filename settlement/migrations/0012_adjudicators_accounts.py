"""Nobody decides a case of a party that is paid where a party of theirs is paid."""

from django.db import migrations

_FUNCTION = """
CREATE FUNCTION settlement_ruled_without_an_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE this_case text;
BEGIN
  IF TG_TABLE_NAME = 'pacts_ruling' THEN
    this_case := to_jsonb(NEW) ->> 'dispute_id';
  ELSE
    SELECT dispute_id INTO this_case FROM pacts_ruling
     WHERE id = to_jsonb(NEW) ->> 'ruling_id';
  END IF;
  IF NEW.adjudicator_id IS NOT NULL AND EXISTS (
      WITH own AS (
        SELECT party_id FROM pacts_member WHERE user_id = NEW.adjudicator_id UNION
        SELECT party_id FROM pacts_pastmember WHERE user_id = NEW.adjudicator_id
      )
      SELECT FROM pacts_dispute d
        JOIN pacts_milestone m ON m.id = d.milestone_id
        JOIN pacts_engagement e ON e.id = m.engagement_id
        JOIN settlement_payout theirs ON theirs.party_id IN (e.buyer_id, e.builder_id)
        JOIN settlement_payout mine
          ON (mine.rail, mine.destination) = (theirs.rail, theirs.destination)
        JOIN own ON own.party_id = mine.party_id
       WHERE d.id = this_case AND theirs.rail <> 'sandbox'
         AND theirs.refund_of_id IS NULL AND mine.refund_of_id IS NULL
  ) THEN
    RAISE EXCEPTION 'adjudicator % is paid where a side of % is', NEW.adjudicator_id, this_case
      USING ERRCODE = '23514', CONSTRAINT = 'ruling_without_interest';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ruled_without_an_account BEFORE INSERT ON pacts_ruling
  FOR EACH ROW EXECUTE FUNCTION settlement_ruled_without_an_account();
CREATE TRIGGER confirmed_without_an_account BEFORE INSERT ON pacts_confirmation
  FOR EACH ROW EXECUTE FUNCTION settlement_ruled_without_an_account();
"""
_BACK = """
DROP TRIGGER confirmed_without_an_account ON pacts_confirmation;
DROP TRIGGER ruled_without_an_account ON pacts_ruling;
DROP FUNCTION settlement_ruled_without_an_account();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("pacts", "0025_interests_of_adjudicators"),
        ("settlement", "0011_filing_deposits"),
    ]

    operations = [migrations.RunSQL(_FUNCTION, _BACK)]
