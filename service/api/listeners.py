"""Two listeners of one process, each with its own routes: what a listener does not serve, it does not know."""

from service.api.edge import Application, Json, Receive, Send


class Listeners:
    """The internal application for connections to its port, the public one for everything else.

    The port is that of the accepted socket, which nothing in a request can change.
    """

    def __init__(self, public: Application, internal: Application, internal_port: int) -> None:
        self._public = public
        self._internal = internal
        self._internal_port = internal_port

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Hand a request, or the lifespan, to its application."""
        server = scope.get("server")
        is_internal = server is not None and server[1] == self._internal_port
        await (self._internal if is_internal else self._public)(scope, receive, send)
