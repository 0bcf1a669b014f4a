from datetime import date
from pathlib import Path

import pytest

from gateway.model.errors import BadInput
from tv_apps.content import official

TEXT = """
柳湾镇人民政府办公室

关于印发柳湾镇智慧社区建设
工作方案的通知

柳政办发〔2026〕7号

各村（居）委会，镇直各单位：

　　经镇政府同意，现将《方案》印发给你们，请认真执行。

柳湾镇人民政府办公室
二〇二六年三月十二日

一、总体要求

坚持便民、利民、
惠民 and 安民，覆盖率达到98. 5%以上。

抄送：镇党委办。
"""


def test_document_is_read_with_title_number_unit_and_date() -> None:
    """A title over two lines, a date in Chinese numerals and the number are found; furniture is left out."""
    found = official.read(TEXT, "x.txt")
    assert found.title == "关于印发柳湾镇智慧社区建设工作方案的通知"
    assert (found.number, found.unit, found.published_on) == (
        "柳政办发〔2026〕7号",
        "柳湾镇人民政府办公室",
        date(2026, 3, 12),
    )
    assert found.paragraphs == (
        "各村（居）委会，镇直各单位：",
        "经镇政府同意，现将《方案》印发给你们，请认真执行。",
        "一、总体要求",
        "坚持便民、利民、惠民和安民，覆盖率达到98.5%以上。",
    )


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [(TEXT.replace("二〇二六年三月十二日", ""), "no_date"), ("你好\n2026年3月12日\n", "no_title"), ("", "no_date")],
)
def test_text_that_is_no_document_is_refused_by_name(spoilt: str, reason: str) -> None:
    """Without date or title the file is refused with the reason and its name."""
    with pytest.raises(BadInput) as refused:
        official.read(spoilt, "x.txt")
    assert refused.value.reason == reason and refused.value.place == "x.txt"


EXPECTED = {
    "朝政办发〔2009〕42号": ("关于印发朝阳区高清交互数字电视网络推广普及工作方案的通知", date(2009, 12, 17)),
    "稷政办发〔2023〕1号": ("关于印发《加快推进“村村通”“户户通”电视全覆盖工程实施方案》的通知", date(2023, 1, 6)),
    "资府办发〔2017〕49号": ("关于印发资阳市建设“高清资阳 智慧广电”实施方案的通知", date(2017, 7, 24)),
    "穗科信字〔2012〕125号": ("广州市三网融合试点建设工作方案", date(2012, 5, 4)),
    "": ("关于印发周村区推进智慧社区（村）建设工作实施方案的通知", date(2015, 5, 20)),
}


def test_the_five_real_plans_are_read_whole(shared_data: Path) -> None:
    """The five government plans of the seeds are read with their titles, numbers, dates and clean paragraphs."""
    files = sorted((shared_data.parent / "seeds").glob("*.txt"))
    if len(files) < 5:
        pytest.skip("the seeds are not here")
    found = {document.number: document for document in (official.read(f.read_text("utf-8"), f.name) for f in files)}
    assert {number: (each.title, each.published_on) for number, each in found.items()} == EXPECTED
    for document in found.values():
        assert len(document.paragraphs) > 20
        assert all(words and words == words.strip() and "抄送" not in words for words in document.paragraphs)
        assert document.unit.endswith(("办公室", "小组"))
