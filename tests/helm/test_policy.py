"""What the chart promises of its pods: locked down, reachable where they should be, replaced without gap."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import cast

import pytest

from tests.helm.chart import FULL, SHARED_STORE, SMALL, Chart, Values, at, items

both = pytest.mark.parametrize("values", [SMALL, FULL], ids=["small", "full"])


@both
def test_pods_are_restricted(chart: Chart, values: Values) -> None:
    """Every pod meets the restricted pod security standard, with a root file system that nobody can write."""
    for pod in chart.render(values).pods:
        spec = at(pod, "spec")

        assert {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        } == at(spec, "securityContext")
        assert [
            {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        ] == [at(container, "securityContext") for container in items(spec, "containers")]
        assert [None] * 3 == [at(spec, host) for host in ("hostNetwork", "hostPID", "hostIPC")]
        assert () == items(spec, "initContainers")


@both
def test_no_service_account_token(chart: Chart, values: Values) -> None:
    """No pod gets a token for the cluster's API, neither by itself nor through its account."""
    manifests = chart.render(values)
    holders = [manifests.one("ServiceAccount"), *(at(pod, "spec") for pod in manifests.pods)]

    assert {False} == {at(holder, "automountServiceAccountToken") for holder in holders}


def test_platform_may_choose_the_user(chart: Chart) -> None:
    """Without a uid the platform chooses one, which still may not be root."""
    context = at(chart.render({**SMALL, "uid": None}).server, "spec", "securityContext")

    assert {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}} == context


@both
def test_services_set_no_variables(chart: Chart, values: Values) -> None:
    """A Service named "checkout" in the namespace cannot set CHECKOUT_PORT."""
    assert {False} == {at(pod, "spec", "enableServiceLinks") for pod in chart.render(values).pods}


@both
def test_probes(chart: Chart, values: Values) -> None:
    """Start and life are asked at /livez, readiness at /readyz, on the public port, also beside an internal one."""
    container = chart.render(values).container

    assert {
        "startupProbe": {"path": "/livez", "port": "http"},
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    } == {probe: at(container, probe, "httpGet") for probe in ("startupProbe", "livenessProbe", "readinessProbe")}


@both
def test_no_secret_is_rendered(chart: Chart, values: Values) -> None:
    """The chart makes no Secret: it only names those that exist."""
    assert [] == chart.render(values).all("Secret")


def test_secrets_are_files(chart: Chart) -> None:
    """The named Secrets appear as files of one directory, which only the service's group can read."""
    spec = at(chart.render(FULL).server, "spec")
    volumes = {at(volume, "name"): volume for volume in items(spec, "volumes")}
    mounts = {at(mount, "name"): mount for mount in items(spec, "containers", 0, "volumeMounts")}

    assert {
        "defaultMode": 0o440,
        "sources": [{"secret": {"name": "provider"}}, {"secret": {"name": "store"}}],
    } == at(volumes["secrets"], "projected")
    assert "/run/secrets/checkout" == at(mounts["secrets"], "mountPath")


@both
def test_changes_arrive_in_the_running_pod(chart: Chart, values: Values) -> None:
    """Configuration and Secrets are mounted as directories, and their change replaces no pod."""
    container = chart.render(values).container
    mounts = items(container, "volumeMounts")

    assert {None} == {at(mount, "subPath") for mount in mounts}
    assert "/etc/checkout" == at(mounts[0], "mountPath")
    other = {**values, "config": f"{values['config']}# changed\n"}
    assert chart.render(values).server == chart.render(other).server


def test_tmp_is_writable(chart: Chart) -> None:
    """Only /tmp can be written, up to a limit."""
    spec = at(chart.render().server, "spec")
    writable = [mount for mount in items(spec, "containers", 0, "volumeMounts") if not at(mount, "readOnly")]

    assert [{"name": "tmp", "mountPath": "/tmp"}] == writable
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "128Mi"}} in items(spec, "volumes")


def test_environment(chart: Chart) -> None:
    """The service is told where to listen and which store to use; without store.url it embeds its own."""
    alone, shared = (
        {at(variable, "name"): at(variable, "value") for variable in items(chart.render(values).container, "env")}
        for values in (SMALL, SHARED_STORE)
    )

    assert {
        "CHECKOUT_CONFIG": "/etc/checkout/checkout.toml",
        "CHECKOUT_HOST": "0.0.0.0",  # noqa: S104  (inside a pod of its own)
        "CHECKOUT_PORT": "8000",
        "CHECKOUT_WORKERS": "1",
    } == alone
    assert alone | {"CHECKOUT_STORE_URL": "rediss://cache.example:6379/0"} == shared


def test_rollout_has_no_gap(chart: Chart) -> None:
    """An update starts the new pod before it stops the old one, and leaves that one time to drain."""
    deployment = chart.render().one("Deployment")
    grace = cast("int", at(deployment, "spec", "template", "spec", "terminationGracePeriodSeconds"))
    drain_seconds, pre_stop_seconds = 20, 5

    assert {"maxSurge": 1, "maxUnavailable": 0} == at(deployment, "spec", "strategy", "rollingUpdate")
    assert ["python", "-c", f"import time; time.sleep({pre_stop_seconds})"] == at(
        chart.render().container, "lifecycle", "preStop", "exec", "command"
    )
    assert grace > drain_seconds + pre_stop_seconds


def test_pods_spread(chart: Chart) -> None:
    """Pods spread over zones and nodes where they can, unless other constraints are given."""
    spread, own = (
        [at(rule, "topologyKey") for rule in items(chart.render(values).server, "spec", "topologySpreadConstraints")]
        for values in (SMALL, FULL)
    )

    assert ["topology.kubernetes.io/zone", "kubernetes.io/hostname"] == spread
    assert ["rack"] == own


def test_memory_is_bounded(chart: Chart) -> None:
    """Every container asks for its share and cannot take the node's memory."""
    for pod in chart.render().pods:
        resources = at(pod, "spec", "containers", 0, "resources")

        assert at(resources, "requests", "cpu")
        assert at(resources, "requests", "memory")
        assert at(resources, "limits", "memory")


@both
def test_selectors_choose_the_server_alone(chart: Chart, values: Values) -> None:
    """Services, disruption budget and network policy mean the server's pods, never the test's."""
    manifests = chart.render(values)
    selectors = [
        *(at(found, "spec", "selector") for found in manifests.all("Service")),
        at(manifests.one("PodDisruptionBudget"), "spec", "selector", "matchLabels"),
        at(manifests.one("NetworkPolicy"), "spec", "podSelector", "matchLabels"),
        at(manifests.one("Deployment"), "spec", "selector", "matchLabels"),
    ]

    for selector in selectors:
        assert [True, False] == [_chooses(selector, pod) for pod in manifests.pods]


def _chooses(selector: object, pod: object) -> bool:
    labels = cast("Mapping[str, str]", at(pod, "metadata", "labels"))
    return cast("Mapping[str, str]", selector).items() <= labels.items()


def test_budget_lets_a_single_pod_go(chart: Chart) -> None:
    """One pod at a time may be taken away, so that a node can be drained even with a single one."""
    assert 1 == at(chart.render().one("PodDisruptionBudget"), "spec", "maxUnavailable")


def test_egress_is_narrow(chart: Chart) -> None:
    """Out go DNS and HTTPS, and the store's ports only where there is an external store."""
    alone, shared = (
        [
            (at(port, "protocol"), at(port, "port"))
            for rule in items(chart.render(values).one("NetworkPolicy"), "spec", "egress")
            for port in items(rule, "ports")
        ]
        for values in (SMALL, SHARED_STORE)
    )

    assert [("UDP", 53), ("TCP", 53), ("TCP", 443)] == alone
    assert [*alone, ("TCP", 6379), ("TCP", 26379)] == shared


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("151.101.1.1", True),
        ("2606:4700::1", True),
        ("169.254.169.254", False),
        ("10.96.0.1", False),
        ("172.20.0.1", False),
        ("192.168.1.1", False),
        ("100.100.100.200", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False),
    ],
)
def test_https_reaches_the_internet_alone(chart: Chart, address: str, *, reachable: bool) -> None:
    """HTTPS goes to public addresses, not to the cluster, the local network or a metadata service."""
    rules = items(chart.render().one("NetworkPolicy"), "spec", "egress")
    blocks = [at(peer, "ipBlock") for peer in items(rules[1], "to")]

    assert reachable == any(_within(block, address) for block in blocks)


def _within(block: object, address: str) -> bool:
    wanted = ip_address(address)
    excluded = [ip_network(cast("str", cidr)) for cidr in items(block, "except")]
    return wanted in ip_network(cast("str", at(block, "cidr"))) and not any(wanted in cidr for cidr in excluded)


def test_internal_port_is_apart(chart: Chart) -> None:
    """The internal port has a Service of its own, inside the cluster, open to its namespace alone."""
    manifests = chart.render(FULL)
    public, internal = manifests.all("Service")

    assert ("LoadBalancer", ["http"]) == _exposure(public)
    assert ("ClusterIP", ["internal"]) == _exposure(internal)
    assert {
        "ports": [{"port": "internal", "protocol": "TCP"}],
        "from": [{"podSelector": {}}],
    } == at(manifests.one("NetworkPolicy"), "spec", "ingress", 1)


def _exposure(service: object) -> tuple[object, list[object]]:
    return at(service, "spec", "type"), [at(port, "targetPort") for port in items(service, "spec", "ports")]


def test_ingress_publishes_the_public_routes_alone(chart: Chart) -> None:
    """What is published goes to the public port; nothing internal, no metrics and no documentation is."""
    rules = items(chart.render(FULL).one("Ingress"), "spec", "rules")
    paths = [path for rule in rules for path in items(rule, "http", "paths")]

    assert ["pay.example", "*.shop.example"] == [at(rule, "host") for rule in rules]
    assert {"/checkout", "/checkout.js", "/webhooks", "/problems"} == {at(path, "path") for path in paths}
    assert [{"service": {"name": "shop-checkout-broker", "port": {"name": "http"}}}] * 8 == [
        at(path, "backend") for path in paths
    ]


def test_autoscaler_owns_the_count(chart: Chart) -> None:
    """With autoscaling an upgrade does not set the number of pods back."""
    alone, scaled = (at(chart.render(values).one("Deployment"), "spec", "replicas") for values in (SMALL, FULL))

    assert 1 == alone
    assert scaled is None


def test_optional_parts_are_off(chart: Chart) -> None:
    """Nothing is published or scaled unless asked for."""
    kinds = {at(document, "kind") for document in chart.render().documents}

    assert {
        "ConfigMap",
        "Deployment",
        "NetworkPolicy",
        "Pod",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    } == kinds
