"""The chart is valid for every Helm and Kubernetes it claims, and refuses values that would not work."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
import yaml

import service
from tests.helm.chart import CHART, FULL, SHARED_STORE, SMALL, Chart, Values, at

CASES = {"small": SMALL, "shared-store": SHARED_STORE, "full": FULL}


@pytest.mark.parametrize("case", CASES)
def test_lint(chart: Chart, case: str) -> None:
    """Both Helms lint the chart without a warning, a minimal and a full use alike."""
    linted = chart.lint(CASES[case])

    assert 0 == linted.returncode, linted.stdout + linted.stderr


def test_lint_without_values(chart: Chart) -> None:
    """Linting needs no values, although an installation does."""
    linted = chart.lint({})

    assert 0 == linted.returncode, linted.stdout + linted.stderr


@pytest.mark.parametrize("kubernetes", ["1.25", "1.33", "1.37"])
def test_manifests_are_valid(chart: Chart, kubernetes: str, tmp_path: Path) -> None:
    """Every manifest has the fields of the oldest, a middle and the newest Kubernetes, and no other."""
    rendered = tmp_path / "manifests.yaml"
    rendered.write_text("---\n".join(chart.text(values) for values in CASES.values()), encoding="utf-8")
    validator = Path(sys.executable).with_name("kubernetes-validate")

    validated = subprocess.run(
        [validator, "-k", kubernetes, "--strict", "--quiet", rendered],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (0, "", "") == (validated.returncode, validated.stdout, validated.stderr)


def test_full_case_uses_every_template(chart: Chart) -> None:
    """The full case leaves no template out, so the checks of this file see all of them."""
    templates = {str(path.relative_to(CHART)) for path in (CHART / "templates").rglob("*.yaml")}
    text = chart.text(FULL)

    assert set() == {template for template in templates if f"checkout-broker/{template}" not in text}


def test_chart_carries_the_service_version() -> None:
    """The chart installs the version of the service that it lies beside."""
    chart_file = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))

    assert service.__version__ == chart_file["appVersion"]


@pytest.mark.parametrize(
    "values",
    [
        {"replicaCount": 2},
        {"store": {"password": "x"}},
        {"image": {"name": "x"}},
        {"ingress": {"host": "pay.example"}},
        {"networkPolicy": {"egress": []}},
        {"resources": {"memory": "1Gi"}},
        {"secrets": {"FS_PASSWORD": "x"}},
    ],
)
def test_unknown_value_is_refused(chart: Chart, values: Values) -> None:
    """A misspelt or made-up value stops the installation instead of being ignored."""
    refusal = chart.refusal({**SMALL, **values})

    assert "additional propert" in refusal.lower()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({**SMALL, "replicas": 2}, "more than one pod needs a store that they share"),
        ({**SMALL, "autoscaling": {"enabled": True}}, "more than one pod needs a store that they share"),
        ({}, "there is no configuration"),
        ({**SMALL, "existingConfigMap": "mine"}, "exclude one another"),
        ({**SMALL, "internalPort": 8001}, "internalPort is 8001, but [server] internal_port in config is 0"),
        (
            {**FULL, "internalPort": 8002},
            "internalPort is 8002, but [server] internal_port in config is 8001",
        ),
        ({**FULL, "internalPort": None}, "internalPort is 0, but [server] internal_port in config is 8001"),
        ({**FULL, "port": 8001}, "port and internalPort must differ"),
        ({**SMALL, "terminationGracePeriodSeconds": 5}, "must be more than preStopSeconds"),
        ({**FULL, "autoscaling": {"enabled": True, "maxReplicas": 1}}, "above autoscaling.maxReplicas"),
    ],
)
def test_contradiction_is_refused(chart: Chart, values: Values, reason: str) -> None:
    """Values that cannot work together are refused with a sentence that says what to set."""
    assert reason in chart.refusal(values)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"store": {"url": "redis://:hunter2@cache.example"}}, "url"),
        ({"store": {"url": "embedded://"}}, "url"),
        ({"port": 80}, "port"),
        ({"extraEnv": [{"name": "FS_PASSWORD", "value": "hunter2"}]}, "extraEnv"),
        ({"extraEnv": [{"name": "CHECKOUT_PORT", "value": "1"}]}, "extraEnv"),
        ({"uid": 0}, "uid"),
        ({"ingress": {"enabled": True}}, "hosts"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"existingSecrets": [""]}, "existingSecrets"),
    ],
)
def test_wrong_value_is_refused(chart: Chart, values: Values, place: str) -> None:
    """The schema refuses a secret in a value, a privileged port or user, and what has no meaning."""
    refusal = chart.refusal({**SMALL, **values})

    assert "values don't meet the specifications of the schema" in refusal
    assert place in refusal


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nport = 8000\n",
        '[checkouts.a.order_tags]\nrelease = "{header:X-Release} {{ .Values }}"',
        '# ümlaut: "quotes" and \'more\'\n\n\n  [server]\n\tx = """\n---\n"""\n\n',
        "[server]\n# internal_port = 8001\n",
    ],
)
def test_configuration_arrives_unchanged(chart: Chart, text: str) -> None:
    """The service reads the very text that was given, whatever characters are in it."""
    assert text == at(chart.render({"config": text}).one("ConfigMap"), "data", "checkout.toml")


def test_own_config_map(chart: Chart) -> None:
    """A ConfigMap that exists already is mounted, and none is made."""
    manifests = chart.render({"existingConfigMap": "mine", "internalPort": 8001})

    assert [] == manifests.all("ConfigMap")
    assert {"name": "mine"} == at(manifests.server, "spec", "volumes", 0, "configMap")


def test_part_of_another_chart(chart: Chart, tmp_path: Path) -> None:
    """The chart can be a dependency of another one, whose global values reach it."""
    shutil.copytree(CHART, tmp_path / "charts/checkout-broker")
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: all, version: 1.0.0}", encoding="utf-8")

    text = chart.text({"checkout-broker": SMALL, "global": {"region": "eu"}}, chart=tmp_path)

    assert "kind: Deployment" in text


def test_names_fit(chart: Chart) -> None:
    """With the longest release name that Helm takes no object's name is longer than a Service's may be."""
    manifests = chart.render(FULL, release="r" * 53)
    names = [cast("str", at(document, "metadata", "name")) for document in manifests.documents]

    assert 63 >= max(map(len, names))
    assert 2 == len({at(document, "metadata", "name") for document in manifests.all("Service")})


def test_schema_and_values_agree() -> None:
    """Every value that the schema knows stands in values.yaml, where it is explained."""
    schema = yaml.safe_load((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    assert {"global", "resources.limits", "resources.requests"} >= _names(schema) - _keys(values)


def _names(schema: object, prefix: str = "") -> set[str]:
    properties = cast("Mapping[str, object]", at(schema, "properties") or {})
    return {prefix + name for name in properties}.union(
        *(_names(inner, f"{prefix}{name}.") for name, inner in properties.items())
    )


def _keys(values: object, prefix: str = "") -> set[str]:
    if not isinstance(values, Mapping):
        return set()
    named = cast("Mapping[str, object]", values)
    return {prefix + name for name in named}.union(*(_keys(inner, f"{prefix}{name}.") for name, inner in named.items()))


def test_every_value_is_explained() -> None:
    """A comment stands above each value of values.yaml, or, for a group, above each value in it."""
    lines = (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
    values = [(above, line) for above, line in pairwise(lines) if re.match(r"(\w+: .|  \w+:)", line)]

    assert [] == [line for above, line in values if not above.lstrip().startswith("#")]
