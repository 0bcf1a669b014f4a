-- Who has taken a line off the security desk; `seen_at` says when.
alter table desk_notices add column seen_by text, add column seen_name text;
create index desk_notices_open on desk_notices (area_id, created_at desc) where seen_at is null;
