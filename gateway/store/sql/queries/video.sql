-- name: close_camera_health
-- End the open stay of a camera, unless it is already one in this state. An end is never before its beginning.
update camera_health
set until = greatest(since, $3)
where camera_id = $1 and until is null and state <> $2;

-- name: open_camera_health
-- Begin a stay, not before the last one ended; nothing happens where a stay in this state is open already.
insert into camera_health (camera_id, state, reason, since)
values ($1, $2, $3, greatest($4, coalesce((select max(until) from camera_health where camera_id = $1), $4)))
on conflict do nothing;

-- name: list_camera_health
-- The stays of one camera that touch a span of time, oldest first.
select camera_id, state, reason, since, until
from camera_health
where camera_id = $1 and since < $3 and (until is null or until > $2)
order by since, stay_id;

-- name: prune_camera_health
-- Forget stays that ended before a moment.
delete from camera_health where until < $1;
