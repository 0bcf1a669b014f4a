-- People who sign in, their server-side sessions, failed logins (they slow the next one down), and the audit trail.

create table people (
    person_id      text primary key,
    name           text not null unique check (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    display_name   text not null check (length(display_name) between 1 and 60),
    roles          text[] not null default '{}',
    area_id        text not null check (area_id ~ '^[0-9]{12}$'),
    password_hash  text not null,
    must_change    boolean not null default false,
    created_at     timestamptz not null default now(),
    disabled_at    timestamptz
);

-- The browser holds the token, the database only its SHA-256: a stolen dump signs nobody in.
create table sessions (
    token_hash    bytea primary key,
    person_id     text not null references people on delete cascade,
    created_at    timestamptz not null,
    last_seen_at  timestamptz not null,
    expires_at    timestamptz not null,
    address       text not null,
    ended_at      timestamptz,
    ended_why     text
);
create index sessions_by_person on sessions (person_id) where ended_at is null;
create index sessions_by_expiry on sessions (expires_at);

create table login_failures (
    failure_id  bigserial primary key,
    at          timestamptz not null,
    name        text not null,
    address     text not null
);
create index login_failures_by_name on login_failures (name, at);
create index login_failures_by_address on login_failures (address, at);

create table audit (
    audit_id     bigserial primary key,
    at           timestamptz not null,
    person_id    text not null,
    person_name  text not null,
    action       text not null,
    object       text not null default '',
    address      text not null default '',
    details      jsonb not null default '{}'
);
create index audit_by_time on audit (at);
create index audit_by_object on audit (object, at);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is append-only' using errcode = 'restrict_violation';
end $$;
create trigger audit_is_append_only before update or delete or truncate on audit
    for each statement execute function refuse_audit_change();

create function tell_people_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('linli_people', new.person_id);
    return new;
end $$;
create trigger people_changed after insert or update on people
    for each row execute function tell_people_changed();
