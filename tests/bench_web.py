"""How long the page takes over many calls: `python -m tests.bench_web sqlite:///big.db` (see tests.million)."""

from __future__ import annotations

import statistics
import sys
import time

from starlette.testclient import TestClient

from recorder.ledger import Store
from recorder.web.app import create_app

_TIMES = 11


def main() -> None:
    """Print what each page takes on this side, and what it weighs."""
    store = Store(sys.argv[1])
    page = TestClient(create_app(store), "http://127.0.0.1")
    id = store.calls(limit=1)[0]["id"]
    for path, most_ms in (("/?since=all", 300), ("/?since=30d", 300), ("/calls", 150), (f"/calls/{id}", 100)):
        taken = []
        for _ in range(_TIMES):
            begun = time.perf_counter()
            answer = page.get(path)
            taken.append(1000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, path
        size = len(answer.content) / 1000
        print(f"{path[:20]:<22} {statistics.median(taken):6.0f} ms (at most {most_ms})  {size:6.1f} kB")


if __name__ == "__main__":
    main()
