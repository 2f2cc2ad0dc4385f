"""A cassette file as a preamble and blocks, one a recording, each with the very text that it has in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import msgspec
from msgspec import Struct

from ...errors import CassetteError
from ..source import Recorded
from .document import VERSION, Misfit, read_document, read_preamble
from .exchanges import read_recorded, write_recorded
from .foreign import refuse_foreign
from .layout import render
from .read_fast import FastReader
from .read_yaml import Unreadable, read_yaml

PREAMBLE = f"""\
# Recorded by recorder. Edit texts by hand if you like: lengths follow.
recorder_cassette: {VERSION}
"""
_END = "...\n"
_SEPARATOR = re.compile(r"^---[ \t]*\n", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?:[ \t].*)?$", re.MULTILINE)
_AT = re.compile(r"(.*) - at `(\$.*)`", re.DOTALL)


class Block(Struct, frozen=True, gc=False):
    """A recording and its document."""

    text: str
    recorded: Recorded


def write_block(recorded: Recorded, compared: Collection[bytes] = ()) -> str:
    """The document of a recording, as this version lays it out; request headers that are `compared` stay."""
    return render(write_recorded(recorded, compared))


def join_file(preamble: str, blocks: Iterable[str]) -> str:
    """The text of a file."""
    return "---\n".join((preamble, *blocks)) + _END


def read_file(text: str, name: str) -> tuple[str, list[Block]]:
    """The preamble and the blocks of a file; raises CassetteError, which says where what is wrong."""
    if "\r\n" in text:  # as git checks it out on Windows; no text of ours holds a bare CR
        text = text.replace("\r\n", "\n")
    refuse_foreign(text, PREAMBLE, name)
    try:
        return _read_file(text, name)
    except CassetteError:
        _refuse_conflicts(text, name)  # which explains more than what came of it
        raise


def _read_file(text: str, name: str) -> tuple[str, list[Block]]:
    preamble, *documents = _split(text, name)
    _check_version(preamble, name)
    blocks = []
    reader = FastReader()
    for place, document in enumerate(documents):
        try:
            blocks.append(Block(document, _read_block(document, reader)))
        except Unreadable as error:
            before = (preamble, *documents[:place])
            line = 1 + error.line + sum(each.count("\n") + 1 for each in before)
            field = f"{error.field.removeprefix('$.')}: " if error.field not in ("", "$") else ""
            raise CassetteError(
                f"{name}:{line}: recording {place + 1}: {field}{error.problem}; "
                "mend it, or delete the file and record it anew"
            ) from error
    return preamble, blocks


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
        problem, path = (found[1], found[2]) if found else (str(error), "$")
        raise Unreadable(problem, _line_of(path, lines), path) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(str(error), 0) from error


def _line_of(path: str, lines: dict[str, int]) -> int:
    """The line of a value, or of the nearest that holds it."""
    while path not in lines and path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 0)


def _split(text: str, name: str) -> list[str]:
    body = text.rstrip()
    if not body.endswith("\n..."):
        raise CassetteError(
            f"{name}:{body.count(chr(10)) + 1}: the file ends without its last line `...`, so it may have been "
            "cut off; get it back from git, or add that line if it is whole"
        )
    body = body[: -len("...")]
    first, *others = _documents(body)
    if others and all(not line or line.startswith("#") for line in first.split("\n")):
        return [first + others[0], *others[1:]]  # formatters let a file begin with `---`
    return [first, *others]


def _documents(body: str) -> list[str]:
    documents = body.removesuffix("\n").split("\n---\n")
    if body.count("\n---") == len(documents) - 1 and not body.startswith("---"):
        return [f"{document}\n" for document in documents]
    return _SEPARATOR.split(body)


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
