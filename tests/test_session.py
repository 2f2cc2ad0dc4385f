"""One use of a cassette: repeats, lanes, credentials, and what is kept at the end."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder import CassetteError, CassetteMiss, RecorderWarning
from recorder.cassettes import (
    CassetteOptions,
    Matching,
    Recorded,
    Session,
    Slot,
    Use,
    check_age,
    check_unused,
    named_lane,
    use,
)
from recorder.cassettes.merging import merge
from recorder.cassettes.options import Mode
from recorder.errors import SettingsError
from recorder.exchange import Request

from .cassette_sources import MemoryCassette, a_recording, ask

GOOD, BAD, ROTATED = b"good", b"bad", b"rotated"


def answer(playing: Session, asked: Request, credential: bytes | None = None) -> str:
    found = playing.find(asked, credential)
    assert isinstance(found, Recorded)
    return found.exchange.body.decode()


def record(recording: Session, asked: Request, text: str, credential: bytes | None = None) -> None:
    slot = recording.find(asked, credential)
    assert isinstance(slot, Slot)
    slot.fill(a_recording(asked, text).exchange, "")


def use_once(source: MemoryCassette, mode: Mode, *asked: tuple[Request, str], **options: Any) -> Session:
    session = Session(source, mode, **options)
    for each, text in asked:
        if isinstance(slot := session.find(each), Slot):
            slot.fill(a_recording(each, text).exchange, "")
    session.close(save=True)
    return session


def answers(source: MemoryCassette) -> list[str]:
    return [each.exchange.body.decode() for each in source.kept or ()]


def in_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_equal_bytes_are_preferred_to_equal_meaning() -> None:
    one, other = (
        Request("POST", "http://h/", (), b'{"a":1,"b":2}'),
        Request("POST", "http://h/", (), b'{"b":2,"a":1}'),
    )
    playing = Session(MemoryCassette([a_recording(one, "1"), a_recording(other, "2")]))
    assert [answer(playing, other), answer(playing, other)] == ["2", "1"]
    with pytest.raises(CassetteMiss, match="recorded 2 times"):
        playing.find(one)


def test_repeat_last_goes_on_with_the_last_answer() -> None:
    playing = Session(MemoryCassette([a_recording(ask(), "1"), a_recording(ask(), "2")]), repeat="last")
    assert [answer(playing, ask()) for _ in range(4)] == ["1", "2", "2", "2"]
    with pytest.raises(CassetteMiss, match="nearest"):
        playing.find(ask(n=1))


def test_repeat_cycle_begins_again() -> None:
    playing = Session(MemoryCassette([a_recording(ask(), "1"), a_recording(ask(), "2")]), repeat="cycle")
    assert [answer(playing, ask()) for _ in range(5)] == ["1", "2", "1", "2", "1"]


def test_named_lanes_get_their_own_answers_whoever_asks_first() -> None:
    source = MemoryCassette()
    recording = Session(source, "once")
    for name in ("worker-1", "worker-2"):
        with named_lane(name):
            record(recording, ask(), name)
    recording.close(save=True)
    playing = Session(source)
    for name in ("worker-2", "worker-1"):

        def work(name: str = name) -> None:
            with named_lane(name):
                assert answer(playing, ask()) == name

        in_thread(work)
    assert playing.report.misses == ()
    assert playing.report.hits == 2


def test_mode_none_counts_hits_misses_and_what_is_unused() -> None:
    recordings = [a_recording(ask(n=n), str(n)) for n in range(3)]
    playing = Session(MemoryCassette(recordings))
    answer(playing, ask(n=1))
    with pytest.raises(CassetteMiss):
        playing.find(ask(n=7))
    report = playing.report
    assert (report.hits, report.recorded, report.total, len(report.misses)) == (1, 0, 3, 1)
    assert report.unused == (recordings[0], recordings[2])


# Credentials


def recorded_with(*credentials: bytes | None) -> MemoryCassette:
    source = MemoryCassette()
    recording = Session(source, "once")
    for number, credential in enumerate(credentials, 1):
        record(recording, ask(), str(number), credential)
    record(recording, ask(own=True), "own", credentials[-1])
    recording.close(save=True)
    return source


def test_credentials_are_numbered_by_first_use_while_recording() -> None:
    source = recorded_with(GOOD, BAD, GOOD, None)
    assert [each.credential for each in source.kept or ()] == [1, 2, 1, 0, 0]


def test_another_key_never_gets_the_answer_of_the_first() -> None:
    playing = Session(recorded_with(GOOD, GOOD))
    assert answer(playing, ask(), GOOD) == "1"
    with pytest.raises(CassetteMiss, match="asked with its credential 1, and this is asked with another one"):
        playing.find(ask(), BAD)
    with pytest.raises(CassetteMiss, match="and this is asked without one"):
        playing.find(ask())


def test_each_key_gets_its_own_answers_even_when_rotated() -> None:
    playing = Session(recorded_with(GOOD, BAD, GOOD))
    assert answer(playing, ask(), ROTATED) == "1"
    assert answer(playing, ask(), b"other") == "2"
    assert answer(playing, ask(), ROTATED) == "3"


def test_the_second_key_works_alone() -> None:
    playing = Session(recorded_with(GOOD, BAD))
    assert answer(playing, ask(own=True), b"x") == "own"
    assert answer(playing, ask(), b"x") == "2"


def test_requests_without_a_key_get_what_was_asked_without_one() -> None:
    playing = Session(recorded_with(GOOD, None))
    assert answer(playing, ask()) == "2"
    assert answer(playing, ask(), GOOD) == "1"


def test_recordings_with_unknown_credentials_answer_all_and_stay_so() -> None:
    source = MemoryCassette([a_recording(ask(), "1"), a_recording(ask(), "2"), a_recording(ask(), "3")])
    playing = Session(source, "new_episodes")
    assert [answer(playing, ask(), key) for key in (GOOD, None, BAD)] == ["1", "2", "3"]
    record(playing, ask(n=1), "4", GOOD)
    playing.close(save=True)
    assert [each.credential for each in source.kept or ()] == [0, 0, 0, 0]


def test_one_dummy_key_may_stand_for_those_of_several_hosts() -> None:
    one, other = ask("https://one/v1/chat"), ask("https://other/v1/chat")
    source = MemoryCassette()
    recording = Session(source, "once")
    for number, (asked, key) in enumerate([(one, GOOD), (other, BAD), (one, BAD), (other, GOOD)]):
        record(recording, asked, str(number), key)
    recording.close(save=True)
    assert [each.credential for each in source.kept or ()] == [1, 2, 2, 1]
    playing = Session(source)
    assert [answer(playing, asked, b"dummy") for asked in (one, other)] == ["0", "1"]
    with pytest.raises(CassetteMiss, match="asked with its credential 2, and this is asked with another one"):
        playing.find(one, b"dummy")


def use_with_key(source: MemoryCassette, mode: Mode, *asked: Request, **options: Any) -> Session:
    """Ask all of these with one key; each answer tells the use it comes from."""
    session = Session(source, mode, **options)
    for each in asked:
        if isinstance(slot := session.find(each, GOOD), Slot):
            slot.fill(a_recording(each, "new").exchange, "")
    session.close(save=True)
    return session


def numbers(source: MemoryCassette) -> list[int]:
    return [each.credential for each in source.kept or ()]


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([GOOD, BAD])), min_size=1, max_size=6))
def test_mode_all_twice_keeps_numbers_and_replaces(calls: list[tuple[int, bytes]]) -> None:
    source = MemoryCassette()
    kept = []
    for text in ("old", "new"):
        recording = Session(source, "all")
        for n, key in calls:
            record(recording, ask(n=n), text, key)
        recording.close(save=True)
        kept.append([(each.exchange.request, each.credential) for each in source.kept or ()])
    assert kept[0] == kept[1]
    assert set(answers(source)) == {"new"}


@given(st.integers(0, 3), st.sampled_from(["new_episodes", "prune"]))
def test_a_new_request_at_any_position_leaves_the_other_hits_alone(position: int, mode: str) -> None:
    source = MemoryCassette()
    old = [ask(n=n) for n in range(3)]
    use_with_key(source, "once", *old)
    asked = [*old[:position], ask(n=7), *old[position:]]
    session = use_with_key(source, "new_episodes", *asked, prune=mode == "prune")
    assert (session.report.hits, session.report.recorded) == (3, 1)
    assert numbers(source) == [1, 1, 1, 1]


def test_uses_that_share_a_cassette_and_a_key_share_its_number() -> None:
    source = MemoryCassette()
    for n in range(4):
        use_with_key(source, "new_episodes", ask(n=n))
    assert numbers(source) == [1, 1, 1, 1]


def test_a_key_beside_those_that_are_in_use_gets_a_new_number() -> None:
    source = recorded_with(GOOD, BAD)
    adding = Session(source, "new_episodes")
    record(adding, ask(n=1), "third", b"third")
    assert [answer(adding, ask(), key) for key in (GOOD, BAD)] == ["1", "2"]
    adding.close(save=True)
    assert numbers(source) == [1, 2, 2, 3]


def test_mode_all_knows_a_key_again_by_what_it_asked() -> None:
    source = recorded_with(GOOD, BAD)
    use_with_key(source, "all", ask(own=True))
    assert (numbers(source), answers(source)) == ([1, 2, 2], ["1", "2", "new"])


@pytest.mark.parametrize("repeat", ["error", "last"])
def test_a_played_recording_of_another_key_is_named_as_such(repeat: Any) -> None:
    playing = Session(recorded_with(GOOD), repeat=repeat)
    assert answer(playing, ask(), GOOD) == "1"
    with pytest.raises(CassetteMiss, match="asked with its credential 1, and this is asked with another one"):
        playing.find(ask(), BAD)


def test_repeat_last_is_not_advised_where_a_rule_refuses_the_last_one() -> None:
    allowed = [True, False]
    matching = Matching(("method", lambda asked, recorded: allowed.pop(0)))
    playing = Session(MemoryCassette([a_recording(ask(), "1")]), matching=matching)
    answer(playing, ask())
    allowed += [False] * 3
    with pytest.raises(CassetteMiss, match="returned False"):
        playing.find(ask())


def test_a_miss_advises_what_it_was_told_to() -> None:
    with pytest.raises(CassetteMiss, match=r"; run pytest --recorder-mode=once$"):
        Session(MemoryCassette([]), advice="run pytest --recorder-mode=once").find(ask())


# What is kept


def test_new_episodes_and_once_write_what_they_loaded_only_once() -> None:
    source = MemoryCassette()
    one, other = Session(source, "once"), Session(source, "once")
    record(one, ask(n=1), "1")
    record(one, ask(n=2), "2")
    record(other, ask(n=2), "other 2")
    record(other, ask(n=3), "3")
    one.close(save=True)
    other.close(save=True)
    assert answers(source) == ["1", "2", "3"]


def test_rewriting_together_keeps_what_both_recorded_and_nothing_old() -> None:
    source = MemoryCassette([a_recording(ask(), "old")])
    sessions = [Session(source, "rewrite") for _ in range(2)]
    for number, session in enumerate(sessions):
        record(session, ask(n=number), str(number))
    for session in sessions:
        session.close(save=True)
    assert answers(source) == ["0", "1"]


def test_mode_all_puts_new_answers_in_the_place_of_old_ones() -> None:
    source = MemoryCassette([a_recording(ask(n=n), str(n)) for n in (1, 2, 1, 3)])
    use_once(source, "all", (ask(n=3), "new 3"), (ask(n=1), "new 1"), (ask(n=4), "4"))
    assert answers(source) == ["new 1", "2", "new 3", "4"]


def test_rewriting_with_nothing_asked_empties_a_cassette_and_makes_none() -> None:
    source = MemoryCassette([a_recording(ask())])
    use_once(source, "rewrite")
    assert source.kept == ()
    source = MemoryCassette()
    use_once(source, "rewrite")
    assert source.kept is None


def test_prune_records_what_changed_and_drops_what_was_not_used() -> None:
    source = MemoryCassette([a_recording(ask(n=n), str(n)) for n in range(3)])
    session = use_once(source, "none", (ask(n=1), ""), (ask(n=7), "7"), prune=True)
    assert answers(source) == ["1", "7"]
    assert [each.exchange.body for each in session.report.dropped] == [b"0", b"2"]
    assert session.mode == "new_episodes"


def test_prune_keeps_what_others_added_meanwhile() -> None:
    source = MemoryCassette([a_recording(ask(n=n), str(n)) for n in range(2)])
    pruning = Session(source, prune=True)
    answer(pruning, ask(n=0))
    use_once(source, "new_episodes", (ask(n=5), "5"))
    pruning.close(save=True)
    assert answers(source) == ["0", "5"]


def test_dry_run_changes_nothing_and_lists_what_would_change() -> None:
    source = MemoryCassette([a_recording(ask(n=n), str(n)) for n in range(2)])
    before = source.kept
    session = Session(source, prune=True, dry_run=True)
    answer(session, ask(n=1))
    assert answer(session, ask(n=2)) == "0"  # which stands in, and is still unused
    with pytest.raises(CassetteMiss, match="would be recorded anew"):
        session.find(ask(n=3))
    session.close(save=True)
    assert source.kept is before
    assert source.rejected is None
    assert [each.partition("\n")[2] for each in session.report.anew] == ["  $.n: recorded 0, asked 2", ""]
    assert [each.exchange.body for each in session.report.dropped] == [b"0"]


def test_what_is_not_to_be_saved_is_put_beside_and_said(caplog: pytest.LogCaptureFixture) -> None:
    source = MemoryCassette([a_recording(ask(n=1), "1")])
    session = Session(source, "new_episodes")
    record(session, ask(n=2), "2")
    session.close(save=False, why="its block raised ValueError")
    assert answers(source) == ["1"]
    assert [each.exchange.body for each in source.rejected or ()] == [b"1", b"2"]
    assert "its block raised ValueError; what was recorded is in memory.rej" in caplog.text


def test_closing_well_without_anything_new_writes_nothing() -> None:
    source = MemoryCassette([a_recording(ask())])
    before = source.kept
    for mode in ("none", "once", "new_episodes", "all"):
        use_once(source, mode)
    assert source.kept is before


SHARDS = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=5), min_size=1, max_size=4
)


@given(SHARDS, st.lists(st.integers(0, 3), max_size=3), st.sampled_from(["once", "new_episodes"]))
def test_merging_shards_loses_nothing(
    shards: list[list[tuple[int, int]]], old: list[int], mode: Mode
) -> None:
    before = [a_recording(ask(n=n), f"old {place}") for place, n in enumerate(old)]
    now, scope = list(before), Matching().scope()
    each_asked: Counter[tuple[int, int]] = Counter()
    for number, shard in enumerate(shards):
        recorded = [
            a_recording(ask(n=n), f"{number} {place}", credential=credential)
            for place, (n, credential) in enumerate(shard)
        ]
        each_asked |= Counter(shard)
        now = merge(mode, before, now, recorded, (), scope)
        assert now[: len(before)] == before
    added = now[len(before) :]
    assert len(set(added)) == len(added)
    assert Counter((each.exchange.request, each.credential) for each in added) == {
        (ask(n=n), credential): times for (n, credential), times in each_asked.items()
    }


def test_merging_by_rules_of_ones_own_keeps_what_they_tell_apart() -> None:
    def same_parity(asked: Request, recorded: Request) -> bool:
        return asked.body[-2] % 2 == recorded.body[-2] % 2

    matching = Matching(match=("path", same_parity))
    shards = [
        [a_recording(ask(n=n), f"{name}{n}") for n in numbers]
        for name, numbers in (("a", (1,)), ("b", (2, 3)))
    ]
    now: list[Recorded] = []
    for shard in shards:
        now = merge("once", [], now, shard, (), matching.scope(), matching.matchers)
    assert [each.exchange.body for each in now] == [b"a1", b"b2"]
    again = [a_recording(ask(n=5), "c5")]
    now = merge("all", now, now, again, (), matching.scope(), matching.matchers)
    assert [each.exchange.body for each in now] == [b"c5", b"b2"]


# What is said


def test_unused_recordings_are_ignored_warned_of_or_an_error() -> None:
    recordings = [a_recording(ask(n=n)) for n in range(3)]
    unused = recordings[1:]
    check_unused("c", recordings, unused, "ignore")
    with pytest.warns(RecorderWarning, match=r"cassette 'c': recordings 2, 3 are unused, first POST https"):
        check_unused("c", recordings, unused, "warn")
    with pytest.raises(CassetteError, match="prune=True"):
        check_unused("c", recordings, unused, "fail")
    check_unused("c", recordings, [], "fail")


def test_old_recordings_are_ignored_warned_of_or_an_error() -> None:
    recordings = [a_recording(ask())]
    day, now = 86400.0, 1_700_000_000 + 2 * 86400.0
    check_age("c", recordings, None, "fail", now)
    check_age("c", recordings, 3 * day, "fail", now)
    check_age("c", recordings, day, "ignore", now)
    with pytest.warns(RecorderWarning, match=r"recording 1 is older than 1 days"):
        check_age("c", recordings, day, "warn", now)
    with pytest.raises(CassetteError, match="mode='rewrite'"):
        check_age("c", recordings, day, "fail", now)


def test_every_option_that_can_be_given_is_known() -> None:
    assert set(CassetteOptions.__annotations__) | {"mode"} == set(Use.__struct_fields__)


def test_options_are_checked_and_named() -> None:
    wrong: Any = {"recordmode": "none"}
    with pytest.raises(SettingsError, match="recordmode is no option of a cassette; there are mode, install"):
        use("none", wrong)
    wrong = {"repeat": "first"}
    with pytest.raises(CassetteError, match="repeat='first' is not known; it is one of error, last, cycle"):
        use("none", wrong)
    with pytest.raises(CassetteError, match="prune"):
        use("rewrite", {"prune": True})
    assert use("none", {"match": "path", "ignore": ["$.a"]}).matching == Matching(("path",), ("$.a",))
