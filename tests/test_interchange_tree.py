"""Importing whole directories: what is written where, and what the summary says of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recorder.cassettes.file import FileCassette
from recorder.errors import CassetteError
from recorder.interchange import Summary, import_tree
from recorder.settings import RedactionRules

URL = "https://api.openai.com/v1/chat/completions"


def cassette(body: Any = "x", *, url: str = URL, **headers: str) -> str:
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {name.replace("_", "-"): [value] for name, value in headers.items()},
        "body": {"string": body},
    }
    request = {"method": "POST", "uri": url, "headers": {"authorization": ["Bearer sk-1"]}, "body": "{}"}
    return json.dumps({"interactions": [{"request": request, "response": response}], "version": 1})


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two good cassettes, one that is broken, one with an entry too many, and other files."""
    files = {
        "a/one.yaml": cassette("one"),
        "b/two.json": cassette("two"),
        "b/broken.yaml": "interactions:\n- request: {\n",
        "odd[1.5]": cassette("odd"),
        "partly.yaml": json.dumps(
            {"interactions": [json.loads(cassette())["interactions"][0], {"request": {}}]}
        ),
        "readme.md": "# Interactions\n",
        ".git/HEAD.yaml": cassette("hidden"),
    }
    for name, text in files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "in"


def bodies(path: Path) -> list[bytes]:
    return [each.exchange.body for each in FileCassette(path).load() or ()]


def test_relative_names_are_kept_and_end_in_yaml(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    summary = import_tree(tree, out)
    assert sorted(summary.imported) == ["a/one.yaml", "b/two.json", "odd[1.5]", "partly.yaml"]
    assert bodies(out / "a" / "one.yaml") == [b"one"]
    assert bodies(out / "b" / "two.yaml") == [b"two"]
    assert bodies(out / "odd[1.5].yaml") == [b"odd"]
    assert (summary.exchanges, summary.formats, summary.complete) == (4, {"vcrpy": 4}, False)


def test_what_was_left_behind_is_counted_and_named(tree: Path, tmp_path: Path) -> None:
    summary = import_tree(tree, tmp_path / "out")
    assert [(name, "broken.yaml, line" in why) for name, why in summary.failed] == [("b/broken.yaml", True)]
    assert [name for name, _ in summary.others] == ["readme.md"]
    assert [str(note) for note in summary.notes] == ["partly.yaml, entry 2: `response` is missing"]
    text = "\n".join(summary.lines())
    assert text.startswith("4 exchanges of 4 files imported (4 vcrpy)\n")
    assert "`response` is missing: 1\n  partly.yaml, entry 2\n" in text
    assert "not read: 1\n" in text
    assert "no cassette: 1\n" in text


def test_summary_shows_the_first_examples_of_each_reason(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c.yaml").write_text(json.dumps({"interactions": [{"request": {}}] * 5}))
    summary = import_tree(tmp_path / "in", tmp_path / "out")
    assert summary.reasons() == {"`response` is missing": 5}
    assert list(summary.lines())[-1] == "  … and 2 more"
    assert not (tmp_path / "out").exists()


def test_existing_file_is_left_alone_unless_told(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    import_tree(tree, out)
    (tree / "a" / "one.yaml").write_text(cassette("new"))
    summary = import_tree(tree, out)
    assert summary.imported == {}
    assert sorted(summary.existing) == ["a/one.yaml", "b/two.json", "odd[1.5]", "partly.yaml"]
    assert bodies(out / "a" / "one.yaml") == [b"one"]
    assert import_tree(tree, out, overwrite=True).existing == ()
    assert bodies(out / "a" / "one.yaml") == [b"new"]


def test_files_that_would_become_one_keep_their_whole_names(tmp_path: Path) -> None:
    for name in ("c.yaml", "c.json", "d.yaml"):
        (tmp_path / name).write_text(cassette(name))
    out = tmp_path / "out"
    import_tree(tmp_path, out)
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == [
        "c.json.yaml",
        "c.yaml.yaml",
        "d.yaml",
    ]


def test_single_file_goes_to_the_path_or_the_directory_given(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(cassette())
    (tmp_path / "dir").mkdir()
    assert import_tree(tmp_path / "c.json", tmp_path / "x.yaml").imported == {
        "c.json": str(tmp_path / "x.yaml")
    }
    assert import_tree(tmp_path / "c.json", tmp_path / "dir").imported == {
        "c.json": str(tmp_path / "dir" / "c.yaml")
    }


def test_secrets_are_replaced_before_anything_is_written(tmp_path: Path) -> None:
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    (tmp_path / "c.yaml").write_text(cassette(f'{{"echo": "{secret}"}}', url=f"{URL}?api_key={secret}"))
    summary = import_tree(tmp_path / "c.yaml", tmp_path / "out.yaml")
    written = (tmp_path / "out.yaml").read_text()
    assert secret not in written
    assert "Bearer sk-1" not in written
    assert "REDACTED" in written
    assert summary.redacted == 1
    assert FileCassette(tmp_path / "out.yaml").load()[0].exchange.redacted  # type: ignore[index]


def test_redaction_follows_ones_own_rules_or_is_off(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(cassette("ticket T-12345"))
    rules = RedactionRules(patterns=(r"T-\d+",))
    import_tree(tmp_path / "c.yaml", tmp_path / "rules.yaml", redact=rules)
    assert bodies(tmp_path / "rules.yaml") == [b"ticket REDACTED"]
    import_tree(tmp_path / "c.yaml", tmp_path / "off.yaml", redact=False)
    assert bodies(tmp_path / "off.yaml") == [b"ticket T-12345"]


def test_progress_counts_to_the_end(tree: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    import_tree(tree, tmp_path / "out", progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == list(range(len(seen)))
    assert seen[0][1:] == (6, "odd[1.5]")
    assert seen[-1] == (6, 6, "")


def test_nothing_to_import_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="no file or directory"):
        import_tree(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert import_tree(tmp_path / "empty", tmp_path / "out") == Summary()


def test_directory_in_the_way_stops_nothing(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("")
    summary = import_tree(tree, tmp_path / "out")
    assert [name for name, _ in summary.failed] == ["a/one.yaml", "b/broken.yaml"]
    assert len(summary.imported) == 3


def test_what_is_a_cassette_of_ours_already_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(cassette())
    import_tree(tmp_path / "c.yaml", tmp_path / "in" / "ours.yaml")
    summary = import_tree(tmp_path / "in", tmp_path / "out")
    assert summary.others == (("ours.yaml", "ours.yaml is a cassette of recorder already"),)
