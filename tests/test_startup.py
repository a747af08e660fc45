"""Ports and addresses, as commands take and show them."""

import socket

import pytest

from service.startup import listen, port, url_of


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("8000", 8000), ("65535", 65535)])
def test_ports(text: str, expected: int) -> None:
    """A port is a whole number; 0 lets the system choose."""
    assert expected == port(text)


@pytest.mark.parametrize("text", ["", "-1", "65536", "80.0", "http", "٨٠", "9" * 5000, "80\n"])
def test_no_ports(text: str) -> None:
    """Anything else is none."""
    with pytest.raises(ValueError, match="not a port"):
        port(text)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")],  # noqa: S104  # the claim
)
def test_the_url_can_be_opened(host: str, shown: str) -> None:
    """The address that is shown leads a browser on this machine to the listener."""
    with listen(host, 0, "") as listener:
        url = url_of(listener)
        address = (shown.strip("[]"), listener.getsockname()[1])
        socket.create_connection(address, timeout=5).close()

    assert f"http://{shown}:{address[1]}" == url


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be bound ends the process with a sentence and status 1."""
    with pytest.raises(SystemExit, match="1"):
        listen(host, 8000, "name another one")

    told = capsys.readouterr().err
    assert told.startswith(f"cannot listen on {host}, port 8000 (")
    assert told.endswith("): name another one\n")
