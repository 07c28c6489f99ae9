"""Names of parties and searches leave the rows of news that were told in private."""

from django.db import migrations

# Who was told is a member of one side; the other side is who the news are about.
UNNAMED = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE marketplace_news DISABLE TRIGGER USER;
WITH sides AS (
  SELECT news.id, talk.buyer_id, talk.builder_id
    FROM marketplace_news AS news JOIN pacts_negotiation AS talk
      ON news.path = '/negotiations/' || talk.id || '/'
   WHERE news.kind LIKE 'negotiation.%'
  UNION ALL
  SELECT news.id, hire.buyer_id, hire.builder_id
    FROM marketplace_news AS news JOIN pacts_engagement AS hire
      ON news.path = '/engagements/' || hire.id || '/'
   WHERE news.kind LIKE 'negotiation.%'
), told AS (
  SELECT news_id, user_id FROM marketplace_notice
   UNION SELECT news_id, user_id FROM marketplace_mail
), found AS (
  SELECT DISTINCT ON (sides.id) sides.id, member.party_id AS told,
         CASE member.party_id WHEN sides.buyer_id THEN sides.builder_id
                              ELSE sides.buyer_id END AS who
    FROM sides JOIN told ON told.news_id = sides.id
    JOIN pacts_member AS member ON member.user_id = told.user_id
     AND member.party_id IN (sides.buyer_id, sides.builder_id)
   ORDER BY sides.id, member.id
)
UPDATE marketplace_news AS news
   SET party_id = found.told, who_id = found.who,
       words = jsonb_set(news.words, '{0,values}', (news.words #> '{0,values}') - 'who'),
       title = left(replace(replace(news.words #>> '{0,text}', '{who}', 'Somebody'), '{agent}',
                            coalesce(news.words #>> '{0,values,agent}', '')), 200)
  FROM found WHERE found.id = news.id AND news.words #> '{0,values}' ? 'who';
UPDATE marketplace_news
   SET words = '[]',
       title = left(replace(replace(words #>> '{0,text}', '{who}', 'Somebody'), '{agent}',
                            coalesce(words #>> '{0,values,agent}', '')), 200)
 WHERE kind LIKE 'negotiation.%' AND words #> '{0,values}' ? 'who';
UPDATE marketplace_news SET title = 'What a search of yours finds has changed'
 WHERE kind = 'search.changed' AND words = '[]';
ALTER TABLE marketplace_news ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0021_names_drawn_in_news"), ("pacts", "0024_negotiations")]

    operations = [migrations.RunSQL(UNNAMED, migrations.RunSQL.noop)]
