"""The session object (RFC 8620 §2): what this server can do, for one account."""

import json
from hashlib import sha256

from chalicelib.jmap import email_sort, limits
from chalicelib.jmap.errors import Json
from chalicelib.rules import collation
from chalicelib.rules.holding import LONGEST
from chalicelib.rules.values import Account

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"
SUBMISSION = "urn:ietf:params:jmap:submission"
QUOTA = "urn:ietf:params:jmap:quota"
CONTACTS = "urn:ietf:params:jmap:contacts"
BLOB = "urn:ietf:params:jmap:blob"
VACATION = "urn:ietf:params:jmap:vacationresponse"
PRESIGNED = "urn:x-mail:params:jmap:presigned-upload"  # ours, docs/jmap.md
CAPABILITIES = frozenset({CORE, MAIL, SUBMISSION, QUOTA, CONTACTS, BLOB, VACATION, PRESIGNED})


def session(account: Account, base_url: str, max_message_bytes: int) -> Json:
    """The session resource. `base_url`: scheme and host by which the client came."""
    told: Json = {
        "capabilities": _capabilities(base_url, max_message_bytes),
        "accounts": {
            account.id: {
                "name": account.address,
                "isPersonal": True,
                "isReadOnly": False,
                "accountCapabilities": _account_capabilities(base_url, max_message_bytes),
            }
        },
        "primaryAccounts": dict.fromkeys(sorted(CAPABILITIES - {CORE}), account.id),
        "username": account.address,
        "apiUrl": f"{base_url}/jmap/api",
        "downloadUrl": base_url + "/jmap/download/{accountId}/{blobId}/{name}?type={type}",
        "uploadUrl": base_url + "/jmap/upload/{accountId}",
        "eventSourceUrl": base_url + "/jmap/events?types={types}&closeafter={closeafter}&ping={ping}",
    }
    return {**told, "state": sha256(json.dumps(told).encode()).hexdigest()[:16]}


def state(account: Account, base_url: str, max_message_bytes: int) -> str:
    """Changes whenever anything of the session object does."""
    return str(session(account, base_url, max_message_bytes)["state"])


def _capabilities(base_url: str, max_message_bytes: int) -> Json:
    return {
        CORE: {
            "maxSizeUpload": limits.MAX_SIZE_UPLOAD,
            "maxConcurrentUpload": limits.MAX_CONCURRENT_UPLOAD,
            "maxSizeRequest": limits.MAX_SIZE_REQUEST,
            "maxConcurrentRequests": limits.MAX_CONCURRENT_REQUESTS,
            "maxCallsInRequest": limits.MAX_CALLS_IN_REQUEST,
            "maxObjectsInGet": limits.MAX_OBJECTS_IN_GET,
            "maxObjectsInSet": limits.MAX_OBJECTS_IN_SET,
            "collationAlgorithms": list(collation.NAMES),
        },
        MAIL: {},
        SUBMISSION: {},
        QUOTA: {},
        CONTACTS: {},
        BLOB: {},
        VACATION: {},
        PRESIGNED: _presigned(base_url, max_message_bytes),
    }


def _account_capabilities(base_url: str, max_message_bytes: int) -> Json:
    return {
        CORE: {},
        MAIL: {
            "maxMailboxesPerEmail": limits.MAX_MAILBOXES_PER_EMAIL,
            "maxMailboxDepth": limits.MAX_MAILBOX_DEPTH,
            "maxSizeMailboxName": limits.MAX_MAILBOX_NAME,
            "maxSizeAttachmentsPerEmail": max_message_bytes * 57 // 78
            - 64 * 1024,  # as base64 with line ends
            "emailQuerySortOptions": list(email_sort.PROPERTIES),
            "mayCreateTopLevelMailbox": True,
        },
        SUBMISSION: {
            "maxDelayedSend": int(LONGEST.total_seconds()),
            "submissionExtensions": {"FUTURERELEASE": []},
        },
        QUOTA: {},
        CONTACTS: {"maxAddressBooksPerCard": 1, "mayCreateAddressBook": True},
        BLOB: {
            "maxSizeBlobSet": max_message_bytes,
            "maxDataSources": limits.MAX_DATA_SOURCES,
            "supportedTypeNames": list(limits.BLOB_TYPES),
            "supportedDigestAlgorithms": list(limits.BLOB_DIGESTS),
        },
        VACATION: {},
        PRESIGNED: _presigned(base_url, max_message_bytes),
    }


def _presigned(base_url: str, max_message_bytes: int) -> Json:
    return {"uploadUrl": base_url + "/jmap/upload-url/{accountId}", "maxSizeUpload": max_message_bytes}
