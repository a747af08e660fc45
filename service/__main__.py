"""The commands: serve, demo, sandbox, check, preview, doctor, openapi."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service import __version__
from service.startup import port


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status. Modules are imported by the command that needs them."""
    options = _parser().parse_args(arguments)
    match options.command:
        case "serve":
            gc.disable()  # until the application stands: little of what is made on the way is garbage
            from service.serve import serve  # noqa: PLC0415  # as the docstring says

            status = serve()
        case "demo":
            from service.demo import demo  # noqa: PLC0415  # as above

            status = demo(os.environ)
        case "sandbox":
            from service.demo import sandbox  # noqa: PLC0415  # as above

            status = sandbox(options.host, options.port)
        case "check":
            from service.commands import check  # noqa: PLC0415  # as above

            status = check(os.environ)
        case "preview":
            from service.preview import preview  # noqa: PLC0415  # as above

            status = preview(os.environ, options.file, caller=options.caller)
        case "doctor":
            from service.doctor import doctor  # noqa: PLC0415  # as above

            status = doctor(os.environ)
        case _:
            from service.commands import openapi  # noqa: PLC0415  # as above

            status = openapi(options.file, compare=options.compare)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="checkout-broker", description="Checkout sessions of merchants of record.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="the service, configured by the file that CHECKOUT_CONFIG names")
    commands.add_parser("demo", help="the service, the sandbox upstreams and a demo shop; nothing to configure")
    sandbox = commands.add_parser("sandbox", help="the sandbox upstreams alone")
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--port", type=port, default=8010)
    commands.add_parser("check", help="print what is in force, or every fault of the configuration")
    preview = commands.add_parser("preview", help="the exact upstream request of a request, and the rule of each field")
    preview.add_argument("file", type=Path, help="a body of POST /internal/checkout")
    preview.add_argument("--caller", default="preview", help="the caller's name, for templates")
    commands.add_parser("doctor", help="does everything answer that the configuration names: one line each")
    openapi = commands.add_parser("openapi", help="write the OpenAPI document, or compare it")
    openapi.add_argument("--compare", action="store_true", help="compare instead of writing; status 1 when they differ")
    openapi.add_argument("file", nargs="?", type=Path, default=Path("openapi/openapi.json"))
    return parser


if __name__ == "__mp_main__":  # a worker of `serve`
    gc.disable()
if __name__ == "__main__":
    sys.exit(main())
