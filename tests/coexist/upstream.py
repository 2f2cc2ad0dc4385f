"""An upstream on this machine that answers a chat completion with the question."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every POST."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = {"choices": [{"message": {"content": "re: " + asked["messages"][0]["content"]}}]}
        answer = json.dumps(text).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quietly."""


class Server(ThreadingHTTPServer):
    """Lets as many clients connect at once as there are."""

    request_queue_size = 128


@contextmanager
def upstream() -> Iterator[str]:
    """Its URL, while it runs."""
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
        server.shutdown()
