"""`recorder dashboards`: files that appear as they lie in the project, and metrics that Prometheus can read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from recorder.call import AnswerHalf, CallError
from recorder.cli.main import app
from recorder.ledger import Budgets
from recorder.ledger.budgets import Budget
from recorder.panels import folder

from .ledger_calls import a_call, store_calls
from .prometheus import NO_PROMETHEUS, PROMTOOL


def recorder(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["dashboards", *map(str, arguments)])


def files_in(path: Path) -> dict[str, bytes]:
    return {
        each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }


def test_export_writes_all_files_as_they_are(tmp_path: Path) -> None:
    done = recorder("export", tmp_path / "new")
    assert done.exit_code == 0, done.output
    assert files_in(tmp_path / "new") == files_in(folder())


def test_export_of_one_target_leaves_the_others_dashboards_out(tmp_path: Path) -> None:
    assert recorder("export", tmp_path, "--target", "sqlite").exit_code == 0
    assert {path.name for path in (tmp_path / "grafana").iterdir()} == {"sqlite"}
    assert (tmp_path / "alerts" / "store.yaml").exists()


def test_export_replaces_what_differs_only_when_forced(tmp_path: Path) -> None:
    assert recorder("export", tmp_path).exit_code == 0
    mine = tmp_path / "alerts" / "genai.yaml"
    mine.write_text("mine")
    (tmp_path / "compose.yaml").unlink()
    refused = recorder("export", tmp_path)
    assert refused.exit_code == 1
    assert f"{mine} is there already and differs" in refused.stderr
    assert not (tmp_path / "compose.yaml").exists()
    assert recorder("export", tmp_path, "--force").exit_code == 0
    assert files_in(tmp_path) == files_in(folder())


def test_export_says_which_target_is_none(tmp_path: Path) -> None:
    wrong = recorder("export", tmp_path, "--target", "mysql")
    assert wrong.exit_code == 2
    assert "'mysql' is none of postgres, sqlite, prometheus" in wrong.stderr


def test_export_into_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    wrong = recorder("export", tmp_path / "taken")
    assert wrong.exit_code == 1
    assert "cannot be" in wrong.stderr


@pytest.fixture
def store(url: str) -> str:
    store_calls(
        url,
        a_call(),
        a_call(),
        a_call(outcome="error", answer=AnswerHalf(), error=CallError("429", "slow down")),
    )
    Budgets(url).set(Budget('a "b"\\', 50 * 10**12, "USD", "month", {}, {}))
    return url


def test_metrics_tell_outcomes_prices_and_budgets(store: str) -> None:
    lines = recorder("metrics", "--store", store).stdout.splitlines()
    assert 'recorder_calls{outcome="ok"} 2' in lines
    assert 'recorder_calls{outcome="error"} 1' in lines
    assert "recorder_unpriced_calls 3" in lines
    assert "recorder_lost_calls 0" in lines
    assert 'recorder_budget_limit{budget="a \\"b\\"\\\\",currency="USD",period="month"} 50' in lines


def test_metrics_appear_in_a_file_at_once(store: str, tmp_path: Path) -> None:
    file = tmp_path / "recorder.prom"
    done = recorder("metrics", "--store", store, "--to", file)
    assert (done.exit_code, done.output) == (0, "")
    assert "recorder_unpriced_calls 3\n" in file.read_text()


@pytest.mark.skipif(PROMTOOL is None, reason=NO_PROMETHEUS)
def test_metrics_are_what_prometheus_expects(store: str) -> None:
    text = recorder("metrics", "--store", store).stdout
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_metrics_of_a_store_that_is_not_there_say_so(tmp_path: Path) -> None:
    missing = recorder("metrics", "--store", f"sqlite:///{tmp_path}/none.db")
    assert missing.exit_code == 1
    assert "none.db" in missing.stderr


YAML = sorted(name for name in files_in(folder()) if name.endswith((".yaml", ".yml")))


@pytest.mark.parametrize("name", YAML)
def test_every_yaml_file_can_be_read(name: str) -> None:
    assert isinstance(yaml.safe_load((folder() / name).read_text(encoding="utf-8")), dict)


def test_compose_publishes_on_loopback_alone() -> None:
    services = yaml.safe_load((folder() / "compose.yaml").read_text(encoding="utf-8"))["services"]
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_compose_mounts_is_there() -> None:
    services = yaml.safe_load((folder() / "compose.yaml").read_text(encoding="utf-8"))["services"]
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    shipped = [folder() / name for name in mounted if name.startswith("./") and name != "./metrics"]
    assert shipped
    assert all(path.exists() for path in shipped)
