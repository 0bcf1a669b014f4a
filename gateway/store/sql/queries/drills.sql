-- Drills: while one runs, alarms of its area are practice.

-- name: find_active_drill
-- The drill that runs at $2 in one of the areas of $1, the longest running first.
select drill_id from drills
 where area_id = any($1::text[]) and begins_at <= $2 and ends_at > $2 and ended_by is null
 order by begins_at, drill_id limit 1

-- name: lock_book
-- One start at a time, so that two cannot both find the area without a drill.
select pg_advisory_xact_lock(hashtextextended('drills', 0))

-- name: insert_drill
insert into drills (drill_id, area_id, begins_at, ends_at, note, started_by) values ($1, $2, $3, $4, $5, $6)

-- name: end_drill
-- Once, and never with a length of nothing.
update drills set ends_at = greatest($2, begins_at + interval '1 microsecond'), ended_by = $3
 where drill_id = $1 and ended_by is null and ends_at > $2

-- name: find_drill
select d.*, a.name as area_name from drills d join areas a using (area_id) where d.drill_id = $1

-- name: list_drills
-- The newest drills that cover an area under a prefix ($1) or are held by an outer one (of $2).
select d.*, a.name as area_name from drills d join areas a using (area_id)
 where d.area_id like $1 || '%' or d.area_id = any($2::text[])
 order by d.begins_at desc, d.drill_id desc limit $3
