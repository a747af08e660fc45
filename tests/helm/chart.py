"""The chart under test: lint, render and refusal with one Helm, and ways to look into what was rendered."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/checkout-broker"

Values = Mapping[str, object]

SMALL: Values = {"config": "[server]\n"}
SHARED_STORE: Values = {**SMALL, "store": {"url": "rediss://cache.example:6379/0"}}
FULL: Values = yaml.safe_load((Path(__file__).parent / "full.yaml").read_text(encoding="utf-8"))


def at(node: object, *steps: str | int) -> object:
    """Return what stands at these keys and indices, None where a key is absent."""
    for step in steps:
        if isinstance(step, int):
            node = cast("Sequence[object]", node)[step]
        elif node is not None:
            node = cast("Mapping[str, object]", node).get(step)
    return node


def items(node: object, *steps: str | int) -> Sequence[object]:
    """Return the list at these keys, empty where there is none."""
    return cast("Sequence[object]", at(node, *steps) or ())


@dataclass(frozen=True)
class Chart:
    helm: Path
    home: Path
    _renders: dict[str, "Manifests"] = field(default_factory=dict[str, "Manifests"])

    def run(self, *arguments: str, values: Values) -> subprocess.CompletedProcess[str]:
        home = str(self.home)
        return subprocess.run(
            [self.helm, *arguments, "--values", "-"],
            input=json.dumps(values),
            env=os.environ | {"HELM_CACHE_HOME": home, "HELM_CONFIG_HOME": home, "HELM_DATA_HOME": home},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def lint(self, values: Values) -> subprocess.CompletedProcess[str]:
        return self.run("lint", "--strict", str(CHART), values=values)

    def text(self, values: Values, *, release: str = "shop", chart: Path = CHART) -> str:
        rendered = self.run("template", release, str(chart), values=values)
        assert (0, "") == (rendered.returncode, rendered.stderr)
        return rendered.stdout

    def refusal(self, values: Values) -> str:
        rendered = self.run("template", "shop", str(CHART), values=values)
        assert 0 != rendered.returncode
        return rendered.stderr

    def render(self, values: Values = SMALL, *, release: str = "shop") -> "Manifests":
        key = json.dumps([values, release])
        if key not in self._renders:
            documents = yaml.safe_load_all(self.text(values, release=release))
            self._renders[key] = Manifests([document for document in documents if document])
        return self._renders[key]


@dataclass(frozen=True)
class Manifests:
    documents: Sequence[object]

    def all(self, kind: str) -> Sequence[object]:
        return [document for document in self.documents if at(document, "kind") == kind]

    def one(self, kind: str) -> object:
        (document,) = self.all(kind)
        return document

    @property
    def server(self) -> object:
        """The Deployment's pod."""
        return at(self.one("Deployment"), "spec", "template")

    @property
    def container(self) -> object:
        return at(self.server, "spec", "containers", 0)

    @property
    def pods(self) -> Sequence[object]:
        """Every pod that the chart starts, the test's included."""
        return [self.server, *self.all("Pod")]
