-- name: save_notice
-- Insert once; the same id with other words replaces them. Returns whether the row is new.
INSERT INTO notices (notice_id, area_id, section, title, summary, body, source_unit, doc_number, contact,
                     published_on, valid_until, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (notice_id) DO UPDATE
SET area_id = excluded.area_id, section = excluded.section, title = excluded.title,
    summary = excluded.summary, body = excluded.body, source_unit = excluded.source_unit,
    doc_number = excluded.doc_number, contact = excluded.contact, published_on = excluded.published_on,
    valid_until = excluded.valid_until
RETURNING (xmax = 0) AS is_new;

-- name: list_notices
-- One page of what an area may read in some sections, newest first, with whether the household has read it.
SELECT n.notice_id, n.area_id, n.section, n.title, n.summary, n.body, n.source_unit, n.doc_number, n.contact,
       n.published_on, n.valid_until, r.read_at IS NOT NULL AS is_read
FROM notices n LEFT JOIN notice_reads r ON r.notice_id = n.notice_id AND r.household_id = $2
WHERE n.state = 'published' AND starts_with($1, n.area_prefix) AND n.section = ANY ($3)
  AND (n.valid_until IS NULL OR n.valid_until >= $4)
ORDER BY n.published_on DESC, n.notice_id DESC
LIMIT $5 OFFSET $6;

-- name: count_notices
-- How many an area may read in some sections, and how many of them the household has not read.
SELECT count(*) AS total, count(*) FILTER (WHERE r.read_at IS NULL) AS unread
FROM notices n LEFT JOIN notice_reads r ON r.notice_id = n.notice_id AND r.household_id = $2
WHERE n.state = 'published' AND starts_with($1, n.area_prefix) AND n.section = ANY ($3)
  AND (n.valid_until IS NULL OR n.valid_until >= $4);

-- name: find_notice
-- One published notice that an area may read.
SELECT n.notice_id, n.area_id, n.section, n.title, n.summary, n.body, n.source_unit, n.doc_number, n.contact,
       n.published_on, n.valid_until, r.read_at IS NOT NULL AS is_read
FROM notices n LEFT JOIN notice_reads r ON r.notice_id = n.notice_id AND r.household_id = $3
WHERE n.notice_id = $1 AND n.state = 'published' AND starts_with($2, n.area_prefix);

-- name: mark_notice_read
-- The first time counts.
INSERT INTO notice_reads (household_id, notice_id, read_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;
