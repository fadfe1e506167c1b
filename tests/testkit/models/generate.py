"""Generates aws.json: the input shapes, bindings and error codes of the operations that the tests check.

Source: the service models of botocore (https://github.com/boto/botocore, Apache-2.0), which describe AWS's API. Run it
with the Python environment of the AWS CLI, as `make generate` does:

    .venv/awscli/bin/python tests/testkit/models/generate.py

`as_data` of a shape keeps only what a request can violate. Java's regular expressions, which AWS uses, become those of
regex-lite: without look-behind.
"""

import json
import pathlib

import awscli
from awscli.botocore import session as botocore_session

OPERATIONS = {
    "account": "GetRegionOptStatus ListRegions",
    "cloudtrail": "DescribeTrails GetEventSelectors GetInsightSelectors GetTrail GetTrailStatus ListTags ListTrails "
    "LookupEvents StartLogging",
    "monitoring": "GetMetricData",
    "iam": "AttachRolePolicy CreatePolicy CreatePolicyVersion CreateRole DeletePolicy DeletePolicyVersion DeleteRole "
    "DeleteRolePermissionsBoundary DeleteRolePolicy DetachGroupPolicy DetachRolePolicy DetachUserPolicy "
    "GetAccountSummary GetPolicy GetPolicyVersion GetRole GetRolePolicy ListAttachedRolePolicies "
    "ListEntitiesForPolicy ListInstanceProfilesForRole ListPolicies ListPolicyTags ListPolicyVersions "
    "ListRolePolicies ListRoleTags ListRoles PutRolePermissionsBoundary PutRolePolicy "
    "SetDefaultPolicyVersion SimulateCustomPolicy SimulatePrincipalPolicy TagPolicy TagRole UntagPolicy UntagRole "
    "UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
    "kms": "CancelKeyDeletion CreateAlias CreateGrant CreateKey DeleteAlias DescribeKey DisableKey DisableKeyRotation "
    "EnableKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListAliases ListGrants ListKeys ListResourceTags "
    "PutKeyPolicy RevokeGrant ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription",
    "lambda": "AddPermission CreateFunction DeleteFunction DeleteFunctionConcurrency GetAccountSettings GetFunction "
    "GetFunctionConcurrency GetFunctionConfiguration GetPolicy Invoke ListFunctions ListTags PutFunctionConcurrency "
    "RemovePermission TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
    "logs": "CreateLogGroup DeleteLogGroup DeleteSubscriptionFilter DescribeAccountPolicies DescribeLogGroups "
    "DescribeLogStreams DescribeMetricFilters DescribeSubscriptionFilters FilterLogEvents GetDataProtectionPolicy "
    "GetTransformer ListTagsForResource PutRetentionPolicy PutSubscriptionFilter TagResource UntagResource",
    "organizations": "DescribeAccount DescribeOrganization DescribePolicy ListAWSServiceAccessForOrganization "
    "ListAccounts ListDelegatedAdministrators ListDelegatedServicesForAccount ListParents ListPolicies "
    "ListPoliciesForTarget ListRoots ListTargetsForPolicy",
    "s3": "GetBucketAcl GetBucketEncryption GetBucketLifecycleConfiguration GetBucketLocation "
    "GetBucketNotificationConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus "
    "GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetObject GetPublicAccessBlock HeadBucket "
    "HeadObject ListBuckets ListObjectsV2 PutBucketNotificationConfiguration",
    "sns": "ConfirmSubscription CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes "
    "ListSubscriptions ListSubscriptionsByTopic ListTagsForResource ListTopics SetSubscriptionAttributes "
    "SetTopicAttributes Subscribe TagResource Unsubscribe UntagResource",
    "sqs": "CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage DeleteMessageBatch "
    "DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags "
    "ListQueues PurgeQueue ReceiveMessage SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue",
    "sts": "AssumeRole GetCallerIdentity GetSessionToken",
}

# The names in botocore that differ from the signing name.
BOTOCORE_NAMES = {"monitoring": "cloudwatch"}

# The keys of a shape in aws.json.
CONSTRAINTS = ("min", "max", "pattern")


def as_data(shape, shapes):
    """Adds a shape and all shapes in it, and returns its name."""
    if shape.name in shapes:
        return shape.name
    data = shapes[shape.name] = {"type": shape.type_name}
    data.update({key: shape.metadata[key] for key in CONSTRAINTS if key in shape.metadata})
    if "pattern" in data:
        data["pattern"] = data["pattern"].replace(r"(?<!\.)", "")
    if getattr(shape, "enum", None):
        data["enum"] = list(shape.enum)
    if shape.type_name == "structure":
        data["required"] = [name for name in shape.required_members]
        data["members"] = {name: member(part, name, shapes) for name, part in shape.members.items()}
        if shape.serialization.get("payload"):
            data["payload"] = shape.serialization["payload"]
    elif shape.type_name == "list":
        data["flattened"] = bool(shape.serialization.get("flattened"))
        data["member"] = member(shape.member, "member", shapes)
    elif shape.type_name == "map":
        data["key"] = as_data(shape.key, shapes)
        data["value"] = as_data(shape.value, shapes)
    shapes[shape.name] = {key: value for key, value in data.items() if value not in ([], False)}
    return shape.name


def member(part, name, shapes):
    """A member: its shape, its name in a request, and its place outside of the body."""
    data = [as_data(part, shapes), part.serialization.get("name", name)]
    place = part.serialization.get("location")
    return data + [place] if place else data


def errors(operation):
    """The wire codes of an operation's errors, with their HTTP status. SQS sends the code of its query protocol, too."""
    found = {}
    for shape in operation.error_shapes:
        error = shape.metadata.get("error") or {}
        code = error.get("code") or shape.name
        found[code] = error.get("httpStatusCode") or 400
    return found


def service_data(name, operations):
    model = session.get_service_model(BOTOCORE_NAMES.get(name, name))
    shapes, found = {}, {}
    for operation in sorted(operations.split()):
        described = model.operation_model(operation)
        found[operation] = {
            "http": [described.http.get("method", "POST"), described.http.get("requestUri", "/")],
            "input": as_data(described.input_shape, shapes) if described.input_shape else None,
            "errors": errors(described),
        }
    return {"protocol": model.metadata["protocol"], "operations": found, "shapes": dict(sorted(shapes.items()))}


def line(key, value, last):
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return f"{json.dumps(key)}:{text}{'' if last else ','}\n"


def written(services):
    """JSON with one line for each operation and shape."""
    yield "{\n"
    source = f"botocore as in AWS CLI {awscli.__version__}, https://github.com/boto/botocore, Apache-2.0; see generate.py"
    yield line("source", source, False) + '"services":{\n'
    for number, (name, service) in enumerate(services.items()):
        yield f'{json.dumps(name)}:{{"protocol":{json.dumps(service["protocol"])},\n'
        for part in ("operations", "shapes"):
            yield f'"{part}":{{\n'
            entries = list(service[part].items())
            for index, (key, value) in enumerate(entries):
                yield line(key, value, index + 1 == len(entries))
            yield "},\n" if part == "operations" else "}\n"
        yield "}\n" if number + 1 == len(services) else "},\n"
    yield "}}\n"


session = botocore_session.Session()
text = "".join(written({name: service_data(name, operations) for name, operations in OPERATIONS.items()}))
json.loads(text)
pathlib.Path(__file__).with_name("aws.json").write_text(text)
