-- name: find_box_by_token
-- The household of a television, with what the page header needs and the choices made on it.
SELECT h.household_id, h.area_id, h.address, h.resident_name, h.silent_keys, a.name AS area_name, coalesce(a.name_en, '') AS area_name_en,
       (SELECT d.device_id FROM devices d WHERE d.household_id = h.household_id AND d.kind = 'stb' AND d.revoked_at IS NULL
        ORDER BY d.device_id LIMIT 1) AS device_id,
       c.text_size, c.language, c.tier, c.profile, c.key_codes
FROM households h JOIN areas a ON a.area_id = h.area_id LEFT JOIN tv_choices c ON c.household_id = h.household_id
WHERE h.tv_token = $1;

-- name: add_tv_device
-- A household without a registered box still needs a name for its red key.
INSERT INTO devices (device_id, area_id, household_id, kind, name) VALUES ($1, $2, $3, 'stb', $4) ON CONFLICT DO NOTHING;

-- name: save_choices
-- What was chosen on this television; absent values stay.
INSERT INTO tv_choices (household_id, text_size, language, tier, profile, key_codes, seen_at)
VALUES ($1, coalesce($2, 'standard'), coalesce($3, 'zh'), coalesce($4, 'f0'), coalesce($5, 'keyboard'), $6, $7)
ON CONFLICT (household_id) DO UPDATE
SET text_size = coalesce($2, tv_choices.text_size), language = coalesce($3, tv_choices.language),
    tier = coalesce($4, tv_choices.tier), profile = coalesce($5, tv_choices.profile),
    key_codes = coalesce($6, tv_choices.key_codes), seen_at = excluded.seen_at;

-- name: post_message
-- A short text for one television. The same id again adds nothing.
INSERT INTO tv_messages (message_id, household_id, level, title, body, source, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (message_id) DO NOTHING
RETURNING message_id;

-- name: list_waiting_messages
-- What a television still has to show, the most serious first.
SELECT message_id, household_id, level, title, body, source, created_at, expires_at
FROM tv_messages WHERE household_id = $1 AND seen_at IS NULL AND expires_at > $2
ORDER BY level, created_at LIMIT 5;

-- name: mark_message_seen
-- Somebody pressed 知道了. Only the household's own message, only the first time.
UPDATE tv_messages SET seen_at = $3 WHERE message_id = $1 AND household_id = $2 AND seen_at IS NULL RETURNING message_id;

-- name: list_home_devices
-- Devices of one household with their presence.
SELECT device_id, kind, name, coalesce(model, '') AS model, presence, presence_at, last_seen_at
FROM devices WHERE household_id = $1 AND revoked_at IS NULL ORDER BY kind, device_id LIMIT 48;

-- name: list_latest_of_home
-- The newest value of each metric of the household's devices.
SELECT l.device_id, l.metric, l.at, l.value, l.text_value
FROM device_latest l JOIN devices d USING (device_id) WHERE d.household_id = $1 AND d.revoked_at IS NULL;

-- name: list_home_alarms
-- The household's own alarms, newest first; a silent one is on no screen.
SELECT alarm_id, alarm_no, kind, state, raised_at, acknowledged_name, closed_at, outcome, cancelled_by_user_at
FROM alarms WHERE household_id = $1 AND NOT is_silent ORDER BY raised_at DESC LIMIT $2;

-- name: find_open_alarm
-- The newest call for help that somebody is waited for; neither a silent one nor one that was taken back.
SELECT alarm_id FROM alarms
WHERE household_id = $1 AND kind = 'sos' AND NOT is_silent AND state NOT IN ('resolved', 'closed')
  AND cancelled_by_user_at IS NULL
ORDER BY raised_at DESC LIMIT 1;

-- name: find_air_station
-- The station whose air an area breathes: its own, else that of the nearest area above it; the one heard last.
SELECT d.device_id, d.name, newest.at AS latest_at
FROM devices d CROSS JOIN LATERAL (SELECT r.at FROM readings r WHERE r.device_id = d.device_id AND r.metric = $2
                                   ORDER BY r.at DESC LIMIT 1) AS newest
WHERE d.household_id IS NULL AND d.revoked_at IS NULL AND starts_with($1, area_prefix(d.area_id))
ORDER BY length(area_prefix(d.area_id)) DESC, newest.at DESC LIMIT 1;

-- name: list_hourly_means
-- Mean of each hour (start inclusive) of some metrics of one device; hours without readings are absent.
SELECT metric, date_trunc('hour', at) AS hour, avg(value) AS mean, count(*) AS n
FROM readings WHERE device_id = $1 AND metric = ANY ($2) AND at >= $3 AND at < $4 AND value IS NOT NULL
GROUP BY metric, hour ORDER BY metric, hour;

-- name: find_meter
-- The device of a household that has reported this metric last.
SELECT d.device_id, d.name, newest.at AS latest_at
FROM devices d CROSS JOIN LATERAL (SELECT r.at FROM readings r WHERE r.device_id = d.device_id AND r.metric = $2
                                   ORDER BY r.at DESC LIMIT 1) AS newest
WHERE d.household_id = $1 AND d.revoked_at IS NULL
ORDER BY newest.at DESC LIMIT 1;

-- name: latest_value
-- The newest value of one metric of one device.
SELECT value, at FROM readings WHERE device_id = $1 AND metric = $2 AND value IS NOT NULL ORDER BY at DESC LIMIT 1;

-- name: list_daily_sums
-- Sum of a per-interval metric for each local day (offset in minutes east of UTC), with how many readings.
SELECT (at + make_interval(mins => $5))::date AS day, sum(value) AS total, count(*) AS n
FROM (SELECT DISTINCT ON (at) at, value FROM readings
      WHERE device_id = $1 AND metric = $2 AND at >= $3 AND at < $4 AND value IS NOT NULL
      ORDER BY at, boot DESC, seq DESC) AS once
GROUP BY day ORDER BY day;
