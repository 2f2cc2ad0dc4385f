from __future__ import annotations

import queue

import pytest

from recorder.ledger.bell import Bell


def test_a_ticket_is_answered_when_what_was_put_before_it_is_settled() -> None:
    settled = [False]
    bell = Bell(lambda: lambda: settled[0])
    ticket = bell.ask()
    assert bell.hear(0)
    bell.answer()
    assert (ticket.answered.is_set(), bell.waiting) == (False, 1)
    settled[0] = True
    bell.answer()
    assert (ticket.answered.is_set(), bell.waiting) == (True, 0)


def test_everybody_can_be_answered_though_nothing_is_settled() -> None:
    bell = Bell(lambda: lambda: False)
    tickets = [bell.ask(), bell.ask()]
    while bell.hear(0):
        pass
    bell.answer(everybody=True)
    assert [ticket.answered.is_set() for ticket in tickets] == [True, True]
    assert bell.waiting == 0


def test_what_is_called_is_run_by_who_hears_it() -> None:
    bell = Bell(lambda: lambda: True)
    heard: list[str] = []
    bell.call(lambda: heard.append("work"))
    bell.ring()
    assert not bell.quiet
    assert [bell.hear(0), bell.hear(0), bell.hear(0)] == [True, True, False]
    assert (heard, bell.quiet) == (["work"], True)


def test_its_queue_is_the_one_that_queues_are_when_it_is_first_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Late(queue.Queue[object]):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    bell = Bell(lambda: lambda: True)
    assert bell.quiet
    monkeypatch.setattr(queue, "SimpleQueue", Late)
    bell.ring()
    assert (len(made), bell.quiet, bell.hear(0), bell.quiet) == (1, False, True, True)
