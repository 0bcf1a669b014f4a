-- The alarm promise under fire: flags, a hash chain over the history, durable timers, duty, drills, outside hooks.

-- Alarms of a device with a key carry an HMAC; one without it, or with a wrong one, is shown as suspicious.
alter table devices add column alarm_key bytea;
-- Digits that raise a silent alarm on this household's television; empty where it wants none.
alter table households add column silent_keys text not null default '' check (silent_keys ~ '^([0-9]{4,8})?$');

alter table alarms
    add column late_by_s        int not null default 0,
    -- '' or the reason why its identity is doubted: revoked_device, unsigned, bad_signature.
    add column suspicion        text not null default '',
    -- The device's clock was wrong: device_at means nothing.
    add column is_clock_wrong   boolean not null default false,
    add column is_silent        boolean not null default false,
    add column is_drill         boolean not null default false,
    -- 0 community, 1 street, 2 district, 3 district supervisor and the outside hook.
    add column escalation_level int not null default 0 check (escalation_level between 0 and 3),
    -- The escalation as it was decided when the alarm was raised: later changes of settings or roster change nothing.
    add column chain            jsonb not null default '[]',
    add column duplicate_of     text references alarms,
    -- [{"kind": "clip" | "picture", "ref", "at"}]
    add column evidence         jsonb not null default '[]',
    add column last_press_at    timestamptz,
    -- When it was taken in while the database was away; null for the others.
    add column spooled_at       timestamptz,
    add column resolved_by      text,
    add column resolved_name    text,
    add column closed_name      text;

-- Who an alarm is cannot be changed, a closed one not at all, and none can be taken away.
create function guard_alarm() returns trigger language plpgsql as $$
begin
    if old.state = 'closed' then
        raise exception 'alarm % is closed and cannot be changed', old.alarm_no using errcode = 'restrict_violation';
    end if;
    if (new.alarm_id, new.alarm_no, new.device_id, new.boot, new.seq, new.event_id, new.area_id, new.kind, new.source,
        new.raised_at, new.device_at, new.is_silent)
       is distinct from
       (old.alarm_id, old.alarm_no, old.device_id, old.boot, old.seq, old.event_id, old.area_id, old.kind, old.source,
        old.raised_at, old.device_at, old.is_silent)
       or new.household_id is distinct from old.household_id
       or new.version <= old.version or new.press_count < old.press_count then
        raise exception 'alarm %: what it is cannot be changed', old.alarm_no using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger alarms_guarded before update on alarms for each row execute function guard_alarm();
create trigger alarms_no_truncate before truncate on alarms for each statement execute function refuse_change();
create trigger alarm_presses_no_truncate before truncate on alarm_presses
    for each statement execute function refuse_change();

-- One hash chain for each area: hash = SHA-256(prev_hash, canonical text of the row).
create table alarm_chains (
    stream text primary key,
    seq    bigint not null,
    hash   bytea not null
);

alter table alarm_events
    add column stream     text,
    add column stream_seq bigint,
    add column prev_hash  bytea,
    add column hash       bytea;

-- What a row says, as one JSON array in PostgreSQL's own spelling; `linli audit verify` asks for the same array.
create function alarm_event_text(e alarm_events) returns text language sql stable as $$
    select jsonb_build_array(e.stream, e.stream_seq, e.alarm_id, e.version, e.kind,
                             floor(extract(epoch from e.at) * 1000000)::bigint,
                             e.by_id, e.by_name, e.from_state, e.to_state, e.details)::text
$$;

-- Runs last in the ledger's transactions: the chain's row is locked from here to the commit.
create function chain_alarm_event() returns trigger language plpgsql as $$
declare
    head alarm_chains;
begin
    select area_id into strict new.stream from alarms where alarm_id = new.alarm_id;
    insert into alarm_chains (stream, seq, hash) values (new.stream, 0, decode(repeat('00', 32), 'hex'))
        on conflict do nothing;
    select * into strict head from alarm_chains where stream = new.stream for update;
    new.stream_seq := head.seq + 1;
    new.prev_hash := head.hash;
    new.hash := sha256(head.hash || convert_to(alarm_event_text(new), 'UTF8'));
    update alarm_chains set seq = new.stream_seq, hash = new.hash where stream = new.stream;
    return new;
end $$;

-- Rows from before the chain are chained in their order.
alter table alarm_events disable trigger alarm_events_append_only;
do $$
declare
    e alarm_events;
    area text;
    last bigint;
    head bytea;
begin
    for area in select distinct a.area_id from alarm_events join alarms a using (alarm_id) loop
        last := 0;
        head := decode(repeat('00', 32), 'hex');
        for e in select v.* from alarm_events v join alarms a using (alarm_id) where a.area_id = area order by v.event_id
        loop
            last := last + 1;
            e.stream := area;
            e.stream_seq := last;
            e.prev_hash := head;
            head := sha256(head || convert_to(alarm_event_text(e), 'UTF8'));
            update alarm_events set stream = area, stream_seq = last, prev_hash = e.prev_hash, hash = head
             where event_id = e.event_id;
        end loop;
        insert into alarm_chains (stream, seq, hash) values (area, last, head);
    end loop;
end $$;
alter table alarm_events enable trigger alarm_events_append_only;

alter table alarm_events
    alter column stream set not null,
    alter column stream_seq set not null,
    alter column prev_hash set not null,
    alter column hash set not null,
    add unique (stream, stream_seq);
create trigger alarm_events_chained before insert on alarm_events
    for each row execute function chain_alarm_event();

-- What must happen to an alarm at a time, whoever is alive then. A row is done once: fired, or void.
create table alarm_timers (
    timer_id    bigint generated always as identity primary key,
    alarm_id    text not null references alarms,
    -- An acknowledgement that expired begins the next round.
    round       int not null default 1,
    -- unseen, street, district, supervisor, progress
    kind        text not null,
    level       int not null default 0,
    target_area text not null default '',
    target_name text not null default '',
    due_at      timestamptz not null,
    done_at     timestamptz,
    -- fired, or void: what it waited for had happened.
    outcome     text check (outcome in ('fired', 'void')),
    unique (alarm_id, round, kind)
);
create index alarm_timers_due on alarm_timers (due_at) where done_at is null;

-- Who is on duty, by area. An area without a single shift keeps no roster.
create table duty_shifts (
    shift_id    text primary key,
    area_id     text not null references areas,
    person_name text not null check (length(person_name) between 1 and 60),
    phone       text not null default '',
    role        text not null default 'operator' check (role in ('operator', 'supervisor')),
    begins_at   timestamptz not null,
    ends_at     timestamptz not null check (ends_at > begins_at)
);
create index duty_shifts_by_area on duty_shifts (area_id, ends_at);

-- While a drill runs, alarms of its area are marked as practice and never leave the house.
create table drills (
    drill_id   text primary key,
    area_id    text not null references areas,
    begins_at  timestamptz not null,
    ends_at    timestamptz not null check (ends_at > begins_at),
    note       text not null default '',
    started_by text not null,
    ended_by   text
);
create index drills_by_area on drills (area_id, ends_at);

-- What must be told outside the house; one row for each alarm, reason and target.
create table hook_deliveries (
    delivery_id     bigint generated always as identity primary key,
    reference       text not null unique,
    alarm_id        text not null references alarms,
    target          text not null,
    payload         jsonb not null,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    attempts        int not null default 0,
    last_error      text not null default '',
    done_at         timestamptz
);
create index hook_deliveries_waiting on hook_deliveries (next_attempt_at) where done_at is null;
