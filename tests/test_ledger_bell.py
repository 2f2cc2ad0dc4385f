from __future__ import annotations

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
