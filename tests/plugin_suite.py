"""A small suite of tests that use cassettes, run by pytest inside a test; its upstream is a mock that counts."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

# pytester forgets what a run imported, and libyaml cannot be imported twice
for name in (
    *("httpx", "httpcore", "httpx2", "httpcore2"),  # an HTTP library knows the errors of one core only
    "requests",
    "trio",
    "yaml",
    "recorder.cassettes.file",
    "recorder.interchange.vcr_tree",
):
    import_module(name)

CONFTEST = '''
import json, pathlib
import httpx2, pytest

LIVE = pathlib.Path(__file__).parent / "live.txt"

def answer(request):
    with LIVE.open("a") as file:
        file.write("x")
    asked = json.loads(request.content)["messages"][0]["content"]
    return httpx2.Response(200, json={"choices": [{"message": {"content": "re: " + asked}}]})

def body(text):
    return {"model": "m", "messages": [{"role": "user", "content": text}]}

@pytest.fixture
def client():
    return httpx2.Client(transport=httpx2.MockTransport(answer))

@pytest.fixture
def ask(client):
    """Ask an LLM, by a client that knows nothing of cassettes."""
    def ask(text):
        response = client.post("https://api.deepseek.com/chat/completions", json=body(text))
        return response.json()["choices"][0]["message"]["content"]
    return ask

@pytest.fixture
def swallow(ask):
    """Ask, and swallow whatever goes wrong."""
    def swallow(text):
        try:
            return ask(text)
        except BaseException:
            return None
    return swallow

@pytest.fixture
def aclient():
    return httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
'''
MARKED = """
import pytest

@pytest.mark.recorded
def test_it(ask):
    assert ask("hello") == "re: hello"
"""


class Suite:
    """A test file or several, run in this process."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makeconftest(CONFTEST)

    def write(self, source: str, name: str = "test_x") -> None:
        self.pytester.makepyfile(**{name: source})

    def run(self, *arguments: str) -> pytest.RunResult:
        plugins = ("langsmith_plugin", "cacheprovider", "hypothesispytest")
        return self.pytester.runpytest_inprocess(*(f"-pno:{name}" for name in plugins), *arguments)

    def record(self, source: str = MARKED) -> None:
        """Write the test file and its cassettes."""
        self.write(source)
        self.run("--recorder-mode=once").assert_outcomes(passed=source.count("def test_"))

    @property
    def live(self) -> int:
        """How many calls went to the network."""
        file = self.pytester.path / "live.txt"
        return len(file.read_text()) if file.exists() else 0

    @property
    def cassettes(self) -> list[str]:
        """All files below the cassette folder."""
        folder = self.pytester.path / "cassettes"
        return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())

    def cassette(self, name: str = "test_x/test_it.yaml") -> Path:
        return self.pytester.path / "cassettes" / name
