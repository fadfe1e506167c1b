"""Where moto does not answer as AWS does: a correction each, made before it starts."""

import json

import as_aws


def correct():
    correct_notifications()
    show_who_may_redrive()
    keep_policies_of_queues()
    take_arns_of_keys()
    know_regions()
    know_account_policies()
    describe_log_groups_in_full()
    replace_subscription_filters()
    tell_where_functions_log()
    tell_of_functions_that_are_off()
    know_account_settings()
    deliver_just_now()
    list_trails_of_all_regions()
    let_cloudtrail_be_delegated()
    make_buckets_as_today()
    tell_who_pays()
    respect_the_expected_owner()
    describe_keys_in_full()
    filter_grants()
    simulate_policies()


def add(responses, operations):
    """Gives moto operations that it lacks."""
    from moto.core.exceptions import JsonRESTError
    from moto.core.utils import camelcase_to_underscores

    def method_for(operation):
        def method(self):
            try:
                said = operation(self.current_account, self.region, json.loads(self.body or "{}"))
            except as_aws.Refused as refused:
                raise JsonRESTError(refused.code, refused.message)
            return json.dumps(said)

        return method

    for name, operation in operations.items():
        setattr(responses, camelcase_to_underscores(name), method_for(operation))


def correct_notifications():
    """Makes moto answer for a bucket's notifications as S3 does.

    It names the root of an empty configuration after the shape, which the Rust
    SDK refuses, and it leaves EventBridge out of every answer.
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


def show_who_may_redrive():
    """Makes moto answer with the RedriveAllowPolicy that it was given and keeps to itself."""
    from moto.sqs.models import Queue

    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")


def keep_policies_of_queues():
    """A queue keeps its policy when another attribute is set; moto takes what is not said for an empty one."""
    from moto.sqs.models import Queue

    change = Queue._set_attributes

    def corrected(self, attributes, *more):
        before = getattr(self, "policy", None)
        change(self, {"Policy": before, **attributes} if before else attributes, *more)

    Queue._set_attributes = corrected


def take_arns_of_keys():
    """Lets moto enable, disable and delete a key that is named by its ARN."""
    from moto.kms.models import KmsBackend

    def correct(verb):
        method = getattr(KmsBackend, verb)

        def corrected(self, key_id, *more, **named):
            return method(self, self.get_key_id(key_id), *more, **named)

        setattr(KmsBackend, verb, corrected)

    for verb in ("enable_key", "disable_key", "cancel_key_deletion", "schedule_key_deletion"):
        correct(verb)


def know_regions():
    """The regions of an account, of which moto knows nothing."""
    from moto.account import urls
    from moto.account.responses import AccountResponse

    add(AccountResponse, as_aws.ACCOUNT)
    for name in as_aws.ACCOUNT:
        urls.url_paths["{0}/" + name[0].lower() + name[1:] + "$"] = AccountResponse.dispatch


def know_account_policies():
    """Account policies, transformers and data protection, which moto lacks."""
    from moto.logs.responses import LogsResponse

    add(LogsResponse, as_aws.LOGS)


def describe_log_groups_in_full():
    """The class of a log group, which moto forgets, and how many metric filters it has."""
    from moto.logs.responses import LogsResponse

    create, describe = LogsResponse.create_log_group, LogsResponse.describe_log_groups

    def created(self):
        said = create(self)
        group = self.logs_backend.groups[self._get_param("logGroupName")]
        group.log_class = self._get_param("logGroupClass") or "STANDARD"
        return said

    def described(self):
        said = json.loads(describe(self))
        for group in said["logGroups"]:
            name = group["logGroupName"]
            group["logGroupClass"] = self.logs_backend.groups[name].log_class
            group["metricFilterCount"] = len(self.logs_backend.describe_metric_filters(log_group_name=name))
        as_aws.protect(self.current_account, self.region, said["logGroups"])
        return json.dumps(said)

    LogsResponse.create_log_group = created
    LogsResponse.describe_log_groups = described


def replace_subscription_filters():
    """Replaces a filter of that name also in a log group that takes no more; moto counts it as one more."""
    from moto.logs.models import LogGroup

    put = LogGroup.put_subscription_filter

    def corrected(self, filter_name, *more, **named):
        before = self.subscription_filters.pop(filter_name, None)
        try:
            put(self, filter_name, *more, **named)
        except Exception:
            if before:
                self.subscription_filters[filter_name] = before
            raise

    LogGroup.put_subscription_filter = corrected


def tell_where_functions_log():
    """How and where a function logs, which moto forgets."""
    from moto.awslambda.models import LambdaFunction

    make, change = LambdaFunction.__init__, LambdaFunction.update_configuration
    describe = LambdaFunction.get_configuration

    def made(self, account_id, spec, *more, **named):
        make(self, account_id, spec, *more, **named)
        group = f"/aws/lambda/{self.function_name}"
        self.logging = {"LogFormat": "Text", "LogGroup": group, **spec.get("LoggingConfig", {})}

    def changed(self, asked):
        self.logging |= asked.get("LoggingConfig", {})
        return change(self, asked)

    def described(self, *asked, **named):
        return {**describe(self, *asked, **named), "LoggingConfig": self.logging}

    LambdaFunction.__init__ = made
    LambdaFunction.update_configuration = changed
    LambdaFunction.get_configuration = described


def tell_of_functions_that_are_off():
    """A function with no call set apart may not be called at all; moto leaves the number out when it is none."""
    from moto.awslambda.models import LambdaFunction

    describe = LambdaFunction.get_code

    def described(self, *asked, **named):
        told = describe(self, *asked, **named)
        if self.reserved_concurrency is not None:
            told["Concurrency"] = {"ReservedConcurrentExecutions": self.reserved_concurrency}
        return told

    LambdaFunction.get_code = described


def know_account_settings():
    """The quotas of Lambda, which moto lacks."""
    from moto.awslambda import urls
    from moto.awslambda.responses import LambdaResponse

    add(LambdaResponse, {"GetAccountSettings": lambda account, region, asked: as_aws.account_settings()})
    urls.url_paths[r"{0}/(?P<api_version>[^/]+)/account-settings/?$"] = LambdaResponse.dispatch


def deliver_just_now():
    """A trail that logs delivers to its log group too."""
    from moto.cloudtrail.responses import CloudTrailResponse

    def corrected(self):
        name = self._get_param("Name")
        status = self.cloudtrail_backend.get_trail_status(name).description()
        trails = self.cloudtrail_backend.describe_trails(include_shadow_trails=True)
        trail = next(trail for trail in trails if name in (trail.trail_name, trail.arn))
        return json.dumps(as_aws.deliver(status, bool(trail.cw_log_group_arn)))

    CloudTrailResponse.get_trail_status = corrected


def list_trails_of_all_regions():
    """Every region lists the trails of all, also those that cover one region only."""
    from moto.cloudtrail.models import CloudTrailBackend, cloudtrail_backends

    def corrected(self):
        regions = cloudtrail_backends[self.account_id].values()
        return [trail for backend in regions for trail in backend.trails.values()]

    CloudTrailBackend.list_trails = corrected


def let_cloudtrail_be_delegated():
    """CloudTrail may have delegated administrators; moto's list is an old one."""
    from moto.organizations.models import FakeDelegatedAdministrator

    FakeDelegatedAdministrator.SUPPORTED_SERVICES.append("cloudtrail.amazonaws.com")


def make_buckets_as_today():
    """Every new bucket encrypts with SSE-S3 and owns what is put into it, and says so."""
    from moto.s3.models import FakeBucket, S3Backend

    make, forget = FakeBucket.__init__, S3Backend.delete_bucket_encryption

    def default():
        return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}}

    def made(self, *given, **named):
        make(self, *given, **named)
        self.encryption = default()
        self.ownership_rule = "BucketOwnerEnforced"

    def forgot(self, bucket_name):
        forget(self, bucket_name)
        self.get_bucket(bucket_name).encryption = default()

    FakeBucket.__init__ = made
    S3Backend.delete_bucket_encryption = forgot


def tell_who_pays():
    """Who pays for requests to a bucket; moto takes the question for a listing, and forgets the answer."""
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


def respect_the_expected_owner():
    """Refuses a caller who expects a bucket to be somebody else's."""
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


def describe_keys_in_full():
    """A key is for encryption unless it was made for something else; the one behind alias/aws/s3 is managed by AWS."""
    from moto.kms.models import Key
    from moto.kms.utils import RESERVED_ALIASE_TARGET_KEY_IDS

    describe = Key.to_dict

    def corrected(self):
        said = describe(self)
        said["KeyMetadata"]["KeyUsage"] = self.key_usage or "ENCRYPT_DECRYPT"
        if self.description.startswith("Default key") or self.id in RESERVED_ALIASE_TARGET_KEY_IDS.values():
            said["KeyMetadata"]["KeyManager"] = "AWS"
        return said

    Key.to_dict = corrected


def filter_grants():
    """Lists the grants of one grantee if that is asked for, and makes none in a dry run."""
    from moto.core.exceptions import JsonRESTError
    from moto.kms.responses import KmsResponse

    create, listing = KmsResponse.create_grant, KmsResponse.list_grants

    def created(self):
        if self._get_param("DryRun"):
            raise JsonRESTError("DryRunOperationException", "The request would have succeeded.")
        return create(self)

    def listed(self):
        said = json.loads(listing(self))
        grantee = self._get_param("GranteePrincipal")
        said["Grants"] = [grant for grant in said["Grants"] if grantee in (None, grant["GranteePrincipal"])]
        return json.dumps(said)

    KmsResponse.create_grant = created
    KmsResponse.list_grants = listed


def simulate_policies():
    """Says what the policies of a user or a role come to; resource policies and conditions are left out."""
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
        said = [policy.is_action_permitted(action, resource) for policy in policies]
        if PermissionResult.DENIED in said:
            return "explicitDeny"
        return "allowed" if PermissionResult.PERMITTED in said else "implicitDeny"

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
