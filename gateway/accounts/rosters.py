"""Duty rosters changed by people: a shift or a file, inside their own areas, every change in the audit trail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.accounts import roster_lines
from gateway.accounts.roster_lines import Draft, Line, Refused
from gateway.accounts.sessions import Accounts
from gateway.model.errors import NotFound
from gateway.model.ids import new_ulid
from gateway.model.people import Person
from gateway.runtime.clock import Clock
from gateway.store import duty, registry
from gateway.store.duty import Shift
from gateway.store.pool import Connection, Database


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file; `added` is empty where something was refused and nobody asked for the rest."""

    added: Sequence[Shift]
    refused: Sequence[Refused]


class Rosters:
    """The only road to shifts for people; the wall clock of the shifts is that of `time_zone`."""

    def __init__(self, database: Database, accounts: Accounts, clock: Clock, time_zone: str) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self._zone = ZoneInfo(time_zone)

    async def add(self, line: Line, *, by: Person, address: str = "") -> Shift:
        """Store one shift. Raises BadInput with the reason: as those of a file."""
        async with self._database.transaction() as connection:
            drafts, refused = await self._checked(connection, [line], by)
            if refused:
                raise refused[0].error()
            [shift] = await self._store(connection, drafts)
        await self._accounts.record(by, "shift_added", shift.shift_id, address=address, details=_facts(shift))
        return shift

    async def remove(self, shift_id: str, *, by: Person, address: str = "") -> Shift:
        """Take a shift away and return it. Raises NotFound."""
        shift = await duty.find_shift(self._database, shift_id)
        if shift is None or not await duty.remove_shift(self._database, shift_id):
            raise NotFound("there is no such shift", place=shift_id, cure="It may be gone already; look again.")
        await self._accounts.record(by, "shift_removed", shift_id, address=address, details=_facts(shift))
        return shift

    async def import_csv(self, raw: bytes, *, by: Person, partial: bool = False, address: str = "") -> Imported:
        """Store every line of a file, or none where one is refused; with `partial` the good ones. Raises BadInput."""
        lines = roster_lines.read_csv(raw)
        async with self._database.transaction() as connection:
            drafts, refused = await self._checked(connection, lines, by)
            added = await self._store(connection, drafts) if partial or not refused else []
        if added:
            for shift in added:
                await self._accounts.record(by, "shift_added", shift.shift_id, address=address, details=_facts(shift))
            facts = {"added": len(added), "refused": len(refused), "lines": [one.number for one in refused][:100]}
            await self._accounts.record(by, "roster_imported", by.area_id, address=address, details=facts)
        return Imported(added, refused)

    async def _checked(
        self, connection: Connection, lines: Sequence[Line], by: Person
    ) -> tuple[list[Draft], list[Refused]]:
        """Return what can be stored and what cannot, each with its line, in the order of the lines."""
        now = self._clock.now()
        said = [roster_lines.draft_of(line, self._zone, now) for line in lines]
        standing = await self._standing(connection, [one for one in said if isinstance(one, Draft)])
        known = await self._known_areas(connection, {line.area_id for line in lines})
        taken: list[Draft] = []
        refused: list[Refused] = []
        for line, one in zip(lines, said, strict=True):
            refusal = one if isinstance(one, Refused) else _refusal(line, one, by, known, [*standing, *taken])
            if isinstance(one, Draft) and refusal is None:
                taken.append(one)
            elif refusal is not None:
                refused.append(refusal)
        return taken, refused

    async def _standing(self, connection: Connection, drafts: Sequence[Draft]) -> list[Draft]:
        if not drafts:
            return []
        since, until = min(one.begins_at for one in drafts), max(one.ends_at for one in drafts)
        shifts: list[Shift] = []
        for area_id in sorted({one.area_id for one in drafts}):
            shifts += await duty.list_shifts(connection, area_id, since, until)
        return [_draft_of(shift) for shift in shifts]

    async def _known_areas(self, connection: Connection, area_ids: Iterable[str]) -> Mapping[str, bool]:
        return {area_id: await registry.area(connection, area_id) is not None for area_id in area_ids}

    async def _store(self, connection: Connection, drafts: Sequence[Draft]) -> list[Shift]:
        now = self._clock.now()
        shifts = [
            Shift(new_ulid(now), one.area_id, one.person_name, one.phone, one.role, one.begins_at, one.ends_at)
            for one in drafts
        ]
        await duty.add_shifts(connection, shifts)
        return shifts


def _refusal(
    line: Line, draft: Draft, by: Person, known: Mapping[str, bool], standing: Sequence[Draft]
) -> Refused | None:
    if not by.may_see(draft.area_id):
        return Refused(line.number, "elsewhere", draft.area_id)
    if not known[draft.area_id]:
        return Refused(line.number, "unknown_area", draft.area_id)
    if any(draft.meets(other) for other in standing):
        return Refused(line.number, "already_on_duty", draft.person_name)
    return None


def _draft_of(shift: Shift) -> Draft:
    return Draft(shift.area_id, shift.person_name, shift.phone, shift.role, shift.begins_at, shift.ends_at)


def _facts(shift: Shift) -> Mapping[str, object]:
    return {
        "area_id": shift.area_id,
        "person": shift.person_name,
        "role": shift.role,
        "begins": shift.begins_at.isoformat(),
        "ends": shift.ends_at.isoformat(),
    }
