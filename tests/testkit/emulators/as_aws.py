"""Operations that both emulators lack, or implement differently from AWS.

Each function takes the account, the region and the parameters, and returns the response of AWS. State lives as long as
the emulator.
"""

import json
import re
import time
import urllib.parse
from collections import defaultdict

ALWAYS_ON = (
    "us-east-1 us-east-2 us-west-1 us-west-2 ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 "
    "ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 sa-east-1"
).split()
OPT_IN = (
    "af-south-1 ap-east-1 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ca-west-1 eu-central-2 eu-south-1 "
    "eu-south-2 il-central-1 me-south-1 me-central-1 mx-central-1"
).split()


class ServiceError(Exception):
    """An error response of AWS."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


# The opt-in regions that an account has enabled.
_enabled = defaultdict(set)


def list_regions(account, region, request):
    member = request.get("AccountId")
    if member == account:
        raise ServiceError("ValidationException", "The management account cannot name itself.")
    account = member or account
    wanted = request.get("RegionOptStatusContains")
    regions = [get_region_opt_status(account, region, {"RegionName": name}) for name in sorted(ALWAYS_ON + OPT_IN)]
    return {"Regions": [entry for entry in regions if not wanted or entry["RegionOptStatus"] in wanted]}


def get_region_opt_status(account, region, request):
    name = request["RegionName"]
    opted = "ENABLED" if name in _enabled[account] else "DISABLED"
    return {"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT" if name in ALWAYS_ON else opted}


def enable_region(account, region, request):
    _enabled[request.get("AccountId") or account].add(request["RegionName"])
    return {}


def disable_region(account, region, request):
    _enabled[account].discard(request["RegionName"])
    return {}


ACCOUNT = {
    "ListRegions": list_regions,
    "GetRegionOptStatus": get_region_opt_status,
    "EnableRegion": enable_region,
    "DisableRegion": disable_region,
}

# Service principals with trusted access, and the delegated administrators of each service.
_trusted = defaultdict(dict)
_delegated = defaultdict(dict)


def enable_service_access(account, region, request):
    _trusted[account].setdefault(request["ServicePrincipal"], time.time())
    return {}


def disable_service_access(account, region, request):
    _trusted[account].pop(request["ServicePrincipal"], None)
    return {}


def list_service_access(account, region, request):
    trusted = _trusted[account].items()
    return {"EnabledServicePrincipals": [{"ServicePrincipal": name, "DateEnabled": since} for name, since in trusted]}


def register_delegated_administrator(account, region, request):
    _delegated[account].setdefault(request["AccountId"], {})[request["ServicePrincipal"]] = time.time()
    return {}


def deregister_delegated_administrator(account, region, request):
    _delegated[account].get(request["AccountId"], {}).pop(request["ServicePrincipal"], None)
    return {}


def list_delegated_administrators(account, region, request):
    service = request.get("ServicePrincipal")
    found = [
        {
            "Id": admin,
            "Arn": f"arn:aws:organizations::{account}:account/o-example/{admin}",
            "Name": admin,
            "Email": f"{admin}@example.com",
            "Status": "ACTIVE",
            "JoinedMethod": "CREATED",
            "DelegationEnabledDate": min(services.values()),
        }
        for admin, services in _delegated[account].items()
        if services and (not service or service in services)
    ]
    return {"DelegatedAdministrators": found}


def joined_last_year(account):
    """Makes an account older. A new account is one that a trail may not deliver for yet."""
    return {**account, "JoinedTimestamp": account["JoinedTimestamp"] - 365 * 86_400}


ORGANIZATIONS = {
    "EnableAWSServiceAccess": enable_service_access,
    "DisableAWSServiceAccess": disable_service_access,
    "ListAWSServiceAccessForOrganization": list_service_access,
    "RegisterDelegatedAdministrator": register_delegated_administrator,
    "DeregisterDelegatedAdministrator": deregister_delegated_administrator,
    "ListDelegatedAdministrators": list_delegated_administrators,
}

# By account and region, then by policy type and name, or by log group name.
_policies = defaultdict(dict)
_transformers = defaultdict(dict)
_protected = defaultdict(set)


def put_account_policy(account, region, request):
    kept = {name: request[name] for name in ("policyName", "policyType", "policyDocument")}
    kept.update(
        accountId=account,
        scope=request.get("scope", "ALL"),
        lastUpdatedTime=int(time.time() * 1000),
    )
    if "selectionCriteria" in request:
        kept["selectionCriteria"] = request["selectionCriteria"]
    _policies[account, region][request["policyType"], request["policyName"]] = kept
    return {"accountPolicy": kept}


def delete_account_policy(account, region, request):
    name = request["policyType"], request["policyName"]
    if not _policies[account, region].pop(name, None):
        raise ServiceError("ResourceNotFoundException", "The specified policy does not exist.")
    return {}


def describe_account_policies(account, region, request):
    kept = _policies[account, region].values()
    name = request.get("policyName")
    matching = [
        policy
        for policy in kept
        if policy["policyType"] == request["policyType"] and name in (None, policy["policyName"])
    ]
    return {"accountPolicies": matching}


def put_transformer(account, region, request):
    group = group_of(request)
    _transformers[account, region][group] = {
        "logGroupIdentifier": group,
        "creationTime": int(time.time() * 1000),
        "lastModifiedTime": int(time.time() * 1000),
        "transformerConfig": request["transformerConfig"],
    }
    return {}


def get_transformer(account, region, request):
    return _transformers[account, region].get(group_of(request), {})


def delete_transformer(account, region, request):
    _transformers[account, region].pop(group_of(request), None)
    return {}


def put_data_protection_policy(account, region, request):
    _protected[account, region].add(group_of(request))
    return {"logGroupIdentifier": group_of(request), "policyDocument": request["policyDocument"]}


def delete_data_protection_policy(account, region, request):
    _protected[account, region].discard(group_of(request))
    return {}


def group_of(request):
    """Returns the name of a log group from its name or its ARN."""
    return request["logGroupIdentifier"].removesuffix(":*").split(":")[-1]


def protect(account, region, groups):
    """Sets the data protection status of described log groups."""
    for group in groups:
        if group["logGroupName"] in _protected[account, region]:
            group["dataProtectionStatus"] = "ACTIVATED"


LOGS = {
    "PutAccountPolicy": put_account_policy,
    "DeleteAccountPolicy": delete_account_policy,
    "DescribeAccountPolicies": describe_account_policies,
    "PutTransformer": put_transformer,
    "GetTransformer": get_transformer,
    "DeleteTransformer": delete_transformer,
    "PutDataProtectionPolicy": put_data_protection_policy,
    "DeleteDataProtectionPolicy": delete_data_protection_policy,
}


def account_settings():
    """Returns the default quotas of an account."""
    return {
        "AccountLimit": {
            "TotalCodeSize": 80530636800,
            "CodeSizeUnzipped": 262144000,
            "CodeSizeZipped": 52428800,
            "ConcurrentExecutions": 1000,
            "UnreservedConcurrentExecutions": 1000,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": 0},
    }


def with_recent_delivery(status, has_log_group):
    """Adds a recent delivery without an error to the status of a trail that logs."""
    if status["IsLogging"]:
        status["LatestDeliveryTime"] = status["LatestDigestDeliveryTime"] = int(time.time())
        if has_log_group:
            status["LatestCloudWatchLogsDeliveryTime"] = int(time.time())
    return status


def normalized_key_policy(text):
    """Returns a key policy as KMS does: on many lines, single values without a list, accounts as the ARN of their root.

    Source: the AWS provider of Terraform compares key policies without regard to these differences.
    """
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        return text
    return json.dumps(_without_single_lists(document), indent=2, separators=(",", " : "))


def _without_single_lists(value, key=None):
    if isinstance(value, dict):
        return {name: _without_single_lists(part, name) for name, part in value.items()}
    if isinstance(value, list):
        items = [_without_single_lists(part, key) for part in value]
        return items[0] if len(items) == 1 and key != "Statement" else items
    if key == "AWS" and re.fullmatch(r"\d{12}", str(value)):
        return f"arn:aws:iam::{value}:root"
    return value


def filter_matches(key, prefix, suffix):
    """Returns whether an object key matches the filter of a notification.

    S3 decodes the values of a filter, so a value with special characters that are not encoded never matches. Source:
    "Configuring event notifications using object key name filtering" in the S3 User Guide.
    """
    values = [prefix or "", suffix or ""]
    if not all(re.fullmatch(r"[A-Za-z0-9!\-_.*'()/%+]*", value) for value in values):
        return False
    prefix, suffix = map(urllib.parse.unquote_plus, values)
    return key.startswith(prefix) and key.endswith(suffix)


# The message move tasks of each dead-letter queue, by its ARN; the newest is the last.
_move_tasks = defaultdict(list)
MESSAGES_PER_SECOND = 500
# The time for which a FIFO queue drops a message that it has received before.
DEDUPLICATION_SECONDS = 300


def is_active(task):
    return task["Status"] in ("RUNNING", "CANCELLING")


def start_move_task(request, find_queue, queues):
    """Starts a task. `find_queue` returns a queue by its ARN, and `queues` are all queues of the account."""
    source, destination = request["SourceArn"], request.get("DestinationArn")
    if find_queue(source) is None:
        message = "The resource that you specified for the SourceArn parameter doesn't exist."
        raise ServiceError("ResourceNotFoundException", message, 404)
    policies = [json.loads(queue["attributes"].get("RedrivePolicy") or "{}") for queue in queues]
    if not any(policy.get("deadLetterTargetArn") == source for policy in policies):
        raise ServiceError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    if any(is_active(task) for task in _move_tasks[source]):
        message = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        raise ServiceError("InvalidParameterValue", message)
    if destination and find_queue(destination) is None:
        message = "The resource that you specified for the DestinationArn parameter doesn't exist."
        raise ServiceError("ResourceNotFoundException", message, 404)
    if destination and source.endswith(".fifo") != destination.endswith(".fifo"):
        raise ServiceError("InvalidParameterValue", "Source and destination queue must be of the same type.")
    # Two tasks that are started at the same time have different times.
    started = int(time.time() * 1000)
    if _move_tasks[source]:
        started = max(started, _move_tasks[source][-1]["StartedTimestamp"] + 1)
    task = {
        "TaskHandle": f"task-{len(_move_tasks[source])}-{started}-{source}",
        "Status": "RUNNING",
        "SourceArn": source,
        "ApproximateNumberOfMessagesMoved": 0,
        "ApproximateNumberOfMessagesToMove": len(find_queue(source)["messages"]),
        "StartedTimestamp": started,
        "rate": request.get("MaxNumberOfMessagesPerSecond", MESSAGES_PER_SECOND),
    }
    if destination:
        task["DestinationArn"] = destination
    if "MaxNumberOfMessagesPerSecond" in request:
        task["MaxNumberOfMessagesPerSecond"] = request["MaxNumberOfMessagesPerSecond"]
    _move_tasks[source].append(task)
    return {"TaskHandle": task["TaskHandle"]}


def list_move_tasks(request, find_queue):
    source = request["SourceArn"]
    if find_queue(source) is None:
        message = "The resource that you specified for the SourceArn parameter doesn't exist."
        raise ServiceError("ResourceNotFoundException", message, 404)
    newest = _move_tasks[source][::-1][: request.get("MaxResults", 1)]
    hidden = lambda task: ("rate",) if task["Status"] == "RUNNING" else ("rate", "TaskHandle")  # noqa: E731
    return {"Results": [{key: task[key] for key in task if key not in hidden(task)} for task in newest]}


def cancel_move_task(request):
    for tasks in _move_tasks.values():
        for task in tasks:
            if task["TaskHandle"] == request["TaskHandle"] and task["Status"] == "RUNNING":
                task["Status"] = "CANCELLED"
                return {"ApproximateNumberOfMessagesMoved": task["ApproximateNumberOfMessagesMoved"]}
    raise ServiceError("ResourceNotFoundException", "The specified task does not exist or is not running.", 404)


def advance_move_tasks(find_queue, new_id):
    """Moves the messages that the active tasks have moved by now. A message that a reader holds stays, and in a FIFO queue
    so do the others of its group."""
    now = time.time()
    for task in [task for tasks in _move_tasks.values() for task in tasks if task["Status"] == "RUNNING"]:
        source, due = find_queue(task["SourceArn"]), int((now - task["StartedTimestamp"] / 1000) * task["rate"])
        if source is None:
            task.update(Status="FAILED", FailureReason="AWS.SimpleQueueService.NonExistentQueue")
            continue
        while task["ApproximateNumberOfMessagesMoved"] < due:
            message = next(movable(source, now), None)
            if message is None:
                break
            arn = task.get("DestinationArn") or message["sys"].get("DeadLetterQueueSourceArn")
            if not arn or find_queue(arn) is None:
                task.update(Status="FAILED", FailureReason="CouldNotDetermineMessageSource")
                break
            source["messages"] = [other for other in source["messages"] if other is not message]
            redeliver(find_queue(arn), message, now, new_id)
            task["ApproximateNumberOfMessagesMoved"] += 1
        if task["Status"] == "RUNNING" and next(movable(source, now), None) is None:
            task["Status"] = "COMPLETED"


def movable(queue, now):
    """The messages that a task can move, in their order."""
    held = {
        message.get("group_id")
        for message in queue["messages"]
        if message.get("visible_at", 0) > now and message.get("group_id")
    }
    for message in queue["messages"]:
        if message.get("visible_at", 0) <= now and message.get("group_id") not in held:
            yield message


def redeliver(queue, message, now, new_id):
    """Sends a moved message: with a new ID, without its counts and its source. A FIFO queue drops one that it has received
    within five minutes."""
    origin = message.get("origin_id", message["id"])
    moved = {**message, "id": new_id(), "origin_id": origin, "sent_at": now, "visible_at": now}
    moved.update(receive_count=0, receipt_handle=None, first_receive_at=None)
    moved["sys"] = {key: value for key, value in message["sys"].items() if key != "DeadLetterQueueSourceArn"}
    moved["sys"]["SentTimestamp"] = str(int(now * 1000))
    if queue["is_fifo"]:
        known = queue["dedup_cache"].get(origin)
        if known and known["expire"] > now:
            return
        queue["dedup_cache"][origin] = {"expire": now + DEDUPLICATION_SECONDS, "id": moved["id"]}
        moved.update(dedup_id=origin, dedup_cache_key=origin)
        queue["fifo_seq"] += 1
        moved["seq"] = str(queue["fifo_seq"]).zfill(20)
    queue["messages"].append(moved)
