"""Every method, and the capability under which a request may call it."""

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
    """A method; `account` False: it takes no accountId."""

    capability: str
    run: Method
    account: bool = True


def echo(_ctx: Context, args: Json) -> Json:
    """Core/echo (RFC 8620 §4)."""
    return args


METHODS: dict[str, Known] = {
    "Core/echo": Known(CORE, echo, account=False),
    "Blob/copy": Known(CORE, blob_get.copy),
    "Blob/upload": Known(BLOB, blob_upload.upload),
    "Blob/get": Known(BLOB, blob_get.get),
    "Blob/lookup": Known(BLOB, blob_get.lookup),
    "Mailbox/get": Known(MAIL, mailboxes.get),
    "Mailbox/changes": Known(MAIL, mailboxes.changes),
    "Mailbox/query": Known(MAIL, mailboxes.query),
    "Mailbox/queryChanges": Known(MAIL, cannot_query_changes),
    "Mailbox/set": Known(MAIL, mailbox_set.set_),
    "Thread/get": Known(MAIL, email_get.threads),
    "Thread/changes": Known(MAIL, email_get.thread_changes),
    "Email/get": Known(MAIL, email_get.get),
    "Email/changes": Known(MAIL, email_get.changes),
    "Email/query": Known(MAIL, email_query.query),
    "Email/queryChanges": Known(MAIL, email_query_changes.query_changes),
    "Email/set": Known(MAIL, email_set.set_),
    "SearchSnippet/get": Known(MAIL, snippets.get),
    "Email/import": Known(MAIL, email_import.import_),
    "Email/parse": Known(MAIL, email_parse.parse),
    "Email/copy": Known(MAIL, email_import.copy),
    "Identity/get": Known(SUBMISSION, identity.get),
    "Identity/changes": Known(SUBMISSION, identity.changes),
    "Identity/set": Known(SUBMISSION, identity.set_),
    "EmailSubmission/get": Known(SUBMISSION, submission.get),
    "EmailSubmission/changes": Known(SUBMISSION, submission.changes),
    "EmailSubmission/query": Known(SUBMISSION, submission.query),
    "EmailSubmission/queryChanges": Known(SUBMISSION, cannot_query_changes),
    "EmailSubmission/set": Known(SUBMISSION, submission_set.set_),
    "VacationResponse/get": Known(VACATION, vacation.get),
    "VacationResponse/set": Known(VACATION, vacation.set_),
    "Quota/get": Known(QUOTA, quota.get),
    "Quota/changes": Known(QUOTA, quota.changes),
    "Quota/query": Known(QUOTA, quota.query),
    "Quota/queryChanges": Known(QUOTA, cannot_query_changes),
    "AddressBook/get": Known(CONTACTS, addressbooks.get),
    "AddressBook/changes": Known(CONTACTS, addressbooks.changes),
    "AddressBook/set": Known(CONTACTS, addressbooks.set_),
    "ContactCard/get": Known(CONTACTS, contact_get.get),
    "ContactCard/changes": Known(CONTACTS, contact_get.changes),
    "ContactCard/query": Known(CONTACTS, contact_get.query),
    "ContactCard/queryChanges": Known(CONTACTS, cannot_query_changes),
    "ContactCard/set": Known(CONTACTS, contact_set.set_),
    "ContactCard/copy": Known(CONTACTS, no_other_account),
}
