-- Mini-apps: who may publish, what was submitted, what was decided. A package is kept as the bytes that were signed;
-- the signatures are verified again at every load, so a row that was changed by hand is refused, not shown.

create table developer_keys (
    key_id        text primary key check (key_id ~ '^[0-9a-f]{64}$'),
    person_id     text not null references people (person_id),
    public_key    bytea not null check (length(public_key) = 32),
    label         text not null,
    registered_at timestamptz not null,
    revoked_at    timestamptz
);

create index developer_keys_of_person on developer_keys (person_id);

-- A token lets the command line upload and ask; only its SHA-256 is kept.
create table developer_tokens (
    token_hash   bytea primary key check (length(token_hash) = 32),
    person_id    text not null references people (person_id),
    label        text not null,
    created_at   timestamptz not null,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

create table miniapp_submissions (
    submission_id  text primary key,
    app_id         text not null,
    version_code   bigint not null check (version_code > 0),
    version_name   text not null,
    name           text not null,
    person_id      text not null references people (person_id),
    publisher      text not null,
    key_id         text not null references developer_keys (key_id),
    digest         text not null check (digest ~ '^[0-9a-f]{64}$'),
    package        bytea not null,
    signature      bytea not null,
    manifest       jsonb not null,
    findings       jsonb not null,
    state          text not null check (state in ('draft', 'checked', 'in_review', 'approved', 'rejected')),
    submitted_at   timestamptz not null,
    changed_at     timestamptz not null,
    decision       bytea,
    decided_by     text,
    decided_name   text not null default '',
    reason         text not null default '',
    check ((state = 'approved') <= (decision is not null))
);

-- One version of an app is submitted once; a draft that the check refused may be sent again.
create unique index miniapp_versions on miniapp_submissions (app_id, version_code) where state <> 'draft';
create index miniapp_submissions_by_state on miniapp_submissions (state, submitted_at desc);
create index miniapp_submissions_of_person on miniapp_submissions (person_id, submitted_at desc);

create table miniapp_events (
    event_id      bigint generated always as identity primary key,
    submission_id text not null,
    app_id        text not null,
    version_code  bigint not null,
    digest        text not null,
    at            timestamptz not null,
    by_id         text not null,
    by_name       text not null,
    from_state    text not null,
    to_state      text not null,
    note          text not null default ''
);

create index miniapp_events_of_submission on miniapp_events (submission_id, event_id);

create trigger miniapp_events_append_only before update or delete on miniapp_events
    for each row execute function refuse_change();
create trigger miniapp_events_no_truncate before truncate on miniapp_events
    for each statement execute function refuse_change();

-- What lists show: everything of a submission but the package itself.
create view miniapp_overview as
select s.submission_id, s.app_id, s.version_code, s.version_name, s.name, s.person_id, s.publisher, s.key_id, s.digest,
    length(s.package) as package_bytes, s.manifest, s.findings, s.state, s.submitted_at, s.changed_at, s.decided_name,
    s.reason, p.display_name as developer_name
from miniapp_submissions s join people p using (person_id);
