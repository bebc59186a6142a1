"""All doors for mail clients, in one process: submission and POP3, each with STARTTLS and under TLS."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.gateway import pop3, submission
from chalicelib.gateway.lines import MAX_LINE, Lines
from chalicelib.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 takes a free port."""

    submission: int = 587
    submissions: int = 465
    pop3: int = 110
    pop3s: int = 995


class Gateway:
    """The listening sockets, on an event loop in a thread of its own."""

    def __init__(self, platform: Platform, tls: ssl.SSLContext, host: str, ports: Ports) -> None:
        self._platform, self._tls, self._host, self._asked = platform, tls, host, ports
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="gateway")
        self._servers: dict[str, asyncio.Server] = {}

    def start(self) -> dict[str, int]:
        """Listen; the ports by name. Raises OSError when one is in use."""
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Close the doors and end the thread."""
        for server in self._servers.values():
            self._loop.call_soon_threadsafe(server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _listen(self) -> dict[str, int]:
        await self._smtp("submission", self._asked.submission, None)
        await self._smtp("submissions", self._asked.submissions, self._tls)
        await self._pop3("pop3", self._asked.pop3, None)
        await self._pop3("pop3s", self._asked.pop3s, self._tls)
        return {name: server.sockets[0].getsockname()[1] for name, server in self._servers.items()}

    async def _smtp(self, name: str, port: int, tls: ssl.SSLContext | None) -> None:
        def make() -> asyncio.Protocol:
            return submission.protocol(self._platform, self._tls, implicit=tls is not None, host=self._host)

        factory: Callable[[], asyncio.Protocol] = make
        self._servers[name] = await self._loop.create_server(factory, self._host, port, ssl=tls)

    async def _pop3(self, name: str, port: int, tls: ssl.SSLContext | None) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await pop3.serve(self._platform, Lines(reader, writer), self._tls if tls is None else None)

        self._servers[name] = await asyncio.start_server(serve, self._host, port, ssl=tls, limit=MAX_LINE)
