"""The page description: what one page of a mini-app says, without logic, size, colour or position.

A page has a title, at most one sentence, one body (a list, a text or a table), and beside it a picture and
facts; below it links to other pages of the same app. `{books.open_today}` is replaced by a value of
data/books.json; `{row.title}` is a value of the row that is drawn, `{item.title}` of the row that a page with
`each` was opened for; `{area.name}` is the community, when the permission profile.area was granted. That is all
the language there is, so any page that passes the check can be drawn on any box.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tv_apps.miniapps.manifest import Part

MAX_ROWS = 120
MAX_PARAGRAPHS = 60

#: A dotted path to a value; the first step is the name of a file in data/, or `item`, `row` or `area`.
DataPath = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*(\.([A-Za-z_][A-Za-z0-9_-]*|\d+))*$", max_length=120)
]
#: Text with `{path}` in it; a brace that should be seen is written twice.
Template = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
PageRef = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class ListPart(Part):
    """Rows to choose from, six on a screen."""

    of: DataPath = Field(description="数据里的一个列表，例如 books.all (a list in the data)")
    title: Template = Field(description="每行的标题，例如 {row.name}")
    note: Template | None = Field(default=None, description="标题下面的一行小字")
    mark: Template | None = Field(default=None, description="右边的短标记，最多 3 个字")
    link: PageRef | None = Field(default=None, description="按 确定 打开哪一页；那一页写 each")
    empty: Template = Field(default="现在还没有内容。", description="列表为空的时候说的话")


class Column(Part):
    name: Template = Field(description="表头")
    value: Template = Field(description="每行的值，例如 {row.price}")
    align: Literal["left", "right"] = "left"


class TablePart(Part):
    """Figures side by side, six rows on a screen."""

    of: DataPath
    columns: list[Column] = Field(min_length=2, max_length=4)
    empty: Template = "现在还没有内容。"


class TextPart(Part):
    """Running text in reading size; long text is paged."""

    paragraphs: list[Paragraph] = Field(default_factory=list, max_length=MAX_PARAGRAPHS)
    of: DataPath | None = Field(default=None, description="数据里的一段文字，或者一列段落")

    @model_validator(mode="after")
    def _one_source(self) -> "TextPart":
        if bool(self.paragraphs) == (self.of is not None):
            raise PydanticCustomError("one_source", "paragraphs or of")
        return self


class PicturePart(Part):
    src: Template = Field(description="包里的图，例如 img/door.jpg 或 {item.cover}")
    alt: Template = Field(description="图上有什么，念给看不清的人听")


class Fact(Part):
    name: Template
    value: Template


class Link(Part):
    page: PageRef
    name: Template


class PageModel(Part):
    """One file pages/NAME.json."""

    title: Template
    each: DataPath | None = Field(default=None, description="这一页画的是哪个列表的一行，值写 {item.…}")
    sentence: Template | None = Field(default=None, description="先说结论的一句话")
    rows: ListPart | None = Field(default=None, alias="list")
    text: TextPart | None = None
    table: TablePart | None = None
    picture: PicturePart | None = None
    facts: list[Fact] = Field(default_factory=list, max_length=4)
    links: list[Link] = Field(default_factory=list, max_length=3)
    ok: Template | None = Field(default=None, description="屏幕下方 确定 键旁边的字")

    @model_validator(mode="after")
    def _one_body(self) -> "PageModel":
        bodies = [body for body in (self.rows, self.text, self.table) if body is not None]
        if len(bodies) != 1:
            raise PydanticCustomError("one_body", "list, text or table")
        return self
