"""Where ministack does not answer as AWS does: a correction for each service, made when its module is loaded."""

import json

import as_aws

HOST = "127.0.0.1"


def correct(app):
    count_as_secure(app)
    count_batches_as_their_parts()
    load, done = app._get_module, set()

    def corrected(name):
        module = load(name)
        if name in SERVICES and name not in done:
            done.add(name)
            SERVICES[name](module)
        return module

    app._get_module = corrected


def count_as_secure(app):
    """Counts plain HTTP on loopback as TLS, which is what a program meets on AWS.

    The emulator evaluates aws:SecureTransport, so every policy that insists on
    TLS, as those of the program do, would refuse everybody here.
    """
    import contextvars

    from ministack.core import iam_evaluator

    pin = iam_evaluator.pin_request_origin
    iam_evaluator._request_origin = contextvars.ContextVar("request_origin", default=(HOST, True))
    app.pin_request_origin = lambda source, _: pin(source, True)


def count_batches_as_their_parts():
    """SQS asks for the permission of the single call, also where ten come at once."""
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def corrected(service, *request):
        action = extract(service, *request)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = corrected


def answer(operation, asked):
    """What AWS answers to an operation that ministack lacks."""
    from ministack.core.responses import error_response_json, get_account_id, get_region

    try:
        said = operation(get_account_id(), get_region(), asked)
    except as_aws.Refused as refused:
        return error_response_json(refused.code, refused.message, refused.status)
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(said).encode()


def account(module):
    """Opt-in regions are off until they are enabled; ministack has them on."""
    for name, operation in as_aws.ACCOUNT.items():
        path = "/" + name[0].lower() + name[1:]
        module._DISPATCH[path] = lambda asked, operation=operation: answer(operation, asked)


def organizations(module):
    """Trusted services and delegated administrators, of which ministack knows nothing."""
    for name, operation in as_aws.ORGANIZATIONS.items():
        module._DISPATCH[name] = lambda asked, operation=operation: answer(operation, asked)


def cloudtrail(module):
    """A trail that logs has delivered, though nothing is here, and every region lists the trails of all."""
    status = module._DISPATCH["GetTrailStatus"]

    def listed(asked):
        from ministack.core.responses import get_account_id

        trails = [trail for _region, _name, trail in module._account_trail_items(get_account_id())]
        fields = ("TrailARN", "Name", "HomeRegion")
        return module._ok({"Trails": [{field: trail[field] for field in fields} for trail in trails]})

    def corrected(asked):
        code, headers, body = status(asked)
        if code == 200:
            trail = module._find_visible_trail(asked["Name"])[-1]
            told = as_aws.deliver(json.loads(body), bool(trail.get("CloudWatchLogsLogGroupArn")))
            body = json.dumps(told).encode()
        return code, headers, body

    module._DISPATCH["GetTrailStatus"] = corrected
    module._DISPATCH["ListTrails"] = listed


def logs(module):
    """Account policies, transformers and data protection, which ministack lacks."""
    handle = module.handle_request

    async def corrected(method, path, headers, body, query):
        from ministack.core.responses import get_account_id, get_region

        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action in as_aws.LOGS:
            return answer(as_aws.LOGS[action], json.loads(body))
        status, headers, body = await handle(method, path, headers, body, query)
        if action == "DescribeLogGroups" and status == 200:
            described = json.loads(body)
            as_aws.protect(get_account_id(), get_region(), described["logGroups"])
            body = json.dumps(described).encode()
        return status, headers, body

    module.handle_request = corrected


def s3(module):
    """Who pays, by the name that clients ask for it; SSE-S3 where nothing else is said; the owner a caller expects."""
    handle, default = module.handle_request, module._bucket_default_sse_headers

    async def corrected(method, path, headers, body, query, **more):
        if method == "GET" and "requestPayment" in query:
            query = {**query, "request-payment": query["requestPayment"]}
        expected = headers.get("x-amz-expected-bucket-owner")
        owner = module._bucket_owner_account(path.lstrip("/").split("/")[0])
        if expected and owner and owner != expected:
            status, said, body = module._error("AccessDenied", "Access Denied", 403)
            return status, said, b"" if method == "HEAD" else body
        return await handle(method, path, headers, body, query, **more)

    module.handle_request = corrected
    module._bucket_default_sse_headers = lambda bucket: default(bucket) or {"x-amz-server-side-encryption": "AES256"}


def sns(module):
    """The code of a missing topic's tags: SNS leaves the word Exception out of its codes."""
    error = module._error

    def corrected(code, message, status):
        return error(code.removesuffix("Exception") if code == "ResourceNotFoundException" else code, message, status)

    module._error = corrected


def kms(module):
    """The account in the description of a key."""
    describe = module._key_metadata
    module._key_metadata = lambda key: {"AWSAccountId": key["Arn"].split(":")[4], **describe(key)}


def iam(module):
    """Nobody can be simulated who is no user, group or role: for a root, AWS refuses."""
    simulate = module._simulate_principal_policy

    def corrected(asked):
        arn = module._p(asked, "PolicySourceArn")
        if arn.endswith(":root"):
            said = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
            return module._error(400, "InvalidInput", said, ns="iam")
        return simulate(asked)

    for table in vars(module).values():
        if isinstance(table, dict) and table.get("SimulatePrincipalPolicy") is simulate:
            table["SimulatePrincipalPolicy"] = corrected


def functions(module):
    """The quota of an account instead of what this machine can run, and no policy where nobody was let in."""
    from ministack.core.responses import error_response_json

    policy = module._get_policy

    def corrected(*asked):
        status, headers, body = policy(*asked)
        if status == 200 and not json.loads(json.loads(body)["Policy"])["Statement"]:
            return error_response_json("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return status, headers, body

    module._get_policy = corrected
    module._get_account_settings = lambda: (
        200,
        {"Content-Type": "application/json"},
        json.dumps(as_aws.account_settings()).encode(),
    )


SERVICES = {
    "account": account,
    "cloudtrail": cloudtrail,
    "cloudwatch_logs": logs,
    "iam": iam,
    "kms": kms,
    "lambda_svc": functions,
    "organizations": organizations,
    "s3": s3,
    "sns": sns,
}
