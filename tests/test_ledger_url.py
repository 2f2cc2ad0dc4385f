from __future__ import annotations

import os
from pathlib import Path

import pytest

from recorder.errors import MissingExtra, StoreError
from recorder.ledger.url import check_url, is_memory, resolved, shown, sqlite_path


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///calls.db",
        "sqlite:////var/lib/calls.db",
        "sqlite+pysqlite:///calls.db?timeout=1",
        "sqlite:///C:\\calls.db",
    ],
)
def test_sqlite_urls_are_accepted(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("calls.db", "write sqlite:///calls.db"),
        ("/var/calls.db", "write sqlite:////var/calls.db"),
        ("C:\\calls.db", "write sqlite:///C:\\calls.db"),
        ("sqlite:calls.db", "write sqlite:///calls.db"),
        ("sqlite:/calls.db", "write sqlite:///calls.db"),
        ("sqlite://calls.db", "write sqlite:///calls.db"),
        ("", "write for example sqlite:///recorder.db"),
        ("mysql://host/calls", "begins with sqlite:/// or postgresql://"),
        ("postgresql+asyncpg://host/calls", "begins with sqlite:/// or postgresql://"),
        ("postgresql://host:abc/calls", "host:port/name"),
    ],
)
def test_what_is_no_store_is_refused_with_a_hint(url: str, hint: str) -> None:
    with pytest.raises(StoreError) as caught:
        check_url(url)
    assert hint in str(caught.value)


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.ledger.url.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"llm-flight-recorder\[postgres\]"):
        check_url("postgresql://host/calls")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@host/calls",
        "postgresql://ann:hunter2@2@host/calls",
        "postgresql://ann:hun/hunter2@host/calls",
        "postgresql://host/calls?user=ann&password=hunter2",
        "mysql://ann:hunter2@host/calls",
        "postgresql://ann:hunter2@host:abc/calls",
    ],
)
def test_passwords_are_not_shown(url: str) -> None:
    assert "hunter2" not in shown(url)
    assert "host" in shown(url)


def test_a_refused_url_does_not_tell_its_password() -> None:
    with pytest.raises(StoreError) as caught:
        check_url("mysql://ann:hunter2@host/calls")
    assert "hunter2" not in str(caught.value)


def test_relative_paths_are_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolved("sqlite:///calls.db?timeout=1") == f"sqlite:///{os.getcwd()}/calls.db?timeout=1"
    assert resolved(resolved("sqlite:///calls.db")) == resolved("sqlite:///calls.db")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_means_psycopg_3(scheme: str) -> None:
    assert resolved(f"{scheme}://host/calls") == "postgresql+psycopg://host/calls"


def test_every_spelling_of_a_database_in_memory_is_the_same() -> None:
    spellings = ("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+pysqlite:///:memory:")
    assert {resolved(url) for url in spellings} == {"sqlite://"}
    assert all(is_memory(url) and sqlite_path(url) is None for url in spellings)


def test_the_path_of_a_sqlite_url() -> None:
    assert sqlite_path("sqlite:///calls.db?timeout=1") == "calls.db"
    assert sqlite_path("sqlite:////var/calls.db") == "/var/calls.db"
    assert sqlite_path("postgresql://host/calls") is None
    assert sqlite_path("sqlite:///file:calls.db?uri=true") is None
