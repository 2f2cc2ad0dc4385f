"""What lines of events have in common where they differ in a few texts only."""

from __future__ import annotations

from io import BytesIO
from itertools import islice, pairwise
from operator import itemgetter

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

_HOLE = b"<hole>"
_BEFORE_TEXT = b': "'
_MARKS = [bytes([sign]) for sign in range(1, 9)]
_NO_CONTROL = bytes([*range(32, 127), *range(128, 256)])
_PLAIN = _NO_CONTROL.translate(None, b'"\\')

_read_texts = Decoder(list[str]).decode


class Mould(Struct, frozen=True, gc=False):
    """How such lines begin, what stands between the texts of each, and how they end."""

    start: bytes
    between: tuple[bytes, ...]
    end: bytes

    @property
    def example(self) -> bytes:
        """Lines of this mould, with a hole for each text."""
        return _HOLE.join((self.start, *self.between, self.end))

    def fits(self, run: bytes, first: int, last: int) -> bool:
        """Whether what stands there begins and ends so."""
        return run.startswith(self.start, first) and run.endswith(self.end, first, last)

    def cut(self, run: bytes) -> list[bytes] | None:
        """What stands between beginning and end of each event of those, of which the first and the last fit.

        None where another one does not.
        """
        start, end = self.start, self.end
        lines = start.count(b"\n")
        first, last = len(start) - start.rfind(b"\n") - 1, -len(end)
        found = islice(BytesIO(run), lines, None, lines + 1) if lines else BytesIO(run)
        inner = [*map(itemgetter(slice(first, last)), found)]
        between = (end + start).join(inner)
        fitting = len(start) + len(between) + len(end) == len(run) and run.startswith(between, len(start))
        return inner if fitting else None

    def pour(self, inner: list[bytes], example: bytes) -> list[bytes] | None:
        """What is made of each event if `example` is made of the example; None where something else than texts differs.

        JSON text that stands between quotes must be the same in what is made.
        """
        start, *between, end = example.split(_HOLE)
        if len(between) != len(self.between):
            return None
        ends = start, end
        marks, marked = _MARKS[: len(between)], b"\0".join(inner)
        if not marks:
            return [text.join(ends) for text in inner] if _are_texts(marked, b"", len(inner)) else None
        for piece, mark in zip(self.between, marks, strict=True):
            marked = marked.replace(piece, mark)
        if not _are_texts(marked, b"".join(marks), len(inner)):
            return None
        for piece, mark in zip(between, marks, strict=True):
            marked = marked.replace(mark, piece)
        return [text.join(ends) for text in marked.split(b"\0")]


def mould_like(event: bytes, start: int, end: int) -> Mould | None:
    """The mould of an event with one text, where beginning and end are as long as these; None where there is none."""
    mould = Mould(event[:start], (), event[len(event) - end :])
    is_text = start and event.find(b'"', start) == len(event) - end and mould.start.endswith(_BEFORE_TEXT)
    return mould if is_text else None


def mould_of(one: bytes, other: bytes) -> Mould | None:
    """The mould of two events, given their lines; None where they are the same, or differ in more than a few texts."""
    first = one.rfind(_BEFORE_TEXT, 0, _alike(one, other))
    if first < 0:
        return None
    first += len(_BEFORE_TEXT)
    start, one, other = one[:first], one[first:], other[first:]
    last = one.find(b'"', len(one) - _alike(one[::-1], other[::-1]))
    if one[last - 1 : last] == b"\\":
        last = one.find(b'"', last + 1)  # both texts end with a quote of their own
    if last < 0:
        return None
    end, one, other = one[last:], one[:last], other[: last - len(one)]
    if b'"' not in (one + other).replace(b'\\"', b""):
        return Mould(start, (), end)
    ours, others = one.split(b'"'), other.split(b'"')
    if len(ours) != len(others):
        return None
    texts = [place for place, (our, their) in enumerate(zip(ours, others, strict=True)) if our != their]
    if len(texts) > len(_MARKS) + 1 or any(place % 2 for place in texts):
        return None
    between = [b'"'.join((b"", *ours[place + 1 : later], b"")) for place, later in pairwise(texts)]
    return Mould(start, tuple(between), end)


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes at the beginning are the same."""
    size = min(len(one), len(other))
    return size - ((int.from_bytes(one[:size]) ^ int.from_bytes(other[:size])).bit_length() + 7) // 8


def _are_texts(marked: bytes, marks: bytes, count: int) -> bool:
    """Whether there are JSON texts, between all these marks, so often; each time but the last, a zero follows."""
    wanted = b"\0".join([marks] * count) if marks else bytes(count - 1)
    if marked.translate(None, _PLAIN) == wanted:
        return True
    if marked.translate(None, _NO_CONTROL) != wanted:
        return False
    for mark in marks:
        marked = marked.replace(bytes([mark]), b"\0")
    try:  # a line end can stand nowhere but between texts, so that none of them reaches into the next
        return len(_read_texts(b'["%b"]' % marked.replace(b"\0", b'"\n,\n"'))) == count * (len(marks) + 1)
    except DecodeError:
        return False
