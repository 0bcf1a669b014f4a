-- Areas, households, devices and cameras.

-- name: upsert_area
insert into areas (area_id, name, name_en, parent_id, plan) values ($1, $2, $3, $4, $5)
    on conflict (area_id) do update
   set name = excluded.name, name_en = excluded.name_en, parent_id = excluded.parent_id,
       plan = case when excluded.plan = '{}' then areas.plan else excluded.plan end

-- name: upsert_household
-- A household keeps the token that its box already has, and its silent keys where none are given.
insert into households (household_id, area_id, building, unit, room, address, resident_name, resident_note,
                        map_x, map_y, tv_token, silent_keys)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (household_id) do update
   set area_id = excluded.area_id, building = excluded.building, unit = excluded.unit, room = excluded.room,
       address = excluded.address, resident_name = excluded.resident_name, resident_note = excluded.resident_note,
       map_x = excluded.map_x, map_y = excluded.map_y,
       silent_keys = coalesce(nullif(excluded.silent_keys, ''), households.silent_keys)

-- name: write_alarm_keys
update devices d set alarm_key = k.alarm_key
  from unnest($1::text[], $2::bytea[]) as k (device_id, alarm_key) where d.device_id = k.device_id
   and d.alarm_key is distinct from k.alarm_key

-- name: write_silent_keys
update households set silent_keys = $2 where household_id = $1 returning household_id

-- name: upsert_camera
insert into cameras (camera_id, area_id, name, position, map_x, map_y, heading_deg, view_deg, range_m, source, enabled)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (camera_id) do update
   set area_id = excluded.area_id, name = excluded.name, position = excluded.position, map_x = excluded.map_x,
       map_y = excluded.map_y, heading_deg = excluded.heading_deg, view_deg = excluded.view_deg,
       range_m = excluded.range_m, source = excluded.source, enabled = excluded.enabled

-- name: upsert_device
insert into devices (device_id, area_id, household_id, camera_id, kind, name, model, silence_s)
values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (device_id) do update
   set area_id = excluded.area_id, household_id = excluded.household_id, camera_id = excluded.camera_id,
       kind = excluded.kind, name = excluded.name, silence_s = excluded.silence_s

-- name: link_camera
insert into household_cameras (household_id, camera_id, rank) values ($1, $2, $3)
    on conflict (household_id, camera_id) do update set rank = excluded.rank

-- name: notify_registry
select pg_notify('linli_registry', '')

-- name: find_area
select * from areas where area_id = $1

-- name: list_area_names
select area_id, name from areas where area_id = any($1::text[])

-- name: find_household
select * from households where household_id = $1

-- name: household_by_token
select * from households where tv_token = $1

-- name: list_households
select * from households where area_id like $1 || '%' order by household_id

-- name: find_device
select * from devices where device_id = $1

-- name: list_devices
select * from devices where area_id like $1 || '%' order by device_id

-- name: devices_of_household
select * from devices where household_id = $1 order by device_id

-- name: list_cameras
select * from cameras where area_id like $1 || '%' and enabled order by camera_id

-- name: cameras_of_household
select camera_id, rank from household_cameras where household_id = $1 order by rank

-- name: write_presence
-- A stale will (of an earlier boot) changes nothing; every change is kept.
with changed as (
    update devices
       set presence = $2, presence_at = $3, boot = coalesce($4, boot),
           last_seen_at = case when $5 then greatest(last_seen_at, $3) else last_seen_at end
     where device_id = $1 and ($4::bigint is null or boot is null or $4 >= boot)
       and (presence <> $2 or boot is distinct from coalesce($4, boot) or $5)
    returning device_id, (select d.presence from devices d where d.device_id = $1) as before
), kept as (
    insert into presence_changes (at, device_id, presence, why)
    select $3, device_id, $2, $6 from changed where before <> $2
)
select before from changed

-- name: write_meta
update devices set meta = $2, model = coalesce(nullif($3, ''), model), fw = coalesce(nullif($4, ''), fw)
 where device_id = $1

-- name: touch_devices
-- Something was heard of these devices; one that was thought silent is online again.
update devices d
   set last_seen_at = greatest(d.last_seen_at, s.at),
       presence = case when d.presence in ('silent', 'unknown') then 'online' else d.presence end,
       presence_at = case when d.presence in ('silent', 'unknown') then s.at else d.presence_at end
  from unnest($1::text[], $2::timestamptz[]) as s (device_id, at)
 where d.device_id = s.device_id

-- name: mark_silent
with gone as (
    update devices set presence = 'silent', presence_at = $1
     where presence in ('online', 'init') and last_seen_at is not null
       and last_seen_at < $1::timestamptz - make_interval(secs => silence_s)
    returning device_id
), kept as (
    insert into presence_changes (at, device_id, presence, why) select $1, device_id, 'silent', 'nothing heard' from gone
)
select device_id from gone

-- name: insert_quarantine
insert into quarantine (at, topic, device_id, reason, detail, sample) values ($1, $2, $3, $4, $5, $6)

-- name: bound_quarantine
-- Keep the newest $2 samples of one reason.
delete from quarantine where reason = $1 and quarantine_id <= (
    select quarantine_id from quarantine where reason = $1 order by quarantine_id desc offset $2 limit 1)

-- name: count_quarantine
select reason, count(*) as samples from quarantine group by reason order by reason

-- name: coverage
-- How many homes of an area have a box that is there now.
select count(*) as households,
       count(*) filter (where exists (select from devices d where d.household_id = h.household_id
                                       and d.kind = 'stb' and d.presence in ('online', 'sleeping'))) as online
  from households h where area_id like $1 || '%'
