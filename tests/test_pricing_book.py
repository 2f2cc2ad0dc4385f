"""The curated book, books in files, and rows as plain values."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cli.text import json_text
from recorder.errors import PriceError
from recorder.pricing import RATES, Price, curated, plain_price, read_book, read_price
from recorder.pricing.patterns import matches_model

from .prices import a_price

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20).map(
    str.strip
)
PRICES = st.builds(
    lambda id, model, rates, **rest: Price(id=id, model=model, **rates, **rest),
    NAMES.filter(bool),
    NAMES.filter(bool),
    st.dictionaries(st.sampled_from(RATES), st.decimals(0, 10**6, places=9, allow_nan=False), min_size=1),
    provider=st.none() | st.just("corp"),
    valid_from_us=st.none() | st.integers(0, 10**15),
    valid_to_us=st.none() | st.integers(2 * 10**15, 3 * 10**15),
    own=st.booleans(),
    enabled=st.booleans(),
)


def test_every_curated_row_has_its_source_and_rates() -> None:
    rows = curated().prices
    assert len({row.id for row in rows}) == len(rows) > 50
    for row in rows:
        assert row.source
        assert row.looked_up == "2026-11-21"
        assert row.provider == "deepseek"
        assert not row.own
        assert row.enabled == (row.currency == "USD")
        assert all(rate is not None for rate in (row.input, row.cached, row.output))


def test_curated_rows_of_a_currency_never_overlap() -> None:
    groups: dict[tuple[str, str, bool], list[tuple[int, int]]] = {}
    for row in curated().prices:
        span = (row.valid_from_us or 0, row.valid_to_us or 2**62)
        groups.setdefault((row.model, row.currency, row.hours is not None), []).append(span)
    for spans in groups.values():
        spans.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_peak_rates_are_twice_the_others() -> None:
    rows = {row.id: row for row in curated().prices}
    peaks = [row for row in rows.values() if "-peak" in row.id]
    assert len(peaks) > 10
    for row in peaks:
        off = rows[row.id.replace("-peak-daily", "").replace("-peak", "")]
        assert [row.input, row.cached, row.output] == [
            2 * (rate or 0) for rate in (off.input, off.cached, off.output)
        ]


@given(PRICES)
def test_a_row_survives_json(price: Price) -> None:
    assert read_price(json.loads(json_text(plain_price(price)), parse_float=Decimal)) == price


def test_a_book_can_be_a_file_of_toml_or_json(tmp_path: Path) -> None:
    toml, plain = tmp_path / "book.toml", tmp_path / "book.json"
    toml.write_text(
        '[[price]]\nid = "g"\nmodels = ["a", "b*"]\nhost = "llm.corp.local"\ncurrency = "eur"\ninput = 0.20\n'
    )
    rows = read_book(toml).prices
    assert [(row.id, row.currency, str(row.input)) for row in rows] == [
        ("g/a", "EUR", "0.20"),
        ("g/b*", "EUR", "0.20"),
    ]
    plain.write_text(json_text([plain_price(row) for row in rows]))
    assert read_book(plain).prices == rows


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("price = 1", "price is no list of tables"),
        ("[[price]]\nid = 'x'\nmodel = 'y'", "row x: a row needs a rate"),
        ("[[price]]\nmodel = 'y'\ninput = 1", "row ?: a row needs an id"),
        ("[[price]]\nid = 'x'\ninput = 1", "row x: a row needs a model"),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninput = -1", "row x: -1 is no rate"),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninput = nan", "is no rate"),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninptu = 1", "a row has no 'inptu'"),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninput = 1\nhost = 'http://x'", "is no host"),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninput = 1\ncurrency = 'dollars'", "is no currency"),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninput = 1\nfrom = 'soon'", "is no moment"),
        (
            "[[price]]\nid = 'x'\nmodel = 'y'\ninput = 1\nfrom = 2026-02-01\nto = 2026-01-01",
            "has to end after",
        ),
        ("[[price]]\nid = 'x'\nmodel = 'y'\ninput = 1\n" * 2, "it has two rows 'x'"),
        ("[[holidays]]\ncountry = 'CN'\nyear = 2027\ndays = ['2026-01-01']", "a day of another year"),
        (
            "[[holidays]]\ncountry = 'CN'\nyear = 2027\ndays = ['2027-01-02..2027-01-01']",
            "ends before it begins",
        ),
        ("[[holidays]]\nyear = 2027", "holidays need country"),
        ("not toml", "is no price book"),
    ],
)
def test_a_book_that_cannot_be_used_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "book.toml"
    path.write_text(text)
    with pytest.raises(PriceError) as raised:
        read_book(path)
    assert complaint in str(raised.value)
    with pytest.raises(PriceError, match="no price book"):
        read_book(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("deepseek-r1", "deepseek-r1", True),
        ("deepseek-r1", "deepseek-r1-distill", False),
        ("deepseek-r1", "my/deepseek-r1", False),
        ("deepseek-r1*", "deepseek-r1-distill", True),
        ("deepseek-r1*", "my/deepseek-r1", False),
        ("*/deepseek-r1", "my/deepseek-r1", True),
        ("gpt-4.1", "gpt-4x1", False),
        ("gpt-4.*", "gpt-4x1", False),
        ("a[bc]*", "ab", False),
        ("*", "any\nthing", True),
    ],
)
def test_patterns_fit_the_whole_name(pattern: str, name: str, fits: bool) -> None:
    assert matches_model(pattern, name) is fits


@pytest.mark.parametrize("value", ["1e400", "1_0x", "", "inf", 10**10, None])
def test_what_is_no_rate_is_refused(value: Any) -> None:
    if value is None:
        assert a_price(cached=None).cached is None
        return
    with pytest.raises(ValueError, match="no rate"):
        a_price(cached=value)
