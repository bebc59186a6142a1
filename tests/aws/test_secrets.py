"""The service's secret: a key for each purpose, and marks that outlive one rotation."""

import boto3

from chalicelib.aws.secrets import Secrets
from chalicelib.settings import Settings
from tests.cloud import Clock


def rotate(name: str, value: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=name, SecretString=value)


def test_each_purpose_has_a_key_of_its_own(settings: Settings, clock: Clock) -> None:
    one, two = Secrets(settings.service_secret), Secrets(settings.service_secret)
    assert clock.seconds
    assert len(one.key("abuse")) == 32
    assert one.key("abuse") == two.key("abuse") != one.key("webhooks")


def test_a_mark_is_known_by_who_has_the_secret_for_that_purpose_and_text_alone(
    settings: Settings, clock: Clock
) -> None:
    secrets = Secrets(settings.service_secret)
    mark = secrets.mark("abuse", "s1")
    assert clock.seconds
    assert secrets.marked("abuse", "s1", mark)
    assert not secrets.marked("abuse", "s2", mark)
    assert not secrets.marked("other", "s1", mark)
    assert not secrets.marked("abuse", "s1", "\udcff" * 32)
    assert not secrets.marked("abuse", "s1", "")


def test_marks_outlive_one_rotation_and_new_ones_are_known_by_processes_that_run(
    settings: Settings, clock: Clock
) -> None:
    name = settings.service_secret
    running, before = Secrets(name), Secrets(name).mark("abuse", "s1")
    assert running.marked("abuse", "s1", before)
    rotate(name, "another")
    fresh = Secrets(name).mark("abuse", "s1")
    assert fresh != before
    assert running.mark("abuse", "s1") == before, "signs with what it read, for an hour"
    clock.advance(minutes=2)
    assert running.marked("abuse", "s1", fresh), "a mark it does not know makes it look"
    assert running.marked("abuse", "s1", before)
    rotate(name, "a third")
    clock.advance(hours=1)
    assert running.marked("abuse", "s1", fresh)
    assert not running.marked("abuse", "s1", before)


def test_the_secret_is_read_once_an_hour(settings: Settings, clock: Clock) -> None:
    secrets = Secrets(settings.service_secret)
    first = secrets.key("abuse")
    boto3.client("secretsmanager").delete_secret(SecretId=settings.service_secret)
    clock.advance(minutes=59)
    assert secrets.key("abuse") == first
