"""Lines over a stream, as POP3 and IMAP speak them."""

import asyncio
import ssl

MAX_LINE = 8_192
IDLE_SECONDS = 600  # RFC 1939 §3: an inactivity timer of at least ten minutes


class Closed(Exception):
    """The peer is gone, too slow, or talks in lines without end."""


class Lines:
    """A connection: CRLF-ended lines in, octets out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def secure(self) -> bool:
        """Whether TLS protects what is said (S24)."""
        return self._writer.get_extra_info("ssl_object") is not None

    @property
    def peer(self) -> str:
        """The client's address, for throttling."""
        name = self._writer.get_extra_info("peername")
        return str(name[0]) if name else ""

    async def read(self) -> str:
        """The next line without its end; undecodable octets are replaced. Raises Closed."""
        try:
            line = await asyncio.wait_for(self._reader.readuntil(b"\n"), IDLE_SECONDS)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            raise Closed from None
        if len(line) > MAX_LINE:
            raise Closed
        return line.rstrip(b"\r\n").decode("utf-8", "replace")

    async def write(self, *lines: str) -> None:
        """Send lines."""
        await self.send("".join(f"{line}\r\n" for line in lines).encode())

    async def send(self, octets: bytes) -> None:
        """Send octets as they are. Raises Closed."""
        try:
            self._writer.write(octets)
            await self._writer.drain()
        except OSError:
            raise Closed from None

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on under TLS. What was pipelined in the clear before it is thrown away with the connection."""
        if self._reader._buffer:  # type: ignore[attr-defined]  # RFC 2595 §4: command injection
            raise Closed
        try:
            await self._writer.start_tls(context)
        except (OSError, ssl.SSLError):
            raise Closed from None

    async def close(self) -> None:
        """Say no more."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
