"""`make run`: the whole service on this machine until Ctrl-C.

Ports by environment: PLAINPOST_PORT_WEB and so on (see PORTS); PLAINPOST_SMTP_OUT=host:port gives outgoing
mail to a real SMTP server; PLAINPOST_LOCAL_DIR is where stack.json goes (default `.local`).
"""

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from local import edges
from local.edges import PortTaken
from local.gateway import LocalGateway
from local.seed import Seeded, Seeder, SeedError
from local.stack import ROOT, Component, Stack

PORTS = {
    "web": 8080,
    "smtp_in": 2525,
    "submission": 2587,
    "submissions": 2465,
    "pop3": 2110,
    "pop3s": 2995,
    "dns": 5353,
    "aws": 4566,
    "ses": 4567,
}
TABLE = "{:<11} {}"


class Misused(Exception):
    """The environment says something that cannot be; the text says what."""


def ports(environ: Mapping[str, str]) -> dict[str, int]:
    """Ports by name. Raises Misused."""
    chosen = {}
    for name, usual in PORTS.items():
        variable = f"PLAINPOST_PORT_{name.upper()}"
        text = environ.get(variable, str(usual))
        if not text.isdigit() or not 0 < int(text) < 65_536:
            raise Misused(f"{variable}={text} is not a port")
        chosen[name] = int(text)
    return chosen


def check_free(chosen: Mapping[str, int]) -> None:
    """Raises PortTaken for the first that is in use, before anything is started."""
    for name, port in chosen.items():
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            raise PortTaken(name, port) from error


def components() -> list[Component]:
    """Everything around the engine, in the order of starting."""
    return [edges.from_environment(), LocalGateway(folder())]


def folder() -> Path:
    """Where stack.json and the certificate go."""
    return Path(os.environ.get("PLAINPOST_LOCAL_DIR") or ROOT / ".local").resolve()


def describe(chosen: Mapping[str, int], seeded: Seeded) -> dict[str, Any]:
    """stack.json. Pages by name, since the name chooses the brand; what programs call by address, since
    resolvers of libraries do not all know names under localhost. There is no IMAP yet.
    """

    def page(host: str) -> str:
        return f"http://{host}.localhost:{chosen['web']}"

    called = f"http://127.0.0.1:{chosen['web']}"
    doors = ("smtp_in", "submission", "submissions", "pop3", "pop3s", "dns", "aws")
    return {
        "webmail": page("mail"),
        "admin": page("admin"),
        "reseller": page("reseller"),
        "outbox": page("outbox"),
        "api": f"{called}/v1",
        "jmap": f"{called}/jmap/session",
        "status": page("status"),
        **{name: f"127.0.0.1:{chosen[name]}" for name in doors},
        "imap": None,
        "ca": str(folder() / "tls" / "ca.pem"),
        "operator": {"api_key": seeded.operator_key},
        "resellers": seeded.resellers,
        "mailboxes": seeded.mailboxes,
    }


def write(described: Mapping[str, Any], into: Path) -> Path:
    """Put stack.json in place whole: who waits for it never reads half."""
    into.mkdir(parents=True, exist_ok=True)
    target, draft = into / "stack.json", into / "stack.json.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(described, indent=1) + "\n")
    draft.replace(target)
    return target


def show(described: Mapping[str, Any], seeded: Seeded, target: Path, seconds: float) -> None:
    """The table of URLs and log-ins."""
    names = ("webmail", "admin", "reseller", "outbox", "api", "jmap")
    doors = ("smtp_in", "submission", "pop3", "dns", "aws")
    lines = [f"Up after {seconds:.1f} s. Ctrl-C ends it.", ""]
    lines += [TABLE.format(name, described[name]) for name in (*names, *doors)]
    width = max(len(row["address"]) for row in described["mailboxes"])
    lines += ["", "Log-ins"]
    for row in described["mailboxes"]:
        what = ", ".join(word for word in ("admin", "imap") if row[word])
        lines.append(f"  {row['address']:<{width}}  {row['password']:<26} {what}".rstrip())
    lines += [f"  {domain} was ordered and is not active yet" for domain in seeded.pending]
    lines += ["", "API keys"]
    lines += [
        f"  {r['name']:<{width}}  {r['api_key']}  ({', '.join(r['domains'])})" for r in described["resellers"]
    ]
    lines.append(f"  {'Operator':<{width}}  {described['operator']['api_key']}  (/v1/operator)")
    print("\n".join([*lines, "", f"All of this is in {target}"]), flush=True)


def serve(chosen: Mapping[str, int], up: threading.Event, stop: threading.Event) -> None:
    """Start, seed, tell, wait."""
    started = time.monotonic()
    (folder() / "stack.json").unlink(missing_ok=True)
    with Stack(chosen, parameters=edges.parameters(), components=components()) as stack:
        from chalicelib.services.platform import platform  # builds its clients for the stack's environment

        seeded = Seeder(stack, platform()).seed()
        described = describe(chosen, seeded)
        target = write(described, folder())
        show(described, seeded, target, time.monotonic() - started)
        up.set()
        stop.wait()
        target.unlink(missing_ok=True)


def _quiet() -> None:
    """The service says every arrival; here only what went wrong is of interest, and once."""
    service = logging.getLogger("plainpost")
    service.setLevel(logging.ERROR)
    service.propagate = False


def main() -> int:
    """The exit status: 0 after Ctrl-C or SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _quiet()
    up, stop = threading.Event(), threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set() or not up.is_set():
            os._exit(0)  # asked twice, or before anything is there to be ended in order
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        chosen = ports(os.environ)
        check_free(chosen)
        serve(chosen, up, stop)
    except (PortTaken, Misused, SeedError, ValueError) as error:
        print(f"plainpost: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # threads of the emulators may still sleep; nothing of theirs is worth waiting for
