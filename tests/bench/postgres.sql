-- The board that bench_match wrote, and its question, as plainly as SQL can say them. Words in braces are filled in by
-- tests/bench/postgres.py: files, weights, and once for each role what the one who asks and the one found are.
--
-- What is not here: credentials, languages, day-parts, least headcounts and terms, which none of these offers tells, so
-- that their parts of the score are 1 for all; and skills that are only related to an asked one, which count in part
-- where a taxonomy was imported.

-- == board
CREATE EXTENSION btree_gist;
CREATE EXTENSION intarray;
CREATE TABLE offer (
  id         bigint PRIMARY KEY,    -- in the order of the engine's ids
  author     integer NOT NULL,
  supplies   boolean NOT NULL,
  occupation integer NOT NULL,
  x real NOT NULL, y real NOT NULL, z real NOT NULL,  -- of its place on the unit sphere
  place      point NOT NULL,        -- degrees, longitude first
  fine       boolean NOT NULL,      -- its place is known to the postcode
  travel_km  integer NOT NULL,
  first_day  integer NOT NULL, last_day integer NOT NULL,  -- both included
  flex_days  integer NOT NULL,
  hours_min  integer NOT NULL, hours_max integer NOT NULL,
  headcount  integer NOT NULL,
  skills     integer[] NOT NULL,    -- ascending
  must       integer[] NOT NULL,    -- those of them that have to be there
  -- Two offers can have days in common where these overlap: each may be shifted by its own days.
  days       int4range GENERATED ALWAYS AS (int4range(first_day - flex_days, last_day + flex_days, '[]')) STORED
);
CREATE TABLE asked (number integer PRIMARY KEY, id bigint NOT NULL);
-- As the program has it, all pairs above 0.
CREATE TABLE closeness (supply integer, demand integer, closeness double precision NOT NULL);
\copy offer (id, author, supplies, occupation, x, y, z, place, fine, travel_km, first_day, last_day, flex_days, hours_min, hours_max, headcount, skills, must) FROM '{place}/offers.csv' CSV
\copy asked FROM '{place}/asked.csv' CSV
\copy closeness FROM '{place}/closeness.csv' CSV
CREATE INDEX ON closeness (supply, closeness) INCLUDE (demand);
CREATE INDEX ON closeness (demand, closeness) INCLUDE (supply);
CREATE UNIQUE INDEX ON closeness (supply, demand);
CREATE TYPE scored AS (id bigint, score double precision);

-- == index skills
CREATE INDEX skills_out ON offer USING gin (skills gin__int_ops) WHERE supplies;
CREATE INDEX skills_in ON offer USING gin (skills gin__int_ops) WHERE NOT supplies;

-- == index GiST (occupation, days, place)
CREATE INDEX board_out ON offer USING gist (occupation, days, place) WHERE supplies;
CREATE INDEX board_in ON offer USING gist (occupation, days, place) WHERE NOT supplies;

-- == index GiST (place, days)
CREATE INDEX board_out ON offer USING gist (place, days) WHERE supplies;
CREATE INDEX board_in ON offer USING gist (place, days) WHERE NOT supplies;

-- == index B-tree (occupation, first day)
CREATE INDEX board_out ON offer (occupation, first_day) WHERE supplies;
CREATE INDEX board_in ON offer (occupation, first_day) WHERE NOT supplies;

-- == candidates
-- Counter-offers `c` of `asked`, with an occupation of closeness `n.closeness`; {supply} and {demand} are the two.
SELECT c.id,
       {occupation} * n.closeness
       + {skills} * CASE WHEN cardinality({demand}.skills) = 0 THEN 1 ELSE
           (icount({demand}.skills & {supply}.skills) + icount({demand}.must & {supply}.skills))::double precision
           / (cardinality({demand}.skills) + cardinality({demand}.must)) END
       + {credentials} + {languages}
       + {distance} * greatest(0, 1 - distance.km / 100)
       + {period} * (greatest(
             least({supply}.last_day, {demand}.last_day) - greatest({supply}.first_day, {demand}.first_day),
             least({supply}.last_day + shift.starts, {demand}.last_day)
               - greatest({supply}.first_day + shift.starts, {demand}.first_day),
             least({supply}.last_day + shift.ends, {demand}.last_day)
               - greatest({supply}.first_day + shift.ends, {demand}.first_day)) + 1)::double precision
         / ({demand}.last_day - {demand}.first_day + 1)
       + {hours} * least({supply}.hours_max, {demand}.hours_max)::double precision / {demand}.hours_max
       + {headcount} * least({supply}.headcount, {demand}.headcount)::double precision / {demand}.headcount
       + {terms} AS score
FROM {source}
CROSS JOIN LATERAL (SELECT 2 * 6371.0::double precision * asin(least(1, sqrt(
    (c.x::double precision - asked.x) * (c.x::double precision - asked.x)
    + (c.y::double precision - asked.y) * (c.y::double precision - asked.y)
    + (c.z::double precision - asked.z) * (c.z::double precision - asked.z)) / 2)) AS km) distance
CROSS JOIN LATERAL (SELECT c.flex_days + asked.flex_days AS days) flexible
CROSS JOIN LATERAL (SELECT
    greatest(-flexible.days, least(flexible.days, {demand}.first_day - {supply}.first_day)) AS starts,
    greatest(-flexible.days, least(flexible.days, {demand}.last_day - {supply}.last_day)) AS ends) shift
WHERE c.author <> asked.author
  AND greatest(c.hours_min, asked.hours_min) <= least(c.hours_max, asked.hours_max)
  AND distance.km <= least(c.travel_km, asked.travel_km) + CASE WHEN c.fine AND asked.fine THEN 3 ELSE 20 END

-- == near
c.days && asked.days AND c.place <@ around

-- == source occupation
-- OFFSET 0 keeps the order: the planner believes that next to nothing lies within the box.
(SELECT {other} AS occupation, closeness FROM closeness
 WHERE {own} = asked.occupation AND closeness >= least_closeness AND closeness < below_closeness) n
CROSS JOIN LATERAL (SELECT * FROM offer c WHERE {role} AND c.occupation = n.occupation AND {near} OFFSET 0) c

-- == source place
(SELECT * FROM offer c WHERE {role} AND {near} OFFSET 0) c
CROSS JOIN LATERAL (SELECT closeness FROM closeness WHERE {own} = asked.occupation AND {other} = c.occupation
 AND closeness >= least_closeness AND closeness < below_closeness OFFSET 0) n

-- == source skilled
-- Nothing in common but an asked skill: that is enough to be a match.
(SELECT c.* FROM (SELECT * FROM offer c WHERE {role} AND c.skills && asked.skills OFFSET 0) c WHERE {near}
 AND NOT EXISTS (SELECT FROM closeness WHERE {own} = asked.occupation AND {other} = c.occupation)) c
CROSS JOIN (SELECT 0::double precision AS closeness) n

-- == function
CREATE OR REPLACE FUNCTION {name}(which integer) RETURNS SETOF scored LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  asked offer;
  around box;
  best scored[] := '{{}}';
  least_closeness double precision := 0;
  below_closeness double precision := 2;
BEGIN
  SELECT o.* INTO STRICT asked FROM asked a JOIN offer o ON o.id = a.id WHERE a.number = which;
  -- As many degrees as the asking side's travel limit may be, a little more: 111.19 km of latitude, at 55 degrees
  -- north 63.8 km of longitude.
  around := box(
    point(asked.place[0] - (asked.travel_km + 21) / 63.0, asked.place[1] - (asked.travel_km + 21) / 111.0),
    point(asked.place[0] + (asked.travel_km + 21) / 63.0, asked.place[1] + (asked.travel_km + 21) / 111.0));
  IF asked.supplies THEN
    {supplying}
  ELSE
    {demanding}
  END IF;
END $$;

-- == one step
RETURN QUERY SELECT * FROM ({close} UNION ALL {skilled}) found ORDER BY score DESC, id LIMIT 20;

-- == staged
-- The closest occupations first; what has not been looked at yet can score no more than all other parts in full.
FOREACH least_closeness IN ARRAY ARRAY[1, 0.7, 0.55, 0.4, 0.25, 0] LOOP
  EXIT WHEN cardinality(best) = 20 AND best[20].score > {occupation} * below_closeness + 1 - {occupation};
  best := ARRAY(SELECT (found.id, found.score)::scored
    FROM ({close} UNION ALL SELECT * FROM unnest(best)) found ORDER BY score DESC, id LIMIT 20);
  below_closeness := least_closeness;
END LOOP;
IF cardinality(best) < 20 OR best[20].score <= 1 - {occupation} THEN
  best := ARRAY(SELECT (found.id, found.score)::scored
    FROM ({skilled} UNION ALL SELECT * FROM unnest(best)) found ORDER BY score DESC, id LIMIT 20);
END IF;
RETURN QUERY SELECT * FROM unnest(best);
