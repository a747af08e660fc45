"""`preview`: a request file in, the upstream request out; nothing is sent."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from service.preview import preview
from tests.support.config import CALLER_KEY, SECRETS, default_toml
from tests.support.servers import Sandbox

KEY = base64.b64encode(b"k" * 32).decode()
CART = {"items": [{"product": "pro-license", "quantity": 2}], "country": "de", "language": "de-AT"}


@pytest.fixture
def environ(tmp_path: Path, sandbox: Sandbox) -> dict[str, str]:
    """The usual configuration, with a store that nobody runs."""
    file = tmp_path / "checkout.toml"
    store = '[store]\nurl = "redis://127.0.0.1:1"\nseal_keys = [{ env = "KEY" }]\nhash_key = { env = "KEY" }\n'
    file.write_text(default_toml(sandbox.url) + store)
    return {"CHECKOUT_CONFIG": str(file), "KEY": KEY, **SECRETS}


def written(folder: Path, document: object) -> Path:
    file = folder / "request.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def test_exact_request_with_its_rules(
    environ: dict[str, str], tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Method, address, masked headers and body as they would be sent, and the rule of each field; nothing is sent."""
    status = preview(environ, written(tmp_path, CART), caller="backoffice")
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    request, reference = shown["request"], shown["request"]["body"]["orderTags"]["broker_ref"]

    assert (0, []) == (status, sandbox.requests())
    assert ("POST", f"{sandbox.url}/v2/checkouts/acme/popup-checkout/sessions") == (request["method"], request["url"])
    assert ("Basic ***", "application/json") == (
        request["headers"]["authorization"],
        request["headers"]["content-type"],
    )
    assert {
        "live": False,
        "locale": "de",
        "country": "DE",
        "orderTags": {"channel": "web", "broker_ref": reference},
        "paymentMethodsOrder": ["SEPA", "PAYPAL", "CARD"],
        "hidePaymentMethods": ["WIRE"],
        "cart": {"lineItems": [{"productPath": "pro-license", "quantity": 2, "attributes": {"broker_ref": reference}}]},
    } == request["body"]
    assert {
        "country": "request",
        "language": "request",
        "items[0].product": "request",
        "items[0].quantity": "request",
        "orderTags.channel": "checkouts.default.order_tags.channel",
        "orderTags.broker_ref": "service",
        "paymentMethodsOrder": "checkouts.default.payment_methods[0]",
        "hidePaymentMethods": "checkouts.default.payment_methods[0]",
        "live": "checkouts.default.live",
    } == {field["path"]: field["rule"] for field in shown["fields"]}


def test_caller_is_named_in_templates(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template with `{caller}` shows what it would be for that caller."""
    file = Path(environ["CHECKOUT_CONFIG"])
    file.write_text(file.read_text().replace('channel = "web"', 'channel = "{caller}"'))
    preview(environ, written(tmp_path, CART), caller="robot")

    assert "robot" == json.loads(capsys.readouterr().out)["request"]["body"]["orderTags"]["channel"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"items": [{"product": "../x"}]}, "items[0].product: This has not the documented form."),
        ({"items": [{"product": "a", "colour": 1}]}, "items[0].colour: There is no such member."),
        (CART | {"country": "D"}, "country: This has not the documented form."),
        (CART | {"checkout": "none"}, "There is no such checkout for this site or caller."),
        (CART | {"metadata": {"a": "b"}}, "metadata: The provider of this checkout has no such field: leave it out."),
        ("{", "The body is not valid JSON."),
    ],
)
def test_refusals(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], document: object, reason: str
) -> None:
    """What the service would refuse is refused here in the same words, with the file's name; status 1."""
    file = written(tmp_path, document)

    assert 1 == preview(environ, file, caller="backoffice")
    assert ("", f"{file}: {reason}\n") == tuple(capsys.readouterr())


def test_file_that_is_not_there(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, with the reason; status 1."""
    assert 1 == preview(environ, tmp_path / "none.json", caller="backoffice")
    assert f"{tmp_path / 'none.json'}: cannot be read (No such file or directory)\n" == capsys.readouterr().err


def test_no_secret_is_printed(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Credentials and keys are in no output, plain or encoded."""
    preview(environ, written(tmp_path, CART), caller="backoffice")
    told = "".join(capsys.readouterr())

    secrets = (KEY, CALLER_KEY, base64.b64encode(b"sandbox:sandbox").decode())
    assert [] == [secret for secret in secrets if secret in told]


@pytest.mark.parametrize("address", ["10.0.0.1", "not an address"])
def test_address_is_checked_as_by_the_route(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    """What the route refuses for its address is not shown as the exact request."""
    file = written(tmp_path, CART | {"buyerIp": address})

    assert 1 == preview(environ, file, caller="backoffice")
    assert capsys.readouterr().err.startswith(f"{file}: buyerIp: ")
