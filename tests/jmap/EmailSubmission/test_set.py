"""EmailSubmission (RFC 8621 §7), Identity (§6)."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from chalicelib.jmap import limits
from chalicelib.rules.errors import ServiceError
from chalicelib.services import send
from tests.jmap.client import Client, Json, letter
from tests.jmap.Identity.test_get import alias, identities


def draft(jmap: Client, *to: str, **more: Any) -> str:
    given: Json = {
        "from": [{"name": "Uma", "email": jmap.account.address}],
        "to": [{"email": address} for address in to],
        "subject": "Hello",
        "textBody": [{"partId": "t", "type": "text/plain"}],
        "bodyValues": {"t": {"value": "Hi"}},
    }
    return str(jmap.draft(**given | more)["id"])


def submit(jmap: Client, email: str, **more: Any) -> Json:
    """The answer for one submission."""
    created = {"emailId": email, "identityId": f"i{jmap.account.id}", **more}
    return jmap.call("EmailSubmission/set", create={"s": created})


def refused(jmap: Client, email: str, **more: Any) -> Json:
    answer = submit(jmap, email, **more)
    assert answer["notCreated"], answer
    return dict(answer["notCreated"]["s"])


def test_send_and_file_as_webmail_does(jmap: Client) -> None:
    drafts, sent = jmap.roles["drafts"], jmap.roles["sent"]
    create = {
        "mailboxIds": {drafts: True},
        "keywords": {"$draft": True, "$seen": True},
        "subject": "Hello",
        "from": [{"email": jmap.account.address}],
        "to": [{"email": "zoe@far.test"}],
    }
    patch = {f"mailboxIds/{drafts}": None, f"mailboxIds/{sent}": True, "keywords/$draft": None}
    submission = {"emailId": "#draft", "identityId": f"i{jmap.account.id}"}
    made, told, moved = jmap.request(
        ("Email/set", {"create": {"draft": create}}, "0"),
        (
            "EmailSubmission/set",
            {"create": {"sub": submission}, "onSuccessUpdateEmail": {"#sub": patch}},
            "1",
        ),
    )
    email = made[1]["created"]["draft"]["id"]
    assert (told[0], told[2]) == ("EmailSubmission/set", "1")
    assert told[1]["created"]["sub"]["undoStatus"] == "final"
    assert (moved[0], moved[2], moved[1]["updated"]) == ("Email/set", "1", {email: None})
    shown = jmap.email(email, properties=["mailboxIds", "keywords"])
    assert (shown["mailboxIds"], shown["keywords"]) == ({sent: True}, {"$seen": True})


def test_envelope_of_the_header_and_no_bcc_outside(jmap: Client) -> None:
    jmap.post.settle()
    before = len(jmap.post.mail.calls)
    email = draft(
        jmap, "zoe@far.test", "ZOE@far.test", cc=[{"email": "c@far.test"}], bcc=[{"email": "b@far.test"}]
    )
    created = submit(jmap, email)["created"]["s"]
    assert created["envelope"]["mailFrom"]["email"] == jmap.account.address
    assert [r["email"] for r in created["envelope"]["rcptTo"]] == ["zoe@far.test", "c@far.test", "b@far.test"]
    jmap.post.settle()
    [call] = jmap.post.mail.calls[before:]
    assert set(call.recipients) == {"zoe@far.test", "c@far.test", "b@far.test"}
    assert b"b@far.test" not in call.raw


def test_given_envelope(jmap: Client) -> None:
    envelope = {
        "mailFrom": {"email": jmap.account.address},
        "rcptTo": [{"email": "other@far.test", "parameters": {}}],
    }
    id = submit(jmap, draft(jmap, "zoe@far.test"), envelope=envelope)["created"]["s"]["id"]
    [shown] = jmap.call("EmailSubmission/get", ids=[id])["list"]
    assert [r["email"] for r in shown["envelope"]["rcptTo"]] == ["other@far.test"]


def test_delivery_status_per_recipient(jmap: Client) -> None:
    jmap.post.mail.behaviour["refusing.test"] = "refuse"
    email = draft(jmap, "zoe@far.test", "no@refusing.test")
    id = submit(jmap, email)["created"]["s"]["id"]
    [queued] = jmap.call("EmailSubmission/get", ids=[id])["list"]
    assert {s["delivered"] for s in queued["deliveryStatus"].values()} == {"queued"}
    jmap.post.settle()
    [shown] = jmap.call("EmailSubmission/get", ids=[id, "none"])["list"]
    status = shown["deliveryStatus"]
    assert status["zoe@far.test"]["delivered"] == "unknown", "relayed, which is not arrived"
    assert status["zoe@far.test"]["smtpReply"].startswith("250")
    assert status["no@refusing.test"]["delivered"] == "no"
    assert status["no@refusing.test"]["smtpReply"].startswith("5")
    assert (shown["emailId"], shown["identityId"]) == (email, f"i{jmap.account.id}")
    assert id in [s["id"] for s in jmap.call("EmailSubmission/get", ids=None)["list"]]


def test_S27_a_repeat_sends_nothing_twice(jmap: Client) -> None:
    jmap.post.settle()
    email = draft(jmap, "zoe@far.test")
    before = len(jmap.post.mail.calls)
    first, again = submit(jmap, email), submit(jmap, email)
    jmap.post.settle()
    assert first["created"]["s"]["id"] == again["created"]["s"]["id"]
    assert len(jmap.post.mail.calls) == before + 1


def test_a_day_later_the_same_is_sent_once_more(jmap: Client) -> None:
    jmap.post.settle()
    email = draft(jmap, "zoe@far.test")
    before = len(jmap.post.mail.calls)
    first = submit(jmap, email)["created"]["s"]["id"]
    jmap.post.settle()
    jmap.post.clock.advance(hours=25)
    again = submit(jmap, email)["created"]["s"]["id"]
    assert again == submit(jmap, email)["created"]["s"]["id"] != first
    jmap.post.settle()
    assert len(jmap.post.mail.calls) == before + 2


def test_what_fails_after_sending_hides_nothing_of_it(jmap: Client) -> None:
    """RFC 8620 §3.6.2: an error says that nothing was done; here the message has left."""
    email = draft(jmap, "zoe@far.test")
    args = {
        "create": {"s": {"emailId": email, "identityId": f"i{jmap.account.id}"}},
        "onSuccessUpdateEmail": {"#s": {"keywords/$draft": None}},
    }
    busy = ServiceError("throttled", "The mailbox is busy.")
    with mock.patch("chalicelib.services.mailbox.update", side_effect=busy):
        told, _ = jmap.request(("EmailSubmission/set", args, "0"))
    assert (told[0], told[2]) == ("EmailSubmission/set", "0")
    assert told[1]["created"]["s"]["undoStatus"] == "final"
    many = {str(n): {"keywords/x": True} for n in range(limits.MAX_OBJECTS_IN_SET + 1)}
    args["onSuccessUpdateEmail"] = many
    assert jmap.error("EmailSubmission/set", **args)["type"] == "requestTooLarge"


def test_the_envelope_is_the_identitys_where_the_header_is_not(jmap: Client) -> None:
    """RFC 8621 §7: mailFrom."""
    name = f"other-{jmap.account.address.partition('@')[0]}"
    alias(jmap, name)
    under = identities(jmap)[f"{name}@x.test"]["id"]
    own = draft(jmap, "zoe@far.test")
    made = submit(jmap, own, identityId=under)["created"]["s"]
    assert made["envelope"]["mailFrom"]["email"] == f"{name}@x.test"
    sender = [{"email": f"{name}@x.test"}]
    both = draft(jmap, "ben@far.test", sender=sender)
    assert submit(jmap, both)["created"]["s"]["envelope"]["mailFrom"]["email"] == jmap.account.address
    mine = submit(jmap, draft(jmap, "c@far.test", sender=sender), identityId=under)["created"]["s"]
    assert mine["envelope"]["mailFrom"]["email"] == f"{name}@x.test"


def test_who_wrote_it_is_said_once(jmap: Client) -> None:
    """RFC 5322 §3.6: readers differ in which of two From fields they show."""
    head = f"From: Boss <bob@x.test>\r\nFrom: {jmap.account.address}\r\nTo: zoe@far.test\r\n\r\nPay."
    error = refused(jmap, jmap.deliver(head.encode()))
    assert (error["type"], error["properties"]) == ("invalidEmail", ["from"])
    nobody = refused(jmap, jmap.deliver(b"To: zoe@far.test\r\n\r\nHi"))
    assert (nobody["type"], nobody["properties"]) == ("invalidEmail", ["from"])
    typed = draft(jmap, "zoe@far.test", cc=[{"email": "half typed"}])
    envelope = {"mailFrom": {"email": jmap.account.address}, "rcptTo": [{"email": "zoe@far.test"}]}
    error = refused(jmap, typed, envelope=envelope)
    assert (error["type"], error["properties"]) == ("invalidEmail", ["cc"])


def test_what_a_mail_program_sent_is_seen_too(jmap: Client) -> None:
    """S27: its sender sees each recipient's state. There is no email of it here: its id is not found."""
    sent = jmap.post.submission(jmap.account.address, ["zoe@far.test"], id="sprogram")
    send.submit(jmap.post.p, replace(sent, account=jmap.account))
    [shown] = jmap.call("EmailSubmission/get", ids=["sprogram"])["list"]
    own = f"i{jmap.account.id}"
    assert shown["identityId"] == own
    assert jmap.call("Email/get", ids=[shown["emailId"]])["notFound"] == [shown["emailId"]]
    assert jmap.call("Thread/get", ids=[shown["threadId"]])["notFound"] == [shown["threadId"]]
    for where in (
        {"identityIds": [own]},
        {"emailIds": [shown["emailId"]]},
        {"threadIds": [shown["threadId"]]},
    ):
        assert "sprogram" in jmap.call("EmailSubmission/query", filter=where)["ids"]


def test_refusals(jmap: Client) -> None:
    email = draft(jmap, "zoe@far.test")
    more: Json
    for more in (
        {"identityId": "none"},
        {"identityId": None},
        {"emailId": "none"},
        {"emailId": "#none"},
        {"emailId": 1},
        {"envelope": []},
        {"envelope": {"rcptTo": []}},
        {"envelope": {"mailFrom": {"email": "a"}, "rcptTo": [1]}},
        {"undoStatus": "canceled"},
        {"sendAt": "2030-01-01T00:00:00Z"},
        {"envelope": {"mailFrom": {"email": "a", "parameters": {"RET": "FULL"}}, "rcptTo": []}},
    ):
        assert refused(jmap, email, **more)["type"] == "invalidProperties", more
    assert refused(jmap, draft(jmap))["type"] == "noRecipients"
    error = refused(jmap, draft(jmap, "zoe@far.test", "no address"))
    assert (error["type"], error["invalidRecipients"]) == ("invalidRecipients", ["no address"])


def test_S20_too_many_recipients(jmap: Client) -> None:
    error = refused(jmap, draft(jmap, *(f"u{n}@far.test" for n in range(251))))
    assert (error["type"], error["maxRecipients"]) == ("tooManyRecipients", 250)


def test_forbidden_from(jmap: Client) -> None:
    foreign = draft(jmap, "zoe@far.test", **{"from": [{"email": "bob@x.test"}]})
    assert refused(jmap, foreign)["type"] == "forbiddenFrom"
    elsewhere = {"mailFrom": {"email": "bob@x.test"}, "rcptTo": [{"email": "zoe@far.test"}]}
    own = draft(jmap, "zoe@far.test")
    assert refused(jmap, own, envelope=elsewhere)["type"] == "forbiddenMailFrom"
    envelope = {"mailFrom": {"email": jmap.account.address}, "rcptTo": [{"email": "zoe@far.test"}]}
    assert refused(jmap, foreign, envelope=envelope)["type"] == "forbiddenFrom"


def test_S21_rate_limit_says_how_long(jmap: Client) -> None:
    for n in range(10):
        assert submit(jmap, draft(jmap, f"u{n}@far.test"))["created"]
    error = refused(jmap, draft(jmap, "late@far.test"))
    assert error["type"] == "rateLimit"
    assert error["retryAfter"] > 0
    jmap.post.clock.advance(minutes=2)


def test_failure_files_nothing(jmap: Client) -> None:
    email = draft(jmap)
    answers = jmap.request(
        (
            "EmailSubmission/set",
            {
                "create": {"s": {"emailId": email, "identityId": f"i{jmap.account.id}"}},
                "onSuccessUpdateEmail": {"#s": {"keywords/$draft": None}},
                "onSuccessDestroyEmail": ["#s"],
            },
            "0",
        ),
    )
    assert len(answers) == 1
    assert jmap.email(email)["keywords"] == {"$draft": True}


def test_on_success_destroy(jmap: Client) -> None:
    email = draft(jmap, "zoe@far.test")
    create = {"s": {"emailId": email, "identityId": f"i{jmap.account.id}"}}
    answers = jmap.request(("EmailSubmission/set", {"create": create, "onSuccessDestroyEmail": ["#s"]}, "0"))
    assert answers[1][1]["destroyed"] == [email]
    jmap.post.settle()
    assert "zoe@far.test" in jmap.post.mail.calls[-1].recipients


def test_what_was_sent_cannot_be_called_back(jmap: Client) -> None:
    id = submit(jmap, draft(jmap, "zoe@far.test"))["created"]["s"]["id"]
    answer = jmap.call(
        "EmailSubmission/set",
        update={id: {"undoStatus": "canceled"}, "none": {"undoStatus": "canceled"}},
    )
    assert answer["notUpdated"][id]["type"] == "cannotUnsend"
    assert answer["notUpdated"]["none"]["type"] == "notFound"
    other = jmap.call("EmailSubmission/set", update={id: {"sendAt": "x"}})
    assert other["notUpdated"][id]["type"] == "invalidProperties"


def test_submissions_of_others_are_not_seen(jmap: Client) -> None:
    id = submit(jmap, draft(jmap, "zoe@far.test"))["created"]["s"]["id"]
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    assert other.call("EmailSubmission/get", ids=[id])["notFound"] == [id]


@pytest.mark.parametrize("role", ["inbox", "sent"])
def test_any_email_can_be_sent_that_is_ones_own(jmap: Client, role: str) -> None:
    raw = letter("x", From=jmap.account.address, To="zoe@far.test")
    assert submit(jmap, jmap.deliver(raw, role))["created"]
    assert refused(jmap, jmap.deliver(letter("foreign"), role))["type"] == "forbiddenFrom"


def test_identity(jmap: Client) -> None:
    answer = jmap.call("Identity/get", ids=None)
    [own] = answer["list"]
    assert (own["id"], own["name"], own["email"]) == (f"i{jmap.account.id}", "Uma User", jmap.account.address)
    assert own["mayDelete"] is False
    assert jmap.call("Identity/changes", sinceState=answer["state"])["updated"] == []
    assert jmap.error("Identity/changes", sinceState="0")["type"] == "cannotCalculateChanges"
