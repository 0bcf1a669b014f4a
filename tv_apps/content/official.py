"""Reading an official Chinese document from plain text: title, number, unit, date, and clean paragraphs.

The texts come from many web pages: titles broken over two lines, ideographic indents, dates in Chinese numerals, page
furniture at the end. Nothing of the words is rewritten but what is plainly damage of the copy.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.model.errors import BadInput
from gateway.model.notices import SUMMARY_CHARACTERS, Notice, Section

_NUMBER: Final = re.compile(r"[\u4e00-\u9fff]{2,12}[〔\[（(]\d{4}[〕\]）)]\s*\d+\s*号")
_DATE: Final = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_DATE_ZH: Final = re.compile(
    r"([二一][〇○ＯOo零一二三四五六七八九]{3})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日"
)
_FURNITURE: Final = re.compile(r"^(抄送|来源|（此件|打印|分享|责任编辑|附件下载)|^[—\-=_\s]+$|印发$|^联系人")
_ADDRESS: Final = re.compile(r"^(各|有关).{2,60}[：:]$")
_UNIT: Final = re.compile(r"(政府|办公室|局|委员会|小组|中心|处|部)$")
_HEADING: Final = re.compile(r"^([一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[）)]|\d+[.．。、])")
_ENDINGS: Final = ("通知", "意见", "方案", "办法", "规划", "决定", "公告")
_DIGITS: Final = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0, "○": 0, "Ｏ": 0, "O": 0, "o": 0}
_HEAD_LINES: Final = 40

#: Damage of the copy: pattern → what stood there.
_REPAIRS: Final = (
    (re.compile(r"(?<=[\u4e00-\u9fff])\s+and\s+(?=[\u4e00-\u9fff])"), "和"),
    (re.compile(r"(?<=\d)\.\s+(?=\d)"), "."),
    (re.compile(r"(?<=\d)\s+%"), "%"),
    (re.compile(r"^(\d{1,2})[。.]\s*(?=[\u4e00-\u9fff])"), r"\1．"),
    (re.compile(r"(?<=[，。、；：”》])\s+(?=[\u4e00-\u9fff])"), ""),
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was published; `number` is empty where it has none."""

    title: str
    number: str
    unit: str
    published_on: date
    paragraphs: tuple[str, ...]

    def as_notice(self, area_id: str) -> Notice:
        """Return it as a notice of 政务公开; its id follows from number and title, so that it is imported once."""
        digest = hashlib.sha256(f"{self.number}|{self.title}".encode()).hexdigest()[:16]
        return Notice(
            notice_id=f"gov-{digest}",
            area_id=area_id,
            section=Section.GOVERNMENT,
            title=self.title,
            summary=self.title[:SUMMARY_CHARACTERS],
            body=self.paragraphs,
            source_unit=self.unit,
            doc_number=self.number,
            published_on=self.published_on,
        )


def read(text: str, place: str) -> Document:
    """Return the document in `text`; BadInput (no_title, no_date, no_body) names the file and the cure."""
    lines = [_clean(line) for line in text.splitlines()]
    number = next((line for line in lines[:_HEAD_LINES] if _NUMBER.fullmatch(line)), "")
    published_on, date_line = _date(lines, place)
    title, title_lines = _title(lines, date_line, place)
    unit, unit_lines = _unit(lines, date_line, lines[title_lines[0]])
    left_out = {*title_lines, *unit_lines, date_line}
    kept = [line for number_, line in enumerate(lines) if number_ not in left_out and line != number]
    paragraphs = tuple(_paragraphs(_without_furniture(kept), {unit, title}))
    if not paragraphs:
        raise BadInput("nothing but a head", reason="no_body", place=place, cure="Check that the file is whole.")
    return Document(title, number.replace(" ", ""), unit, published_on, paragraphs)


def _clean(line: str) -> str:
    line = re.sub(r"[\s\u3000\xa0]+", " ", line).strip()
    for pattern, instead in _REPAIRS:
        line = pattern.sub(instead, line)
    return line


def _date(lines: Sequence[str], place: str) -> tuple[date, int]:
    """Return the day of publication: the first line that is nothing but a date."""
    for number, line in enumerate(lines):
        if match := _DATE.fullmatch(line):
            return date(int(match[1]), int(match[2]), int(match[3])), number
        if match := _DATE_ZH.fullmatch(line):
            year = int("".join(str(_DIGITS[digit]) for digit in match[1]))
            return date(year, _small(match[2]), _small(match[3])), number
    raise BadInput(
        "no line with the date of publication", reason="no_date", place=place, cure="Add one, as 2026年7月19日."
    )


def _small(text: str) -> int:
    """Return a Chinese number from 1 to 99."""
    tens, mark, ones = text.partition("十")
    if not mark:
        return _DIGITS[text]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _title(lines: Sequence[str], date_line: int, place: str) -> tuple[str, list[int]]:
    """Return the title and its lines: 关于……的通知, else the first heading of the text after its date."""
    for number, line in enumerate(lines[:_HEAD_LINES]):
        if "关于" in line and not line.endswith(("。", "，")) and "〔" not in line:
            found = _joined(lines, number)
            if found:
                return found[0][found[0].index("关于") :], found[1]
    for number in range(date_line + 1, min(len(lines), date_line + 8)):
        found = _joined(lines, number) if lines[number] else None
        if found:
            return found
    raise BadInput("no title", reason="no_title", place=place, cure="Add a line such as 关于……的通知.")


def _joined(lines: Sequence[str], first: int) -> tuple[str, list[int]] | None:
    """Return the title that begins on line `first`, over at most three lines; blank lines may stand between."""
    words, used = "", []
    for number in range(first, min(len(lines), first + 5)):
        words += lines[number]
        used += [number] if lines[number] else []
        if words.endswith(_ENDINGS):
            return words, used
        if len(used) == 3 or lines[number].endswith(("。", "：", ":")):
            return None
    return None


def _unit(lines: Sequence[str], date_line: int, title_line: str) -> tuple[str, list[int]]:
    """Return who signed, from the lines above the date, else from before 关于 in the title."""
    names: list[str] = []
    used: list[int] = []
    for number in range(date_line - 1, max(-1, date_line - 6), -1):
        if lines[number] and not (_UNIT.search(lines[number]) and len(lines[number]) < 24):
            break
        if lines[number]:
            names.insert(0, lines[number])
            used.append(number)
    return ("、".join(names) or title_line.partition("关于")[0].strip() or "政府部门"), used


def _without_furniture(lines: Sequence[str]) -> list[str]:
    """Leave out page furniture, and whatever follows 抄送."""
    kept = []
    for line in lines:
        if line.startswith("抄送"):
            break
        if not _FURNITURE.search(line):
            kept.append(line)
    return kept


def _paragraphs(lines: Iterable[str], repeated: set[str]) -> Iterable[str]:
    """Join lines that a copy has broken: after 、 or ， and inside words; leave out repeated titles and lone units."""
    waiting, title = "", max(repeated, key=len)
    for line in lines:
        is_repeat = line in repeated or line.removesuffix("文件") in repeated
        if is_repeat or (waiting == "" and line and _UNIT.search(line) and len(line) < 16):
            continue
        if line and (waiting.endswith(("、", "，", ",")) or (waiting and waiting + line in title)):
            waiting += line
        elif line:
            if waiting:
                yield waiting
            waiting = line
    if waiting:
        yield waiting
