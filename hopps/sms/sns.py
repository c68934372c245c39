"""Texts by Amazon SNS. boto3 reads key, secret and region from where it always does (AWS_ACCESS_KEY_ID …)."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
)
from botocore.parsers import ResponseParserError
from django.conf import settings

from hopps.sending import InDoubt, NotTaken, Taken, TurnedDown
from hopps.sms.base import CONNECT_SECONDS, READ_SECONDS, Report, answered_too_late

# The connection was never there, so nothing was asked.
NO_CONNECTION = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
# What SNS says of a number or a text that it will not take later either.
REFUSED_CODES = ("InvalidParameter", "InvalidParameterValue", "InvalidParameterException", "ParameterValueInvalid")
OPTED_OUT_CODES = ("OptedOut", "OptedOutException")


class SnsSender:
    """Sends texts by SNS. It keeps no list of what became of them that could be asked, so `report` has nothing to say."""

    name = "sns"

    def __init__(self, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS) -> None:
        """Describe it.

        Args:
            connect_seconds: how long a connection may take.
            read_seconds: how long an answer may take. A text takes two: whether the number opted out, and the text.
        """
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds

    def send(self, *, to: str, text: str) -> Taken | TurnedDown:
        """See `SmsSender.send`. SNS takes texts to numbers that opted out, and throws them away: it is asked before."""
        try:
            sns = self._sns()
            opted_out = sns.check_if_phone_number_is_opted_out(phoneNumber=to)["isOptedOut"]
        except ClientError as problem:
            return self._refused(problem)
        except (BotoCoreError, ResponseParserError) as problem:
            raise NotTaken(f"SNS did not say whether the number opted out: {problem}") from problem  # or no key, no region
        if opted_out:
            return TurnedDown(self.name, "The number opted out at SNS.", unsubscribed=True)
        try:
            answer = sns.publish(PhoneNumber=to, Message=text, MessageAttributes=_attributes())
        except ClientError as problem:
            return self._refused(problem, text_was_sent=True)
        except NO_CONNECTION as problem:
            raise NotTaken(f"No connection to SNS: {problem}") from problem
        except (BotoCoreError, ResponseParserError) as problem:
            raise InDoubt(f"SNS was asked and did not answer: {problem}") from problem
        return Taken(self.name, answer["MessageId"])

    def report(self, ref: str) -> Report | None:
        """See `SmsSender.report`."""
        return None

    def _sns(self) -> Any:
        environment = os.environ
        region = environment.get("AWS_REGION", "")  # boto3 knows it by AWS_DEFAULT_REGION alone
        return _client(environment.get("AWS_ENDPOINT_URL_SNS", ""), region, self._connect_seconds, self._read_seconds)

    def _refused(self, problem: ClientError, *, text_was_sent: bool = False) -> TurnedDown:
        """Say what an error of SNS's means. Raises NotTaken, InDoubt."""
        error, status = problem.response["Error"], problem.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.get("Code", "")
        sentence = f"SNS answered {code}: {error.get('Message', '')}"
        if code in OPTED_OUT_CODES:
            return TurnedDown(self.name, sentence, unsubscribed=True)
        if code in REFUSED_CODES:
            return TurnedDown(self.name, sentence)
        if text_was_sent and answered_too_late(status):
            raise InDoubt(sentence)
        raise NotTaken(sentence)


def _attributes() -> dict[str, dict[str, str]]:
    said = {
        "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
        "AWS.SNS.SMS.SenderID": ("String", settings.SMS_SENDER_ID),
        "AWS.SNS.SMS.MaxPrice": ("Number", settings.SMS_MAX_PRICE_USD),
    }
    return {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in said.items() if value}


@cache
def _client(endpoint: str, region: str, connect_seconds: float, read_seconds: float) -> Any:
    """Return the process's client. boto3's own retries are off: one after a lost answer would text twice."""
    config = Config(connect_timeout=connect_seconds, read_timeout=read_seconds, retries={"total_max_attempts": 1})
    return boto3.session.Session().client("sns", config=config, endpoint_url=endpoint or None, region_name=region or None)
