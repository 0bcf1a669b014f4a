-- The figures of a period. $1 is the area's prefix, $2 and $3 the alarms' raised_at from and up to, $4 now.
-- Practice is counted once, in sum_alarms, and is in no other figure; the platform's own alarms (device `_…`) likewise.

-- name: one_moment
-- All figures of a page are of one moment.
set transaction isolation level repeatable read read only

-- name: sum_alarms
select count(*) filter (where is_counted) as alarms,
       count(*) filter (where is_counted and state = 'closed') as closed,
       count(*) filter (where is_counted and outcome = 'true') as true_alarms,
       count(*) filter (where is_counted and outcome = 'false') as false_alarms,
       count(*) filter (where is_counted and outcome = 'test') as tests,
       count(*) filter (where is_counted and outcome = 'hoax') as hoaxes,
       count(*) filter (where is_counted and outcome = 'duplicate') as duplicates,
       count(*) filter (where is_counted and outcome is null) as undecided,
       count(*) filter (where is_counted and dispatched_at is not null) as dispatched,
       count(*) filter (where is_counted and escalation_level = 1) as to_street,
       count(*) filter (where is_counted and escalation_level = 2) as to_district,
       count(*) filter (where is_counted and escalation_level = 3) as to_supervisor,
       count(*) filter (where is_counted and cancelled_by_user_at is not null) as cancelled,
       count(*) filter (where is_counted and late_by_s > 0) as late,
       coalesce(max(late_by_s) filter (where is_counted), 0) as latest_s,
       count(*) filter (where is_counted and suspicion <> '') as suspicious,
       count(*) filter (where is_counted and is_silent) as silent,
       count(*) filter (where is_counted and exists (
           select from alarm_events e where e.alarm_id = a.alarm_id and e.kind = 'expired')) as expired,
       count(*) filter (where is_drill) as drills,
       count(*) filter (where not is_drill and not is_counted) as of_platform
  from (select *, not is_drill and not starts_with(device_id, '_') as is_counted
          from alarms where raised_at >= $2 and raised_at < $3 and starts_with(area_id, $1)) a

-- name: list_waits
-- $5 to $7 are the limits of the three scales; bucket -1 is pending, as in gateway/alarms/kpi.py.
with waits as (
  select w.scale, greatest(0, date_part('epoch', w.wait))::float8 as wait_s, w.is_over,
         case w.scale when 'sign' then $5::float8[] when 'dispatch' then $6::float8[] else $7::float8[] end as limits
    from alarms a cross join lateral (values
         ('sign', coalesce(acknowledged_at, $4) - raised_at, acknowledged_at is not null),
         ('dispatch', coalesce(dispatched_at, case when verdict = 'true' and resolved_at is null then $4 end) - raised_at,
          dispatched_at is not null),
         ('feedback', coalesce(resolved_at, $4) - dispatched_at, resolved_at is not null)) w (scale, wait, is_over)
   where a.raised_at >= $2 and a.raised_at < $3 and starts_with(a.area_id, $1)
     and not a.is_drill and not starts_with(a.device_id, '_') and w.wait is not null
), placed as (
  select scale, wait_s, case when is_over or wait_s >= limits[1] then width_bucket(wait_s, limits) else -1 end as bucket
    from waits
)
select scale, bucket, count(*) as n, null::float8[] as quantiles from placed group by scale, bucket
union all
select scale, null, count(*), percentile_cont(array[0.5, 0.95]) within group (order by wait_s)
  from placed where bucket >= 0 group by scale

-- name: list_areas
-- The area with the smallest share of quick signatures first; $5 is the first limit of signing.
select a.area_id, min(r.name) as area_name, count(*) as alarms,
       count(*) filter (where sign_s is not null) as signed,
       count(*) filter (where sign_s < $5) as quick,
       percentile_cont(0.5) within group (order by sign_s) as sign_median_s,
       percentile_cont(0.95) within group (order by sign_s) as sign_p95_s,
       percentile_cont(0.5) within group (order by date_part('epoch', dispatched_at - raised_at)) as dispatch_median_s,
       percentile_cont(0.5) within group (order by date_part('epoch', resolved_at - dispatched_at)) as feedback_median_s
  from (select *, case when acknowledged_at is not null or $4::timestamptz - raised_at >= $5 * interval '1 second'
                       then greatest(0, date_part('epoch', coalesce(acknowledged_at, $4::timestamptz) - raised_at))
                       end::float8 as sign_s
          from alarms where raised_at >= $2 and raised_at < $3 and starts_with(area_id, $1)
           and not is_drill and not starts_with(device_id, '_')) a
  join areas r using (area_id)
 group by a.area_id
 order by count(*) filter (where sign_s < $5)::float8 / nullif(count(sign_s), 0) nulls last,
          sign_p95_s desc nulls last, a.area_id
 limit $6

-- name: list_responders
-- Who was sent, the slowest in the middle first.
select dispatched_to as name, count(*) as sent, count(resolved_at) as done,
       percentile_cont(0.5) within group (order by date_part('epoch', resolved_at - dispatched_at)) as median_s,
       max(date_part('epoch', resolved_at - dispatched_at))::float8 as slowest_s
  from alarms
 where raised_at >= $2 and raised_at < $3 and starts_with(area_id, $1) and not is_drill
   and not starts_with(device_id, '_') and dispatched_at is not null and dispatched_at <= $4
 group by dispatched_to order by median_s desc nulls last, dispatched_to limit $5

-- name: list_hours
-- Alarms by the hour of the community's wall clock; $4 is its time zone.
select date_part('hour', raised_at at time zone $4)::int as hour, count(*) as alarms
  from alarms
 where raised_at >= $2 and raised_at < $3 and starts_with(area_id, $1) and not is_drill
   and not starts_with(device_id, '_')
 group by 1

-- name: list_busy_slots
-- Slots of $4 seconds in which one area had more than $5 alarms, with how many were on duty there as it began.
select s.area_id, s.began_at, s.alarms,
       (select count(*) from duty_shifts d
         where d.area_id = s.area_id and d.begins_at <= s.began_at and d.ends_at > s.began_at) as operators
  from (select area_id, date_bin($4 * interval '1 second', raised_at, timestamptz '2000-01-01 00:00+00') as began_at,
               count(*) as alarms
          from alarms
         where raised_at >= $2 and raised_at < $3 and starts_with(area_id, $1) and not is_drill
           and not starts_with(device_id, '_')
         group by 1, 2 having count(*) > $5) s
 order by s.alarms desc, s.began_at

-- name: list_unfinished
-- What was raised before $3 and is not closed, oldest first, with how many there are; no address, for it is printed.
select a.alarm_id, a.alarm_no, a.kind, a.level, a.state, a.raised_at, a.acknowledged_name, a.dispatched_to,
       a.cancelled_by_user_at is not null as is_cancelled, a.is_silent, a.area_id, r.name as area_name,
       count(*) over () as open_in_all
  from alarms a join areas r using (area_id)
 where a.state <> 'closed' and a.raised_at < $2 and starts_with(a.area_id, $1) and not a.is_drill
   and not starts_with(a.device_id, '_')
 order by a.raised_at, a.alarm_id limit $3

-- name: list_rows
-- One line for each alarm of a period that is no practice, oldest first; nothing that names a household.
select a.alarm_no, a.area_id, r.name as area_name, a.kind, a.level, a.state, a.source, a.raised_at,
       date_part('epoch', a.acknowledged_at - a.raised_at) as sign_s,
       date_part('epoch', a.dispatched_at - a.raised_at) as dispatch_s,
       date_part('epoch', a.resolved_at - a.dispatched_at) as feedback_s,
       a.acknowledged_name, a.dispatched_to, a.verdict, a.outcome, a.escalation_level, a.press_count,
       a.cancelled_by_user_at is not null as is_cancelled, a.late_by_s, a.suspicion, a.closed_at
  from alarms a join areas r using (area_id)
 where a.raised_at >= $2 and a.raised_at < $3 and starts_with(a.area_id, $1) and not a.is_drill
   and not starts_with(a.device_id, '_')
 order by a.raised_at, a.alarm_no

-- name: first_alarm_at
-- When the oldest alarm under a prefix was raised.
select min(raised_at) from alarms where starts_with(area_id, $1)

-- name: list_area_names
-- The areas that a person may choose from.
select area_id, name, name_en from areas where starts_with(area_id, $1) order by area_id limit $2
