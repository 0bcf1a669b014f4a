-- What the launcher asks: is the embedded server up, does our database exist, which token has which box; write down what is new.

-- name: is_up
select true

-- name: find_database
select true from pg_database where datname = $1

-- name: create_database
create database linli

-- name: list_box_tokens
select household_id, tv_token from households where area_id = $1

-- name: write_checkpoint
-- A new cluster's first checkpoint syncs hundreds of files; better now than while somebody waits for the end.
checkpoint

-- name: has_rosters
-- Is the schema new enough to hold a roster?
select to_regclass('duty_shifts') is not null
