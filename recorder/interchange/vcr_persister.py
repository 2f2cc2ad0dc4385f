"""Reads a cassette by a suite's own persister for vcrpy, which may keep what nobody else can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import CassetteError
from . import vcrpy
from .documents import parse_yaml
from .imported import Imported


class _Yaml:
    """vcrpy's default serializer, as far as it reads; JSON is YAML."""

    @staticmethod
    def deserialize(text: str) -> Any:
        return parse_yaml(text.encode("utf-8"), Path("the cassette"))


def read_by_persister(persister: Any, path: Path, serializer: Any) -> Imported:
    """The recordings that `persister.load_cassette` finds at a path; `serializer` is the suite's own, if any.

    Raises CassetteError where it finds none.
    """
    try:
        requests, responses = persister.load_cassette(str(path), serializer or _Yaml)
        entries = [
            {"request": _plain(request), "response": response}
            for request, response in zip(requests, responses, strict=True)
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CassetteError(
            f"{path} cannot be read by its persister {type(persister).__name__}: {type(error).__name__}: {error}"
        ) from error
    return vcrpy.read({"interactions": entries}, str(path))


def _plain(request: Any) -> Any:
    """A request of vcrpy's as the dict that a file holds."""
    if isinstance(request, dict):
        return request
    return {
        "method": request.method,
        "uri": request.uri,
        "body": request.body,
        "headers": dict(request.headers),
    }
