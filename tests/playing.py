"""Plays cassettes to an httpx client, with vcrpy and with recorder, and tells what the client got."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import vcr  # type: ignore[import-untyped]  # ships no types
import yaml

from recorder import adapters
from recorder.cassettes import CassetteSource, Matching, Recorded, Session
from recorder.errors import CassetteMiss
from recorder.exchange import Exchange, Request
from recorder.interchange import VcrCassette, VcrConfig
from recorder.recording import Recording
from recorder.settings import RedactionRules, Settings

TREES = Path(__file__).resolve().parents[2] / "shared" / "vcr-trees"

_HOP = (b"host", b"content-length", b"transfer-encoding", b"connection")


class Got(tuple[Any, ...]):
    """Status, reason, headers and wire bytes of an answer; or the class of what was raised."""

    @property
    def body(self) -> bytes:
        return bytes(self[3])


class InMemory:
    """A cassette that lies nowhere."""

    def __init__(self, exchanges: Iterable[Exchange] = (), name: str = "memory") -> None:
        self.name = name
        self.recordings: tuple[Recorded, ...] | None = tuple(Recorded(exchange, "") for exchange in exchanges)

    def load(self) -> tuple[Recorded, ...] | None:
        return self.recordings

    def save(self, recordings: Sequence[Recorded]) -> None:
        self.recordings = tuple(recordings)

    def update(self, change: Any) -> None:
        self.save(change(self.load()))


class StructuredBodies:
    """The serializer of a suite that keeps bodies as structure, for vcrpy."""

    @staticmethod
    def deserialize(text: str) -> Any:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
        for interaction in data["interactions"]:
            for side in ("request", "response"):
                half = interaction[side]
                if (parsed := half.pop("parsed_body", None)) is not None:
                    body = json.dumps(parsed)
                    half["body"] = {"string": body} if side == "response" else body
        return data

    @staticmethod
    def serialize(cassette: Any) -> str:
        raise NotImplementedError


def vcrpy(path: Path, options: Mapping[str, Any] | None = None) -> Any:
    """vcrpy's own cassette over a file, to be entered with `with`."""
    recorder = vcr.VCR(record_mode="none")
    recorder.register_serializer("structured", StructuredBodies)
    serializer = "json" if path.suffix == ".json" else "structured"
    return recorder.use_cassette(str(path), serializer=serializer, **(options or {}))


def play_with_vcrpy(
    path: Path, requests: Sequence[Request], options: Mapping[str, Any] | None = None
) -> list[Got]:
    """What vcrpy itself answers."""
    with vcrpy(path, options), httpx.Client(verify=False) as client:
        return [_ask(client, request) for request in requests]


def play(
    source: CassetteSource,
    requests: Sequence[Request],
    *,
    matching: Matching | None = None,
    repeat: Any = "error",
    redact: bool = True,
) -> list[Got]:
    """What a client gets that goes through a session over this source."""
    rules = RedactionRules() if redact else None
    recording = Recording(Settings(store="", record_paths=("*",), strict=True, redact=rules))
    session = Session(source, "none", matching=matching, repeat=repeat)
    recording.cassettes.activate(session)
    try:
        transport = adapters.wrap_transport(httpx.HTTPTransport(verify=False), recording, session)
        with httpx.Client(transport=transport) as client:
            return [_ask(client, request) for request in requests]
    finally:
        recording.cassettes.deactivate(session)
        session.close(save=False)


def play_vcr_file(
    path: Path, requests: Sequence[Request], config: VcrConfig | None = None, extra: Sequence[Path] = ()
) -> list[Got]:
    """What a vcrpy file answers where it lies."""
    cassette = VcrCassette(path, extra, config)
    return play(cassette, requests, matching=cassette.matching, repeat=cassette.repeat)


def _ask(client: httpx.Client, asked: Request) -> Got:
    headers = [pair for pair in asked.headers if pair[0].lower() not in _HOP]
    request = client.build_request(asked.method, asked.url, headers=headers, content=asked.body)
    try:
        response = client.send(request, stream=True)
        body = b"".join(response.iter_raw())
    except (CassetteMiss, vcr.errors.CannotOverwriteExistingCassetteException) as error:
        return Got((type(error).__name__,))
    return Got((response.status_code, response.reason_phrase, tuple(response.headers.raw), body))
