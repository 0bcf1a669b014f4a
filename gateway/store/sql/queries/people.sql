-- People, sessions, login failures and the audit trail.

-- name: insert_person
-- A new account; the unique name raises a conflict.
insert into people (person_id, name, display_name, roles, area_id, password_hash, must_change, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: find_person_by_name
select person_id, name, display_name, roles, area_id, password_hash, must_change, disabled_at
from people where name = $1

-- name: find_person
select person_id, name, display_name, roles, area_id, password_hash, must_change, disabled_at
from people where person_id = $1

-- name: list_people
select person_id, name, display_name, roles, area_id, password_hash, must_change, disabled_at
from people order by name

-- name: set_password
update people set password_hash = $2, must_change = $3 where person_id = $1

-- name: disable_person
update people set disabled_at = $2 where person_id = $1 and disabled_at is null

-- name: insert_session
insert into sessions (token_hash, person_id, created_at, last_seen_at, expires_at, address)
values ($1, $2, $3, $3, $4, $5)

-- name: find_session
-- A session that has not ended, is inside its absolute life ($2 is now) and was seen since $3; and its person.
select s.token_hash, s.created_at, s.last_seen_at, s.expires_at,
       p.person_id, p.name, p.display_name, p.roles, p.area_id, p.password_hash, p.must_change, p.disabled_at
from sessions s join people p using (person_id)
where s.token_hash = $1 and s.ended_at is null and s.expires_at > $2 and s.last_seen_at > $3
  and p.disabled_at is null

-- name: touch_session
update sessions set last_seen_at = $2 where token_hash = $1

-- name: end_session
update sessions set ended_at = $2, ended_why = $3 where token_hash = $1 and ended_at is null

-- name: end_sessions_of
-- All sessions of one person, but the one with the token hash $4 (null: all).
update sessions set ended_at = $2, ended_why = $3
where person_id = $1 and ended_at is null and token_hash is distinct from $4

-- name: delete_old_sessions
-- Sessions whose absolute life ended before $1.
delete from sessions where expires_at < $1

-- name: insert_login_failure
insert into login_failures (at, name, address) values ($1, $2, $3)

-- name: count_login_failures
-- Failures since $3 by name and by address, and when the last of each was.
select count(*) filter (where name = $1) as by_name,
       max(at) filter (where name = $1) as last_by_name,
       count(*) filter (where address = $2) as by_address,
       max(at) filter (where address = $2) as last_by_address
from login_failures where at > $3 and (name = $1 or address = $2)

-- name: delete_login_failures
-- A successful login clears the name; failures before $2 are of no use to anybody.
delete from login_failures where name = $1 or at < $2

-- name: insert_audit
insert into audit (at, person_id, person_name, action, object, address, details) values ($1, $2, $3, $4, $5, $6, $7)

-- name: list_audit
-- The newest entries first; $1 narrows to one object where it is not empty.
select audit_id, at, person_id, person_name, action, object, address, details
from audit where $1 = '' or object = $1 order by audit_id desc limit $2
