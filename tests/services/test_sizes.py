"""S19 at the edge, in and out: 25 MB pass, a byte more does not."""

import pytest

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.services import send
from tests.services.post import Post, letter

MOST = 25 * MB
ANN, BOB = "ann@x.test", "bob@x.test"


def padded(raw: bytes, size: int) -> bytes:
    """The message with lines added until it has so many bytes."""
    line = b"x" * 998 + b"\r\n"
    missing = size - len(raw)
    return raw + line * (missing // len(line)) + b"y" * (missing % len(line))


@pytest.mark.parametrize(("over", "delivered"), [(0, True), (1, False)])
def test_S19_in(post: Post, over: int, delivered: bool) -> None:
    raw = padded(letter("zoe@far.test", [BOB]), MOST + over)
    post.arrive(raw, BOB)
    assert [len(kept) for kept in post.inbox(BOB)] == ([MOST] if delivered else [])
    told = [(r.status, r.text) for call in post.mail.told for r in call.recipients]
    assert told == ([] if delivered else [("5.3.4", "message larger than 25 MB")])


def test_S19_out(post: Post) -> None:
    raw = padded(letter(ANN, ["zoe@far.test"]), MOST)
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"], raw=raw))
    with pytest.raises(ServiceError) as refused:
        send.submit(post.p, post.submission(ANN, ["zoe@far.test"], id="s2", raw=raw + b"z"))
    assert refused.value.kind == "too_large"
    assert refused.value.extra == {"limit": MOST, "used": MOST + 1, "remaining": 0, "unit": "bytes"}
    post.settle()
    assert [len(call.raw) >= MOST for call in post.mail.calls] == [True]
