-- Time series: written in batches by ingest, read by charts.

-- name: ensure_partition
select ensure_readings_partition($1)

-- name: insert_readings
-- One statement for a whole batch; what is there already is left alone and not counted.
with new as (
    insert into readings (at, device_id, metric, boot, seq, value, text_value, history)
    select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[],
                         $7::text[], $8::bool[])
        on conflict do nothing
    returning device_id, metric, at, value, text_value
), newest as (
    insert into device_latest (device_id, metric, at, value, text_value)
    select distinct on (device_id, metric) device_id, metric, at, value, text_value from new
     order by device_id, metric, at desc
        on conflict (device_id, metric) do update
       set at = excluded.at, value = excluded.value, text_value = excluded.text_value
     where device_latest.at <= excluded.at
)
select count(*) from new

-- name: list_window
select at, value from readings
 where device_id = $1 and metric = $2 and at >= $3 and at < $4 and value is not null
 order by at

-- name: list_buckets
-- Sum, mean, least, greatest and number of each bucket of $5 seconds that has readings, counted from $3.
select $3::timestamptz + make_interval(secs => floor(extract(epoch from at - $3::timestamptz) / $5) * $5) as bucket_at,
       sum(value) as total, avg(value) as mean, min(value) as least, max(value) as greatest, count(value) as readings
  from readings
 where device_id = $1 and metric = $2 and at >= $3 and at < $4 and value is not null
 group by 1 order by 1

-- name: list_latest
select metric, at, value, text_value from device_latest where device_id = $1 order by metric

-- name: summary
select count(*) as readings, coalesce(sum(value), 0) as total, min(at) as first_at, max(at) as last_at
  from readings where device_id = $1 and metric = $2 and value is not null

-- name: is_hypertable
select readings_are_hypertable()
