-- The ledger's statements. Only gateway/alarms/ledger.py calls those that write.

-- name: find_press
-- The alarm that a press belongs to, whichever road brought it first, and what the press said.
select a.*, p.recorded_at as press_recorded_at, p.event_id as press_event_id, p.kind as press_kind,
       p.device_at as press_device_at
  from alarm_presses p join alarms a using (alarm_id)
 where p.device_id = $1 and p.boot = $2 and p.seq = $3

-- name: lock_source
-- One press at a time for a household (or a device without one), so that two presses cannot both open an incident.
select pg_advisory_xact_lock(hashtextextended('alarm:' || $1, 0))

-- name: find_source
select d.device_id, d.household_id, coalesce(h.area_id, d.area_id) as area_id, d.revoked_at
  from devices d left join households h using (household_id)
 where d.device_id = $1

-- name: find_open_incident
-- The open alarm that a further press of the same kind belongs to; one that the household took back is not joined,
-- and silent presses have alarms of their own.
select * from alarms
 where kind = $3 and is_silent = $4 and state not in ('resolved', 'closed') and cancelled_by_user_at is null
   and (household_id = $1 or (household_id is null and $1::text is null and device_id = $2))
 order by raised_at desc limit 1
   for update

-- name: insert_alarm
-- The number of the day is taken with the row; its counter is locked until the commit.
with number as (
    insert into alarm_numbers (day, last) values ($2, 1)
        on conflict (day) do update set last = alarm_numbers.last + 1
    returning last
)
insert into alarms (alarm_id, alarm_no, device_id, boot, seq, event_id, household_id, area_id, kind, level, state,
                    version, source, raised_at, device_at, details, late_by_s, suspicion, is_clock_wrong, is_silent,
                    is_drill, chain, last_press_at, spooled_at)
select $1, 'A' || to_char($2::date, 'YYYYMMDD') || '-' || lpad(last::text, greatest(4, length(last::text)), '0'),
       $3, $4, $5, $6, $7, $8, $9, $10, 'raised', 1, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $12, $21
  from number
returning *

-- name: insert_press
insert into alarm_presses (device_id, boot, seq, event_id, alarm_id, kind, source, device_at, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: count_press
update alarms set press_count = press_count + 1, last_press_at = $2, version = version + 1
 where alarm_id = $1
returning *

-- name: append_history
-- A trigger gives each row its place in the chain of its area, in this order. Desks, the outbox and the household's
-- television are woken at the commit; a silent alarm names no household, so no television looks up.
insert into alarm_events (alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details)
select alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details
  from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::jsonb[]) with ordinality
       as line (alarm_id, version, kind, at, by_id, by_name, from_state, to_state, details, place)
 order by place
returning pg_notify('linli_alarms', alarm_events.alarm_id), pg_notify('linli_outbox', ''),
          (select pg_notify('linli_tv', a.household_id) from alarms a
            where a.alarm_id = alarm_events.alarm_id and a.household_id is not null and not a.is_silent)

-- name: find_cancellable
-- The newest open alarm that the household may mean: never one that its device said later than this cancellation, and
-- none at all for a cancellation that found nothing when it first came (it is an event by then).
select * from alarms a
 where state <> 'closed' and not is_silent
   and (household_id = $1 or (household_id is null and $1::text is null and device_id = $2))
   and not (device_id = $2 and (boot, seq) > ($3, $4))
   and not exists (select from device_events e where e.device_id = $2 and e.boot = $3 and e.seq = $4)
 order by raised_at desc limit 1
   for update

-- name: mark_cancelled
update alarms
   set cancelled_by_user_at = coalesce(cancelled_by_user_at, $2), version = version + 1
 where alarm_id = $1
returning *

-- name: lock_alarm
select * from alarms where alarm_id = $1 for update

-- name: lock_alarms
-- In the order of their ids, as everybody locks them; those that somebody is working on are passed over.
select * from alarms where alarm_id = any($1) order by alarm_id for update skip locked

-- name: lock_alarms_waiting
select * from alarms where alarm_id = any($1) order by alarm_id for update

-- name: bump_version
update alarms set version = version + 1 where alarm_id = $1 returning *

-- name: write_step
-- Every column of progress at once; the ledger passes what was there for those that do not change.
update alarms
   set state = $2, version = version + 1, notified_at = $3, acknowledged_at = $4, acknowledged_by = $5,
       acknowledged_name = $6, verdict = $7, verified_at = $8, dispatched_at = $9, dispatched_to = $10,
       on_scene_at = $11, resolved_at = $12, outcome = $13, closed_at = $14, closed_by = $15, resolved_by = $16,
       resolved_name = $17, closed_name = $18, is_drill = $19, escalation_level = $20
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

-- name: list_for_household
select * from alarms where household_id = $1 and not is_silent order by raised_at desc limit $2

-- name: list_history
select * from alarm_events where alarm_id = $1 order by event_id

-- name: count_in_year
-- Alarms of a household in the year before $2, and how many of them were false.
select count(*) as alarms, count(*) filter (where outcome in ('false', 'test', 'hoax')) as false_alarms
  from alarms where household_id = $1 and raised_at > $2::timestamptz - interval '12 months'

-- name: put_timers
insert into alarm_timers (alarm_id, round, kind, level, target_area, target_name, due_at)
select $1, (select coalesce(max(round), 0) + 1 from alarm_timers where alarm_id = $1), t.*
  from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[]) as t

-- name: void_timers
update alarm_timers set done_at = $2, outcome = 'void' where alarm_id = $1 and done_at is null

-- name: arm_progress
insert into alarm_timers (alarm_id, round, kind, due_at)
values ($1, (select coalesce(max(round), 1) from alarm_timers where alarm_id = $1), 'progress', $2)
    on conflict (alarm_id, round, kind) do update set due_at = excluded.due_at, done_at = null, outcome = null

-- name: list_due_timers
select timer_id, alarm_id from alarm_timers where done_at is null and due_at <= $1 order by due_at, timer_id limit $2

-- name: read_due_timers
-- Of alarms that this transaction has locked.
select timer_id, alarm_id, round, kind, level, target_area, target_name, due_at
  from alarm_timers where alarm_id = any($1) and done_at is null and due_at <= $2 order by due_at, timer_id

-- name: finish_timers
update alarm_timers set done_at = $3, outcome = $2 where timer_id = any($1)

-- name: next_due
select min(due_at) from alarm_timers where done_at is null

-- name: add_evidence
update alarms set evidence = evidence || $2::jsonb, version = version + 1 where alarm_id = $1 returning *

-- name: find_place
select coalesce(r.name, '') as area_name, coalesce(h.address, '') as address
  from alarms a left join areas r using (area_id) left join households h using (household_id)
 where a.alarm_id = $1
