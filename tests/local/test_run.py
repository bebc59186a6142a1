"""`python -m local`: what a fresh local cloud starts with, says of itself, and how it refuses and ends."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

import pytest

from local import __main__ as program
from local.samples import samples
from local.stack import ROOT
from tools.town import PORTS, Refused, Town, call, free_ports, get, until


class Run:
    """One run of the program on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        chosen = {f"PLAINPOST_PORT_{name}": str(port) for name, port in self.ports.items()}
        self.environment = {**os.environ, **chosen, "PLAINPOST_LOCAL_DIR": str(folder)}
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local"], cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log
        )

    @property
    def described(self) -> Path:
        return self.folder / "stack.json"

    def wait(self) -> Town:
        until(lambda: self.described.exists() or self.process.poll() is not None, seconds=90)
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return Town(json.loads(self.described.read_text()))

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.log.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Started once; ended by the test of SIGTERM, or here."""
    started = Run(tmp_path_factory.mktemp("run"))
    started.wait()
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGINT)


@pytest.fixture
def town(run: Run) -> Town:
    return run.wait()


def test_stack_json_has_the_form_that_tools_rely_on(run: Run, town: Town) -> None:
    urls = ["webmail", "admin", "reseller", "outbox", "api", "jmap", "status"]
    doors = ["smtp_in", "submission", "imap", "pop3", "dns", "aws"]
    assert set(town.stack) >= {*urls, *doors, "resellers", "mailboxes"}
    assert all(town.stack[name].startswith("http://") for name in urls)
    assert town.stack["api"].endswith("/v1")
    assert town.stack["smtp_in"] == f"127.0.0.1:{run.ports['SMTP_IN']}"
    assert all(set(r) == {"name", "api_key", "domains"} for r in town.stack["resellers"])
    assert set(town.stack["operator"]) == {"api_key"}
    assert all(set(m) == {"address", "password", "admin", "imap"} for m in town.stack["mailboxes"])
    assert stat.S_IMODE(run.described.stat().st_mode) == 0o600, "it holds keys and passwords"


def test_two_resellers_three_domains_one_of_them_pending(town: Town) -> None:
    states = {
        domain: get(f"{town.api}/domains/{domain}", token=reseller["api_key"])["state"]
        for reseller in town.stack["resellers"]
        for domain in reseller["domains"]
    }
    assert len(town.stack["resellers"]) == 2
    assert sorted(states.values()) == ["live", "live", "pending"]


def test_every_log_in_works_and_there_is_mail(town: Town) -> None:
    for row in town.stack["mailboxes"]:
        mailbox = town.sign_in(row["address"], row["password"])
        assert mailbox.listing()
    first = town.seeded()
    inbox = first.listing()
    assert len(inbox) + len(first.listing("junk")) >= 12
    assert len(first.listing("junk")) == 1
    assert len({row["threadId"] for row in inbox}) == len(inbox) - 2, "one conversation of three"
    with pytest.raises(Refused):
        town.sign_in(first.address, "wrong")


def test_S1_brands_go_by_host(town: Town) -> None:
    def product(host: str) -> str:
        return str(json.loads(call("GET", f"{town.web}/brand.json", headers={"Host": host})[1])["product"])

    assert product("mail.localhost") == product("mail.sunrise-bakery.test") == "Harbour Mail"
    assert product("mail.linden.localhost") == product("mail.willowbrook.test") == "Lindenpost"
    assert product("mail.nobody.localhost") == "Mail"


def test_seeding_is_not_counted(town: Town) -> None:
    town.control("DELETE", "ops")
    assert town.control("GET", "ops")["totals"]["calls"] == 0


@pytest.mark.parametrize("name", ["WEB", "AWS", "DNS", "SMTP_IN"])
def test_a_port_in_use_is_named(run: Run, tmp_path: Path, name: str) -> None:
    chosen = dict(zip(PORTS, free_ports(len(PORTS)), strict=True)) | {name: run.ports[name]}
    environment = {
        **os.environ,
        **{f"PLAINPOST_PORT_{n}": str(p) for n, p in chosen.items()},
        "PLAINPOST_LOCAL_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert f"Port {run.ports[name]}" in line
    assert f"PLAINPOST_PORT_{name}" in line
    assert not (tmp_path / "stack.json").exists()


def test_a_port_that_is_none_is_told() -> None:
    with pytest.raises(program.Misused, match="PLAINPOST_PORT_WEB=80x"):
        program.ports({"PLAINPOST_PORT_WEB": "80x"})


def test_sigterm_ends_it_at_once_and_frees_the_ports(run: Run) -> None:
    run.wait()
    begun = time.monotonic()
    assert run.end(signal.SIGTERM) == 0
    assert time.monotonic() - begun < 5
    assert not run.described.exists()
    for port in run.ports.values():
        socket.create_server(("127.0.0.1", port)).close()


def test_samples_are_a_varied_dozen() -> None:
    made = samples("ann@x.test", "Ann", datetime(2026, 1, 31, tzinfo=UTC))
    assert len(made) >= 12
    assert all(sample.to == "ann@x.test" and parseaddr(sample.sender)[1] for sample in made)
    assert len({sample.message for sample in made}) == len(made)
    whole = b"".join(sample.message for sample in made)
    assert all(
        kind in whole for kind in (b"text/html", b"image/png", b"text/csv", b"References:", b"List-Id:")
    )
    assert b"lainpost" not in whole, "S1"
