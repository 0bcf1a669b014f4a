-- What devices measured and did: readings in time partitions, the newest value of each, and single events.

-- (device_id, metric, at, boot, seq) makes a redelivery or a replayed journal add nothing.
create table readings (
    at         timestamptz not null,
    device_id  text not null,
    metric     text not null,
    boot       bigint not null,
    seq        bigint not null,
    value      double precision,
    text_value text,
    history    boolean not null default false,
    primary key (device_id, metric, at, boot, seq)
) partition by range (at);

-- Where the TimescaleDB extension is offered, `readings` becomes a hypertable; else one native partition holds a week.
-- Both are made by the same two functions, so no other code knows which it is.
create function readings_are_hypertable() returns boolean language sql stable as
$$ select exists (select from pg_extension where extname = 'timescaledb') $$;

create function ensure_readings_partition(moment timestamptz) returns text language plpgsql as
$$
declare
    week_start timestamptz := date_trunc('week', moment at time zone 'UTC') at time zone 'UTC';
    partition  text := 'readings_' || to_char(week_start at time zone 'UTC', 'IYYY"w"IW');
begin
    if readings_are_hypertable() or to_regclass(partition) is not null then
        return partition;
    end if;
    perform pg_advisory_xact_lock(hashtext('ensure_readings_partition'));
    execute format('create table if not exists %I partition of readings for values from (%L) to (%L)',
                   partition, week_start, week_start + interval '7 days');
    return partition;
end
$$;

do $$
begin
    if exists (select from pg_available_extensions where name = 'timescaledb') then
        begin
            create extension if not exists timescaledb;
            drop table readings;
            create table readings (
                at timestamptz not null, device_id text not null, metric text not null, boot bigint not null,
                seq bigint not null, value double precision, text_value text, history boolean not null default false,
                primary key (device_id, metric, at, boot, seq));
            perform create_hypertable('readings', 'at', chunk_time_interval => interval '7 days');
        exception when others then
            raise notice 'timescaledb is offered but cannot be used: %', sqlerrm;
        end;
    end if;
end
$$;

create table device_latest (
    device_id  text not null,
    metric     text not null,
    at         timestamptz not null,
    value      double precision,
    text_value text,
    primary key (device_id, metric)
);

create table device_events (
    device_id   text not null,
    boot        bigint not null,
    seq         bigint not null,
    event_id    text not null,
    area_id     text not null,
    kind        text not null,
    at          timestamptz not null,
    received_at timestamptz not null,
    details     jsonb not null default '{}',
    primary key (device_id, boot, seq)
);
create index device_events_by_time on device_events (received_at);
