-- What state each camera was in and when: one row per stay in a state, the open one without an end.

create table camera_health (
    stay_id   bigint generated always as identity primary key,
    camera_id text not null,
    state     text not null,
    -- The first reason of the stay, such as timed_out or same_picture.
    reason    text not null,
    since     timestamptz not null,
    until     timestamptz,
    check (until is null or until >= since)
);
-- A camera is in one state at a time. Cameras of a cameras file are not in the registry, so there is no foreign key.
create unique index camera_health_now on camera_health (camera_id) where until is null;
create index camera_health_by_camera on camera_health (camera_id, since);
