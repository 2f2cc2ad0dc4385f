"""`recorder cassette`: output, files, exit codes, and what is sent live."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from msgspec.structs import replace
from rich.cells import cell_len

import recorder
from recorder import audit
from recorder.cassettes import Recorded
from recorder.cassettes.file import FileCassette
from recorder.demo.upstream import Step, Upstream
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger import Store, StoreCassette

from .databases import execute
from .test_cli import (
    EVIL,
    MS,
    NOW_US,
    an_exchange,
    answering,
    asking,
    change,
    invoke,
    invoke_json,
    stored,
    streaming,
    url,
)
from .test_cli_text import dangerous

__all__ = ["change", "url"]  # fixtures

DAY_US = 86_400_000_000
LIMITED = json.dumps({"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}).encode()
KEY = "sk-Zq8vR2nXw5Lt9Yb3Kc7Md1Pf"


def recordings() -> list[Recorded]:
    """A plain answer, a stream in another lane, a rate limit, a time-out."""
    exchanges = [
        an_exchange(asking(), [answering()], at_us=NOW_US - 100 * DAY_US),
        an_exchange(asking("deepseek-reasoner", stream=True), streaming({"content": "In 日本."})),
        an_exchange(asking("gpt-4o-mini"), [LIMITED], head=ResponseHead(429, at_ns=95 * MS)),
        an_exchange(
            asking(), [], head=None, ending=Ending("error", 9 * MS, "request", "httpx2.ReadTimeout", "slow")
        ),
    ]
    return [Recorded(exchange, "", int(place == 1), 1) for place, exchange in enumerate(exchanges)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cassettes" / "trip.yaml"
    FileCassette(path).save(recordings())
    return path


@pytest.fixture
def in_store(url: str) -> list[str]:
    """Four calls, and the cassette `checkout` of the first two; their ids."""
    kept = [each.exchange for each in recordings()]
    ids = [stored(url, kept[place], place + 1, trace_id="a" * 32, session_id="s-1") for place in range(2)]
    ids.append(stored(url, kept[2], 3, session_id="s-2", provider="openai"))
    ids.append(stored(url, kept[0], 4, replayed=True, cassette="checkout", session_id="s-2"))
    StoreCassette(url, "checkout").save([Recorded(kept[place], ids[place]) for place in range(2)])
    return ids


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def answered() -> list[Recorded]:
    """What the upstream says, plain and streamed, recorded as from DeepSeek itself."""
    bodies = asking(), asking("deepseek-reasoner", stream=True)
    kept = []
    with Upstream() as upstream, httpx.Client(headers={"authorization": "Bearer x"}) as client:
        for body in bodies:
            answer = client.post(f"{upstream.base_url}/chat/completions", json=body)
            head = ResponseHead(200, ((b"Content-Type", answer.headers["content-type"].encode()),))
            kept.append(Recorded(an_exchange(body, [answer.content], head=head), ""))
    return kept


def edited(path: Path, old: str, new: str) -> Path:
    """A copy of the file beside it, in which a text is another."""
    copy = path.with_name("edited.yaml")
    text = path.read_text()
    assert old in text
    copy.write_text(text.replace(old, new))
    return copy


# list


def test_list_shows_the_cassettes_of_the_store(in_store: list[str]) -> None:
    (row,) = invoke_json("cassette", "list")
    assert (row["name"], row["entries"], row["outcomes"]) == ("checkout", 2, {"ok": 2})
    assert set(row["models"]) == {"deepseek-chat", "deepseek-reasoner"}
    assert row["last_recorded_at"] == pytest.approx(NOW_US / 1e6)


def test_list_finds_files_in_folders_and_tells_their_format(file: Path, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(VCR))
    (tmp_path / "notes.yaml").write_text("colour: green\n")
    rows = invoke_json("cassette", "list", str(tmp_path))
    assert [(Path(row["name"]).name, row["format"], row["entries"]) for row in rows] == [
        ("old.yaml", "vcrpy", 1),
        ("trip.yaml", "recorder", 4),
    ]
    assert rows[1]["bytes"] == file.stat().st_size


def test_list_names_a_broken_file_and_goes_on(file: Path) -> None:
    edited(file, "...\n", "")
    result = invoke("cassette", "list", str(file.parent), width=80)
    assert result.exit_code == 1
    assert "unreadable" in result.stdout
    assert "cut off" in result.stderr
    assert "trip.yaml" in result.stdout


def test_list_without_a_cassette_says_so(tmp_path: Path) -> None:
    assert "no cassette" in invoke("cassette", "list", str(tmp_path)).stderr
    assert invoke("cassette", "list", str(tmp_path / "gone")).exit_code == 1


def test_list_tells_files_of_one_name_apart_where_room_is_short(file: Path, tmp_path: Path) -> None:
    for folder in ("a/one", "b/one", "b/two"):
        (tmp_path / "long-name-of-a-project" / folder).mkdir(parents=True)
        (tmp_path / "long-name-of-a-project" / folder / "test_it.yaml").write_bytes(file.read_bytes())
    shown = invoke("cassette", "list", str(tmp_path), width=70).stdout.splitlines()
    assert [line.split()[0] for line in shown[1:5]] == [
        file.name,
        "a/one/test_it.yaml",
        "b/one/test_it.yaml",
        "two/test_it.yaml",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("command", ["list", "show"])
def test_tables_fit_any_width(file: Path, command: str, width: int) -> None:
    target = str(file.parent if command == "list" else file)
    lines = invoke("cassette", command, target, width=width).stdout.splitlines()
    assert lines
    assert all(cell_len(line) <= width for line in lines)


# show


def test_show_lists_the_entries(file: Path) -> None:
    text = invoke("cassette", "show", str(file), width=140).stdout
    assert all(
        word in text for word in ("deepseek-reasoner", "429", "rate_limit_exceeded", "ReadTimeout", "ok")
    )
    assert "4 recordings · 2 ok · 2 error · 2 lanes" in text


def test_show_gives_each_entry_in_json(file: Path) -> None:
    entries = invoke_json("cassette", "show", str(file))
    assert [entry["http_status"] for entry in entries] == [200, 200, 429, None]
    assert [entry["outcome"] for entry in entries] == ["ok", "ok", "error", "error"]
    assert entries[1]["chunks"] == len(streaming({"content": ""}))
    assert entries[0]["input_tokens"] == 1204


def test_show_gives_one_entry_in_full(file: Path) -> None:
    text = invoke("cassette", "show", str(file), "2", "--chunks", "--headers", width=80).stdout
    assert "Entry 2 of 4 in" in text
    assert all(word in text for word in ("In 日本.", "Request headers", "Chunks", "Where is Tokyo?"))
    assert invoke_json("cassette", "show", str(file), "2")["choices"][0]["content"] == "In 日本."


def test_show_of_a_stored_entry_knows_its_call(in_store: list[str]) -> None:
    shown = invoke_json("cassette", "show", "checkout", "1")
    assert (shown["id"], shown["session_id"]) == (in_store[0], "s-1")


def test_show_writes_a_body_as_it_is(file: Path) -> None:
    assert invoke("cassette", "show", str(file), "1", "--raw", "response").stdout.encode() == answering()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nope"], 1, "no file 'nope', and no cassette"),
        (["FILE", "9"], 1, "no entry 9"),
        (["FILE", "0"], 2, "1"),
        (["FILE", "--raw", "request"], 2, "needs the number"),
        (["."], 1, "directory"),
    ],
)
def test_show_refuses_what_there_is_not(
    file: Path, url: str, arguments: list[str], code: int, message: str
) -> None:
    result = invoke("cassette", "show", *(str(file) if each == "FILE" else each for each in arguments))
    assert result.exit_code == code
    assert message in result.stderr


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    url = "https://api.deepseek.com/\x1b[31mchat/completions"
    hostile = an_exchange(asking(EVIL, EVIL), [answering(EVIL, EVIL)])
    hostile = replace(hostile, request=replace(hostile.request, url=url))
    left, right = tmp_path / "a.yaml", tmp_path / "b.yaml"
    FileCassette(left).save([Recorded(hostile, "")])
    other = replace(hostile, chunks=(answering(EVIL[1:], EVIL + "!"),))
    FileCassette(right).save([Recorded(other, "")])
    for arguments in (
        ["show", str(left)],
        ["show", str(left), "1"],
        ["list", str(tmp_path)],
        ["diff", str(left), str(right)],
    ):
        result = invoke("cassette", *arguments, width=80)
        assert dangerous(result.stdout + result.stderr) == []


# export, import


def test_export_writes_what_replays_the_same(in_store: list[str], url: str, tmp_path: Path) -> None:
    to = tmp_path / "tests" / "checkout.yaml"
    assert invoke("cassette", "export", "checkout", "--to", str(to)).exit_code == 0
    assert invoke("cassette", "diff", "checkout", str(to)).exit_code == 0
    assert invoke("cassette", "export", "checkout", "--to", str(to)).exit_code == 1
    assert invoke("cassette", "export", "checkout", "--to", str(to), "--overwrite").exit_code == 0
    assert invoke("cassette", "export", "gone", "--to", str(tmp_path / "x.yaml")).exit_code == 1


def test_export_takes_secrets_out(url: str, tmp_path: Path) -> None:
    exchange = an_exchange(asking(text=f"my key is {KEY}"), [answering()])
    StoreCassette(url, "c").save([Recorded(exchange, stored(url, exchange, 1))])
    to = tmp_path / "c.yaml"
    assert "secrets were taken out of 1" in invoke("cassette", "export", "c", "--to", str(to)).stderr
    assert KEY not in to.read_text()
    invoke("cassette", "export", "c", "--to", str(to), "--overwrite", "--keep-secrets")
    assert KEY in to.read_text()


VCR = {
    "version": 1,
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "https://api.deepseek.com/chat/completions",
                "headers": {"authorization": [f"Bearer {KEY}"]},
                "body": json.dumps(asking()),
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": ["application/json"]},
                "body": {"string": answering().decode()},
            },
        }
    ],
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Somebody's cassettes, two of them good."""
    root = tmp_path / "theirs"
    for name in ("test_a/test_one.yaml", "test_b/test_two.yaml"):
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(VCR))
    return root


def test_import_carries_a_tree_over(tree: Path, tmp_path: Path) -> None:
    to = tmp_path / "ours"
    result = invoke("cassette", "import", str(tree), "--to", str(to))
    assert (result.exit_code, "2 exchanges of 2 files imported" in result.stdout) == (0, True)
    kept = FileCassette(to / "test_a" / "test_one.yaml").load()
    assert kept is not None
    assert kept[0].exchange.body == answering()
    assert KEY not in (to / "test_a" / "test_one.yaml").read_text()


def test_import_leaves_what_is_there_and_says_so(tree: Path, tmp_path: Path) -> None:
    arguments = ["cassette", "import", str(tree), "--to", str(tmp_path / "ours")]
    assert invoke(*arguments).exit_code == 0
    again = invoke(*arguments)
    assert (again.exit_code, "left alone" in again.stdout) == (1, True)
    assert invoke(*arguments, "--overwrite").exit_code == 0


def test_import_dry_run_writes_nothing(tree: Path, tmp_path: Path) -> None:
    to = tmp_path / "ours"
    result = invoke("cassette", "import", str(tree), "--to", str(to), "--dry-run", "--format", "json")
    assert json.loads(result.stdout)["exchanges"] == 2
    assert not to.exists()


def test_import_names_what_cannot_be_read(tree: Path, tmp_path: Path) -> None:
    (tree / "broken.yaml").write_text("interactions: [\n")
    result = invoke("cassette", "import", str(tree), "--to", str(tmp_path / "ours"))
    assert result.exit_code == 1
    assert "broken.yaml" in result.stdout


def test_import_into_the_store_replays_from_there(file: Path, url: str) -> None:
    assert invoke("cassette", "import", str(file), "--to-store", "trip").exit_code == 0
    assert invoke("cassette", "diff", "trip", str(file)).exit_code == 0
    assert Store(url).check() == []
    assert len(Store(url).calls(limit=None)) == 4


def test_what_came_with_a_cassette_was_not_spent(file: Path, url: str) -> None:
    assert invoke("cassette", "import", str(file), "--to-store", "trip").exit_code == 0
    assert invoke("reprice", "--since", "2001-01-01").exit_code == 0
    rows = Store(url).calls(limit=None)
    assert {(row["replayed"], row["cost"], row["cost_source"]) for row in rows} == {(1, None, "import")}
    assert execute(url, "SELECT count(*) FROM v_calls_daily") == [(0,)]
    total = audit.report(Store(url)).total
    assert (total.calls, total.replayed, total.cost_pico, total.saved_pico) == (0, 4, (), ())


def test_import_into_the_store_twice_stores_each_call_once(file: Path, url: str) -> None:
    for name in ("one", "two"):
        assert invoke("cassette", "import", str(file), "--to-store", name).exit_code == 0
    assert len(Store(url).calls(limit=None)) == 4
    assert invoke("cassette", "import", str(file), "--to-store", "two").exit_code == 1


def test_exported_calls_come_back_as_themselves(in_store: list[str], url: str, tmp_path: Path) -> None:
    to = str(tmp_path / "c.yaml")
    invoke("cassette", "export", "checkout", "--to", to)
    assert "2 of them the store had already" in invoke("cassette", "import", to, "--to-store", "back").stderr
    back = StoreCassette(url, "back").load()
    assert back is not None
    assert [each.call_id for each in back] == in_store[:2]


@pytest.mark.parametrize("arguments", [[], ["--to", "x", "--to-store", "y"]])
def test_import_wants_one_target(file: Path, arguments: list[str]) -> None:
    assert invoke("cassette", "import", str(file), *arguments).exit_code == 2


# diff


def test_diff_of_equal_cassettes_is_empty(file: Path) -> None:
    result = invoke("cassette", "diff", str(file), str(file))
    assert (result.exit_code, result.stdout) == (0, "equal: 4 the same\n")


def test_diff_shows_the_sentence_that_changed(file: Path) -> None:
    other = edited(file, "In Japan.", "In Japan. Far away.")
    result = invoke("cassette", "diff", str(file), str(other))
    assert result.exit_code == 1
    assert "+Far away." in result.stdout
    assert "1 changed · 3 the same" in result.stdout


def test_diff_names_the_path_at_which_a_request_changed(file: Path) -> None:
    other = edited(file, "model: gpt-4o-mini", "model: gpt-5")
    found = invoke("cassette", "diff", str(file), str(other), "--format", "json")
    (changed,) = json.loads(found.stdout)["changed"]
    assert changed["request"] == [{"path": "$.model", "left": '"gpt-4o-mini"', "right": '"gpt-5"'}]
    assert (changed["left"], changed["right"]) == (3, 3)


def test_diff_tells_removed_from_added(tmp_path: Path) -> None:
    kept = recordings()
    elsewhere = replace(kept[0].exchange, request=Request("GET", "https://api.deepseek.com/models"))
    left, right = tmp_path / "a.yaml", tmp_path / "b.yaml"
    FileCassette(left).save(kept[:3])
    FileCassette(right).save([kept[1], Recorded(elsewhere, ""), kept[0]])
    found = json.loads(invoke("cassette", "diff", str(left), str(right), "--format", "json").stdout)
    assert [entry["number"] for entry in found["removed"]] == [3]
    assert [entry["url"] for entry in found["added"]] == ["https://api.deepseek.com/models"]
    assert (found["changed"], found["same"]) == ([], 2)


# verify


def verify(file: Path, upstream: Upstream, *more: str) -> Any:
    arguments = ["--base-url", upstream.base_url, "--api-key-env", "OTHER_KEY", "--max-calls", "9", "--yes"]
    return invoke("cassette", "verify", str(file), *arguments, *more)


@pytest.fixture
def verified(answered: list[Recorded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cassette of a plain answer and a stream, as the upstream gives them; a key is set."""
    monkeypatch.setenv("OTHER_KEY", "sk-live")
    path = tmp_path / "v.yaml"
    FileCassette(path).save(answered)
    return path


def test_verify_finds_no_drift_where_there_is_none(verified: Path, upstream: Upstream) -> None:
    before = verified.read_bytes()
    result = verify(verified, upstream)
    assert (result.exit_code, "2 calls sent · no drift" in result.stdout) == (0, True)
    assert [request.header("authorization") for request in upstream.requests] == ["Bearer sk-live"] * 2
    assert verified.read_bytes() == before


def test_verify_says_what_it_would_send_and_asks(verified: Path, upstream: Upstream) -> None:
    result = invoke("cassette", "verify", str(verified), "--max-calls", "2", width=80)
    assert result.exit_code == 1
    assert all(
        word in result.stderr for word in ("2 recorded requests", "api.deepseek.com", "deepseek-reasoner")
    )
    assert upstream.requests == []


Edit = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("edit", "what", "change"),
    [
        (lambda body: body.pop("usage"), "$.usage", "vanished"),
        (lambda body: body.update(extra=1), "$.extra", "appeared"),
        (lambda body: body.update(created="now"), "$.created", "number became string"),
        (lambda body: body.update(model="deepseek-v9"), "model", "deepseek-chat became deepseek-v9"),
        (
            lambda body: body["choices"][0].update(finish_reason="length"),
            "finish reason",
            "stop became length",
        ),
    ],
)
def test_verify_reports_drift(verified: Path, upstream: Upstream, edit: Edit, what: str, change: str) -> None:
    kept = FileCassette(verified).load()
    assert kept is not None
    body = json.loads(kept[0].exchange.body)
    edit(body)
    upstream.script(Step.of_json(body))
    result = verify(verified, upstream, "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]["drift"] == [{"what": what, "change": change}]


def test_verify_reports_a_refusal_alone(verified: Path, upstream: Upstream) -> None:
    upstream.script(Step.of_json({"error": {"message": "gone", "code": "model_not_found"}}, 404))
    text = verify(verified, upstream).stdout
    assert "status: 200 became 404" in text
    assert "model_not_found: gone" in text
    assert "vanished" not in text


def test_verify_reports_a_stream_that_became_plain_and_events_that_changed(
    verified: Path, upstream: Upstream
) -> None:
    upstream.script(Step.of_json(json.loads(answering("deepseek-reasoner"))))
    assert "stream became plain" in verify(verified, upstream, "--entries", "2").stdout
    upstream.script(Step.of_events(b'event: ping\ndata: {"x":1}\n\n', *streaming({"content": "x"})[:-1]))
    text = verify(verified, upstream, "--entries", "2").stdout
    assert "event ping: appeared" in text
    assert "closing [DONE]: vanished" in text


def test_verify_compares_texts_only_on_demand(verified: Path, upstream: Upstream) -> None:
    kept = FileCassette(verified).load()
    assert kept is not None
    body = json.loads(kept[0].exchange.body)
    body["choices"][0]["message"]["content"] = "Something else."
    for options, code in (([], 0), (["--text"], 1)):
        upstream.script(Step.of_json(body))
        result = verify(verified, upstream, "--entries", "1", *options)
        assert result.exit_code == code
        assert ("+Something else." in result.stdout) == bool(options)


def test_verify_tells_when_nobody_answers(verified: Path) -> None:
    arguments = ["--base-url", "http://127.0.0.1:9", "--max-calls", "1", "--yes"]
    result = invoke("cassette", "verify", str(verified), *arguments)
    assert (result.exit_code, "no answer came: httpx.ConnectError" in result.stdout) == (1, True)


def test_verify_gives_up_where_credentials_are_refused(verified: Path, upstream: Upstream) -> None:
    kept = FileCassette(verified).load()
    assert kept is not None
    FileCassette(verified).save([*kept, *kept, *kept])
    upstream.script(*[Step.of_json({"error": {"message": "no"}}, 401)] * 6)
    result = verify(verified, upstream)
    assert "3 requests not sent: 3 in a row" in result.stderr
    assert len(upstream.requests) == 3


def test_verify_stops_at_its_limits(verified: Path, upstream: Upstream) -> None:
    result = verify(verified, upstream, "--max-calls", "1")
    assert "1 request not sent: --max-calls 1 is reached" in result.stderr
    first = invoke_json("cassette", "show", str(verified))[0]
    dollars = (first["input_tokens"] + first["output_tokens"]) / 1000
    priced = ["--price-per-mtok", "1000", "--budget"]
    result = verify(verified, upstream, *priced, str(dollars))
    assert f"1 request not sent: the budget of ${dollars} would be exceeded" in result.stderr
    assert f"1 call sent · no drift · 1 not sent · ${dollars:.4f}" in result.stdout
    assert verify(verified, upstream, *priced, "0.000001").exit_code == 1
    assert len(upstream.requests) == 2


def test_verify_sends_a_sample(verified: Path, upstream: Upstream) -> None:
    assert "1 call sent" in verify(verified, upstream, "--sample", "1").stdout


def test_verify_leaves_failures_out_unless_they_are_chosen(
    file: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", "x")
    assert "2 recordings left out, since a failure was recorded" in verify(file, upstream).stderr
    assert len(upstream.requests) == 2
    verify(file, upstream, "--entries", "3")
    assert len(upstream.requests) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "--max-calls N"),
        (["--budget", "1"], 2, "unknown"),
        (["--api-key-env", "NOT_SET"], 1, "$NOT_SET is not set"),
        (["--header", "x-key: $NOT_SET"], 1, "$NOT_SET is not set"),
        (["--header", "nonsense"], 2, "NAME: VALUE"),
        (["--price-per-mtok", "cheap"], 2, "is no price"),
        (["--entries", "7"], 2, "no entry 7"),
        (["--entries", "2-1"], 2, "no entry"),
        (["--entries", "1-99999999999999"], 2, "no entry 99999999999999"),
    ],
)
def test_verify_refuses(verified: Path, arguments: list[str], code: int, message: str) -> None:
    kept = FileCassette(verified).load()
    assert kept is not None
    unmetered = an_exchange(asking(), [b'{"choices":[]}'])
    FileCassette(verified).save([*kept, Recorded(unmetered, "")])
    result = invoke("cassette", "verify", str(verified), "--yes", *arguments)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_verify_sends_no_key_to_two_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "x")
    kept = recordings()[:2]
    request = replace(kept[1].exchange.request, url="https://elsewhere.test/chat/completions")
    kept[1] = replace(kept[1], content=replace(kept[1].exchange, request=request))
    path = tmp_path / "two.yaml"
    FileCassette(path).save(kept)
    result = invoke(
        "cassette", "verify", str(path), "--max-calls", "2", "--api-key-env", "OTHER_KEY", "--yes"
    )
    assert (result.exit_code, "elsewhere.test" in result.stderr) == (2, True)


# prune


def test_prune_removes_what_is_old(file: Path) -> None:
    assert (
        "1 recording would go"
        in invoke("cassette", "prune", str(file), "--older-than", "90d", "--dry-run").stdout
    )
    assert len(FileCassette(file).load() or ()) == 4
    assert (
        "1 recording removed, 3 left" in invoke("cassette", "prune", str(file), "--older-than", "90d").stdout
    )
    assert FileCassette(file).load() == FileCassette(file).load()
    assert [entry["http_status"] for entry in invoke_json("cassette", "show", str(file))] == [200, 429, None]


def test_prune_removes_entries_by_number(file: Path) -> None:
    (row,) = invoke_json("cassette", "prune", str(file), "--entries", "1,3-4")
    assert (row["removed"], row["left"]) == ([1, 3, 4], 1)


def test_prune_removes_a_file_that_would_be_empty(file: Path) -> None:
    assert invoke("cassette", "prune", str(file.parent), "--older-than", "0s").exit_code == 0
    assert not file.exists()


def test_prune_by_name_keeps_the_calls_of_the_store(in_store: list[str], url: str) -> None:
    StoreCassette(url, "other").save(StoreCassette(url, "checkout").load() or ())
    assert invoke("cassette", "prune", "--name", "check*").exit_code == 0
    assert [row["name"] for row in invoke_json("cassette", "list")] == ["other"]
    assert len(Store(url).calls(limit=None)) == 4


@pytest.mark.parametrize("arguments", [[], ["--entries", "9"], ["--entries", "x"], ["--older-than", "soon"]])
def test_prune_refuses_what_it_cannot_mean(file: Path, arguments: list[str]) -> None:
    assert invoke("cassette", "prune", str(file), *arguments).exit_code == 2
    assert len(FileCassette(file).load() or ()) == 4


# cut


def cut(to: Path, *arguments: str) -> Any:
    return invoke("cassette", "cut", *arguments, "--to", str(to))


def test_cut_turns_a_trace_into_a_cassette_and_a_test(in_store: list[str], url: str, tmp_path: Path) -> None:
    to = tmp_path / "tests" / "cassettes" / "trip.yaml"
    result = cut(to, "--trace", "a" * 32)
    assert (result.exit_code, "2 recordings written" in result.stderr) == (0, True)
    assert invoke("cassette", "diff", "checkout", str(to)).exit_code == 0
    assert '@pytest.mark.recorded(path="cassettes/trip.yaml")\ndef test_trip() -> None:' in result.stdout
    assert f"# {tmp_path}/tests/test_trip.py" in result.stdout
    ast.parse(result.stdout)


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_cut_replays_without_its_upstream(url: str, tmp_path: Path, stream: bool) -> None:
    body = asking(stream=stream)
    with Upstream() as upstream, recorder.Recorder(url, strict=True) as rec, recorder.tags(session_id="s-9"):
        asked = f"{upstream.base_url}/chat/completions"
        with httpx.Client(headers={"authorization": "Bearer sk-production"}) as client:
            answer = rec.wrap(client).post(asked, json=body).content
    to = tmp_path / "x.yaml"
    assert cut(to, "--session", "s-9").exit_code == 0
    assert "sk-production" not in to.read_text()
    with (
        recorder.cassette(to) as cassette,
        httpx.Client(headers={"authorization": "Bearer sk-test"}) as client,
    ):
        assert cassette.wrap(client).post(asked, json=body).content == answer


def test_cut_to_the_place_of_a_test_needs_no_path(in_store: list[str], tmp_path: Path) -> None:
    text = cut(tmp_path / "cassettes" / "test_shop" / "test_refund.yaml", "--session", "s-1").stdout
    assert f"# {tmp_path}/test_shop.py" in text
    assert "@pytest.mark.recorded\ndef test_refund() -> None:" in text


def test_cut_takes_calls_by_any_part_of_their_ids_in_their_order(in_store: list[str], tmp_path: Path) -> None:
    to = tmp_path / "x.yaml"
    assert cut(to, "--call", in_store[1][-8:], "--call", in_store[0]).exit_code == 0
    models = [entry["request_model"] for entry in invoke_json("cassette", "show", str(to))]
    assert models == ["deepseek-chat", "deepseek-reasoner"]


def test_cut_takes_a_session_of_some_time(in_store: list[str], tmp_path: Path) -> None:
    to = tmp_path / "x.yaml"
    assert cut(to, "--session", "s-1", "--since", "1d").exit_code == 0
    assert len(FileCassette(to).load() or ()) == 1


def test_cut_refuses_replays_unless_asked(in_store: list[str], tmp_path: Path) -> None:
    to = tmp_path / "x.yaml"
    refused = cut(to, "--session", "s-2")
    assert (refused.exit_code, "--include-replayed" in refused.stderr) == (1, True)
    assert not to.exists()
    assert cut(to, "--session", "s-2", "--include-replayed").exit_code == 0


def test_cut_refuses_calls_whose_payload_is_gone(
    in_store: list[str], change: Callable[[str], None], tmp_path: Path
) -> None:
    change(f"DELETE FROM payloads WHERE call_id = '{in_store[1]}'")
    result = cut(tmp_path / "x.yaml", "--trace", "a" * 32)
    assert (result.exit_code, "without a payload" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 2), (["--trace", "x", "--session", "y"], 2), (["--trace", "x"], 1), (["--call", "nope"], 1)],
)
def test_cut_refuses_what_it_cannot_find(
    in_store: list[str], tmp_path: Path, arguments: list[str], code: int
) -> None:
    assert cut(tmp_path / "x.yaml", *arguments).exit_code == code


def test_a_hostile_call_cannot_become_code_of_the_stub(url: str, tmp_path: Path) -> None:
    evil = 'x"\nimport os  # \u2028\x0cimport os'
    exchange: Exchange = an_exchange(asking(evil), [answering(evil)])
    id = stored(url, exchange, 1, provider=evil)
    text = cut(tmp_path / "x.yaml", "--call", id).stdout
    assert [type(node).__name__ for node in ast.parse(text).body] == ["Import", "FunctionDef"]
    assert dangerous(text) == []
