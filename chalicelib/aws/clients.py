"""boto3 clients, one of each per process, built when first used (importing the app builds none)."""

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

#: Services whose calls must not be repeated by the SDK: a message might go out twice.
ONCE = frozenset({"ses", "sesv2"})

#: Buckets by the host of their region, in every region: a presigned URL is for the host that it was made for.
REGIONAL: Any = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}

_clients: dict[str, Any] = {}
_lock = Lock()


def client(service: str) -> Any:
    """The process's client of a service. boto3 is loaded here, not on import."""
    with _lock:  # boto3's default session is not thread-safe while it builds a client
        if service not in _clients:
            import boto3
            from botocore.config import Config

            config = Config(
                retries={"mode": "standard", "total_max_attempts": 1 if service in ONCE else 4},
                connect_timeout=3,
                read_timeout=20,
                max_pool_connections=32,
                signature_version="s3v4" if service == "s3" else None,
                s3=REGIONAL if service == "s3" else None,
            )
            build: Any = boto3.client  # its stubs know literal names only
            _clients[service] = build(service, config=config)
        return _clients[service]


def forget() -> None:
    """Drop every client: the endpoints or credentials they were built for have changed."""
    with _lock:
        _clients.clear()


def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client."""
    made: DynamoDBClient = client("dynamodb")
    return made


def s3() -> "S3Client":
    """The S3 client."""
    made: S3Client = client("s3")
    return made
