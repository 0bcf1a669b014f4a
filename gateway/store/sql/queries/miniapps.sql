-- Mini-apps: keys and tokens of developers, submissions, decisions, and the trail of every step.

-- name: add_key
-- Register a public key; a key belongs to one person for ever.
insert into developer_keys (key_id, person_id, public_key, label, registered_at) values ($1, $2, $3, $4, $5)

-- name: find_key
select key_id, person_id, public_key, label, registered_at, revoked_at from developer_keys where key_id = $1

-- name: list_keys
select key_id, person_id, public_key, label, registered_at, revoked_at from developer_keys
where person_id = $1 order by registered_at desc

-- name: revoke_key
-- Revoke one's own key; what it signed before is not opened any more.
update developer_keys set revoked_at = $3 where key_id = $1 and person_id = $2 and revoked_at is null returning key_id

-- name: add_token
insert into developer_tokens (token_hash, person_id, label, created_at) values ($1, $2, $3, $4)

-- name: use_token
-- Find who holds a token, and remember when it was used.
with used as (
    update developer_tokens set last_used_at = $2 where token_hash = $1 and revoked_at is null returning person_id
)
select p.person_id, p.name, p.display_name, p.roles, p.area_id
from used join people p using (person_id) where p.disabled_at is null

-- name: list_tokens
select encode(token_hash, 'hex') as token_id, label, created_at, last_used_at from developer_tokens
where person_id = $1 and revoked_at is null order by created_at desc

-- name: revoke_token
update developer_tokens set revoked_at = $3
where encode(token_hash, 'hex') = $1 and person_id = $2 and revoked_at is null returning label

-- name: lock_app
-- One submission of an app at a time, so that versions rise in the order in which they are stored.
select pg_advisory_xact_lock(hashtextextended('miniapp:' || $1, 0))

-- name: find_app
-- Whose app this is (its first submission decides) and the highest version that went beyond a draft.
select
    (select person_id from miniapp_submissions where app_id = $1 order by submitted_at, submission_id limit 1) as person_id,
    coalesce(max(version_code) filter (where state <> 'draft'), 0) as last_code
from miniapp_submissions where app_id = $1

-- name: find_same
-- The same package of the same version that is already here.
select submission_id from miniapp_submissions
where app_id = $1 and version_code = $2 and digest = $3 and state <> 'draft'

-- name: drop_draft
-- A new attempt replaces the draft that the check refused.
delete from miniapp_submissions where app_id = $1 and version_code = $2 and state = 'draft'

-- name: add_submission
insert into miniapp_submissions (
    submission_id, app_id, version_code, version_name, name, person_id, publisher, key_id, digest, package,
    signature, manifest, findings, state, submitted_at, changed_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)

-- name: move_submission
-- Go from one state to the next; nothing happens when somebody else was faster.
update miniapp_submissions
set state = $3, changed_at = $4, decision = coalesce($5, decision), decided_by = coalesce($6, decided_by),
    decided_name = coalesce($7, decided_name), reason = $8
where submission_id = $1 and state = $2
returning submission_id

-- name: add_event
insert into miniapp_events (submission_id, app_id, version_code, digest, at, by_id, by_name, from_state, to_state, note)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: list_events
select at, by_name, from_state, to_state, note from miniapp_events where submission_id = $1 order by event_id

-- name: find_submission
select * from miniapp_overview where submission_id = $1

-- name: find_package
select package from miniapp_submissions where submission_id = $1

-- name: find_proof
-- What is needed to verify a submission; the package's digest is taken here and now, from the bytes themselves.
select s.signature, s.decision, k.public_key, k.revoked_at as key_revoked_at,
    encode(sha256(s.package), 'hex') as package_sha256
from miniapp_submissions s left join developer_keys k using (key_id) where s.submission_id = $1

-- name: list_of_person
select * from miniapp_overview where person_id = $1 order by submitted_at desc limit $2

-- name: list_all
-- For reviewers: what waits first, then the newest; drafts are their developer's own business.
select * from miniapp_overview where state <> 'draft' order by (state = 'in_review') desc, submitted_at desc limit $1

-- name: list_of_app
select * from miniapp_overview where app_id = $1 order by version_code desc limit $2

-- name: list_current
-- The newest approved version of every app.
select distinct on (app_id) * from miniapp_overview where state = 'approved' order by app_id, version_code desc

-- name: find_current
select * from miniapp_overview where state = 'approved' and app_id = $1 order by version_code desc limit 1

-- name: find_first_developer
-- In whose name the bundled apps are published.
select person_id, name, display_name, roles, area_id from people
where 'developer' = any (roles) and disabled_at is null order by created_at, person_id limit 1
