"""Calls in greenlets: `python beside_gevent.py NAME`; each is one row, whether gevent came first or the recorder.

A greenlet that waits lets the others go on, so all calls together take about as long as one.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from typing import Any

import recorder
from recorder.ledger import Store

CALLS = 50
ORDERS = ("gevent first", "recorder first")


def calls(order: str, url: str) -> None:
    """Make calls in as many greenlets, and look for them in the store."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/calls.db"
        if order == "gevent first":
            patch()
        rec = recorder.Recorder(store)
        if order != "gevent first":
            patch()
        gevent, httpx2 = (importlib.import_module(name) for name in ("gevent", "httpx2"))

        def ask(number: int) -> Any:
            client = rec.wrap(httpx2.Client())
            body = {"model": "m", "messages": [{"role": "user", "content": str(number)}]}
            return client.post(url, json=body).json()["choices"][0]["message"]["content"]

        greenlets = [gevent.spawn(ask, number) for number in range(CALLS)]
        gevent.joinall(greenlets, raise_error=True)
        assert [each.value for each in greenlets] == [f"re: {number}" for number in range(CALLS)]
        assert rec.close()
        assert len(list(Store(store).calls(limit=2 * CALLS))) == CALLS


def patch() -> None:
    """What applications do that run in greenlets."""
    importlib.import_module("gevent.monkey").patch_all()


if __name__ == "__main__":
    if sys.argv[1] in ORDERS:
        calls(*sys.argv[1:3])
    else:
        with importlib.import_module("upstream").upstream() as address:
            for each in ORDERS:
                subprocess.run([sys.executable, __file__, each, address], check=True, timeout=60)
