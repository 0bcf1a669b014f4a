-- What the television shows that no device measured: notices, short messages, and the choices of a household.

-- The digits that every area inside an area starts with (province 2, city 4, county 6, street 9, community 12).
CREATE FUNCTION area_prefix(area_id text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT left(area_id, coalesce((SELECT min(ends) FROM unnest(ARRAY[2, 4, 6, 9, 12]) AS ends
                                   WHERE ends >= length(rtrim(area_id, '0')) AND rtrim(area_id, '0') <> ''), 0))
$$;

CREATE TABLE notices (
    notice_id    text PRIMARY KEY,
    area_id      text NOT NULL,
    area_prefix  text NOT NULL GENERATED ALWAYS AS (area_prefix(area_id)) STORED,
    section      text NOT NULL,
    title        text NOT NULL,
    summary      text NOT NULL DEFAULT '' CHECK (char_length(summary) <= 60),
    body         jsonb NOT NULL, -- array of paragraphs
    source_unit  text NOT NULL,
    doc_number   text NOT NULL DEFAULT '',
    contact      text NOT NULL DEFAULT '',
    published_on date NOT NULL,
    valid_until  date,
    state        text NOT NULL DEFAULT 'published' CHECK (state IN ('draft', 'published', 'withdrawn')),
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX notices_by_section ON notices (section, published_on DESC, notice_id) WHERE state = 'published';

CREATE TABLE notice_reads (
    household_id text NOT NULL REFERENCES households ON DELETE CASCADE,
    notice_id    text NOT NULL REFERENCES notices ON DELETE CASCADE,
    read_at      timestamptz NOT NULL,
    PRIMARY KEY (household_id, notice_id)
);

CREATE TABLE tv_messages (
    message_id   text PRIMARY KEY,
    household_id text NOT NULL REFERENCES households ON DELETE CASCADE,
    level        int NOT NULL DEFAULT 4 CHECK (level BETWEEN 1 AND 4),
    title        text NOT NULL,
    body         text NOT NULL DEFAULT '',
    source       text NOT NULL, -- who says it: a rule, a desk, an office
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    seen_at      timestamptz
);
CREATE INDEX tv_messages_waiting ON tv_messages (household_id, created_at) WHERE seen_at IS NULL;

CREATE TABLE tv_choices (
    household_id text PRIMARY KEY REFERENCES households ON DELETE CASCADE,
    text_size    text NOT NULL DEFAULT 'standard' CHECK (text_size IN ('standard', 'large', 'xlarge')),
    language     text NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    tier         text NOT NULL DEFAULT 'f0' CHECK (tier IN ('f0', 'f1')),
    profile      text NOT NULL DEFAULT 'keyboard',
    key_codes    jsonb,         -- codes learnt from the remote of this household, above those of the profile
    seen_at      timestamptz NOT NULL
);

CREATE FUNCTION announce_tv_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('linli_tv', NEW.household_id);
    RETURN NEW;
END $$;
CREATE TRIGGER tv_messages_announced AFTER INSERT ON tv_messages FOR EACH ROW EXECUTE FUNCTION announce_tv_message();
