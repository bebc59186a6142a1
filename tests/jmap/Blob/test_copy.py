"""Blob/copy (RFC 8620 §6.3) and Email/copy (RFC 8621 §4.7): a log-in has one account."""

import pytest

from tests.jmap.client import Client, letter

METHODS = [("Blob/copy", {"blobIds": ["x"]}), ("Email/copy", {"create": {"k": {"id": "x"}}})]


@pytest.mark.parametrize(("method", "args"), METHODS)
def test_there_is_no_account_to_copy_from(jmap: Client, method: str, args: dict[str, object]) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    other.deliver(letter())
    for id in ("none", other.account.id):
        assert jmap.error(method, fromAccountId=id, **args)["type"] == "fromAccountNotFound"


@pytest.mark.parametrize(("method", "args"), METHODS)
def test_nor_to_copy_to(jmap: Client, method: str, args: dict[str, object]) -> None:
    given = {"accountId": "none", "fromAccountId": jmap.account.id, **args}
    assert jmap.error(method, **given)["type"] == "accountNotFound"


@pytest.mark.parametrize(("method", "args"), METHODS)
def test_both_accounts_the_same_or_missing(jmap: Client, method: str, args: dict[str, object]) -> None:
    assert jmap.error(method, fromAccountId=jmap.account.id, **args)["type"] == "invalidArguments"
    assert jmap.error(method, **args)["type"] == "invalidArguments"
