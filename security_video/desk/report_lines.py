"""The words of a report: how long something took, per cents, and the one sentence that says the result. Pure."""

from collections.abc import Iterator

from gateway.alarms import kpi
from gateway.alarms.kpi import Histogram, Slot
from gateway.store.report import Figures, Waits
from security_video.desk.report_periods import Chosen
from security_video.desk.words import say


def duration(language: str, seconds: float | None) -> str:
    """Return `8.4 秒`, `18 秒`, `3 分 42 秒`, `9 小时 12 分`, `4 天 2 小时`; a dash where there is nothing."""
    if seconds is None:
        return "—"
    if seconds < 9.95:
        return say(language, "time.seconds", n=f"{max(0.0, seconds):.1f}")
    # Cut, not rounded: 59.9 s is in the bucket below one minute and reads like that.
    whole = int(seconds)
    for unit, finer, length, part in (
        ("days", "hours", 86400, 3600),
        ("hours", "minutes", 3600, 60),
        ("minutes", "seconds", 60, 1),
    ):
        if whole >= length:
            rest = whole % length // part
            text = say(language, f"time.{unit}", n=whole // length)
            return f"{text} {say(language, f'time.{finer}', n=rest)}" if rest else text
    return say(language, "time.seconds", n=whole)


def share(value: float | None) -> str:
    """Return `98.9%`, `4.0%`, `100%`, `0%`, or a dash of nothing."""
    return "—" if value is None else f"{value:g}%" if value in {0.0, 100.0} else f"{value:.1f}%"


def histogram(scale: kpi.Scale, waits: Waits) -> Histogram:
    """Return what the store has counted, with its shares."""
    return Histogram(scale, waits.counts, waits.pending, waits.median_s, waits.p95_s)


def flooded(figures: Figures) -> int:
    """Return how many slots of ten minutes were a flood."""
    return sum(kpi.is_flood(Slot(one.alarms, one.operators)) for one in figures.busy_slots)


def flood_share(figures: Figures) -> float | None:
    """Return in how much of the time some desk had more than it could answer, in per cent of the ten-minute slots."""
    slots = int(figures.period.elapsed.total_seconds() // kpi.FLOOD_SLOT_S)
    flooded_at = {one.began_at for one in figures.busy_slots if kpi.is_flood(Slot(one.alarms, one.operators))}
    return kpi.percent(min(len(flooded_at), slots), slots)


def when(language: str, chosen: Chosen) -> str:
    """Return 本班, 今天, 本月, or the month by name."""
    if chosen.kind != "month":
        return say(language, f"report.this_{chosen.kind}")
    if chosen.is_running:
        return say(language, "report.this_month")
    year, month = chosen.month.split("-")
    return say(language, "report.month_name", year=year, month=month if language == "en" else int(month))


def sentence(language: str, chosen: Chosen, figures: Figures) -> str:
    """Return what the period says, the result first."""
    gap = "" if language == "zh" else " "
    return gap.join(part for part in _parts(language, when(language, chosen), figures) if part)


def _parts(language: str, period: str, figures: Figures) -> Iterator[str]:
    sums, sign = figures.sums, histogram(kpi.SIGN, figures.sign)
    if sums.alarms == 0:
        yield say(language, "report.says.nothing", when=period)
    elif sign.total == 0:
        yield say(language, "report.says.all_waiting", when=period, n=sums.alarms)
    else:
        facts = {"share": share(sign.shares[0]), "quick": sign.counts[0], "total": sign.total}
        median = duration(language, sign.median_s)
        yield say(language, "report.says.signed", when=period, median=median, **facts)
    if sums.escalated:
        yield say(language, "report.says.escalated", n=sums.escalated)
    if sums.expired:
        yield say(language, "report.says.expired", n=sums.expired)
    if floods := flooded(figures):
        yield say(language, "report.says.flooded", n=floods)
    if figures.open_in_all:
        oldest = (figures.period.now - figures.unfinished[0].raised_at).total_seconds()
        yield say(language, "report.says.open", n=figures.open_in_all, age=duration(language, oldest))
    elif sums.alarms:
        yield say(language, "report.says.all_done")
