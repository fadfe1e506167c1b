"""Operations that neither emulator has, or not as AWS: answered here, and asked by the corrections of both.

Each takes the account, the region and the parameters, and returns what AWS would answer. State lives as long as the
emulator. What a test needs beside it, such as an error of a delivery, it writes into an answer by the proxy.
"""

import time
from collections import defaultdict

ALWAYS_ON = (
    "us-east-1 us-east-2 us-west-1 us-west-2 ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 "
    "ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 sa-east-1"
).split()
OPT_IN = (
    "af-south-1 ap-east-1 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ca-west-1 eu-central-2 eu-south-1 "
    "eu-south-2 il-central-1 me-south-1 me-central-1 mx-central-1"
).split()


class Refused(Exception):
    """A refusal with the code of AWS."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


# The opt-in regions that an account has enabled.
_enabled = defaultdict(set)


def list_regions(account, region, asked):
    wanted = asked.get("RegionOptStatusContains")
    regions = [get_region_opt_status(account, region, {"RegionName": name}) for name in sorted(ALWAYS_ON + OPT_IN)]
    return {"Regions": [entry for entry in regions if not wanted or entry["RegionOptStatus"] in wanted]}


def get_region_opt_status(account, region, asked):
    name = asked["RegionName"]
    opted = "ENABLED" if name in _enabled[account] else "DISABLED"
    return {"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT" if name in ALWAYS_ON else opted}


def enable_region(account, region, asked):
    _enabled[account].add(asked["RegionName"])
    return {}


def disable_region(account, region, asked):
    _enabled[account].discard(asked["RegionName"])
    return {}


ACCOUNT = {
    "ListRegions": list_regions,
    "GetRegionOptStatus": get_region_opt_status,
    "EnableRegion": enable_region,
    "DisableRegion": disable_region,
}

# Service principals that the organization trusts, and who acts for it in which service.
_trusted = defaultdict(dict)
_delegated = defaultdict(dict)


def enable_service_access(account, region, asked):
    _trusted[account].setdefault(asked["ServicePrincipal"], time.time())
    return {}


def disable_service_access(account, region, asked):
    _trusted[account].pop(asked["ServicePrincipal"], None)
    return {}


def list_service_access(account, region, asked):
    trusted = _trusted[account].items()
    return {"EnabledServicePrincipals": [{"ServicePrincipal": name, "DateEnabled": since} for name, since in trusted]}


def register_delegated_administrator(account, region, asked):
    _delegated[account].setdefault(asked["AccountId"], {})[asked["ServicePrincipal"]] = time.time()
    return {}


def deregister_delegated_administrator(account, region, asked):
    _delegated[account].get(asked["AccountId"], {}).pop(asked["ServicePrincipal"], None)
    return {}


def list_delegated_administrators(account, region, asked):
    service = asked.get("ServicePrincipal")
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


ORGANIZATIONS = {
    "EnableAWSServiceAccess": enable_service_access,
    "DisableAWSServiceAccess": disable_service_access,
    "ListAWSServiceAccessForOrganization": list_service_access,
    "RegisterDelegatedAdministrator": register_delegated_administrator,
    "DeregisterDelegatedAdministrator": deregister_delegated_administrator,
    "ListDelegatedAdministrators": list_delegated_administrators,
}

# By account and region; then by type and name, or by the name of the log group.
_policies = defaultdict(dict)
_transformers = defaultdict(dict)
_protected = defaultdict(set)


def put_account_policy(account, region, asked):
    kept = {name: asked[name] for name in ("policyName", "policyType", "policyDocument")}
    kept.update(
        accountId=account,
        scope=asked.get("scope", "ALL"),
        lastUpdatedTime=int(time.time() * 1000),
    )
    if "selectionCriteria" in asked:
        kept["selectionCriteria"] = asked["selectionCriteria"]
    _policies[account, region][asked["policyType"], asked["policyName"]] = kept
    return {"accountPolicy": kept}


def delete_account_policy(account, region, asked):
    name = asked["policyType"], asked["policyName"]
    if not _policies[account, region].pop(name, None):
        raise Refused("ResourceNotFoundException", "The specified policy does not exist.")
    return {}


def describe_account_policies(account, region, asked):
    kept = _policies[account, region].values()
    name = asked.get("policyName")
    fitting = [
        policy
        for policy in kept
        if policy["policyType"] == asked["policyType"] and name in (None, policy["policyName"])
    ]
    return {"accountPolicies": fitting}


def put_transformer(account, region, asked):
    group = group_of(asked)
    _transformers[account, region][group] = {
        "logGroupIdentifier": group,
        "creationTime": int(time.time() * 1000),
        "lastModifiedTime": int(time.time() * 1000),
        "transformerConfig": asked["transformerConfig"],
    }
    return {}


def get_transformer(account, region, asked):
    return _transformers[account, region].get(group_of(asked), {})


def delete_transformer(account, region, asked):
    _transformers[account, region].pop(group_of(asked), None)
    return {}


def put_data_protection_policy(account, region, asked):
    _protected[account, region].add(group_of(asked))
    return {"logGroupIdentifier": group_of(asked), "policyDocument": asked["policyDocument"]}


def delete_data_protection_policy(account, region, asked):
    _protected[account, region].discard(group_of(asked))
    return {}


def group_of(asked):
    """The name of a log group that is called by its name or by its ARN."""
    return asked["logGroupIdentifier"].removesuffix(":*").split(":")[-1]


def protect(account, region, groups):
    """Marks those of the described log groups that mask what they hold."""
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
    """The quotas of an account that is not new: a laptop's would be smaller, and say nothing."""
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


def deliver(status, has_log_group):
    """A trail that logs has delivered just now, without an error."""
    if status["IsLogging"]:
        status["LatestDeliveryTime"] = status["LatestDigestDeliveryTime"] = int(time.time())
        if has_log_group:
            status["LatestCloudWatchLogsDeliveryTime"] = int(time.time())
    return status
