"""An S3 bucket: bytes by key, and presigned URLs. Nothing of the service."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import ClientError

from chalicelib.aws import clients

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = {"NoSuchKey", "404", "NotFound"}


class NoSuchObject(Exception):
    """There is no object under this key."""


def _absent(error: ClientError) -> bool:
    return error.response["Error"].get("Code", "") in _ABSENT


class Bucket:
    """A bucket by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def _client(self) -> "S3Client":
        return clients.s3()

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises NoSuchObject."""
        return self._get(key)

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Octets start … end - 1 (end > start). Raises NoSuchObject."""
        return self._get(key, Range=f"bytes={start}-{end - 1}")

    def _get(self, key: str, **how: Any) -> bytes:
        try:
            return self._client.get_object(Bucket=self.name, Key=key, **how)["Body"].read()
        except ClientError as error:
            if _absent(error):
                raise NoSuchObject(key) from error
            raise

    def put(
        self, key: str, content: bytes, *, type: str = "application/octet-stream", cache: str = ""
    ) -> None:
        """Store bytes under a key, replacing what was there. `cache`: the Cache-Control it is served with."""
        how: Any = {"CacheControl": cache} if cache else {}
        self._client.put_object(Bucket=self.name, Key=key, Body=content, ContentType=type, **how)

    def head(self, key: str) -> int | None:
        """The object's size, or None when there is none."""
        try:
            return self._client.head_object(Bucket=self.name, Key=key)["ContentLength"]
        except ClientError as error:
            if _absent(error):
                return None
            raise

    def delete(self, key: str) -> None:
        """Remove an object, which need not be there."""
        self._client.delete_object(Bucket=self.name, Key=key)

    def get_url(self, key: str, *, disposition: str, type: str, seconds: int, under: str = "") -> str:
        """A presigned GET whose answer carries this Content-Disposition and Content-Type, and is not cached.

        `under`: an address whose server asks the bucket for whatever comes below it, `https://host/path`. The
        signature is for the bucket's own host and the key alone.
        """
        url = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.name,
                "Key": key,
                "ResponseContentDisposition": disposition,
                "ResponseContentType": type,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=seconds,
        )
        return f"{under}/{quote(key, safe='/~')}?{urlsplit(url).query}" if under else url

    def put_url(self, key: str, *, size: int, type: str, seconds: int) -> str:
        """A presigned PUT for just this many octets of this type."""
        return self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self.name, "Key": key, "ContentLength": size, "ContentType": type},
            ExpiresIn=seconds,
        )
