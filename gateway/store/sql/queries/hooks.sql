-- What must be told outside the house: one row for each alarm, reason and target, kept after it was told or given up.

-- name: put_delivery
-- The same thing is told once to each target, however often it is asked for.
insert into hook_deliveries (reference, alarm_id, target, payload, created_at, next_attempt_at)
select $1 || ':' || target, $2, target, $3::jsonb, $4::timestamptz, $4::timestamptz from unnest($5::text[]) as target
    on conflict (reference) do nothing

-- name: notify_hooks
select pg_notify('linli_hooks', '')

-- name: claim_delivery
-- The row of one target that has been due longest, leased: another gateway leaves it alone until the lease is over.
update hook_deliveries
   set attempts = attempts + 1, next_attempt_at = $2::timestamptz + make_interval(secs => $3::float8)
 where delivery_id = (select delivery_id from hook_deliveries
                       where target = $1 and done_at is null and next_attempt_at <= $2
                       order by next_attempt_at, delivery_id limit 1 for update skip locked)
returning delivery_id, reference, alarm_id, target, payload, created_at, attempts

-- name: finish_delivery
update hook_deliveries set done_at = $2, last_error = $3 where delivery_id = $1 and done_at is null

-- name: put_off_delivery
update hook_deliveries set next_attempt_at = $2, last_error = $3 where delivery_id = $1 and done_at is null

-- name: give_up_late
-- Whatever is older than the deadline, also for a target that the settings no longer name.
update hook_deliveries
   set done_at = $2, last_error = 'given up: ' || coalesce(nullif(last_error, ''), 'never attempted')
 where done_at is null and created_at < $1
returning reference, target, attempts, last_error

-- name: count_waiting
select target, count(*) as waiting from hook_deliveries where done_at is null group by target
