"""What a mailbox may hold (S14, S17, S18). Sizes in bytes."""


def fits(used_bytes: int, size: int, quota_bytes: int) -> bool:
    """S17: whether a message of `size` may be kept beside what is there already.

    A message that fills the mailbox to the byte still fits. S18: once full, nothing does, however small.
    """
    return used_bytes < quota_bytes and used_bytes + size <= quota_bytes
