"""`recorder dashboards`: files that appear as they lie in the project, and metrics that Prometheus can read."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

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


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder() / "compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    return found


def mounted(service: str) -> dict[str, str]:
    """What a service of the compose file has mounted: where it is inside, and where it lies."""
    volumes = (volume.rsplit(":ro", 1)[0].rsplit(":", 1) for volume in services()[service]["volumes"])
    return {inside: outside for outside, inside in volumes}


def test_compose_publishes_on_loopback_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_compose_mounts_is_there() -> None:
    sources = [source for name in services() for source in mounted(name).values()]
    shipped = [folder() / source for source in sources if source.startswith("./") and source != "./metrics"]
    assert len(shipped) == 4
    assert all(path.exists() for path in shipped)


def test_prometheus_of_the_compose_file_finds_its_configuration_and_all_alerts() -> None:
    inside = mounted("prometheus")
    (option,) = (each for each in services()["prometheus"]["command"] if each.startswith("--config.file="))
    configuration = folder() / inside[option.partition("=")[2]]
    (pattern,) = yaml.safe_load(configuration.read_text(encoding="utf-8"))["rule_files"]
    where, _, names = pattern.rpartition("/")
    found = {path.name for path in (folder() / inside[where]).glob(names)}
    assert found == {"genai.yaml", "store.yaml"}


def test_prometheus_of_the_compose_file_scrapes_hosts_that_there_are() -> None:
    jobs = yaml.safe_load((folder() / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    hosts = {
        target.partition(":")[0]
        for job in jobs
        for config in job["static_configs"]
        for target in config["targets"]
    }
    outside = {each.partition(":")[0] for each in services()["prometheus"]["extra_hosts"]}
    assert hosts == {"host.docker.internal", "textfile"}
    assert hosts <= outside | services().keys()


def test_grafana_of_the_compose_file_finds_dashboards_and_data_sources() -> None:
    inside, provisioning = mounted("grafana"), folder() / "provisioning"
    assert folder() / inside["/etc/grafana/provisioning"] == provisioning
    providers = yaml.safe_load((provisioning / "dashboards" / "recorder.yaml").read_text(encoding="utf-8"))
    (path,) = (provider["options"]["path"] for provider in providers["providers"])
    assert {each.name for each in (folder() / inside[path]).iterdir()} == {"postgres", "prometheus", "sqlite"}
    sources = (provisioning / "datasources" / "recorder.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)\}", sources))
    assert asked
    assert asked <= services()["grafana"]["environment"].keys()


def test_what_the_compose_file_must_be_told_is_told_where_it_is_explained() -> None:
    text = (folder() / "compose.yaml").read_text(encoding="utf-8")
    readme = (folder() / "README.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"\$\{(\w+):\?", text)):
        assert f"{name}=" in readme
