"""Forwards, lists and auto-replies through the public ports: what the world outside gets (S22)."""

import email
import email.policy
from email.message import EmailMessage

from tests.e2e.orders import live_pair
from tools.town import Json, Town, call, until


def letter(to: str, subject: str) -> bytes:
    """A message of Zoe's."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = "Zoe Far <zoe@far.test>", to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@far.test>"
    message.set_content("Hello.\n")
    return message.as_bytes()


def test_S22_a_forward_a_list_and_an_auto_reply_by_curl_and_smtp(town: Town) -> None:
    pair = live_pair(town, "passing.test")
    base, key = f"{town.api}/domains/passing.test", town.key()
    call("PUT", f"{base}/forwards/office", {"to": ["yan@near.test"]}, token=key)
    call("PUT", f"{base}/lists/team", {"posting": "anyone"}, token=key)
    people = [pair.ann.address, pair.bob.address, "xia@near.test"]
    call("PUT", f"{base}/lists/team/members", {"members": people}, token=key)
    reply = {"enabled": True, "text": "Back on Monday."}
    call("PUT", f"{town.api}/mailbox/auto-reply", reply, token=pair.bob.token)

    town.deliver(
        "zoe@far.test", ["office@passing.test", "team@passing.test"], letter("office@passing.test", "one")
    )
    [yan] = until(lambda: town.outbox("yan@near.test"))
    [xia] = until(lambda: town.outbox("xia@near.test"))
    for got, name in ((yan, "office"), (xia, "team")):
        seen = email.message_from_bytes(got["bytes"], policy=email.policy.default)
        assert seen["From"] == f"Zoe Far via {name} <{name}@passing.test>"
        assert seen["Reply-To"] == "Zoe Far <zoe@far.test>"
    pair.ann.wait_for("one")
    pair.bob.wait_for("one")

    def answers() -> list[Json]:
        found = town.outbox("zoe@far.test")  # others of this town write to her, too
        return [m for m in found if b"Subject: Auto: " in m["bytes"]]

    assert answers() == [], "list mail is answered by nobody"

    town.deliver("zoe@far.test", [pair.bob.address], letter(pair.bob.address, "two"))
    [answer] = until(answers)
    assert b"Subject: Auto: two" in answer["bytes"]
