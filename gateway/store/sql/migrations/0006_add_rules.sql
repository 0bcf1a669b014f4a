-- What rules remember, what they wish for until it is done, and why they decided as they did.

-- Every rule file that ever ran, by the digest of its text.
create table rule_sets (
    digest    text primary key,
    name      text not null,
    body      text not null,
    loaded_at timestamptz not null
);

-- One rule and one device: its phase, its deadline. `state` is the engine's own value.
create table rule_episodes (
    rule_id    text not null,
    device_id  text not null,
    phase      text not null,
    due_at     timestamptz,
    state      jsonb not null,
    changed_at timestamptz not null,
    primary key (rule_id, device_id)
);

-- What rules remember of a device: newest identities, the values that rules name, presence.
create table rule_memories (
    device_id  text primary key,
    state      jsonb not null,
    changed_at timestamptz not null
);

-- Until when the rules have let time pass (after a restart the time since then was not watched), and until when they
-- have read the events that the gateway recorded.
create table rule_clock (
    only_row   boolean primary key default true check (only_row),
    ticked_at  timestamptz not null,
    read_until timestamptz not null
);

-- Deeds that were decided, written with the decision and carried out afterwards, so that a kill between loses none.
create table rule_wishes (
    wish_id         text primary key,
    rule_id         text not null,
    rule_version    int not null,
    device_id       text not null,
    household_id    text,
    area_id         text not null,
    deed            text not null,
    payload         jsonb not null,
    cause           jsonb not null,
    chain           jsonb not null,
    started_at      timestamptz not null,
    due_at          timestamptz not null,
    late_s          double precision not null,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    attempts        int not null default 0,
    done_at         timestamptz,
    result          text not null default ''
);
create index rule_wishes_waiting on rule_wishes (next_attempt_at) where done_at is null;
create index rule_wishes_by_rule on rule_wishes (rule_id, created_at desc);

create table rule_traces (
    trace_id     bigint generated always as identity primary key,
    at           timestamptz not null,
    recorded_at  timestamptz not null,
    rule_id      text not null,
    rule_version int not null,
    device_id    text not null,
    outcome      text not null,
    late_s       double precision not null,
    wishes       int not null,
    detail       jsonb not null default '{}'
);
create index rule_traces_by_rule on rule_traces (rule_id, trace_id desc);
create index rule_traces_by_age on rule_traces (recorded_at);

-- Lines for the security desk that are no alarm; the same wish is one line.
create table desk_notices (
    notice_id    text primary key,
    area_id      text not null,
    household_id text,
    device_id    text,
    text         text not null,
    source       text not null,
    created_at   timestamptz not null,
    seen_at      timestamptz
);
create index desk_notices_by_area on desk_notices (area_id, created_at desc);
