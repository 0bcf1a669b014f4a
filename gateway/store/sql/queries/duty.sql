-- Who is on duty, by area; an area without a single shift keeps no roster.

-- name: read_roster_state
-- Of each area of $1: has it any shift at all, and who is on duty at $2.
select area_id,
       array_agg(person_name order by begins_at, shift_id) filter (where begins_at <= $2 and ends_at > $2) as names
  from duty_shifts where area_id = any($1::text[]) group by area_id

-- name: list_on_duty
-- Those on duty at $2 in one area, supervisors first.
select s.*, a.name as area_name from duty_shifts s join areas a using (area_id)
 where s.area_id = $1 and s.begins_at <= $2 and s.ends_at > $2
 order by s.role desc, s.begins_at, s.person_name

-- name: list_shifts
-- Shifts under a prefix that touch the time from $2 to $3.
select s.*, a.name as area_name from duty_shifts s join areas a using (area_id)
 where s.area_id like $1 || '%' and s.ends_at > $2 and s.begins_at < $3
 order by s.area_id, s.begins_at, s.person_name, s.shift_id

-- name: list_roster_areas
-- Areas under a prefix that keep a roster.
select a.area_id, a.name as area_name from areas a
 where a.area_id like $1 || '%' and exists (select from duty_shifts s where s.area_id = a.area_id)
 order by a.area_id

-- name: list_gaps
-- Areas under a prefix that keep a roster and have nobody on duty at $2.
select a.area_id, a.name as area_name from areas a
 where a.area_id like $1 || '%' and exists (select from duty_shifts s where s.area_id = a.area_id)
   and not exists (select from duty_shifts s where s.area_id = a.area_id and s.begins_at <= $2 and s.ends_at > $2)
 order by a.area_id

-- name: find_shift
select s.*, a.name as area_name from duty_shifts s join areas a using (area_id) where s.shift_id = $1

-- name: insert_shift
insert into duty_shifts (shift_id, area_id, person_name, phone, role, begins_at, ends_at)
values ($1, $2, $3, $4, $5, $6, $7)

-- name: delete_shift
delete from duty_shifts where shift_id = $1
