"""A cassette file as people, git and several processes use it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from msgspec.structs import replace

from recorder.cassettes.file import FileCassette
from recorder.cassettes.source import CassetteSource, Recorded
from recorder.errors import CassetteError

from .cassette_files import chat, kept, stream


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "answer.yaml"


def saved(path: Path, *recorded: Recorded) -> str:
    FileCassette(path).save(recorded)
    return path.read_text(encoding="utf-8")


def test_a_file_is_a_cassette_source_with_the_name_that_it_was_given(path: Path) -> None:
    source: CassetteSource = FileCassette(str(path))
    assert source.name == str(path)
    assert source.load() is None
    source.save([chat(), stream("a")])
    assert source.load() == (kept(chat()), kept(stream("a")))


def test_a_file_reads_as_people_would_write_it(path: Path) -> None:
    recorded = chat("What is\nthis: a test?", "It's one.")
    assert saved(path, replace(recorded, credential=1)) == dedent(
        """\
        # Recorded by recorder. Edit texts by hand if you like: lengths follow.
        recorder_cassette: 1
        ---
        recorded: "2023-11-14T22:13:20.000000Z"
        times: {"head": 80, "chunks": [90]}
        credential: 1
        request:
          method: POST
          url: https://llm.test/chat/completions
          headers:
            id: m-1
          json:
            model: m
            messages:
              - role: user
                content: |-
                  What is
                  this: a test?
        response:
          status: 200
          headers:
            content-type: application/json
            content-length: auto
          style: {"spacing": "spaced"}
          json:
            choices:
              - message:
                  role: assistant
                  content: It's one.
        ...
        """
    )


def test_a_stream_is_a_list_of_events(path: Path) -> None:
    lines = saved(path, stream("Hel", "lo")).split("\n")
    assert lines[lines.index("  events:") :] == [
        "  events:",
        '    - data: {"choices": [{"delta": {"content": "Hel"}}]}',
        '    - data: {"choices": [{"delta": {"content": "lo"}}]}',
        '    - data: "[DONE]"',
        "ending: closed_early",
        "...",
        "",
    ]


def test_two_recordings_of_the_same_traffic_differ_in_their_times_alone(tmp_path: Path) -> None:
    once, again = chat(), chat(started_us=1_800_000_000_000_000)
    later = replace(
        again,
        call_id="c-2",
        content=replace(again.exchange, arrivals_ns=tuple(a + 10**9 for a in again.exchange.arrivals_ns)),
    )
    first, second = (
        saved(tmp_path / "a.yaml", once).split("\n"),
        saved(tmp_path / "b.yaml", later).split("\n"),
    )
    assert len(first) == len(second)
    assert {a.partition(":")[0] for a, b in zip(first, second, strict=True) if a != b} == {
        "recorded",
        "times",
    }


def test_saving_what_was_loaded_leaves_the_file_untouched(path: Path) -> None:
    saved(path, chat("a"), chat("b"))
    path.write_text(path.read_text().replace("---\n", "---\n# why this is here\n", 1))
    before = path.read_bytes(), path.stat().st_mtime_ns
    FileCassette(path).update(lambda loaded: loaded or ())
    FileCassette(path).save(FileCassette(path).load() or ())
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_recording_one_call_anew_leaves_the_text_of_the_others(path: Path) -> None:
    text = saved(path, chat("a"), chat("b"), chat("c")).replace(
        "  url: https://llm.test", '  url: "https://llm.test', 1
    )
    edited = text.replace("/chat/completions\n", '/chat/completions"  # quoted by hand\n', 1)
    path.write_text(edited)
    FileCassette(path).update(lambda loaded: [(loaded or ())[0], chat("new"), (loaded or ())[2]])
    assert path.read_text() == edited.replace("content: b\n", "content: new\n")


def test_edits_that_change_only_the_form_change_nothing(path: Path) -> None:
    text = saved(path, chat("a\nb"), stream("x"))
    path.write_text(
        text.replace("method: POST", "method:   'POST'   # a comment").replace("    - data", "   - data")
    )
    assert FileCassette(path).load() == (kept(chat("a\nb")), kept(stream("x")))
    path.write_bytes(b"\xef\xbb\xbf---\n" + text.replace("\n", "\r\n").encode())
    assert FileCassette(path).load() == (kept(chat("a\nb")), kept(stream("x")))


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_no_cassette(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert FileCassette(path).load() is None


def test_a_cassette_without_recordings_is_one(path: Path) -> None:
    saved(path)
    assert FileCassette(path).load() == ()


DAMAGE: dict[str, tuple[Callable[[str], str], str]] = {
    "cut off": (lambda text: text[: len(text) // 2], r":\d+: the file ends without its last line"),
    "cut between recordings": (
        lambda text: text[: text.rindex("---")],
        "the file ends without its last line",
    ),
    "conflict": (
        lambda text: text.replace(
            "  status: 200\n", "<<<<<<< HEAD\n  status: 200\n=======\n  status: 201\n>>>>>>> x\n", 1
        ),
        r":17: a merge left the conflict marker '<<<<<<< HEAD'; resolve it",
    ),
    "both sides of a merge": (
        lambda text: text.replace("  status: 200\n", "  status: 200\n  status: 201\n", 1),
        r":18: recording 1: response: the key 'status' stands here twice; keep one of them; mend it",
    ),
    "wrong type": (
        lambda text: text.replace("status: 200", "status: fine", 1),
        r":17: recording 1: response\.status: Expected `int`, got `str`; mend it, or delete the file",
    ),
    "status that is none": (
        lambda text: text.replace("status: 200", "status: 99999", 1),
        r":17: recording 1: response\.status: Expected `int` <= 999; mend it",
    ),
    "time before the request": (
        lambda text: re.sub("times: .*", 'times: {"head": -1}', text, count=1),
        r":5: recording 1: times\.head: Expected `int` >= 0; mend it",
    ),
    "time that no clock shows": (
        lambda text: re.sub("times: .*", 'times: {"chunks": [99999999999999999999]}', text, count=1),
        r":5: recording 1: times\.chunks\[0\]: ",
    ),
    "no URL": (
        lambda text: re.sub("url: .*", 'url: "http://[::1?x=1"', text, count=1),
        r":8: recording 1: request\.url: this is no URL",
    ),
    "header that is no text": (
        lambda text: text.replace("  headers:\n", "  headers:\n    retry-after: 3\n    x-last: y\n", 1),
        r':10: recording 1: request\.headers\["retry-after"\]: Expected `str \| array`, got `int`; mend it',
    ),
    "missing field": (
        lambda text: text.replace("  method: POST\n", "", 1),
        r":7: recording 1: request: Object missing required field `method`",
    ),
    "misspelt field": (
        lambda text: text.replace("  headers:", "  haeders:", 1),
        r":7: recording 1: request: Object contains unknown field `haeders`",
    ),
    "no time": (
        lambda text: text.replace("2023-11-14T", "yesterday ", 1),
        r":4: recording 1: recorded: this is no time like 2026-11-21T12:00:00Z",
    ),
    "two bodies": (
        lambda text: text.replace("  style:", "  text: x\n  style:", 1),
        r":17: recording 1: response: this body is there as json and as text; keep one of them",
    ),
    "no base64": (
        lambda text: text[: text.index("  style:")] + "  base64: '?'\n...\n",
        r":21: recording 1: response\.base64: this is no base64",
    ),
    "no Latin-1": (
        lambda text: text.replace("id: m-1", "id: 漢", 1),
        r":\d+: recording 1: request\.headers: headers hold Latin-1 only",
    ),
    "broken YAML": (
        lambda text: text.replace("content: q", 'content: "q" and "r"', 1),
        r":\d+: recording 1: this is no YAML: ",
    ),
    "alias bomb": (
        lambda text: text.replace("model: m", "model: &a [x]\n    b: [*a, *a]", 1),
        r":\d+: recording 1: anchors and aliases are not allowed",
    ),
    "tag": (
        lambda text: text.replace("model: m", "model: !!python/object/apply:os.system [x]", 1),
        r":\d+: recording 1: the tag \S+ is not allowed",
    ),
    "control character": (
        lambda text: text.replace("model: m", "model: \x01", 1),
        r":\d+: recording 1: this is no YAML: control characters are not allowed; mend it",
    ),
    "deep": (
        lambda text: text.replace("model: m", "model: " + "[" * 1_000_000 + "]" * 1_000_000, 1),
        r":\d+: recording 1: this is nested too deeply",
    ),
    "half a surrogate pair": (
        lambda text: text.replace("model: m", 'model: "\\ud800"', 1),
        r":\d+: recording 1: half of a surrogate pair is no text",
    ),
    "empty recording": (
        lambda text: text.replace("---\n", "---\n---\n", 1),
        r":4: recording 1: there is nothing in this",
    ),
    "lost separator": (
        lambda text: text.replace("\n---\nrec", "\nrec"),
        ":1: this is no cassette of recorder",
    ),
    "newer format": (
        lambda text: text.replace("recorder_cassette: 1", "recorder_cassette: 2"),
        ":1: recorder_cassette: format 2 is unknown, this recorder reads 1; upgrade recorder",
    ),
    "cut off in its first line": (lambda text: text[:20], r":1: the file ends without its last line"),
    "vcrpy": (
        lambda text: "interactions: []\nversion: 1\n",
        r":1: this is a cassette of vcrpy .* recorder\.vcr_cassette\('.*'\), .*: recorder cassette import /",
    ),
    "vcrpy as JSON": (lambda text: '{"version": 1, "interactions": []}', "this is a cassette of vcrpy"),
    "ruby VCR": (lambda text: "---\nhttp_interactions: []\n", "this is a cassette of ruby VCR"),
    "HAR": (lambda text: '{"log": {"version": "1.2", "entries": []}}', "this is a HAR file"),
    "something else": (
        lambda text: "services:\n  db: {}\n",
        ":1: this is no cassette of recorder, which begins",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_file_says_where_and_what_to_do(path: Path, damage: str) -> None:
    change, message = DAMAGE[damage]
    text = saved(path, chat("q"), chat("r"))
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    with pytest.raises(CassetteError, match=re.escape(str(path)) + message if message[0] == ":" else message):
        FileCassette(path).load()


def test_what_is_no_utf8_says_where(path: Path) -> None:
    saved(path, chat())
    path.write_bytes(path.read_bytes().replace(b"model: m", b"model: \xff"))
    with pytest.raises(CassetteError, match=r"answer.yaml:\d+: this is no UTF-8"):
        FileCassette(path).load()


def test_a_broken_file_can_be_recorded_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("<<<<<<< HEAD\n")
    saved(path, chat())
    assert FileCassette(path).load() == (kept(chat()),)


def test_a_rejected_recording_goes_beside_the_file(path: Path) -> None:
    text = saved(path, chat("good"))
    rejected = FileCassette(path).reject([chat("bad")])
    assert rejected == path.with_name("answer.yaml.rej")
    assert path.read_text() == text
    assert FileCassette(rejected).load() == (kept(chat("bad")),)


def test_saving_keeps_mode_and_link_and_leaves_nothing_else(path: Path) -> None:
    saved(path, chat("a"))
    path.chmod(0o640)
    link = path.with_name("link.yaml")
    link.symlink_to(path.name)
    saved(link, chat("b"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(each.name for each in path.parent.iterdir()) == ["answer.yaml", "link.yaml"]


def test_a_new_file_has_the_mode_that_the_umask_gives(path: Path) -> None:
    before = os.umask(0o027)
    try:
        saved(path, chat())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_failed_save_leaves_the_file_and_says_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = saved(path, chat("a"))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CassetteError, match="cannot be written: No space left on device; check the folder"):
        saved(path, chat("b"))
    assert path.read_text() == text
    assert [each.name for each in path.parent.iterdir()] == ["answer.yaml"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_that_is_forked_during_a_save_does_not_keep_the_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, start = os.pipe()
    children: list[int] = []

    def fork(descriptor: int) -> None:
        if not children:
            children.append(os.fork())
        if children == [0]:
            os.close(start)
            os.read(end, 1)  # until the parent closes its end
            os._exit(0)

    monkeypatch.setattr(os, "fsync", fork)
    saved(path, chat("a"))
    again = threading.Thread(target=saved, args=(path, chat("b")), daemon=True)
    again.start()
    again.join(5)
    waits = again.is_alive()
    os.close(start)
    os.waitpid(children[0], 0)
    assert not waits


def test_what_killed_processes_left_is_removed_by_the_next_save(path: Path) -> None:
    old, new, other = (
        path.with_name(name)
        for name in (f".{path.name}.0123abcd.tmp", f".{path.name}.4567abcd.tmp", ".other.yaml.0123abcd.tmp")
    )
    path.parent.mkdir()
    for each in (old, new, other):
        each.write_text("half")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    saved(path, chat())
    assert [each.exists() for each in (old, new, other)] == [False, True, True]


@pytest.mark.parametrize("name", ["a\0b.yaml", "a\ud800b.yaml"])
def test_a_path_that_no_file_can_have_gives_a_cassette_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(CassetteError, match="cannot be a file"):
        FileCassette(tmp_path / name)


def test_a_folder_that_cannot_be_written_gives_a_cassette_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CassetteError, match="cannot be written"):
        saved(tmp_path / "file" / "c.yaml", chat())
    with pytest.raises(CassetteError, match="cannot be read"):
        FileCassette(tmp_path).load()


def test_an_update_that_fails_changes_nothing(path: Path) -> None:
    text = saved(path, chat("a"))
    with pytest.raises(ZeroDivisionError):
        FileCassette(path).update(lambda loaded: [chat("b")] * (len(loaded or ()) // 0))
    FileCassette(path).update(lambda loaded: [*(loaded or ()), chat("b")])
    assert path.read_text().startswith(text.removesuffix("...\n"))


def test_threads_that_add_to_one_file_lose_nothing(path: Path) -> None:
    def add(number: int) -> None:
        for place in range(5):
            new = chat(f"{number}-{place}")
            FileCassette(path).update(lambda loaded, new=new: [*(loaded or ()), new])  # type: ignore[misc]

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(FileCassette(path).load() or ())) == 30


def test_processes_that_add_to_one_file_lose_nothing(path: Path) -> None:
    program = (
        "import sys; from recorder.cassettes.file import FileCassette; from tests.cassette_files import chat\n"
        "for place in range(8):\n"
        "    FileCassette(sys.argv[1]).update(lambda now: [*(now or ()), chat(f'{sys.argv[2]}-{place}')])"
    )
    root = Path(__file__).parents[1]
    running = [
        subprocess.Popen([sys.executable, "-c", program, path, str(number)], cwd=root) for number in range(3)
    ]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    assert len(set(FileCassette(path).load() or ())) == 24


def test_a_file_as_it_was_written_is_read_without_yaml(path: Path) -> None:
    saved(path, chat("a\nb"), stream("x"))
    program = (
        "import sys; from recorder.cassettes.file import FileCassette\n"
        "FileCassette(sys.argv[1]).load(); print('yaml' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
