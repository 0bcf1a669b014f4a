-- What `linli audit` and the notary read. Nothing here writes, and nothing here trusts a function of our own schema.

-- name: freeze
-- One picture of everything, however long the reading takes.
set transaction isolation level repeatable read, read only

-- name: read_heads
select stream, seq, hash from alarm_chains order by stream

-- name: open_events
-- The canonical text is written out here, not asked of the function that the trigger uses: that one may have changed.
declare audited_events no scroll cursor for
select coalesce(e.stream, '') as stream, coalesce(e.stream_seq, 0) as seq, coalesce(e.prev_hash, '') as prev,
       coalesce(e.hash, '') as hash,
       convert_to(jsonb_build_array(e.stream, e.stream_seq, e.alarm_id, e.version, e.kind,
                                    floor(extract(epoch from e.at) * 1000000)::bigint,
                                    e.by_id, e.by_name, e.from_state, e.to_state, e.details)::text, 'UTF8') as text,
       e.event_id
  from alarm_events e
 order by e.stream, e.stream_seq, e.event_id

-- name: next_events
fetch forward 5000 from audited_events

-- name: open_alarms
-- Every alarm beside what its history and its presses add up to. What a step said last of a column is what the column
-- must say; an acknowledgement that expired says that nobody has it.
declare audited_alarms no scroll cursor for
select a.alarm_id, a.alarm_no, a.area_id, a.state, a.version, a.press_count,
       jsonb_build_object('acknowledged_by', a.acknowledged_by, 'acknowledged_name', a.acknowledged_name,
                          'verdict', a.verdict, 'dispatched_to', a.dispatched_to, 'outcome', a.outcome,
                          'resolved_by', a.resolved_by, 'resolved_name', a.resolved_name,
                          'closed_by', a.closed_by, 'closed_name', a.closed_name, 'alarm_no', a.alarm_no,
                          'kind', a.kind, 'level', a.level, 'household_id', a.household_id) as columns,
       coalesce(told.facts, '{}') as told,
       h.events, h.is_raised, h.last_version, h.last_state, h.misplaced, h.is_in_order, h.told_presses, p.presses
  from alarms a
 cross join lateral (
       select count(*) as events,
              coalesce(bool_or(e.kind = 'raised'), false) as is_raised,
              coalesce(max(e.version), 0) as last_version,
              coalesce((array_agg(e.to_state order by e.stream_seq desc) filter (where e.to_state is not null))[1], '')
                  as last_state,
              count(*) filter (where e.stream is distinct from a.area_id) as misplaced,
              count(*) filter (where e.kind in ('raised', 'pressed_again')) as told_presses,
              array_agg(e.event_id order by e.stream_seq) is not distinct from array_agg(e.event_id order by e.event_id)
                  as is_in_order
         from alarm_events e
        where e.alarm_id = a.alarm_id) h
 cross join lateral (
       select jsonb_object_agg(said.key, said.value order by e.stream_seq) as facts
         from alarm_events e
        cross join lateral jsonb_each(
              case when e.kind = 'expired' then '{"acknowledged_by": null, "acknowledged_name": null}'
                   when jsonb_typeof(e.details) = 'object' then e.details
                   else '{}' end) said
        where e.alarm_id = a.alarm_id and e.to_state is not null
          and said.key in ('acknowledged_by', 'acknowledged_name', 'verdict', 'dispatched_to', 'outcome',
                           'resolved_by', 'resolved_name', 'closed_by', 'closed_name', 'alarm_no', 'kind', 'level',
                           'household_id')) told
 cross join lateral (
       select count(*) as presses from alarm_presses p where p.alarm_id = a.alarm_id and p.kind = a.kind) p
 order by a.alarm_id

-- name: next_alarms
fetch forward 1000 from audited_alarms

-- name: list_orphans
-- Histories whose alarm is gone.
select e.alarm_id, min(e.stream) as stream, count(*) as events, min(e.event_id) as event_id
  from alarm_events e
 where not exists (select from alarms a where a.alarm_id = e.alarm_id)
 group by e.alarm_id
 order by e.alarm_id
 limit 1000

-- name: list_idle_guards
-- Triggers that should guard the tables and do not.
select g.owner, g.name
  from (values ('alarm_events', 'alarm_events_append_only'), ('alarm_events', 'alarm_events_no_truncate'),
               ('alarm_events', 'alarm_events_chained'), ('alarms', 'alarms_no_delete'), ('alarms', 'alarms_guarded'),
               ('alarms', 'alarms_no_truncate'), ('alarm_presses', 'alarm_presses_append_only'),
               ('alarm_presses', 'alarm_presses_no_truncate')) g (owner, name)
  left join pg_trigger t on t.tgrelid = to_regclass(g.owner) and t.tgname = g.name
 where coalesce(t.tgenabled, 'D') not in ('O', 'A')
 order by 1, 2

-- name: hashes_at
-- The hashes of single rows, to see whether what a checkpoint has seen still stands.
select e.stream, e.hash
  from unnest($1::text[], $2::bigint[]) as seen (stream, seq)
  join alarm_events e on e.stream = seen.stream and e.stream_seq = seen.seq
