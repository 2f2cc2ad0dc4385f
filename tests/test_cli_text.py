"""What the command line does to text, times and tables before it prints them."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from recorder.cli.tables import Column, lay_out
from recorder.cli.text import json_text, styled, styled_block, visible
from recorder.cli.times import show_duration, show_moment
from recorder.ledger.moments import parse_moment

BIDI = "\u061c\u200e\u200f" + "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u2028\u2029\ufff9\U000e0041"
RARE = st.sampled_from(BIDI + INVISIBLE + "\x1b\x07\r\x9b\x7f\ud800")
HOSTILE = st.text(st.characters(exclude_categories=()) | RARE)
JSON = st.recursive(
    HOSTILE | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner)
)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=1)))


def dangerous(text: str, allowed: str = "\n\t") -> list[str]:
    """The characters of a text that no terminal should get."""
    return [
        character
        for character in text
        if character not in allowed
        and (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in BIDI + INVISIBLE)
    ]


@given(HOSTILE)
def test_nothing_dangerous_stays(text: str) -> None:
    assert dangerous(visible(text)) == []
    assert dangerous(styled(text).plain, allowed="") == []


@given(HOSTILE)
def test_escaping_twice_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(HOSTILE)
def test_styled_text_says_the_same_and_reads_no_markup(text: str) -> None:
    assert styled(f"[bold]{text}").plain == f"[bold]{styled(text).plain}"
    assert styled_block(text).plain == visible(text)


@pytest.mark.parametrize("text", ["plain", "日本の首都", "naïve “quotes”", "a\n\tb", "😀", "\\x1b is typed"])
def test_harmless_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e", "\\u202e"),
        ("\ud800", "\\ud800"),
        ("\r", "\\r"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_escapes_name_the_character(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(JSON)
def test_json_is_printable_ascii_and_reads_back(value: object) -> None:
    text = json_text(value, indent=None)
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == value


def test_json_has_no_words_that_json_does_not_know() -> None:
    read = json.loads(json_text({"a": [float("nan"), 1.5], "b": float("inf")}))
    assert read == {"a": ["nan", 1.5], "b": "inf"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOON - timedelta(seconds=90)),
        ("1d12h", NOON - timedelta(hours=36)),
        ("2W", NOON - timedelta(weeks=2)),
        ("2026-11-01T12:00+01:00", datetime(2026, 11, 1, 11, tzinfo=UTC)),
        ("2026-11-01T12:00:30Z", datetime(2026, 11, 1, 12, 0, 30, tzinfo=UTC)),
        ("2026-11-01T12:00", datetime(2026, 11, 1, 12)),
        ("2026-11-01", datetime(2026, 11, 1)),
        ("today", datetime(2026, 11, 21)),
        ("yesterday", datetime(2026, 11, 20)),
    ],
)
def test_moments_are_read(text: str, moment: datetime) -> None:
    assert parse_moment(text, now=NOON) == moment.timestamp() * 1_000_000


def test_the_end_of_a_date_is_its_last_moment() -> None:
    assert parse_moment("2026-11-01", end=True) == datetime(2026, 11, 2).timestamp() * 1_000_000


@pytest.mark.parametrize("text", ["", "soon", "7", "d", "2026-13-01", "99999999999999999d", "12:00"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="7d"):
        parse_moment(text)


def test_moments_are_shown_as_short_as_today_allows() -> None:
    now = datetime(2026, 11, 21, 12)
    assert show_moment(now.timestamp(), now=now) == ("12:00:00",)
    assert show_moment((now - timedelta(days=1)).timestamp(), now=now)[0] == "11-20 12:00:00"
    assert show_moment((now - timedelta(days=365)).timestamp(), now=now)[0] == "2025-11-21 12:00:00"


@given(st.floats(min_value=0, max_value=8e7))
def test_durations_are_short(seconds: float) -> None:
    assert len(show_duration(seconds)) <= 7


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0421, "0.042s"),
        (4.2, "4.20s"),
        (42, "42.0s"),
        (125, "2m05s"),
        (3720, "1h02m"),
        (900_000, "10d10h"),
        (None, "–"),
    ],
)
def test_durations_keep_the_digits_that_matter(seconds: float | None, shown: str) -> None:
    assert show_duration(seconds) == shown


@given(st.lists(st.tuples(HOSTILE, HOSTILE), max_size=5), st.integers(30, 200))
def test_no_row_is_wider_than_the_terminal(cells: list[tuple[str, str]], width: int) -> None:
    columns = (Column("name", floor=10), Column("n", "right", drop=1), Column("what", floor=10))
    rows = [[(styled(first),), (Text("12"),), (styled(second), Text("short"))] for first, second in cells]
    layout = lay_out(columns, rows, width)
    lines = [layout.header(), *map(layout.line, rows)]
    assert all(line.cell_len <= width and "\n" not in line.plain for line in lines)


def test_columns_go_in_their_turn_where_room_is_short() -> None:
    columns = (Column("kept"), Column("second", drop=2), Column("first", drop=1))
    rows = [[(Text("x" * 10),)] * 3]
    assert [len(lay_out(columns, rows, width).shown) for width in (34, 33, 22, 21, 5)] == [3, 2, 2, 1, 1]


def test_a_short_spelling_leaves_its_room_to_others() -> None:
    columns = (Column("time", floor=3), Column("name", floor=3))
    rows = [[(Text("long spelling"), Text("abc")), (Text("n" * 20),)]]
    line = lay_out(columns, rows, 26).line(rows[0]).plain
    assert line == "abc   " + "n" * 20
