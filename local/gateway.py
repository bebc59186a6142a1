"""The gateway for mail clients as a part of the local cloud, with a certificate of this machine's own."""

from pathlib import Path

from chalicelib import settings
from chalicelib.gateway.server import Gateway, Ports
from chalicelib.services.platform import build
from local import tls
from local.stack import Stack


class LocalGateway:
    """Submission and POP3, in the clear with STARTTLS and under TLS.."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gateway: Gateway | None = None

    def start(self, stack: Stack) -> None:
        """Listen. Raises OSError when a port is taken."""
        names = ("submission", "submissions", "pop3", "pop3s")
        ports = Ports(**{name: stack.port(name) for name in names})
        platform = build(settings.load(stack.environ))
        self._gateway = Gateway(platform, tls.context(self._folder / "tls"), "127.0.0.1", ports)
        for name, port in self._gateway.start().items():
            stack.urls[name] = f"127.0.0.1:{port}"

    def stop(self) -> None:
        """Close the doors."""
        if self._gateway is not None:
            self._gateway.stop()
