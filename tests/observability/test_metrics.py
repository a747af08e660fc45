"""The metrics that are promised: names stay, labels are of closed sets."""

from prometheus_client.metrics import MetricWrapperBase

from service.observability import metrics

PROMISED = {
    "checkout_requests": ("method", "route", "status"),
    "checkout_request_seconds": ("route",),
    "checkout_sessions": ("checkout", "outcome"),
    "checkout_upstream_calls": ("upstream", "outcome"),
    "checkout_upstream_seconds": ("upstream",),
    "checkout_store_failures": ("kind",),
    "checkout_config_reloads": ("outcome",),
    "checkout_credentials_refused": ("upstream",),
    "checkout_build_info": ("version",),
    "checkout_client_address_refused": (),
}


def test_names_and_labels_stay() -> None:
    """Dashboards and alerts are written against these; none has a label that a stranger could fill."""
    found = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]

    assert {next(iter(one.describe())).name: one._labelnames for one in found} == PROMISED  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no reader of its own


def test_each_explains_itself() -> None:
    """Each has a help text that is a sentence."""
    found = [next(iter(one.describe())) for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]

    assert [] == [one.name for one in found if not one.documentation.endswith(".")]
