"""The project's text speaks of the project alone."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Paths of a developer's machine, package index hosts, unfinished work. Spelt so that this file is not a hit.
UNWANTED = re.compile(
    r"/(?:work|farm|root)/" + r"|files\.python" + r"hosted|pypi\." + r"org|registry\.npm" + r"js\.org"
    r"|\bTO" + r"DO\b|\bFIX" + r"ME\b|NotImplemented" + r"Error|mark\.(?:skip|xf" + r"ail)"
)


def tracked() -> list[Path]:
    """Text files under version control (and new ones not ignored)."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    skip = (".png", ".ico", ".woff2")
    return [ROOT / name for name in listed if name and not name.endswith(skip) and (ROOT / name).is_file()]


def test_no_text_names_a_machine_an_index_or_unfinished_work() -> None:
    hits = []
    for path in tracked():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if UNWANTED.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not hits, "\n".join(hits)
