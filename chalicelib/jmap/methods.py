"""Every method, the capability under which a request may call it, and the arguments that it has."""

from typing import NamedTuple

from chalicelib.jmap import (
    addressbooks,
    blob_get,
    blob_upload,
    contact_get,
    contact_set,
    email_get,
    email_import,
    email_parse,
    email_query,
    email_query_changes,
    email_set,
    identity,
    mailbox_set,
    mailboxes,
    quota,
    snippets,
    submission,
    submission_set,
    vacation,
)
from chalicelib.jmap.context import Context, Method
from chalicelib.jmap.errors import Json
from chalicelib.jmap.session import BLOB, CONTACTS, CORE, MAIL, QUOTA, SUBMISSION, VACATION
from chalicelib.jmap.standard import cannot_query_changes, no_other_account


class Known(NamedTuple):
    """A method. `arguments`: all that the standards give it besides accountId; None: any, and no account."""

    capability: str
    run: Method
    arguments: frozenset[str] | None

    def open_to(self, using: frozenset[str]) -> bool:
        """Whether a request that names these capabilities may call it. Who names mail alone may send too: RFC
        8621 has both, and webmails exist that take our `unknownMethod` for a sent message.
        """
        return self.capability in using or (self.capability in (SUBMISSION, VACATION) and MAIL in using)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GET = _names("ids properties")
_CHANGES = _names("sinceState maxChanges")
_SET = _names("ifInState create update destroy")
_COPY = _names("fromAccountId ifFromInState ifInState create onSuccessDestroyOriginal destroyFromIfInState")
_QUERY = _names("filter sort position anchor anchorOffset limit calculateTotal")
_QUERY_CHANGES = _names("filter sort sinceQueryState maxChanges upToId calculateTotal")
_TREE = _names("sortAsTree filterAsTree")
_BODIES = _names(
    "bodyProperties fetchTextBodyValues fetchHTMLBodyValues fetchAllBodyValues maxBodyValueBytes"
)


def echo(_ctx: Context, args: Json) -> Json:
    """Core/echo (RFC 8620 §4)."""
    return args


METHODS: dict[str, Known] = {
    "Core/echo": Known(CORE, echo, None),
    "Blob/copy": Known(CORE, blob_get.copy, _names("fromAccountId blobIds")),
    "Blob/upload": Known(BLOB, blob_upload.upload, _names("create")),
    "Blob/get": Known(BLOB, blob_get.get, _GET | {"offset", "length"}),
    "Blob/lookup": Known(BLOB, blob_get.lookup, _names("typeNames ids")),
    "Mailbox/get": Known(MAIL, mailboxes.get, _GET),
    "Mailbox/changes": Known(MAIL, mailboxes.changes, _CHANGES),
    "Mailbox/query": Known(MAIL, mailboxes.query, _QUERY | _TREE),
    "Mailbox/queryChanges": Known(MAIL, mailboxes.query_changes, _QUERY_CHANGES | _TREE),
    "Mailbox/set": Known(MAIL, mailbox_set.set_, _SET | {"onDestroyRemoveEmails"}),
    "Thread/get": Known(MAIL, email_get.threads, _GET),
    "Thread/changes": Known(MAIL, email_get.thread_changes, _CHANGES),
    "Email/get": Known(MAIL, email_get.get, _GET | _BODIES),
    "Email/changes": Known(MAIL, email_get.changes, _CHANGES),
    "Email/query": Known(MAIL, email_query.query, _QUERY | {"collapseThreads"}),
    "Email/queryChanges": Known(
        MAIL, email_query_changes.query_changes, _QUERY_CHANGES | {"collapseThreads"}
    ),
    "Email/set": Known(MAIL, email_set.set_, _SET),
    "SearchSnippet/get": Known(MAIL, snippets.get, _names("filter emailIds")),
    "Email/import": Known(MAIL, email_import.import_, _names("ifInState emails")),
    "Email/parse": Known(MAIL, email_parse.parse, _BODIES | {"blobIds", "properties"}),
    "Email/copy": Known(MAIL, email_import.copy, _COPY),
    "Identity/get": Known(SUBMISSION, identity.get, _GET),
    "Identity/changes": Known(SUBMISSION, identity.changes, _CHANGES),
    "Identity/set": Known(SUBMISSION, identity.set_, _SET),
    "EmailSubmission/get": Known(SUBMISSION, submission.get, _GET),
    "EmailSubmission/changes": Known(SUBMISSION, submission.changes, _CHANGES),
    "EmailSubmission/query": Known(SUBMISSION, submission.query, _QUERY),
    "EmailSubmission/queryChanges": Known(SUBMISSION, submission.query_changes, _QUERY_CHANGES),
    "EmailSubmission/set": Known(
        SUBMISSION, submission_set.set_, _SET | {"onSuccessUpdateEmail", "onSuccessDestroyEmail"}
    ),
    "VacationResponse/get": Known(VACATION, vacation.get, _GET),
    "VacationResponse/set": Known(VACATION, vacation.set_, _SET),
    "Quota/get": Known(QUOTA, quota.get, _GET),
    "Quota/changes": Known(QUOTA, quota.changes, _CHANGES),
    "Quota/query": Known(QUOTA, quota.query, _QUERY),
    "Quota/queryChanges": Known(QUOTA, cannot_query_changes, _QUERY_CHANGES),
    "AddressBook/get": Known(CONTACTS, addressbooks.get, _GET),
    "AddressBook/changes": Known(CONTACTS, addressbooks.changes, _CHANGES),
    "AddressBook/set": Known(
        CONTACTS, addressbooks.set_, _SET | {"onDestroyRemoveContents", "onSuccessSetIsDefault"}
    ),
    "ContactCard/get": Known(CONTACTS, contact_get.get, _GET),
    "ContactCard/changes": Known(CONTACTS, contact_get.changes, _CHANGES),
    "ContactCard/query": Known(CONTACTS, contact_get.query, _QUERY),
    "ContactCard/queryChanges": Known(CONTACTS, contact_get.query_changes, _QUERY_CHANGES),
    "ContactCard/set": Known(CONTACTS, contact_set.set_, _SET),
    "ContactCard/copy": Known(CONTACTS, no_other_account, _COPY),
}
