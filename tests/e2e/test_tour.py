"""The tours of README.md and docs/tour.md, run as they stand there, with curl, against the local cloud."""

import re
import shutil
import subprocess
from pathlib import Path

from tools.town import ROOT, Town, running

#: curl fails at what is refused; names and proxies of the machine are left alone.
CURL = 'curl() { command curl --noproxy "*" --fail-with-body -sS "$@" && echo; }'
EXPECTED = (
    '"address":"ann@tour.test"',  # the order
    '"behaviour": "defer"',
    '"before_mills"',  # what a change would cost
    "2,201,",  # the second row of the bulk
    '"recipients":[{"address":"ann@tour.test","state":"delivered"',
    '"webmail_rate"',
    '"number":"harbour-',  # invoices
    '"state":"reversed"',
    '"state":"pending","undo_until"',
)


def blocks(page: str) -> list[str]:
    """What is to be typed, in order."""
    return re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def script(town: Town, folder: Path) -> str:
    """Both tours, for a cloud that has its ports and folder elsewhere."""
    readme = (ROOT / "README.md").read_text()
    tour = readme[readme.index("## A tour") : readme.index("## On AWS")]
    typed = [*blocks(tour), *blocks((ROOT / "docs" / "tour.md").read_text())]
    text = "\n".join(["set -euo pipefail", CURL, *typed])
    port = town.stack["smtp_in"].rpartition(":")[2]
    return text.replace(".local/stack.json", str(folder / "stack.json")).replace("2525", port)


def test_the_tours_work_as_they_are_written(tmp_path: Path) -> None:
    assert shutil.which("curl")
    with running(tmp_path) as town:
        done = subprocess.run(
            ["bash", "-c", script(town, tmp_path)], capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stdout[-1_000:] + done.stderr[-2_000:]
    missing = [text for text in EXPECTED if text not in done.stdout]
    assert not missing, done.stdout
