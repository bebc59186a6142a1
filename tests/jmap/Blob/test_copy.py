"""Blob/copy (RFC 8620 §6.3) and Email/copy (RFC 8621 §4.7): a log-in has one account."""

from tests.jmap.client import Client, Json, letter

METHODS: list[tuple[str, Json]] = [
    ("Blob/copy", {"blobIds": ["x"]}),
    ("Email/copy", {"create": {"k": {"id": "x"}}}),
]


def test_there_is_no_account_to_copy_from(jmap: Client) -> None:
    for method, args in METHODS:
        other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
        other.deliver(letter())
        for id in ("none", other.account.id):
            assert jmap.error(method, fromAccountId=id, **args)["type"] == "fromAccountNotFound"


def test_nor_to_copy_to(jmap: Client) -> None:
    for method, args in METHODS:
        given = {"accountId": "none", "fromAccountId": jmap.account.id, **args}
        assert jmap.error(method, **given)["type"] == "accountNotFound"


def test_both_accounts_the_same_or_missing(jmap: Client) -> None:
    for method, args in METHODS:
        assert jmap.error(method, fromAccountId=jmap.account.id, **args)["type"] == "invalidArguments"
        assert jmap.error(method, **args)["type"] == "invalidArguments"
