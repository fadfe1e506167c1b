"""Corrections of moto: one function for each difference from AWS, applied before it starts."""

import json

import as_aws


def correct():
    correct_notifications()
    return_redrive_allow_policy()
    keep_queue_policies()
    accept_key_arns()
    add_regions()
    add_account_policies()
    return_log_group_details()
    replace_subscription_filters()
    return_logging_configuration()
    return_zero_concurrency()
    add_account_settings()
    report_recent_delivery()
    list_trails_of_all_regions()
    allow_cloudtrail_administrators()
    use_current_bucket_defaults()
    add_request_payment()
    check_expected_owner()
    return_key_details()
    filter_grants()
    simulate_policies()
    filter_policy_entities()


def add(responses, operations):
    """Adds operations that moto lacks."""
    from moto.core.exceptions import JsonRESTError
    from moto.core.utils import camelcase_to_underscores

    def method_for(operation):
        def method(self):
            try:
                response = operation(self.current_account, self.region, json.loads(self.body or "{}"))
            except as_aws.ServiceError as error:
                raise JsonRESTError(error.code, error.message)
            return json.dumps(response)

        return method

    for name, operation in operations.items():
        setattr(responses, camelcase_to_underscores(name), method_for(operation))


def correct_notifications():
    """Writes a bucket's notification configuration as S3 does.

    Moto uses another root element for an empty configuration, which the Rust SDK rejects, and omits EventBridge.
    """
    from moto.s3.responses import S3Response

    root = "NotificationConfiguration"
    answer = S3Response.get_bucket_notification

    def corrected(self):
        self.data["Action"] = "GetBucketNotificationConfiguration"
        status, headers, body = answer(self)
        stored = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if stored and stored.event_bridge is not None:
            entry = f"<EventBridgeConfiguration/></{root}>"
            if f"</{root}>" in body:
                body = body.replace(f"</{root}>", entry)
            else:
                body = body.replace("/>", f">{entry}")
        return status, headers, body

    S3Response.get_bucket_notification = corrected


def return_redrive_allow_policy():
    """Returns the RedriveAllowPolicy of a queue, which moto omits."""
    from moto.sqs.models import Queue

    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")


def keep_queue_policies():
    """Keeps the policy of a queue when another attribute is set; moto removes it."""
    from moto.sqs.models import Queue

    change = Queue._set_attributes

    def corrected(self, attributes, *positional):
        before = getattr(self, "policy", None)
        change(self, {"Policy": before, **attributes} if before else attributes, *positional)

    Queue._set_attributes = corrected


def accept_key_arns():
    """Accepts a key ARN to enable, disable and delete a key."""
    from moto.kms.models import KmsBackend

    def correct(verb):
        method = getattr(KmsBackend, verb)

        def corrected(self, key_id, *positional, **keywords):
            return method(self, self.get_key_id(key_id), *positional, **keywords)

        setattr(KmsBackend, verb, corrected)

    for verb in ("enable_key", "disable_key", "cancel_key_deletion", "schedule_key_deletion"):
        correct(verb)


def add_regions():
    """Adds the opt-in status of regions, which moto lacks."""
    from moto.account import urls
    from moto.account.responses import AccountResponse

    add(AccountResponse, as_aws.ACCOUNT)
    for name in as_aws.ACCOUNT:
        urls.url_paths["{0}/" + name[0].lower() + name[1:] + "$"] = AccountResponse.dispatch


def add_account_policies():
    """Adds account policies, transformers and data protection, which moto lacks."""
    from moto.logs.responses import LogsResponse

    add(LogsResponse, as_aws.LOGS)


def return_log_group_details():
    """Returns the class and the number of metric filters of a log group, which moto omits."""
    from moto.logs.responses import LogsResponse

    create, describe = LogsResponse.create_log_group, LogsResponse.describe_log_groups

    def created(self):
        response = create(self)
        group = self.logs_backend.groups[self._get_param("logGroupName")]
        group.log_class = self._get_param("logGroupClass") or "STANDARD"
        return response

    def described(self):
        response = json.loads(describe(self))
        for group in response["logGroups"]:
            name = group["logGroupName"]
            group["logGroupClass"] = self.logs_backend.groups[name].log_class
            group["metricFilterCount"] = len(self.logs_backend.describe_metric_filters(log_group_name=name))
        as_aws.protect(self.current_account, self.region, response["logGroups"])
        return json.dumps(response)

    LogsResponse.create_log_group = created
    LogsResponse.describe_log_groups = described


def replace_subscription_filters():
    """Replaces a subscription filter in a log group that is at its limit; moto counts it as another filter."""
    from moto.logs.models import LogGroup

    put = LogGroup.put_subscription_filter

    def corrected(self, filter_name, *positional, **keywords):
        before = self.subscription_filters.pop(filter_name, None)
        try:
            put(self, filter_name, *positional, **keywords)
        except Exception:
            if before:
                self.subscription_filters[filter_name] = before
            raise

    LogGroup.put_subscription_filter = corrected


def return_logging_configuration():
    """Returns the logging configuration of a function, which moto omits."""
    from moto.awslambda.models import LambdaFunction

    create, change = LambdaFunction.__init__, LambdaFunction.update_configuration
    describe = LambdaFunction.get_configuration

    def created(self, account_id, spec, *positional, **keywords):
        create(self, account_id, spec, *positional, **keywords)
        group = f"/aws/lambda/{self.function_name}"
        self.logging = {"LogFormat": "Text", "LogGroup": group, **spec.get("LoggingConfig", {})}

    def changed(self, request):
        self.logging |= request.get("LoggingConfig", {})
        return change(self, request)

    def described(self, *request, **keywords):
        return {**describe(self, *request, **keywords), "LoggingConfig": self.logging}

    LambdaFunction.__init__ = created
    LambdaFunction.update_configuration = changed
    LambdaFunction.get_configuration = described


def return_zero_concurrency():
    """Returns a reserved concurrency of zero, which disables a function; moto omits it."""
    from moto.awslambda.models import LambdaFunction

    describe = LambdaFunction.get_code

    def described(self, *request, **keywords):
        response = describe(self, *request, **keywords)
        if self.reserved_concurrency is not None:
            response["Concurrency"] = {"ReservedConcurrentExecutions": self.reserved_concurrency}
        return response

    LambdaFunction.get_code = described


def add_account_settings():
    """Adds the account settings of Lambda, which moto lacks."""
    from moto.awslambda import urls
    from moto.awslambda.responses import LambdaResponse

    add(LambdaResponse, {"GetAccountSettings": lambda account, region, request: as_aws.account_settings()})
    urls.url_paths[r"{0}/(?P<api_version>[^/]+)/account-settings/?$"] = LambdaResponse.dispatch


def report_recent_delivery():
    """Reports a recent delivery of a trail that logs, also to its log group."""
    from moto.cloudtrail.responses import CloudTrailResponse

    def corrected(self):
        name = self._get_param("Name")
        status = self.cloudtrail_backend.get_trail_status(name).description()
        trails = self.cloudtrail_backend.describe_trails(include_shadow_trails=True)
        trail = next(trail for trail in trails if name in (trail.trail_name, trail.arn))
        return json.dumps(as_aws.with_recent_delivery(status, bool(trail.cw_log_group_arn)))

    CloudTrailResponse.get_trail_status = corrected


def list_trails_of_all_regions():
    """Lists the trails of all regions in each region, single-region trails included."""
    from moto.cloudtrail.models import CloudTrailBackend, cloudtrail_backends

    def corrected(self):
        regions = cloudtrail_backends[self.account_id].values()
        return [trail for backend in regions for trail in backend.trails.values()]

    CloudTrailBackend.list_trails = corrected


def allow_cloudtrail_administrators():
    """Allows delegated administrators of CloudTrail, which moto's list lacks, and makes accounts older."""
    from moto.organizations.models import FakeAccount, FakeDelegatedAdministrator

    FakeDelegatedAdministrator.SUPPORTED_SERVICES.append("cloudtrail.amazonaws.com")
    describe = FakeAccount.describe
    FakeAccount.describe = lambda account: as_aws.joined_last_year(describe(account))


def use_current_bucket_defaults():
    """Gives new buckets the current defaults of S3: SSE-S3 and BucketOwnerEnforced."""
    from moto.s3.models import FakeBucket, S3Backend

    create, delete_encryption = FakeBucket.__init__, S3Backend.delete_bucket_encryption

    def default():
        return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}}

    def created(self, *positional, **keywords):
        create(self, *positional, **keywords)
        self.encryption = default()
        self.ownership_rule = "BucketOwnerEnforced"

    def encryption_deleted(self, bucket_name):
        delete_encryption(self, bucket_name)
        self.get_bucket(bucket_name).encryption = default()

    FakeBucket.__init__ = created
    S3Backend.delete_bucket_encryption = encryption_deleted


def add_request_payment():
    """Adds the request payment configuration of a bucket, which moto lacks."""
    from moto.s3.responses import S3Response

    read, write = S3Response._bucket_response_get, S3Response._bucket_response_put

    def reads(self, bucket_name, querystring):
        if "requestPayment" not in querystring:
            return read(self, bucket_name, querystring)
        payer = self.backend.get_bucket(bucket_name).payer
        return f"<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>"

    def writes(self, request, bucket_name, querystring):
        if "requestPayment" not in querystring:
            return write(self, request, bucket_name, querystring)
        requester = b"<Payer>Requester</Payer>" in request.data
        self.backend.get_bucket(bucket_name).payer = "Requester" if requester else "BucketOwner"
        return ""

    S3Response._bucket_response_get = reads
    S3Response._bucket_response_put = writes


def check_expected_owner():
    """Checks the expected bucket owner of a request."""
    from moto.s3.exceptions import S3AccessDeniedError
    from moto.s3.models import s3_backends
    from moto.s3.responses import S3Response

    def owner_of(bucket):
        for account, partitions in s3_backends.items():
            if any(bucket in backend.buckets for backend in partitions.values()):
                return account
        return None

    def correct(name):
        answer = getattr(S3Response, name)

        def corrected(self, request, full_url):
            expected = request.headers.get("x-amz-expected-bucket-owner")
            owner = expected and owner_of(self.parse_bucket_name_from_url(request, full_url))
            if owner and owner != expected:
                if request.method == "HEAD":
                    return 403, {}, ""
                raise S3AccessDeniedError
            return answer(self, request, full_url)

        setattr(S3Response, name, corrected)

    correct("_bucket_response")
    correct("_key_response")


def return_key_details():
    """Returns the usage and the manager of a key; the key of alias/aws/s3 is an AWS managed key."""
    from moto.kms.models import Key
    from moto.kms.utils import RESERVED_ALIASE_TARGET_KEY_IDS

    describe = Key.to_dict

    def corrected(self):
        response = describe(self)
        response["KeyMetadata"]["KeyUsage"] = self.key_usage or "ENCRYPT_DECRYPT"
        if self.description.startswith("Default key") or self.id in RESERVED_ALIASE_TARGET_KEY_IDS.values():
            response["KeyMetadata"]["KeyManager"] = "AWS"
        return response

    Key.to_dict = corrected


def filter_grants():
    """Filters grants by grantee, and creates none in a dry run."""
    from moto.core.exceptions import JsonRESTError
    from moto.kms.responses import KmsResponse

    create, listing = KmsResponse.create_grant, KmsResponse.list_grants

    def created(self):
        if self._get_param("DryRun"):
            raise JsonRESTError("DryRunOperationException", "The request would have succeeded.")
        return create(self)

    def listed(self):
        response = json.loads(listing(self))
        grantee = self._get_param("GranteePrincipal")
        response["Grants"] = [grant for grant in response["Grants"] if grantee in (None, grant["GranteePrincipal"])]
        return json.dumps(response)

    KmsResponse.create_grant = created
    KmsResponse.list_grants = listed


def simulate_policies():
    """Simulates the policies of a user or a role, without resource policies and conditions."""
    from xml.sax.saxutils import escape

    from moto.iam.access_control import AssumedRoleAccessKey, IAMPolicy, IAMUserAccessKey, PermissionResult
    from moto.iam.exceptions import InvalidInput
    from moto.iam.models import iam_backends
    from moto.iam.responses import IamResponse

    def policies_of(self, arn):
        kind, _, name = arn.rsplit(":", 1)[-1].rpartition("/")
        kind = kind.split("/")[0]
        collect, field = {
            "user": (IAMUserAccessKey.collect_policies, "_owner_user_name"),
            "role": (AssumedRoleAccessKey.collect_policies, "_owner_role_name"),
        }.get(kind, (None, None))
        if not collect:
            raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")

        class Principal:
            backend = iam_backends[self.current_account][self.partition]

        setattr(Principal, field, name)
        return [IAMPolicy(policy) for policy in collect(Principal())]

    def decision(policies, action, resource):
        results = [policy.is_action_permitted(action, resource) for policy in policies]
        if PermissionResult.DENIED in results:
            return "explicitDeny"
        return "allowed" if PermissionResult.PERMITTED in results else "implicitDeny"

    def simulate_principal_policy(self):
        policies = policies_of(self, self._get_param("PolicySourceArn"))
        resources = self._get_param("ResourceArns") or ["*"]
        results = "".join(
            f"<member><EvalActionName>{escape(action)}</EvalActionName>"
            f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
            f"<EvalDecision>{decision(policies, action, resource)}</EvalDecision>"
            "<MatchedStatements/><MissingContextValues/></member>"
            for action in self._get_param("ActionNames")
            for resource in resources
        )
        return (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>"
            "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"
            "<ResponseMetadata><RequestId>simulated</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
        )

    IamResponse.simulate_principal_policy = simulate_principal_policy


def filter_policy_entities():
    """Lists only the entities whose permissions boundary a policy is, if a request asks for them."""
    from moto.core.responses import ActionResult
    from moto.iam.responses import IamResponse

    answer = IamResponse.list_entities_for_policy

    def corrected(self):
        if self._get_param("PolicyUsageFilter") != "PermissionsBoundary":
            return answer(self)
        policy = self._get_param("PolicyArn")

        def limited(entities):
            return [entity for entity in entities if getattr(entity, "permissions_boundary_arn", None) == policy]

        roles, _ = self.backend.list_roles(None, None, None)
        users = self.backend.list_users(None, None, None)
        listed = {"PolicyRoles": limited(roles), "PolicyUsers": limited(users or []), "PolicyGroups": []}
        return ActionResult({**listed, "IsTruncated": False})

    IamResponse.list_entities_for_policy = corrected
