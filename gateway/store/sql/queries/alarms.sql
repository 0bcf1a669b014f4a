-- The ledger's statements. Only gateway/alarms/ledger.py calls those that write.

-- name: find_press
-- The alarm that a press belongs to, whichever road brought it first.
select a.*, p.recorded_at as press_recorded_at
  from alarm_presses p join alarms a using (alarm_id)
 where p.device_id = $1 and p.boot = $2 and p.seq = $3

-- name: lock_source
-- One press at a time for a household (or a device without one), so that two presses cannot both open an incident.
select pg_advisory_xact_lock(hashtextextended('alarm:' || $1, 0))

-- name: find_source
select d.device_id, d.household_id, coalesce(h.area_id, d.area_id) as area_id, d.revoked_at
  from devices d left join households h using (household_id)
 where d.device_id = $1

-- name: area_of_device
select area_id from devices where device_id = $1

-- name: find_open_incident
-- The open alarm that a further press of the same kind belongs to; one that the household took back is not joined.
select * from alarms
 where kind = $3 and state not in ('resolved', 'closed') and cancelled_by_user_at is null
   and (household_id = $1 or (household_id is null and $1::text is null and device_id = $2))
 order by raised_at desc limit 1
   for update

-- name: take_number
insert into alarm_numbers (day, last) values ($1, 1)
    on conflict (day) do update set last = alarm_numbers.last + 1
returning last

-- name: insert_alarm
insert into alarms (alarm_id, alarm_no, device_id, boot, seq, event_id, household_id, area_id, kind, level, state,
                    version, source, raised_at, device_at, details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'raised', 1, $11, $12, $13, $14)
returning *

-- name: insert_press
insert into alarm_presses (device_id, boot, seq, event_id, alarm_id, kind, source, device_at, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: count_press
update alarms set press_count = press_count + 1, version = version + 1 where alarm_id = $1 returning *

-- name: insert_event
insert into alarm_events (alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: notify_alarm
select pg_notify('linli_alarms', $1), pg_notify('linli_outbox', $1), pg_notify('linli_tv', coalesce($2, ''))

-- name: find_cancellable
select * from alarms
 where state <> 'closed'
   and (household_id = $1 or (household_id is null and $1::text is null and device_id = $2))
 order by raised_at desc limit 1
   for update

-- name: mark_cancelled
update alarms
   set cancelled_by_user_at = coalesce(cancelled_by_user_at, $2), version = version + 1
 where alarm_id = $1
returning *

-- name: lock_alarm
select * from alarms where alarm_id = $1 for update

-- name: bump_version
update alarms set version = version + 1 where alarm_id = $1 returning *

-- name: write_step
-- Every column of progress at once; the ledger passes what was there for those that do not change.
update alarms
   set state = $2, version = version + 1, notified_at = $3, acknowledged_at = $4, acknowledged_by = $5,
       acknowledged_name = $6, verdict = $7, verified_at = $8, dispatched_at = $9, dispatched_to = $10,
       on_scene_at = $11, resolved_at = $12, outcome = $13, closed_at = $14, closed_by = $15
 where alarm_id = $1
returning *

-- name: last_step_version
-- The version at which the alarm's state last changed.
select coalesce(max(version), 1) from alarm_events where alarm_id = $1 and to_state is not null

-- name: find_alarm
select * from alarms where alarm_id = $1

-- name: list_open
select * from alarms where state <> 'closed' and area_id like $1 || '%' order by level, raised_at

-- name: list_recent
select * from alarms where area_id like $1 || '%' order by raised_at desc limit $2

-- name: list_since
select * from alarms where area_id like $1 || '%' and raised_at >= $2 order by raised_at

-- name: latest_for_household
select * from alarms where household_id = $1 order by raised_at desc limit 1

-- name: list_for_household
select * from alarms where household_id = $1 order by raised_at desc limit $2

-- name: list_history
select * from alarm_events where alarm_id = $1 order by event_id

-- name: count_in_year
-- Alarms of a household in the year before $2, and how many of them were false.
select count(*) as alarms, count(*) filter (where outcome in ('false', 'test', 'hoax')) as false_alarms
  from alarms where household_id = $1 and raised_at > $2::timestamptz - interval '12 months'
