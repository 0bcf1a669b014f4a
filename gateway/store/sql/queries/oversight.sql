-- What an independent eye sees of the escalation: facts of the tables, none of the engine's own queries.

-- name: list_waiting
-- Alarms that nobody has signed, with the moment from which their chain counts: a signature that expired begins anew.
select a.alarm_id, a.alarm_no, a.state, a.escalation_level, a.chain,
       coalesce((select max(e.at) from alarm_events e where e.alarm_id = a.alarm_id and e.kind = 'expired'),
                a.raised_at) as waiting_since
  from alarms a
 where a.state in ('raised', 'notified') and a.chain <> '[]' and a.area_id like $1 || '%'
 order by a.raised_at limit $2

-- name: list_open_timers
select t.timer_id, a.alarm_no, t.kind, t.due_at
  from alarm_timers t join alarms a using (alarm_id)
 where t.done_at is null and t.due_at < $2 and a.area_id like $1 || '%'
 order by t.due_at limit $3

-- name: list_unsent
-- What nobody has tried to send since $2, and what has been tried in vain since before $2.
select 'receipt' as what, o.outbox_id as row_id, o.device_id as subject, o.next_attempt_at as since, false as is_tried
  from outbox o
 where o.done_at is null and o.next_attempt_at < $2 and o.area_id like $1 || '%'
union all
select 'hook', h.delivery_id, h.target, h.created_at, h.next_attempt_at >= $2
  from hook_deliveries h join alarms a using (alarm_id)
 where h.done_at is null and h.created_at < $2 and a.area_id like $1 || '%'
 order by since limit $3

-- name: find_incident
-- The open alarm that the platform raised about itself, and whether its end has been noted already.
select a.alarm_id,
       coalesce((select e.kind = 'note' from alarm_events e
                  where e.alarm_id = a.alarm_id
                    and (e.kind in ('raised', 'pressed_again') or (e.kind = 'note' and e.by_id = $3))
                  order by e.event_id desc limit 1), false) as is_over
  from alarms a
 where a.source = 'platform' and a.kind = $1 and a.area_id = $2 and a.state not in ('resolved', 'closed')
 order by a.raised_at desc limit 1
