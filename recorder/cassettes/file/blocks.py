"""A cassette file as a preamble and blocks, one a recording, each with the very text that it has in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from ...errors import CassetteError
from ...exchange import Exchange
from ..source import Recorded
from .answer import AnswerReader
from .document import VERSION, Misfit, read_document, read_preamble
from .documents import END, Piece, cut_documents
from .exchanges import Asked, read_recorded, write_recorded
from .foreign import refuse_foreign
from .head import read_lazily
from .layout import render
from .read_fast import FastReader
from .read_yaml import Unreadable, member_path, read_yaml

PREAMBLE = f"""\
# Recorded by recorder. Edit texts by hand if you like: lengths follow.
recorder_cassette: {VERSION}
"""
_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?:[ \t].*)?$", re.MULTILINE)
_AT = re.compile(r"(.*) - at `(\$.*)`", re.DOTALL)


class Block(Struct, frozen=True, gc=False):
    """A recording and its document, which is left out where most of it is still to be read."""

    text: str
    recorded: Recorded


def write_block(recorded: Recorded, compared: Collection[bytes] = ()) -> str:
    """The document of a recording, as this version lays it out; request headers that are `compared` stay."""
    return render(write_recorded(recorded, compared))


def join_file(preamble: str, blocks: Iterable[str]) -> str:
    """The text of a file."""
    return "---\n".join((preamble, *blocks)) + END


def read_file(text: str, name: str, *, lazily: bool = False) -> tuple[str, list[Block]]:
    """The preamble and the blocks of a file; raises CassetteError, which says where what is wrong.

    With `lazily`, what is wrong with a long answer is only known when that is read.
    """
    if "\r" in text and "\r\n" in text:  # as git checks it out on Windows; no text of ours holds a bare CR
        text = text.replace("\r\n", "\n")
    refuse_foreign(text, PREAMBLE, name)
    try:
        return _read_file(text, name, lazily)
    except CassetteError:
        _refuse_conflicts(text, name)  # which explains more than what came of it
        raise


def _read_file(text: str, name: str, lazily: bool) -> tuple[str, list[Block]]:
    preamble, pieces = cut_documents(text, name)
    _check_version(preamble, name)
    reader, later = FastReader(), _Later(name)
    blocks = []
    for number, piece in enumerate(pieces, 1):
        if lazily and (recorded := read_lazily(piece, reader, partial(later.read, piece, number))):
            blocks.append(Block("", recorded))
        else:
            blocks.append(Block(piece.text, _read_at(piece, reader, number, name)))
    return preamble, blocks


class _Later:
    """Reads what was left for later of one file, whichever thread asks for it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spare: list[AnswerReader] = []

    def read(self, piece: Piece, number: int, asked: Asked) -> Exchange:
        try:
            reader = self._spare.pop()
        except IndexError:
            reader = AnswerReader()
        exchange = reader.read(piece, asked)
        if exchange is None:  # as an edit may leave it
            exchange = _read_at(piece, reader.reader, number, self._name).exchange
        self._spare.append(reader)
        return exchange


def _read_at(piece: Piece, reader: FastReader, number: int, name: str) -> Recorded:
    try:
        return _read_block(piece.text, reader)
    except Unreadable as error:
        field = f"{error.field.removeprefix('$.')}: " if error.field not in ("", "$") else ""
        raise CassetteError(
            f"{name}:{piece.line + error.line}: recording {number}: {field}{error.problem}; "
            "mend it, or delete the file and record it anew"
        ) from error


def _read_block(document: str, reader: FastReader) -> Recorded:
    text = reader.read(document)
    if text is not None:
        try:
            return read_recorded(read_document(text))
        except (msgspec.ValidationError, msgspec.DecodeError, Misfit, RecursionError):
            pass  # read again below, where it is known on which line what stands
    text, lines = read_yaml(document)
    try:
        return read_recorded(read_document(text))
    except Misfit as error:
        raise Unreadable(str(error), _line_of(error.path, lines), error.path) from error
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        problem, path = (found[1], _named(found[2], text)) if found else (str(error), "$")
        raise Unreadable(problem, _line_of(path, lines), path) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(str(error), 0) from error


def _named(path: str, text: str) -> str:
    """The path with the name of the header that does not fit, which msgspec leaves out."""
    holder, gap, rest = path.partition("[...]")
    if not gap:
        return path
    shown: Any = json.loads(text)
    for step in holder.split(".")[1:]:
        shown = shown[step]
    name = next((name for name, value in shown.items() if not _is_header(value)), None)
    return path if name is None else f"{member_path(holder, name)}{rest}"


def _is_header(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    )


def _line_of(path: str, lines: dict[str, int]) -> int:
    """The line of a value, or of the nearest that holds it."""
    while path not in lines and path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 0)


def _refuse_conflicts(text: str, name: str) -> None:
    if (found := _CONFLICT.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise CassetteError(f"{name}:{line}: a merge left the conflict marker {found[0]!r}; resolve it")


def _check_version(preamble: str, name: str) -> None:
    if preamble == PREAMBLE:
        return
    try:
        version = read_preamble(read_yaml(preamble)[0]).recorder_cassette
    except (Unreadable, msgspec.DecodeError, RecursionError) as error:
        raise CassetteError(
            f"{name}:1: this is no cassette of recorder, which begins with `recorder_cassette: {VERSION}`"
        ) from error
    if version != VERSION:
        raise CassetteError(
            f"{name}:1: recorder_cassette: format {version} is unknown, this recorder reads {VERSION}; upgrade recorder"
        )
