-- Rules: what they remember, wish for, and decided.

-- name: put_rule_set
-- A rule file as it ran; the same text again is the same set, loaded later.
insert into rule_sets (digest, name, body, loaded_at) values ($1, $2, $3, $4)
on conflict (digest) do update set name = excluded.name, loaded_at = excluded.loaded_at;

-- name: list_episodes
select rule_id, device_id, state from rule_episodes;

-- name: list_memories
select device_id, state from rule_memories;

-- name: put_episode
insert into rule_episodes (rule_id, device_id, phase, due_at, state, changed_at) values ($1, $2, $3, $4, $5, $6)
on conflict (rule_id, device_id) do update
set phase = excluded.phase, due_at = excluded.due_at, state = excluded.state, changed_at = excluded.changed_at;

-- name: forget_episode
delete from rule_episodes where rule_id = $1 and device_id = $2;

-- name: put_memory
insert into rule_memories (device_id, state, changed_at) values ($1, $2, $3)
on conflict (device_id) do update set state = excluded.state, changed_at = excluded.changed_at;

-- name: find_clock
select ticked_at, read_until from rule_clock;

-- name: put_tick
insert into rule_clock (ticked_at, read_until) values ($1, $1)
on conflict (only_row) do update set ticked_at = greatest(rule_clock.ticked_at, excluded.ticked_at);

-- name: put_read_until
update rule_clock set read_until = greatest(read_until, $1);

-- name: list_recorded_events
-- Events that the gateway has recorded and receipted, oldest first; those of the ledger's own kinds are alarms already.
select device_id, boot, seq, event_id, kind, at, received_at
from device_events where received_at >= $1 and kind = any ($2) order by received_at, device_id, seq limit $3;

-- name: put_wish
-- The same decision twice is one wish.
insert into rule_wishes (wish_id, rule_id, rule_version, device_id, household_id, area_id, deed, payload, cause, chain,
                         started_at, due_at, late_s, created_at, next_attempt_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
on conflict (wish_id) do nothing;

-- name: claim_wishes
-- What is due to be carried out, in the order of the decisions; its next attempt moves away (1, 2, 4 … 60 s).
update rule_wishes set attempts = attempts + 1,
       next_attempt_at = $1::timestamptz + least(60, power(2, least(attempts, 6))) * interval '1 second'
where wish_id in (select wish_id from rule_wishes where done_at is null and next_attempt_at <= $1
                  order by created_at, wish_id limit $2 for update skip locked)
returning wish_id, rule_id, rule_version, device_id, household_id, area_id, deed, payload, cause, chain,
          started_at, due_at, late_s, created_at, attempts;

-- name: finish_wish
update rule_wishes set done_at = $2, result = $3 where wish_id = $1 and done_at is null;

-- name: find_next_wish
select min(next_attempt_at) from rule_wishes where done_at is null;

-- name: put_trace
insert into rule_traces (at, recorded_at, rule_id, rule_version, device_id, outcome, late_s, wishes, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: list_traces
select at, rule_id, rule_version, device_id, outcome, late_s, wishes, detail
from rule_traces where $1 = '' or rule_id = $1 order by trace_id desc limit $2;

-- name: prune_traces
delete from rule_traces where recorded_at < $1;

-- name: prune_wishes
delete from rule_wishes where done_at < $1;

-- name: find_clearing
-- Whether this episode of a rule has already been taken from the televisions.
select exists (select from rule_wishes where deed = 'clear_tv' and rule_id = $1 and device_id = $2 and started_at = $3);

-- name: find_last_rule_set
select name, body from rule_sets order by loaded_at desc limit 1;

-- name: put_desk_notice
insert into desk_notices (notice_id, area_id, household_id, device_id, text, source, created_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (notice_id) do nothing;

-- name: list_desk_notices
select notice_id, area_id, household_id, device_id, text, source, created_at, seen_at
from desk_notices where starts_with(area_id, $1) order by created_at desc limit $2;

-- name: list_area_households
select household_id from households where area_id = $1 order by household_id;

-- name: expire_tv_messages
-- What one episode of a rule has put on televisions, taken away again.
update tv_messages set expires_at = $2 where starts_with(message_id, $1) and expires_at > $2 and seen_at is null
returning household_id;

-- name: announce_tv
select pg_notify('linli_tv', $1);

-- name: announce_rules
select pg_notify('linli_rules', $1);

-- name: list_descriptions
select device_id, meta from devices where revoked_at is null and meta <> '{}'::jsonb;

-- name: list_live_readings
-- What devices reported live in [since, until), in the order in which it was measured; history never triggered anything.
select at, device_id, boot, seq, metric, value, text_value from readings
where at >= $1 and at < $2 and metric = any ($3) and not history order by at, device_id, boot, seq;

-- name: list_events_between
select device_id, boot, seq, event_id, kind, at, received_at from device_events
where at >= $1 and at < $2 and kind = any ($3) order by at, device_id, boot, seq;

-- name: list_presence_between
select at, device_id, presence from presence_changes where at >= $1 and at < $2 order by at;

-- name: list_wishes_between
-- What was decided for [since, until), by the moment for which it was due.
select rule_id, device_id, deed, due_at from rule_wishes where due_at >= $1 and due_at < $2 order by due_at, wish_id;
