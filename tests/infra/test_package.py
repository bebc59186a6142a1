"""What ships: small, for one kind of processor, and nothing beside the service."""

import re
import zipfile

from tests.packaged import packaged
from tools.package import LIMIT, MACHINES, ROOT, SERVICES, check, here, machines

DEPENDENCIES = ("argon2", "aws_lambda_powertools", "boto3", "botocore", "chalice", "dns", "pydantic")


def names() -> list[str]:
    with zipfile.ZipFile(packaged().code) as archive:
        return archive.namelist()


def test_unzipped_package_is_below_120_mb() -> None:
    zipped = packaged().code.stat().st_size
    print(f"\npackage: {zipped / 1e6:.1f} MB zipped, {packaged().unzipped / 1e6:.1f} MB unzipped")
    assert 5_000_000 < packaged().unzipped < LIMIT


def test_compiled_files_are_for_one_processor() -> None:
    found = machines(packaged().code)
    assert found, "argon2 and pydantic bring compiled files"
    assert set(found.values()) == {MACHINES[here()][1]}
    assert check(packaged().code, here()) == packaged().unzipped


def test_everything_the_app_needs_is_in_it() -> None:
    tops = {name.split("/")[0] for name in names()}
    assert tops >= {"app.py", "chalicelib", *DEPENDENCIES}


def test_all_of_chalicelib_is_in_it() -> None:
    mine = {p.relative_to(ROOT).as_posix() for p in (ROOT / "chalicelib").rglob("*.py")}
    assert mine <= set(names())


def test_nothing_of_tests_or_the_local_cloud_is_in_it() -> None:
    tops = {name.split("/")[0] for name in names()}
    assert not tops & {"tests", "local", "tools", "bench", "moto", "ministack", "pytest", "aiosmtpd"}


def test_the_services_described_are_those_that_are_called() -> None:
    texts = [path.read_text() for path in (ROOT / "chalicelib" / "aws").glob("*.py")]
    called = {name for text in texts for name in re.findall(r"\bclient\(\"(\w+)\"\)", text)}
    assert called == SERVICES
    described = {n.split("/")[2] for n in names() if n.startswith("botocore/data/") and n.count("/") > 2}
    assert described == SERVICES
