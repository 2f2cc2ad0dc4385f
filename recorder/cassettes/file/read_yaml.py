"""The patient reader: turns any plain YAML document into JSON text, and says where it cannot.

It reads structure and text, and constructs nothing: tags, anchors and aliases are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from .characters import quote

_DEEPEST = 200
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONSTANTS = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), "null"),
    **dict.fromkeys(("true", "True", "TRUE"), "true"),
    **dict.fromkeys(("false", "False", "FALSE"), "false"),
}
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_check_json = msgspec.json.Decoder(msgspec.Raw).decode


class Unreadable(ValueError):
    """What is wrong in a document, and in which of its lines, counted from 0."""

    def __init__(self, problem: str, line: int, field: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.field = field


def read_yaml(document: str) -> tuple[str, dict[str, int]]:
    """The document as JSON text, and the lines of its values by path (`$.request.url`).

    Raises Unreadable.
    """
    import yaml  # takes 20 ms to import, and files as they were written do without

    if _SURROGATE.search(document):  # libyaml refuses what JSON needs for characters beyond U+FFFF
        loader: Any = yaml.SafeLoader
    else:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(document)
    try:
        builder.read(yaml.parse(document, loader), yaml)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ": ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(f"this is no YAML: {what}", mark.line if mark else 0) from error
    except yaml.YAMLError as error:
        position, problem = getattr(error, "position", 0), getattr(error, "reason", error)
        raise Unreadable(f"this is no YAML: {problem}", document.count("\n", 0, position)) from error
    return "".join(builder.out), builder.lines


def member_path(path: str, name: str) -> str:
    """The path of a member, by which its line is found."""
    return f"{path}.{name}" if _STEP.fullmatch(name) else f"{path}[{quote(name)}]"


class _Frame:
    """A mapping or sequence that is being read."""

    __slots__ = ("count", "flow", "key", "path", "seen")

    def __init__(self, path: str, seen: set[str] | None, flow: bool) -> None:
        self.path = path
        self.seen = seen
        self.flow = flow
        self.count = 0
        self.key: str | None = None


class _Builder:
    """Writes JSON as YAML events tell it."""

    def __init__(self, document: str) -> None:
        self.out: list[str] = []
        self.lines: dict[str, int] = {}
        self._document = document
        self._frames: list[_Frame] = []

    def read(self, events: Iterable[Any], yaml: Any) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Unreadable(
                        "a document begins here; separate documents by a line `---`", _line(event)
                    )
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                frame = self._frames.pop()
                brackets = "[]" if frame.seen is None else "{}"
                self.out.append(brackets[1] if frame.count else brackets)
            elif isinstance(event, yaml.NodeEvent):
                self._refuse_machinery(event, isinstance(event, yaml.AliasEvent))
                self._node(event, yaml)
        if not documents:
            raise Unreadable("there is nothing in this document; remove it", 0)

    def _refuse_machinery(self, event: Any, is_alias: bool) -> None:
        if is_alias or event.anchor is not None:
            raise Unreadable("anchors and aliases are not allowed; write the value out", _line(event))
        if event.tag is not None:
            raise Unreadable(
                f"the tag {event.tag} is not allowed; quote the value if it is text", _line(event)
            )

    def _node(self, event: Any, yaml: Any) -> None:
        frame = self._frames[-1] if self._frames else None
        is_scalar = isinstance(event, yaml.ScalarEvent)
        if frame is not None and frame.seen is not None and frame.key is None:
            self._key(frame, event, is_scalar)
            return
        path = "$" if frame is None else self._place(frame)
        self.lines[path] = _line(event)
        if is_scalar:
            self.out.append(self._scalar(event))
        elif len(self._frames) >= _DEEPEST:
            raise Unreadable("this is nested too deeply", _line(event))
        else:
            seen: set[str] | None = set() if isinstance(event, yaml.MappingStartEvent) else None
            self._frames.append(_Frame(path, seen, bool(event.flow_style)))

    def _key(self, frame: _Frame, event: Any, is_scalar: bool) -> None:
        if not is_scalar:
            raise Unreadable("a key must be text", _line(event))
        seen = frame.seen or set()
        if event.value in seen and not frame.flow:
            raise Unreadable(
                f"the key {event.value!r} stands here twice; keep one of them", _line(event), frame.path
            )
        if frame.seen is not None:
            frame.seen.add(event.value)
        self.out.append("," if frame.count else "{")
        self.out.append((self._source(event) or quote(self._text(event))) + ":")
        frame.key = event.value

    def _place(self, frame: _Frame) -> str:
        """The path of the value that comes next, after writing what separates it."""
        if frame.seen is None:
            self.out.append("," if frame.count else "[")
            path = f"{frame.path}[{frame.count}]"
        else:
            path = member_path(frame.path, frame.key or "")
        frame.count += 1
        frame.key = None
        return path

    def _scalar(self, event: Any) -> str:
        if event.style in (None, ""):
            if event.value in _CONSTANTS:
                return _CONSTANTS[event.value]
            if _NUMBER.fullmatch(event.value):
                return str(event.value)
        return self._source(event) or quote(self._text(event))

    def _source(self, event: Any) -> str | None:
        """A double-quoted scalar as it stands there, with its escapes, where it is a JSON string too."""
        if event.style != '"':
            return None
        source = self._document[event.start_mark.index : event.end_mark.index]
        try:
            _check_json(source)
        except msgspec.DecodeError:
            return None
        return source

    def _text(self, event: Any) -> str:
        """The text of a scalar, its surrogate pairs made whole."""
        value: str = event.value
        if value.isprintable():
            return value
        try:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise Unreadable(
                "half of a surrogate pair is no text; quote it with single quotes", _line(event)
            ) from error


def _line(event: Any) -> int:
    return int(event.start_mark.line) if event.start_mark else 0
