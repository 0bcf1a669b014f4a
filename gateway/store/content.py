"""Notices in the database: saved once, listed by section for an area, marked as read by a household."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gateway.model.notices import Notice, Section
from gateway.store.pool import Database, Record
from gateway.store.queries import named

SQL = named("content")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the household (for what it has read) and its community (for what it may read)."""

    household_id: str
    area_id: str
    today: date


@dataclass(frozen=True, slots=True)
class Count:
    """How many notices there are, and how many of them the household has not opened."""

    total: int
    unread: int


class ContentStore:
    """The notices of all areas; only valid and published ones of the reader's own areas come out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, notice: Notice, recorded_at: datetime) -> bool:
        """Store `notice`; the same id with other words replaces them. Returns whether it is new."""
        return bool(
            await self._database.fetchval(
                SQL["save_notice"],
                notice.notice_id,
                notice.area_id,
                notice.section,
                notice.title,
                notice.summary,
                list(notice.body),
                notice.source_unit,
                notice.doc_number,
                notice.contact,
                notice.published_on,
                notice.valid_until,
                recorded_at,
            )
        )

    async def page(
        self, reader: Reader, sections: Sequence[Section], *, limit: int, offset: int = 0
    ) -> tuple[Notice, ...]:
        """Return one page of the sections, newest first."""
        rows = await self._database.fetch(
            SQL["list_notices"], reader.area_id, reader.household_id, list(sections), reader.today, limit, offset
        )
        return tuple(_notice(row) for row in rows)

    async def count(self, reader: Reader, sections: Sequence[Section]) -> Count:
        """Return how many notices the reader may read and how many are unread."""
        row = await self._database.fetchrow(
            SQL["count_notices"], reader.area_id, reader.household_id, list(sections), reader.today
        )
        return Count(row["total"], row["unread"]) if row else Count(0, 0)

    async def find(self, reader: Reader, notice_id: str) -> Notice | None:
        """Return one notice, also after its validity; None where there is none for this reader."""
        row = await self._database.fetchrow(SQL["find_notice"], notice_id, reader.area_id, reader.household_id)
        return _notice(row) if row else None

    async def mark_read(self, reader: Reader, notice_id: str, read_at: datetime) -> None:
        """Remember that the household has opened a notice; the first time counts."""
        await self._database.execute(SQL["mark_notice_read"], reader.household_id, notice_id, read_at)


def _notice(row: Record) -> Notice:
    return Notice(
        notice_id=row["notice_id"],
        area_id=row["area_id"],
        section=Section(row["section"]),
        title=row["title"],
        body=tuple(row["body"]),
        source_unit=row["source_unit"],
        published_on=row["published_on"],
        summary=row["summary"],
        doc_number=row["doc_number"],
        contact=row["contact"],
        valid_until=row["valid_until"],
        is_read=row["is_read"],
    )
