"""The chart, once with each Helm that its users have."""

import pytest

from tests.helm.chart import Chart
from tests.tools.fetch_helm import HelmMissingError, helm_binary


@pytest.fixture(scope="session", params=[3, 4], ids=["helm3", "helm4"])
def chart(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chart:
    major: int = request.param
    try:
        return Chart(helm_binary(major), tmp_path_factory.mktemp("helm-home"))
    except HelmMissingError as missing:
        pytest.skip(str(missing))
