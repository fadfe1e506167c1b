"""A function that makes one call per record, for comparison."""

import base64
import gzip
import json
import os

import boto3

QUEUE_URL = os.environ["QUEUE_URL"]

sqs = boto3.client("sqs")


def lambda_handler(event, context):
    payload = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    for log_event in payload["logEvents"]:
        record = json.loads(log_event["message"])
        sqs.send_message(
            QueueUrl=QUEUE_URL,
            MessageBody=log_event["message"],
            MessageGroupId=f"{record.get('recipientAccountId')}.{record.get('awsRegion')}",
        )
