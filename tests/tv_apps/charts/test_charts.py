import io

from PIL import Image

from tv_apps.charts import hours, weeks
from tv_apps.charts.png import to_png
from tv_apps.charts.shapes import Bar, Drawing, Trace, Words, ceiling_of, to_svg

WORDS = weeks.WeekWords("这周和上周", "度/天", tuple("一二三四五六日"), "这周", "上周")
HOURS = hours.HourWords("PM2.5", "微克", ("",) * 24, "没有读数")
WEEK = (5.6, 5.1, 4.8, 5.0, 5.3, 6.1, 4.5)


def test_axis_begins_at_zero_and_ends_round() -> None:
    """Bars tell the truth only from zero; the top is a round number above the highest value."""
    assert ceiling_of([6.4]) == (8.0, 2.0)
    assert ceiling_of([73.0]) == (75.0, 25.0) or ceiling_of([73.0]) == (80.0, 20.0)
    assert ceiling_of([]) == (1.0, 1.0)


def test_bar_height_is_in_proportion_to_its_value() -> None:
    """Twice the use is twice the height."""
    drawing = weeks.draw((2.0, 4.0, None, None, None, None, None), (None,) * 7, WORDS)
    low, high = (shape for shape in drawing.shapes if isinstance(shape, Bar))
    assert abs(high.h - 2 * low.h) < 0.01


def test_day_without_data_has_no_bar_and_interrupts_the_line() -> None:
    """A gap is a gap: no bar of height zero, no line drawn across."""
    drawing = weeks.draw((1.0, None, 3.0, None, None, None, None), (1.0, 2.0, None, 4.0, 5.0, None, None), WORDS)
    bars = [shape for shape in drawing.shapes if isinstance(shape, Bar) and shape.fill == "lamp"]
    dashed = [shape for shape in drawing.shapes if isinstance(shape, Trace) and shape.dash]
    assert len(bars) == 2
    assert [len(trace.points) for trace in dashed] == [2, 2]


def test_missing_hours_split_the_line_and_a_lone_hour_is_a_dot() -> None:
    """NA hours split the line into its parts; one hour between two gaps is drawn as a dot."""
    values = (10.0, 12.0, None, 30.0, None, *([20.0] * 19))
    drawing = hours.draw(values, HOURS)
    lines = [shape for shape in drawing.shapes if isinstance(shape, Trace) and shape.hue == "lamp"]
    dots = [shape for shape in drawing.shapes if isinstance(shape, Bar)]
    assert [len(line.points) for line in lines] == [2, 19]
    assert len(dots) == 2  # the lone hour, and the mark on the newest


def test_svg_uses_only_what_an_old_engine_draws() -> None:
    """The SVG has no style, script, use, filter or foreign reference, and all its text is at least 24 px."""
    svg = to_svg(weeks.draw(WEEK, WEEK, WORDS))
    for word in ("<style", "<script", "<use", "clip-path", "filter", "href", "foreignObject", "url("):
        assert word not in svg
    assert "<title>这周和上周</title>" in svg
    assert 'font-size="2' in svg and 'font-size="1' not in svg


def test_words_are_escaped() -> None:
    """A name with a bracket stays a name."""
    assert "&lt;b&gt;" in to_svg(Drawing(10, 10, "t", (Words(0, 0, "<b>", 24, "paper"),)))


def test_png_is_the_same_drawing_with_few_colours() -> None:
    """The PNG twin has the drawing's size, its bars where the SVG has them, and is small."""
    drawing = weeks.draw(WEEK, WEEK, WORDS)
    raw = to_png(drawing)
    picture = Image.open(io.BytesIO(raw))
    assert picture.size == (drawing.width, drawing.height)
    assert picture.mode == "P" and len(raw) < 20_000
    bar = next(shape for shape in drawing.shapes if isinstance(shape, Bar) and shape.fill == "lamp")
    red, green, blue = picture.convert("RGB").getpixel((int(bar.x + 8), int(bar.y + bar.h / 2)))  # type: ignore[misc]
    assert abs(red - 0xFF) < 12 and abs(green - 0xC8) < 12 and abs(blue - 0x61) < 12
