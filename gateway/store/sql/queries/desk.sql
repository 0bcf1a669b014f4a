-- What the security desk reads beside ledger and registry: names of alarms, figures of a shift, lost devices.

-- name: read_faces
-- Alarms by id with the names that people know them by, the timers of their newest round, and how often they were
-- pressed in the minute before the last press (looked up only where there were many presses at all).
select a.*, h.address, h.resident_name, d.name as device_name, d.kind as device_kind, s.name as area_name,
       coalesce(t.timers, '[]') as timers,
       case when a.press_count < 5 then 0
            else (select count(*) from alarm_presses p
                   where p.alarm_id = a.alarm_id and p.kind <> 'cancelled'
                     and p.recorded_at > coalesce(a.last_press_at, a.raised_at) - interval '1 minute')
       end as presses_in_minute
  from alarms a left join households h using (household_id) left join devices d on d.device_id = a.device_id
  left join areas s on s.area_id = a.area_id
  left join lateral (
       select jsonb_agg(jsonb_build_object('kind', kind, 'level', level, 'name', target_name, 'is_open', done_at is null,
                                           'due_ms', floor(extract(epoch from due_at) * 1000)::bigint)
                        order by due_at, level) as timers
         from alarm_timers
        where alarm_id = a.alarm_id and round = (select max(round) from alarm_timers where alarm_id = a.alarm_id)) t on true
 where a.alarm_id = any($1::text[])

-- name: list_open_versions
-- What is open and how new it is: the poll reads this, and only what has changed in full.
select alarm_id, version from alarms where state <> 'closed' and area_id like $1 || '%'

-- name: list_recent_ids
select alarm_id from alarms where area_id like $1 || '%' order by raised_at desc limit $2

-- name: sum_shift
-- Alarms raised since $2 under a prefix, how many are closed or were false, and the middle time to a signature.
select count(*) as alarms,
       count(*) filter (where state = 'closed') as closed,
       count(*) filter (where outcome in ('false', 'test', 'hoax')) as false_alarms,
       percentile_cont(0.5) within group (order by extract(epoch from acknowledged_at - raised_at)) as median_sign_s
  from alarms where area_id like $1 || '%' and raised_at >= $2

-- name: list_troubled_devices
-- Devices that have gone away, the newest first; those that never spoke are not trouble but unfinished work.
select d.device_id, d.kind, d.name, d.presence, d.presence_at, h.address
  from devices d left join households h using (household_id)
 where d.area_id like $1 || '%' and d.presence in ('offline', 'silent') and d.revoked_at is null
 order by d.presence_at desc nulls last limit $2

-- name: count_unheard_devices
-- Devices that are registered and have not said a word yet.
select count(*) from devices where area_id like $1 || '%' and presence in ('unknown', 'init') and revoked_at is null

-- name: list_open_notices
-- The $2 newest open lines of each area under a prefix, each with how many are open in its area.
select n.notice_id, n.area_id, n.text, n.source, n.created_at, n.open_in_area, coalesce(h.address, '')
  from (select *, count(*) over (partition by area_id) as open_in_area,
               row_number() over (partition by area_id order by created_at desc, notice_id desc) as place
          from desk_notices where seen_at is null and starts_with(area_id, $1)) n
  left join households h using (household_id)
 where n.place <= $2 order by n.created_at desc, n.notice_id desc

-- name: find_notice_area
select area_id from desk_notices where notice_id = $1

-- name: sign_notice
-- Take a line off the desk in somebody's name, once, and wake the other desks.
with signed as (
  update desk_notices set seen_at = $2, seen_by = $3, seen_name = $4
   where notice_id = $1 and seen_at is null returning area_id
) select pg_notify('linli_rules', area_id) from signed

-- name: ping
select 1
