"""S1: what the service writes to people, read as they read it. `post` and `registry` sweep the others."""

import pytest

from chalicelib.services import send
from chalicelib.services.platform import Platform
from tests.services.post import Call, Post, letter
from tests.services.sweep import swept, words

MB = 1_048_576


def test_S1_a_word_is_found_wherever_a_reader_may_meet_it() -> None:
    assert words(b"X-Mailer: Plainpost 1\r\n\r\nHello") == {"plainpost"}
    assert words(b"Content-Transfer-Encoding: base64\r\n\r\nc2VudCBieSBBbWF6b24=") == {"amazon"}
    assert not words(b"Subject: lawsuit\r\n\r\nno word of it")


def test_S1_what_leaves_or_is_kept_is_read(platform: Platform) -> None:
    sent = [Call("1", "a@x.test", (), b"X-Mailer: Plainpost\r\n\r\n", {}, 0.0)]
    with pytest.raises(AssertionError), swept(sent):
        pass
    with pytest.raises(AssertionError), swept([]):
        platform.blobs.put("own/named", b"Subject: from Plainpost\r\n\r\n")
    with swept([]):  # others may write what they like
        platform.blobs.put("in/named", b"Subject: from Plainpost\r\n\r\n")


def test_S1_reports_and_warnings_name_nobody_but_the_domain(post: Post) -> None:
    post.mail.behaviour["gone.test"] = "refuse"
    send.submit(post.p, post.submission("ann@x.test", ["a@gone.test", "nobody@x.test"]))
    post.settle()
    post.fill("bob@x.test", 224 * MB)
    post.arrive(letter("zoe@far.test", ["bob@x.test"], text="x" * 2 * MB), "bob@x.test", ses_id="big")
    written = [*post.inbox("ann@x.test"), *post.inbox("bob@x.test")]
    assert len(written) >= 3
    assert not [raw for raw in written if words(raw)]
