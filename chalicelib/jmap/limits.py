"""What the session advertises and the server enforces (RFC 8620 §2)."""

import json
from typing import Any

from chalicelib.rules import folders

MAX_SIZE_UPLOAD = 4_000_000  # octets: a Lambda event holds 6 MB of base64
MAX_CONCURRENT_UPLOAD = 4
MAX_SIZE_REQUEST = 3_000_000
MAX_CONCURRENT_REQUESTS = 8
MAX_CALLS_IN_REQUEST = 16
MAX_OBJECTS_IN_GET = 500
MAX_OBJECTS_IN_SET = 500
MAX_CHANGES = 500  # ids in one answer of /changes
MAX_QUERY = 500  # ids in one answer of /query: as many as /get and /set take behind it
MAX_SCAN = 2_000  # rows read for a filter that no index serves
MAX_SORTED = 5_000  # rows read for a sort that no index serves
MAX_FOLLOWED = 500  # emails in the folders of a query whose changes are told by reading all of them
MAX_OPENED = 250  # messages opened for phrases and header fields of a query
MAX_THREADS = 200  # threads looked up for a filter of their keywords
MAX_RAW_READS = 100  # messages parsed or imported in one call
MAX_READ = 100_000_000  # octets of messages and uploads read by one request
MAX_DATA_SOURCES = 256  # pieces of one Blob/upload
BLOB_TYPES = ("Email", "Mailbox", "Thread")  # that a blob can be looked up in
BLOB_DIGESTS = ("sha", "sha-256")
MAX_BODY_VALUE = 256 * 1024  # octets of one body value
MAX_RESPONSE = 5_500_000  # octets as a Lambda sends them (`weight`), of the 6,291,556 it may
BODY_BUDGET = 4_500_000  # of these, for body values
MAX_DEPTH = 64  # of JSON
MAX_KEYWORDS = 100  # of an email
MAX_MAILBOX_DEPTH = folders.MAX_DEPTH
MAX_MAILBOX_NAME = folders.MAX_NAME
MAX_MAILBOXES_PER_EMAIL = 1


def weight(value: Any) -> int:
    """Octets of a value in a Lambda's answer: JSON as a string within JSON, all of it ASCII."""
    return len(json.dumps(json.dumps(value, ensure_ascii=False)))
