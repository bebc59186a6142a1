"""The one logger: structured, with no message content, addresses' secrets or tokens in it."""

from aws_lambda_powertools import Logger

logger = Logger(service="plainpost")
