-- Who and what there is: areas, households, devices, cameras, and the strangers that knocked.

create table areas (
    area_id    text primary key check (area_id ~ '^[0-9]{12}$'),
    name       text not null,
    name_en    text not null default '',
    parent_id  text references areas,
    -- The community plan as the desk draws it: {"size": [w, h], "shapes": [{"kind", "x", "y", "w", "h", "name"}]}, metres.
    plan       jsonb not null default '{}'
);

create table households (
    household_id  text primary key,
    area_id       text not null references areas,
    building      text not null default '',
    unit          text not null default '',
    room          text not null default '',
    address       text not null,
    resident_name text not null default '',
    -- {"age", "sex", "tags": [...], "phone", "contacts": [{"name", "relation", "phone"}]}; shown at the desk only.
    resident_note jsonb not null default '{}',
    map_x         real,
    map_y         real,
    tv_token      text not null unique check (length(tv_token) >= 16)
);
create index households_by_area on households (area_id);

create table cameras (
    camera_id   text primary key,
    area_id     text not null references areas,
    name        text not null,
    position    text not null default '',
    map_x       real,
    map_y       real,
    heading_deg real not null default 0,
    view_deg    real not null default 90,
    range_m     real not null default 30,
    source      text not null,
    enabled     boolean not null default true
);

create table household_cameras (
    household_id text not null references households,
    camera_id    text not null references cameras,
    rank         int not null,
    primary key (household_id, camera_id)
);

create table devices (
    device_id    text primary key check (device_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    area_id      text not null references areas,
    household_id text references households,
    camera_id    text references cameras,
    kind         text not null,
    name         text not null default '',
    model        text not null default '',
    fw           text not null default '',
    meta         jsonb not null default '{}',
    -- unknown, init, online, sleeping, offline (its will or its own word), silent (nothing heard for silence_s).
    presence     text not null default 'unknown',
    presence_at  timestamptz,
    boot         bigint,
    last_seen_at timestamptz,
    silence_s    int not null default 900,
    revoked_at   timestamptz
);
create index devices_by_household on devices (household_id);
create index devices_by_area on devices (area_id);

create table presence_changes (
    at        timestamptz not null,
    device_id text not null,
    presence  text not null,
    why       text not null
);
create index presence_changes_by_device on presence_changes (device_id, at desc);

-- Samples of what was not taken, bounded by the program; the counters know them all.
create table quarantine (
    quarantine_id bigint generated always as identity primary key,
    at            timestamptz not null,
    topic         text not null,
    device_id     text not null default '',
    reason        text not null,
    detail        text not null,
    sample        bytea not null
);
create index quarantine_by_reason on quarantine (reason, quarantine_id);
