"""S17, S18: what fits into a mailbox."""

import pytest

from chalicelib.rules.figures import MB
from chalicelib.rules.quota import fits


@pytest.mark.parametrize(
    ("used", "size", "kept"),
    [
        (246 * MB, 6 * MB, False),
        (246 * MB, 3 * MB, True),
        (246 * MB, 4 * MB, True),
        (246 * MB, 4 * MB + 1, False),
        (0, 250 * MB, True),
    ],
)
def test_S17_a_message_that_would_exceed_the_quota_is_refused(used: int, size: int, kept: bool) -> None:
    assert fits(used, size, 250 * MB) is kept


def test_S18_a_full_mailbox_takes_nothing_not_even_nothing() -> None:
    assert not fits(250 * MB, 1, 250 * MB)
    assert not fits(250 * MB, 0, 250 * MB)
    assert not fits(251 * MB, 0, 250 * MB)  # full before its quota was made smaller
