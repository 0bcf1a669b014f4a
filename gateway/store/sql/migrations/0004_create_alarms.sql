-- The ledger of alarms, its append-only history, and the outbox of what must be told.

create table alarms (
    alarm_id             text primary key,
    -- A20260720-003: the day in the community's time zone and a number that rises within it.
    alarm_no             text not null unique,
    device_id            text not null,
    boot                 bigint not null,
    seq                  bigint not null,
    event_id             text not null,
    household_id         text references households,
    area_id              text not null references areas,
    kind                 text not null,
    level                int not null check (level between 1 and 4),
    state                text not null,
    version              int not null default 1,
    source               text not null,
    raised_at            timestamptz not null,
    device_at            timestamptz not null,
    notified_at          timestamptz,
    acknowledged_at      timestamptz,
    acknowledged_by      text,
    acknowledged_name    text,
    verdict              text,
    verified_at          timestamptz,
    dispatched_at        timestamptz,
    dispatched_to        text,
    on_scene_at          timestamptz,
    resolved_at          timestamptz,
    outcome              text,
    closed_at            timestamptz,
    closed_by            text,
    cancelled_by_user_at timestamptz,
    press_count          int not null default 1,
    details              jsonb not null default '{}',
    unique (device_id, boot, seq)
);
create index alarms_open on alarms (area_id, raised_at) where state <> 'closed';
create index alarms_by_household on alarms (household_id, raised_at desc);
create index alarms_by_time on alarms (raised_at);

-- Every press that reached the ledger, also the second and third of an open alarm: its identity on every road.
create table alarm_presses (
    device_id   text not null,
    boot        bigint not null,
    seq         bigint not null,
    event_id    text not null,
    alarm_id    text not null references alarms,
    kind        text not null,
    source      text not null,
    device_at   timestamptz not null,
    recorded_at timestamptz not null,
    primary key (device_id, boot, seq)
);
create index alarm_presses_by_alarm on alarm_presses (alarm_id);

create table alarm_numbers (
    day  date primary key,
    last int not null
);

create table alarm_events (
    event_id   bigint generated always as identity primary key,
    alarm_id   text not null references alarms,
    version    int not null,
    kind       text not null,
    at         timestamptz not null,
    by_id      text not null,
    by_name    text not null,
    from_state text,
    to_state   text,
    details    jsonb not null default '{}'
);
create index alarm_events_by_alarm on alarm_events (alarm_id, event_id);

create function refuse_change() returns trigger language plpgsql as
$$ begin raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation'; end $$;

create trigger alarm_events_append_only before update or delete on alarm_events
    for each row execute function refuse_change();
create trigger alarm_events_no_truncate before truncate on alarm_events
    for each statement execute function refuse_change();
create trigger alarms_no_delete before delete on alarms
    for each row execute function refuse_change();
create trigger alarm_presses_append_only before update or delete on alarm_presses
    for each row execute function refuse_change();

create table outbox (
    outbox_id       bigint generated always as identity primary key,
    -- What it is about: asking for the same again wakes the row instead of adding one.
    reference       text not null unique,
    kind            text not null,
    device_id       text not null,
    area_id         text not null,
    payload         jsonb not null,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    attempts        int not null default 0,
    done_at         timestamptz
);
create index outbox_waiting on outbox (next_attempt_at) where done_at is null;
