"""Reads a stranger's YAML or JSON file into plain values, and constructs nothing else from it."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Any

import yaml

from ..errors import CassetteError

MAX_BYTES = 256 * 1024 * 1024
"""The largest file that is read, and the largest text that a compressed one may become."""
MAX_NODES = 20_000_000
"""How many values a document may amount to once its aliases are written out."""
MAX_DEPTH = 500
"""How deep a YAML document may nest."""

_INDENTED = re.compile(rb"^[ \t?:-]{500}", re.MULTILINE)
_PYTHON = "tag:yaml.org,2002:python/"
_PRE_1_0 = (
    "object:vcr.request.Request",
    "object/apply:__builtin__.frozenset",
    "object/apply:builtins.frozenset",
)


class NotADocument(CassetteError):
    """The file is neither YAML nor JSON."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # without libyaml there is no C loader
    """The safe loader, with the few tags that old cassettes carry; dates stay the text that they are."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":value"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def flatten_mapping(self, node: Any) -> None:
        """Refuse merge keys: no recorder writes them, and a few lines of them can fill any memory."""
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            problem = "merge keys (<<) are not read; write out what they stand for"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def read_document(path: Path) -> Any:
    """The values of a YAML or JSON file, also one that is gzipped.

    Raises NotADocument where it holds neither, CassetteError where it is too large, nested too deep or has
    a tag that would construct objects; both name the place.
    """
    data = _read(path)
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        try:
            return _checked(json.loads(data.decode("utf-8-sig")), path)
        except UnicodeDecodeError as error:
            raise NotADocument(f"{path} is no text in UTF-8: {error}") from error
        except ValueError as error:
            if path.suffix.lower() in (".json", ".har"):
                raise NotADocument(f"{path} is no JSON: {error}") from error
        except RecursionError as error:
            raise CassetteError(f"{path} is nested too deep to be read") from error
    return parse_yaml(data, path)


def parse_yaml(data: bytes, path: Path) -> Any:
    """The values of a YAML text; raises as `read_document` does."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotADocument(f"{path} is in UTF-16; save it in UTF-8")
    try:
        if _may_be_deep(data):
            _check_depth(data, path)
        value = yaml.load(data, Loader=_Loader)
    except yaml.constructor.ConstructorError as error:
        raise CassetteError(f"{path}, {_place(error)}: {_refusal(str(error.problem))}") from error
    except yaml.MarkedYAMLError as error:
        raise NotADocument(f"{path}, {_place(error)}: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        raise NotADocument(f"{path}, line {line}: this is no YAML in UTF-8: {error.reason}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise NotADocument(f"{path} is no YAML: {error}") from error
    except RecursionError as error:
        raise CassetteError(f"{path} is nested too deep to be read") from error
    return _checked(value, path)


def _may_be_deep(data: bytes) -> bool:
    """Whether a YAML text could nest further than is safe; brackets in texts count, so most that could do not."""
    return data.count(b"[") + data.count(b"{") > MAX_DEPTH or _INDENTED.search(data) is not None


def _check_depth(data: bytes, path: Path) -> None:
    """Raise CassetteError for what would overflow the stack of libyaml's composer, which ends the process."""
    depth = 0
    for event in yaml.parse(data, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise CassetteError(f"{path} is nested more than {MAX_DEPTH} levels deep, and is not read")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror or error}") from error
    if size > MAX_BYTES:
        raise CassetteError(f"{path} has {size} bytes, and no more than {MAX_BYTES} are read; split it")
    if data.startswith(b"\x1f\x8b"):
        data = _unzipped(path)
    return data


def _unzipped(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotADocument(f"{path} is no valid gzip: {error}") from error
    if len(data) > MAX_BYTES:
        raise CassetteError(f"{path} grows beyond {MAX_BYTES} bytes when decompressed; split it")
    return data


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "somewhere"


def _refusal(problem: str) -> str:
    tag = problem.partition("'")[2].rpartition("'")[0]
    if tag.removeprefix(_PYTHON) in _PRE_1_0:
        return "written by vcrpy before 1.0; migrate it first: python -m vcr.migration FILE"
    if tag:
        return f"the tag {tag!r} could construct any object and is refused; take it out or record anew"
    return problem


def _checked(value: Any, path: Path) -> Any:
    """The value itself, unless its aliases make it endless or larger than any honest cassette."""
    sizes: dict[int, int] = {}
    stack = [(value, False)]
    while stack:
        item, done = stack.pop()
        children = (
            item.values() if isinstance(item, dict) else item if isinstance(item, (list, tuple)) else ()
        )
        if done:
            sizes[id(item)] = total = 1 + sum(sizes.get(id(child), 1) for child in children)
            if total > MAX_NODES:
                raise CassetteError(
                    f"{path} amounts to more than {MAX_NODES} values, by its aliases; refused"
                )
        elif children and id(item) not in sizes:
            sizes[id(item)] = MAX_NODES  # until it is done: one that holds itself gets there
            stack.append((item, True))
            stack += [(child, False) for child in children]
    return value


def _text(loader: Any, node: Any) -> str:
    return str(loader.construct_scalar(node))


def _tuple(loader: Any, node: Any) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node, deep=True))


def _buffer(loader: Any, node: Any) -> bytes:
    """What a pickled BytesIO held: the first item of its state."""
    state = _pickled(loader, node).get("state") or (b"",)
    data = state[0] if isinstance(state, (list, tuple)) else state
    return data.encode() if isinstance(data, str) else bytes(data or b"")


def _pieces(loader: Any, node: Any) -> list[Any]:
    """What a pickled iterator went through."""
    arguments: Any = _pickled(loader, node).get("args") or ([],)
    return list(arguments[0])


def _pickled(loader: Any, node: Any) -> dict[Any, Any]:
    """What an object was made of; one that has arguments alone is written as the list of these."""
    if isinstance(node, yaml.SequenceNode):
        return {"args": loader.construct_sequence(node, deep=True)}
    made: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return made


def _binary(loader: Any, node: Any) -> Any:
    """Ruby's spelling of `!!binary`."""
    return loader.construct_yaml_binary(node)


_Loader.add_constructor(f"{_PYTHON}str", _text)
_Loader.add_constructor(f"{_PYTHON}unicode", _text)
_Loader.add_constructor(f"{_PYTHON}tuple", _tuple)
_Loader.add_constructor(f"{_PYTHON}object/new:_io.BytesIO", _buffer)
_Loader.add_constructor(f"{_PYTHON}object/apply:builtins.iter", _pieces)
_Loader.add_constructor("!binary", _binary)
