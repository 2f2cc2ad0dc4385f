"""The pytest plugin when tests fail: a miss cannot be swallowed, and a good cassette is never overwritten."""

from __future__ import annotations

import pytest

from .plugin_suite import MARKED, Suite

pytest_plugins = ("pytester",)

IN_ONE_LOOP = """
import asyncio, pytest
from conftest import body

pytestmark = pytest.mark.anyio

@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"

@pytest.fixture(scope="module", autouse=True)
async def service():
    yield

async def ask(client):
    await client.post("https://api.deepseek.com/chat/completions", json=body("goodbye"))
"""
"""The head of a suite all of whose tests anyio's plugin runs in one event loop."""

# Misses


def test_swallowed_miss_fails_the_test_and_says_what_differs(suite: Suite) -> None:
    suite.record()
    suite.write("""
    import pytest

    @pytest.mark.recorded
    def test_it(swallow):
        assert swallow("goodbye") is None
    """)
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*$.messages[[]0].content*hello*goodbye*"])


@pytest.mark.parametrize("misses", ["await ask(aclient)", "await in_task_group(aclient)"])
def test_a_miss_in_one_anyio_test_leaves_the_loop_to_those_that_follow(suite: Suite, misses: str) -> None:
    suite.record()
    suite.write(f"""{IN_ONE_LOOP}
async def in_task_group(client):
    async with asyncio.TaskGroup() as group:
        group.create_task(ask(client))

@pytest.mark.recorded
async def test_it(aclient):
    {misses}

async def test_next(): pass
""")
    result = suite.run()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*$.messages[[]0].content*hello*goodbye*"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_miss_in_an_async_fixture_leaves_the_loop_to_other_tests_too(suite: Suite, backend: str) -> None:
    suite.record()
    head = IN_ONE_LOOP.replace('"asyncio"', repr(backend))
    suite.write(f"""{head}
@pytest.fixture
async def answer(aclient):
    return await aclient.post("https://api.deepseek.com/chat/completions", json=body("goodbye"))

@pytest.mark.recorded
async def test_it(answer): pass

async def test_next(): pass
""")
    result = suite.run()
    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(["*$.messages[[]0].content*hello*goodbye*"])


@pytest.mark.parametrize(
    ("fixture", "errors"),
    [
        ("async def answer(aclient): await ask(aclient); yield", 2),
        ("async def answer(aclient): yield; await ask(aclient)", 1),
    ],
)
@pytest.mark.parametrize("holder", ["", "class TestIt:\n    "])
def test_a_miss_in_an_async_generator_leaves_the_loop_too(
    suite: Suite, holder: str, fixture: str, errors: int
) -> None:
    inner = " " * 4 if holder else ""
    fixture = fixture.replace("(", "(self, ", 1) if holder else fixture
    suite.record()
    suite.write(f"""{IN_ONE_LOOP}
{holder}@pytest.fixture
{inner}{fixture}

{inner}@pytest.mark.recorded
{inner}async def test_it({"self, " * bool(holder)}answer): pass

async def test_next(): pass
""")
    result = suite.run()
    result.assert_outcomes(errors=errors, passed=3 - errors)
    result.stdout.fnmatch_lines(["*CassetteMiss*"])


def test_swallowed_miss_is_told_beside_the_failure_that_it_led_to(suite: Suite) -> None:
    suite.record()
    suite.write("""
    import pytest

    @pytest.mark.recorded
    def test_it(swallow):
        assert swallow("goodbye") == "re: goodbye"
    """)
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*AssertionError*", "*recorder call*", "*has no answer to POST*"])


@pytest.mark.parametrize(
    "end", ["pytest.skip('so')", "pytest.xfail('so')", "assert True", "swallow('hello')"]
)
def test_a_test_that_missed_cannot_end_well(suite: Suite, end: str) -> None:
    suite.record()
    suite.write(f"""
    import pytest

    @pytest.mark.recorded
    def test_it(swallow):
        swallow("goodbye")
        {end}
    """)
    suite.run().assert_outcomes(failed=1)


@pytest.mark.parametrize("then", ["", "\n        raise ValueError"])
@pytest.mark.parametrize("how", ["ask", "swallow"])
def test_a_test_that_is_expected_to_fail_fails_for_a_miss(suite: Suite, then: str, how: str) -> None:
    suite.write(f"""
    import pytest

    @pytest.mark.recorded
    @pytest.mark.xfail(strict=True)
    def test_it({how}):
        {how}("goodbye"){then}
    """)
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no file cassettes/test_x/test_it.yaml; record it with*"])


@pytest.mark.parametrize(
    ("marker", "end"),
    [
        ("xfail(raises=ValueError, strict=True)", "raise ValueError"),
        ("xfail", "assert False"),
        ("recorded", "pytest.xfail('so')"),
    ],
)
def test_a_test_that_fails_as_expected_keeps_its_recording(suite: Suite, marker: str, end: str) -> None:
    suite.write(f"{MARKED}\n    {end}\n".replace("@", f"@pytest.mark.{marker}\n@"))
    suite.run("--recorder-mode=once").assert_outcomes(xfailed=1)
    assert suite.cassettes == ["test_x/test_it.yaml"]
    suite.run().assert_outcomes(xfailed=1)
    assert suite.live == 1


def test_a_miss_shows_the_suites_own_line_and_advises_in_the_plugins_words(suite: Suite) -> None:
    suite.record()
    suite.write(MARKED.replace('ask("hello")', 'ask("goodbye")'))
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>       response = client.post("https://api.deepseek.com/chat/completions", json=body(text))',
            "*record it with --recorder-mode=new_episodes, or all anew with --recorder-mode=rewrite",
        ]
    )
    result.stdout.no_fnmatch_line("*httpx2/*")
    result.stdout.no_fnmatch_line("*recorder/*.py*")
    suite.run("--full-trace").stdout.fnmatch_lines(["*_client.py*"])


def test_swallowed_miss_during_set_up_fails_the_test(suite: Suite) -> None:
    suite.write("""
    import pytest

    @pytest.fixture
    def greeting(swallow):
        return swallow("hello")

    @pytest.mark.recorded
    def test_it(greeting): pass
    """)
    suite.run().assert_outcomes(failed=1)


def test_swallowed_miss_during_tear_down_is_an_error(suite: Suite) -> None:
    suite.write("""
    import pytest

    @pytest.fixture
    def late(swallow):
        yield
        swallow("hello")

    @pytest.mark.recorded
    def test_it(late): pass
    """)
    suite.run().assert_outcomes(passed=1, errors=1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_tests_replay_and_cannot_swallow_a_miss_either(suite: Suite, backend: str) -> None:
    source = f"""
    import pytest
    from conftest import body

    @pytest.fixture
    def anyio_backend():
        return {backend!r}

    @pytest.mark.anyio
    @pytest.mark.recorded
    async def test_it(aclient):
        await aclient.post("https://api.deepseek.com/chat/completions", json=body("hello"))
    """
    suite.record(source)
    suite.run().assert_outcomes(passed=1)
    suite.write(
        source.replace("async def test_it", "async def test_other").replace(
            "await aclient",
            "import contextlib\n        with contextlib.suppress(BaseException):\n            await aclient",
        )
    )
    suite.run().assert_outcomes(failed=1)
    assert suite.live == 1


def test_miss_answered_as_a_response_fails_the_test_too(suite: Suite) -> None:
    suite.write("""
    import pytest
    from conftest import body

    @pytest.mark.recorded(on_miss="response")
    def test_it(client):
        response = client.post("https://api.deepseek.com/chat/completions", json=body("hello"))
        assert response.status_code == 409
    """)
    suite.run().assert_outcomes(failed=1)


def test_call_by_an_uncovered_client_is_a_miss(suite: Suite) -> None:
    suite.write("""
    import pytest, requests

    @pytest.mark.recorded
    def test_it():
        try:
            requests.post("https://api.openai.com/v1/chat/completions", json={})
        except BaseException:
            pass
    """)
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*requests was about to send POST https://api.openai.com/*"])


@pytest.mark.parametrize("hosts", ["", "=api.openai.com,127.0.0.1"])
def test_network_can_be_blocked_for_tests_without_cassettes(suite: Suite, hosts: str) -> None:
    suite.write("""
    import socket

    def test_it():
        try:
            socket.create_connection(("192.0.2.1", 9))
        except BaseException:
            pass
    """)
    result = suite.run(f"--recorder-block-network{hosts}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the network is blocked*192.0.2.1*"])


def test_blocked_network_is_open_for_recording(suite: Suite) -> None:
    suite.write("""
    import socket, pytest

    @pytest.mark.recorded(mode="once")
    def test_it():
        assert "recorder" not in str(getattr(socket.socket.connect, "__module__", ""))
    """)
    suite.run("--recorder-block-network").assert_outcomes(passed=1)


# Cassettes of tests that fail

ENDINGS = {
    "assertion": "assert False",
    "pytest.fail": "pytest.fail('so')",
    "skip": "pytest.skip('so')",
    "exception": "raise OSError",
    "exit": "raise SystemExit(3)",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_test_that_does_not_pass_leaves_its_cassette_alone(suite: Suite, ending: str) -> None:
    suite.record()
    good = suite.cassette().read_bytes()
    suite.write(f"{MARKED}\n    {ENDINGS[ending]}\n".replace("hello", "goodbye"))
    result = suite.run("--recorder-mode=rewrite")
    assert suite.cassette().read_bytes() == good
    assert suite.cassettes == ["test_x/test_it.yaml", "test_x/test_it.yaml.rej"]
    assert "goodbye" in suite.cassette("test_x/test_it.yaml.rej").read_text()
    result.stdout.fnmatch_lines(
        ["*test_x.py::test_it: recordings not kept, see cassettes/test_x/test_it.yaml.rej"]
    )


def test_a_good_recording_takes_away_what_an_earlier_run_put_aside(suite: Suite) -> None:
    suite.write(f"{MARKED}\n    assert False\n")
    suite.run("--recorder-mode=once")
    assert suite.cassettes == ["test_x/test_it.yaml.rej"]
    suite.record()
    assert suite.cassettes == ["test_x/test_it.yaml"]


def test_failed_tests_report_names_the_rejected_file(suite: Suite) -> None:
    suite.write(f"{MARKED}\n    assert False\n")
    result = suite.run("--recorder-mode=once")
    result.stdout.fnmatch_lines(
        ["*recorder teardown*", "recordings not kept, see cassettes/test_x/test_it.yaml.rej"]
    )
    assert suite.cassettes == ["test_x/test_it.yaml.rej"]


@pytest.mark.parametrize(("ours", "scope"), [("", "function"), (", recorded", "function"), ("", "module")])
def test_fixture_that_fails_on_tear_down_keeps_the_cassette_alone(
    suite: Suite, ours: str, scope: str
) -> None:
    suite.record()
    good = suite.cassette().read_bytes()
    suite.write(f"""
    import pytest

    @pytest.fixture(scope={scope!r})
    def other(request{ours}):
        yield
        assert False

    @pytest.mark.recorded
    def test_it(other, ask):
        ask("goodbye")
    """)
    suite.run("--recorder-mode=rewrite").assert_outcomes(passed=1, errors=1)
    assert suite.cassette().read_bytes() == good
    assert suite.cassettes == ["test_x/test_it.yaml", "test_x/test_it.yaml.rej"]


def test_fixture_that_fails_on_set_up_leaves_the_cassette_alone(suite: Suite) -> None:
    suite.record()
    good = suite.cassette().read_bytes()
    suite.write("""
    import pytest

    @pytest.fixture
    def other(ask):
        ask("goodbye")
        assert False

    @pytest.mark.recorded
    def test_it(other): pass
    """)
    suite.run("--recorder-mode=rewrite").assert_outcomes(errors=1)
    assert suite.cassette().read_bytes() == good


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_setting_up_only_changes_no_cassette(suite: Suite, mode: str) -> None:
    suite.record()
    good = suite.cassette().read_bytes()
    suite.run("--setup-only", f"--recorder-mode={mode}")
    assert suite.cassette().read_bytes() == good


def test_interrupted_test_leaves_its_cassette_alone(suite: Suite) -> None:
    suite.record()
    good = suite.cassette().read_bytes()
    suite.write(f"{MARKED}\n    pytest.exit('enough')\n".replace("hello", "goodbye"))
    suite.run("--recorder-mode=rewrite")
    assert suite.cassette().read_bytes() == good


@pytest.mark.parametrize("option", ["--tb=long", "--showlocals", "--tb=short", "--tb=native"])
def test_secrets_of_a_failed_test_are_not_shown(option: str, suite: Suite) -> None:
    suite.record()
    suite.write("""
    import logging, pytest
    KEY = "sk-" + "proj-" + "x" * 40

    def call(key, api_key, ask, tokens=7):
        logging.getLogger("app").warning("my key is %s", key)
        print("key:", key)
        try:
            raise ValueError(key)
        except ValueError as error:
            ask("with " + key)

    @pytest.mark.recorded
    def test_it(ask):
        call(KEY, "my-" + "own-" + "password", ask)
    """)
    result = suite.run(option)
    result.assert_outcomes(failed=1)
    shown = result.stdout.str() + result.stderr.str()
    assert "x" * 40 not in shown
    assert "my-own-password" not in shown
    assert "REDACTED" in shown


def test_secrets_inside_of_locals_are_not_shown(suite: Suite) -> None:
    suite.record()
    suite.write("""
    import pytest

    @pytest.mark.recorded
    def test_it(ask):
        secret = "hunter" + "2"
        settings = {"api_key": secret, "deep": [{"password": secret.encode()}], "tokens": "seven"}
        del secret
        assert False
    """)
    result = suite.run("--showlocals")
    result.assert_outcomes(failed=1)
    shown = result.stdout.str()
    assert "hunter2" not in shown
    assert "'api_key': 'REDACTED'" in shown
    assert "'tokens': 'seven'" in shown


@pytest.mark.parametrize("options", [(), ("-pxdist", "-n1")], ids=["alone", "with a worker"])
def test_no_secret_stands_in_reasons_warnings_or_output_of_tests_that_do_not_fail(
    suite: Suite, options: tuple[str, ...]
) -> None:
    key = "sk-proj-" + "x" * 40
    suite.write(f"""
    import warnings
    import pytest

    pytestmark = pytest.mark.recorded

    @pytest.mark.skip(reason="marked {key}")
    def test_marked(): pass

    def test_skips(): pytest.skip("said {key}")

    def test_fails_as_expected(): pytest.xfail("xfail {key}")

    @pytest.mark.xfail(reason="xpass {key}")
    def test_passes_unexpectedly(): pass

    def test_warns():
        print("printed {key}")
        warnings.warn("warned {key}")
    """)
    result = suite.run("-rA", "-Wdefault", *options)
    result.assert_outcomes(passed=1, skipped=2, xfailed=1, xpassed=1, warnings=1)
    result.stdout.no_fnmatch_line(f"*{key[:20]}*")
    for shown in (
        "marked",
        "said",
        "xfail",
        "xpass",
        "printed",
        "UserWarning: warned",
        'warnings.warn("warned',
    ):
        result.stdout.fnmatch_lines([f"*{shown} REDACTED*"])
