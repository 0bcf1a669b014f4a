"""Files become telemetry: every value once, gaps stay gaps, a second run adds nothing."""

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware_stubs import log, replay
from gateway.contract.limits import MAX_PAYLOAD_BYTES
from gateway.contract.messages import Telemetry
from gateway.model.errors import BadInput

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
AIR = "air/nongzhanguan-2013-2017.csv"
HOME = "home/energydata_complete.csv"


def _sums(batches: list[Telemetry]) -> tuple[Counter[str], Counter[str]]:
    counts, sums = Counter[str](), Counter[str]()
    for batch in batches:
        for sample in batch.samples:
            for metric, value in sample.values.items():
                counts[metric] += 1
                sums[metric] += value if isinstance(value, float) else 0  # type: ignore[assignment]
    return counts, sums


@pytest.mark.parametrize(
    ("file", "column", "metric"),
    [(AIR, "PM2.5", "pm2_5"), (AIR, "O3", "o3"), (HOME, "T1", "t1"), (HOME, "Appliances", "energy_wh")],
)
def test_every_value_of_the_file_is_sent_once(shared_data: Path, file: str, column: str, metric: str) -> None:
    """Count and sum of a metric are those of its column, gaps left out."""
    cells = [row[column] for row in csv.DictReader((shared_data / file).read_text().splitlines())]
    numbers = [float(cell) for cell in cells if cell != "NA"]
    recording = replay.read(shared_data / file)
    counts, sums = _sums(list(replay.batches(recording, "d-1", recording.shift(NOW))))
    assert counts[metric] == len(numbers)
    assert sums[metric] == pytest.approx(sum(numbers), rel=1e-9)
    assert recording.broken == 0


@pytest.mark.parametrize("file", [AIR, HOME])
def test_every_batch_fits_and_has_an_identity_of_its_own(shared_data: Path, file: str) -> None:
    """No batch is too long for the wire, no (boot, seq) stands twice, no moment stands twice."""
    recording = replay.read(shared_data / file)
    batches = list(replay.batches(recording, "d-1", recording.shift(NOW)))
    assert max(len(batch.encode()) for batch in batches[:: max(1, len(batches) // 50)]) <= MAX_PAYLOAD_BYTES
    assert len({(batch.boot, batch.seq) for batch in batches}) == len(batches)
    times = [sample.at for batch in batches for sample in batch.samples]
    assert len(times) == len(set(times))


@pytest.mark.parametrize("file", [AIR, HOME])
def test_the_last_row_is_now_and_hours_stay_hours(shared_data: Path, file: str) -> None:
    """The shift is whole days and brings the last row to within a day before now."""
    recording = replay.read(shared_data / file)
    shift = recording.shift(NOW)
    last = recording.rows[-1].at + shift
    assert shift % timedelta(days=1) == timedelta()
    assert NOW - timedelta(days=1) < last <= NOW


def test_the_last_days_are_whole_days(shared_data: Path) -> None:
    """Seven days of air are 168 hours, from local midnight on."""
    recording = replay.read(shared_data / AIR).last_days(7)
    assert len(recording.rows) == 7 * 24
    assert (recording.rows[0].at + timedelta(hours=8)).hour == 0


def test_a_second_run_on_the_same_day_has_the_same_identities(shared_data: Path) -> None:
    """Same file, same day, same device: same (boot, seq). Another device or day has others, far below live boots."""
    recording = replay.read(shared_data / AIR).last_days(7)
    shift = recording.shift(NOW)

    def identities(device_id: str, by: timedelta) -> set[tuple[int, int]]:
        return {(batch.boot, batch.seq) for batch in replay.batches(recording, device_id, by)}

    first = identities("d-1", shift)
    assert first == identities("d-1", recording.shift(NOW + timedelta(hours=2)))
    assert first.isdisjoint(identities("d-2", shift))
    assert first.isdisjoint(identities("d-1", shift + timedelta(days=1)))
    assert all(2 <= boot < 1_000_000 for boot, _ in first)


def test_more_days_repeat_the_identities_of_fewer(shared_data: Path) -> None:
    """Replaying a month after a week repeats the week and adds the rest, because blocks are whole days."""
    whole = replay.read(shared_data / AIR)
    shift = whole.shift(NOW)
    week = {b.seq: b for b in replay.batches(whole.last_days(7), "d-1", shift)}
    month = {b.seq: b for b in replay.batches(whole.last_days(30), "d-1", shift)}
    assert all(month[seq] == batch for seq, batch in week.items())


AIR_HEAD = '"No","year","month","day","hour","PM2.5","wd","station"\n'


def _air(folder: Path, *lines: str) -> Path:
    path = folder / "air.csv"
    path.write_text(AIR_HEAD + "".join(f"{line}\n" for line in lines))
    return path


def test_a_gap_is_left_out_and_an_empty_row_sends_nothing(tmp_path: Path) -> None:
    """NA becomes no property, never null or zero."""
    path = _air(tmp_path, '1,2017,2,28,21,NA,"N","x"', "2,2017,2,28,22,NA,NA,x", "3,2017,2,28,23,7,NA,x")
    recording = replay.read(path)
    (batch,) = replay.batches(recording, "d-1", timedelta())
    assert [dict(sample.values) for sample in batch.samples] == [{"wind_direction": "N"}, {"pm2_5": 7.0}]


@pytest.mark.parametrize(
    "line", ["1,2017,2,30,1,5,N,x", "1,2017,2,28,1,five,N,x", "1,2017,2", "1,2017,2,28,1,inf,N,x", "1,x,2,28,1,5,N,x"]
)
def test_a_broken_row_is_counted_and_the_next_one_goes_through(tmp_path: Path, line: str) -> None:
    """An impossible date, a word for a number, a short line: counted with its line number and left out."""
    before = log.DROPPED["broken_row"]
    recording = replay.read(_air(tmp_path, line, "2,2017,2,28,23,7,N,x"))
    assert recording.broken == 1
    assert log.DROPPED["broken_row"] == before + 1
    assert [row.values["pm2_5"] for row in recording.rows] == [7.0]


@pytest.mark.parametrize(
    ("text", "reason"), [("", "unknown_columns"), ("a,b\n1,2\n", "unknown_columns"), ("\xff", "unreadable")]
)
def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path, text: str, reason: str) -> None:
    """Neither kind of columns, or no text at all: the refusal names the file."""
    path = tmp_path / "strange.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        replay.read(path)
    assert caught.value.reason == reason
    assert "strange.csv" in caught.value.place


def test_progress_and_shift_survive_and_nonsense_starts_again(tmp_path: Path) -> None:
    """A replay goes on where it was with the shift it had, also days later; a broken note means from the beginning."""
    recording = replay.read(_air(tmp_path, *(f"1,2017,2,{day},23,7,N,x" for day in range(1, 29))))
    progress = replay.Progress.load(tmp_path / "deep", recording, "history", NOW)
    messages = list(replay.batches(recording, "d-1", progress.shift))
    assert list(progress.rest(iter(messages))) == messages
    progress.advance(messages[9].seq)
    later = replay.Progress.load(tmp_path / "deep", recording, "history", NOW + timedelta(days=3))
    assert later.shift == progress.shift
    assert list(later.rest(iter(messages))) == messages[10:]
    progress.path.write_text("{")
    assert list(replay.Progress.load(tmp_path / "deep", recording, "history", NOW).rest(iter(messages))) == messages


def test_a_replay_that_begins_earlier_sends_everything_again(tmp_path: Path) -> None:
    """After a week, a month: the older blocks are not mistaken for acknowledged ones."""
    recording = replay.read(_air(tmp_path, *(f"1,2017,2,{day},23,7,N,x" for day in range(1, 29))))
    progress = replay.Progress.load(tmp_path, recording, "history", NOW)
    week = list(replay.batches(recording.last_days(7), "d-1", progress.shift))
    assert list(progress.rest(iter(week))) == week
    progress.advance(week[-1].seq)
    month = list(replay.batches(recording, "d-1", progress.shift))
    assert list(progress.rest(iter(month))) == month
