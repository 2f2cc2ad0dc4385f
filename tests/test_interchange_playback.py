"""Trees of other projects: every file is imported, and answers byte for byte what vcrpy's own playback answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest
import yaml

from recorder.cassettes.file import FileCassette
from recorder.exchange import Request, header
from recorder.interchange import import_file, import_tree, vcr_cassette, vcr_config

from .playing import TREES, InMemory, play, play_vcr_file, play_with_vcrpy, vcrpy

VCRPY = ("ldp", "llm", "openllmetry", "pydantic-ai")
EVERY = 6
load_yaml: Any = partial(yaml.load, Loader=yaml.CSafeLoader)

pytestmark = pytest.mark.skipif(not TREES.is_dir(), reason="the trees of other projects are not here")


def files(*trees: str, every: int = 1) -> Iterator[Path]:
    """Each n-th cassette of these trees."""
    yield from [path for tree in trees for path in sorted((TREES / tree).rglob("*.yaml"))][::every]


def requests_of(path: Path) -> list[Request]:
    return [exchange.request for exchange in import_file(path).exchanges]


def chat(client: openai.OpenAI, request: Request) -> tuple[int, bytes]:
    """Ask for the completion that a request asked for, and tell what came."""
    body = json.loads(request.body)
    known = {name: body.pop(name) for name in ("model", "messages", "stream") if name in body}
    there = client.with_options(base_url=request.url.removesuffix("/chat/completions"))
    try:
        answered = there.chat.completions.with_raw_response.create(**known, extra_body=body).http_response
    except openai.APIStatusError as error:
        answered = error.response
    return answered.status_code, answered.read()


def differences(paths: Iterator[Path], ways: Any) -> Counter[str]:
    """Over these files, how many answers were compared, and how many differ in what from vcrpy's."""
    found: Counter[str] = Counter()
    for path in paths:
        requests = requests_of(path)
        for theirs, ours in zip(play_with_vcrpy(path, requests), ways(path, requests), strict=True):
            found["answers"] += 1
            if len(theirs) != 4 or len(ours) != 4:
                found["missed"] += 1
                continue
            for name, their, our in zip(("status", "reason", "headers", "body"), theirs, ours, strict=True):
                found[name] += their != our
    return found


def check_in_place(every: int) -> Counter[str]:
    found = differences(
        files(*VCRPY, every=every), lambda path, asked: play_vcr_file(path, asked, vcr_config({}))
    )
    assert [found[name] for name in ("missed", "status", "reason", "headers", "body")] == [0] * 5
    return found


def check_imported(every: int, tmp_path: Path) -> Counter[str]:
    """Through cassette files, which leave out headers that change from recording to recording."""

    def ways(path: Path, asked: list[Request]) -> Any:
        written = tmp_path / f"{abs(hash(path))}.yaml"
        summary = import_tree(path, written)
        assert summary.complete, list(summary.lines())
        return play(FileCassette(written), asked)

    found = differences(files(*VCRPY, every=every), ways)
    assert [found[name] for name in ("missed", "status", "reason", "body")] == [0] * 4
    return found


def check_exactly(every: int) -> Counter[str]:
    """Without files between, and without redaction: nothing at all differs."""
    found = differences(
        files(*VCRPY, every=every),
        lambda path, asked: play(InMemory(import_file(path).exchanges), asked, redact=False),
    )
    assert [found[name] for name in ("missed", "status", "reason", "headers", "body")] == [0] * 5
    return found


def test_every_cassette_of_every_tree_is_imported_whole(tmp_path: Path) -> None:
    summary = import_tree(TREES, tmp_path / "out", target=lambda path: InMemory(name=str(path)))
    assert summary.complete, list(summary.lines())
    assert dict(summary.formats) == {"vcrpy": 289, "go-vcr": 70}
    assert summary.exchanges == 857
    assert [name for name, _ in summary.others] == ["README.md"]


def test_tree_answers_where_it_lies_as_vcrpy_does() -> None:
    assert check_in_place(EVERY)["answers"] > 30


def test_imported_tree_answers_as_vcrpy_does(tmp_path: Path) -> None:
    assert check_imported(EVERY, tmp_path)["answers"] > 30


def test_exchanges_answer_exactly_as_vcrpy_does() -> None:
    assert check_exactly(EVERY)["answers"] > 30


def test_go_vcr_answers_what_its_files_hold() -> None:
    for path in files("fantasy"):
        exchanges = import_file(path).exchanges
        got = play(InMemory(exchanges), [exchange.request for exchange in exchanges], redact=False)
        for answer, interaction in zip(got, load_yaml(path.read_bytes())["interactions"], strict=True):
            kept = interaction["response"]
            body = kept["body"] if isinstance(kept["body"], bytes) else kept["body"].encode()
            assert (answer[0], f"{answer[0]} {answer[1]}", answer.body) == (
                kept["code"],
                kept["status"],
                body,
            )
            assert header(answer[2], b"content-type") == kept["headers"]["Content-Type"][0].encode()


def test_openai_client_gets_the_same_from_both() -> None:
    asked = 0
    for path in files("openllmetry", "pydantic-ai", every=2 * EVERY):
        chats = [each for each in requests_of(path) if each.url.endswith("/chat/completions")]
        with openai.OpenAI(api_key="sk-any", base_url="https://h", max_retries=0) as client:
            with vcrpy(path):
                theirs = [chat(client, request) for request in chats]
            with vcr_cassette(path) as cassette:
                cassette.wrap(client)
                ours = [chat(client, request) for request in chats]
        assert ours == theirs
        asked += len(chats)
    assert asked > 10


@pytest.mark.soak
def test_whole_trees_answer_as_vcrpy_does(tmp_path: Path) -> None:
    assert check_in_place(1)["answers"] == 746
    assert check_imported(1, tmp_path)["answers"] == 746
    assert check_exactly(1)["answers"] == 746
