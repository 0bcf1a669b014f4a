-- Single events of devices that are no alarm by themselves, and the outbox of what must be told.

-- name: insert_event
insert into device_events (device_id, boot, seq, event_id, area_id, kind, at, received_at, details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict do nothing
returning event_id

-- name: find_event
select * from device_events where device_id = $1 and boot = $2 and seq = $3

-- name: put_outbox
-- A row that was told already is told again; one that still waits is left as it is.
insert into outbox (reference, kind, device_id, area_id, payload, created_at, next_attempt_at)
values ($1, $2, $3, $4, $5, $6, $6)
    on conflict (reference) do update
   set done_at = null, attempts = 0, next_attempt_at = excluded.next_attempt_at
 where outbox.done_at is not null

-- name: put_receipts
-- Many receipts at once; the reference is the one of put_receipt.
insert into outbox (reference, kind, device_id, area_id, payload, created_at, next_attempt_at)
select distinct on (1)
       'receipt:' || d.device_id || ':' || (r.payload->>'boot') || ':' || (r.payload->>'seq') || ':' || (r.payload->>'st'),
       'receipt', d.device_id, d.area_id, r.payload, $3, $3
  from unnest($1::text[], $2::jsonb[]) as r (device_id, payload) join devices d using (device_id)
    on conflict (reference) do update
   set done_at = null, attempts = 0, next_attempt_at = excluded.next_attempt_at
 where outbox.done_at is not null
returning pg_notify('linli_outbox', '')

-- name: notify_outbox
select pg_notify('linli_outbox', '')

-- name: claim_outbox
-- The oldest rows that are due; another gateway passes over those that this one holds.
with claimed as (
update outbox
   set attempts = attempts + 1, next_attempt_at = $1::timestamptz + make_interval(secs => least(60, 2 ^ least(attempts, 6)))
 where outbox_id in (select outbox_id from outbox where done_at is null and next_attempt_at <= $1
                      order by outbox_id limit $2 for update skip locked)
returning outbox_id, kind, device_id, area_id, payload, attempts
)
select c.*, d.alarm_key from claimed c left join devices d using (device_id)

-- name: finish_outbox
update outbox set done_at = $2 where outbox_id = any($1::bigint[])

-- name: count_waiting
select count(*) from outbox where done_at is null

-- name: prune_outbox
delete from outbox where done_at < $1
