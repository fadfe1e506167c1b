"""Corrections of ministack: one function for each service, applied when its module is loaded."""

import json

import as_aws

HOST = "127.0.0.1"

# The time after which an invocation counts as stuck.
FUNCTION_SECONDS = 170


def correct(app):
    treat_loopback_as_tls(app)
    check_batches_as_single_operations()
    load, corrected_modules = app._get_module, set()

    def corrected(name):
        module = load(name)
        if name in SERVICES and name not in corrected_modules:
            corrected_modules.add(name)
            SERVICES[name](module)
        return module

    app._get_module = corrected


def treat_loopback_as_tls(app):
    """Treats HTTP on the loopback interface as TLS.

    The emulator evaluates aws:SecureTransport, so a policy that requires TLS would deny every request.
    """
    import contextvars

    from ministack.core import iam_evaluator

    pin = iam_evaluator.pin_request_origin
    iam_evaluator._request_origin = contextvars.ContextVar("request_origin", default=(HOST, True))
    app.pin_request_origin = lambda source, _: pin(source, True)


def check_batches_as_single_operations():
    """Checks the permission of the single operation for batch operations, as SQS does, and that of a read for the
    concurrency of a function."""
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def corrected(service, *request):
        action = extract(service, *request)
        if action == "lambda:PutFunctionConcurrency" and request[0] == "GET":
            return "lambda:GetFunctionConcurrency"
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = corrected


def respond(operation, request):
    """Returns the response of an operation that ministack lacks."""
    from ministack.core.responses import error_response_json, get_account_id, get_region

    try:
        response = operation(get_account_id(), get_region(), request)
    except as_aws.ServiceError as error:
        return error_response_json(error.code, error.message, error.status)
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(response).encode()


def account(module):
    """Disables opt-in regions by default; ministack enables them."""
    for name, operation in as_aws.ACCOUNT.items():
        path = "/" + name[0].lower() + name[1:]
        module._DISPATCH[path] = lambda request, operation=operation: respond(operation, request)


def organizations(module):
    """Adds service access and delegated administrators, which ministack lacks, and makes accounts older."""
    for name, operation in as_aws.ORGANIZATIONS.items():
        module._DISPATCH[name] = lambda request, operation=operation: respond(operation, request)
    public = module._public_account
    module._public_account = lambda account: as_aws.joined_last_year(public(account))


def cloudtrail(module):
    """Reports a recent delivery of a trail that logs, and lists the trails of all regions in each region."""
    status = module._DISPATCH["GetTrailStatus"]

    def listed(request):
        from ministack.core.responses import get_account_id

        trails = [trail for _region, _name, trail in module._account_trail_items(get_account_id())]
        fields = ("TrailARN", "Name", "HomeRegion")
        return module._ok({"Trails": [{field: trail[field] for field in fields} for trail in trails]})

    def corrected(request):
        code, headers, body = status(request)
        if code == 200:
            trail = module._find_visible_trail(request["Name"])[-1]
            response = as_aws.with_recent_delivery(json.loads(body), bool(trail.get("CloudWatchLogsLogGroupArn")))
            body = json.dumps(response).encode()
        return code, headers, body

    module._DISPATCH["GetTrailStatus"] = corrected
    module._DISPATCH["ListTrails"] = listed


def logs(module):
    """Adds account policies, transformers and data protection, which ministack lacks."""
    handle = module.handle_request

    async def corrected(method, path, headers, body, query):
        from ministack.core.responses import get_account_id, get_region

        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action in as_aws.LOGS:
            return respond(as_aws.LOGS[action], json.loads(body))
        status, headers, body = await handle(method, path, headers, body, query)
        if action == "DescribeLogGroups" and status == 200:
            described = json.loads(body)
            as_aws.protect(get_account_id(), get_region(), described["logGroups"])
            body = json.dumps(described).encode()
        return status, headers, body

    module.handle_request = corrected


def s3(module):
    """Accepts the SDK's name of request payment, encrypts with SSE-S3 by default, checks the expected owner, and decodes
    the filters of notifications."""
    handle, default = module.handle_request, module._bucket_default_sse_headers

    async def corrected(method, path, headers, body, query, **more):
        if method == "GET" and "requestPayment" in query:
            query = {**query, "request-payment": query["requestPayment"]}
        expected = headers.get("x-amz-expected-bucket-owner")
        owner = module._bucket_owner_account(path.lstrip("/").split("/")[0])
        if expected and owner and owner != expected:
            status, response, body = module._error("AccessDenied", "Access Denied", 403)
            return status, response, b"" if method == "HEAD" else body
        return await handle(method, path, headers, body, query, **more)

    module.handle_request = corrected
    module._key_matches_filter = as_aws.filter_matches
    module._bucket_default_sse_headers = lambda bucket: default(bucket) or {"x-amz-server-side-encryption": "AES256"}


def sns(module):
    """Returns the error code of a missing topic as SNS does: without the suffix Exception. Compares a filter policy with
    each element of an array in the message."""
    error = module._error

    def corrected(code, message, status):
        return error(code.removesuffix("Exception") if code == "ResourceNotFoundException" else code, message, status)

    module._error = corrected
    module._body_lookup = body_lookup


def body_lookup(body):
    """Returns the values and the children of a member of a message; those of all elements if it is an array."""
    objects = [element for element in (body if isinstance(body, list) else [body]) if isinstance(element, dict)]

    def members(key):
        found = [element[key] for element in objects if element.get(key) is not None]
        return [each for value in found for each in (value if isinstance(value, list) else [value])]

    def lookup(key):
        values = members(key)
        return bool(values), values, any(objects)

    lookup.child = lambda key: body_lookup(members(key)) if members(key) else None
    return lookup


def kms(module):
    """Returns the account in the metadata of a key, and key policies in KMS's form."""
    describe = module._key_metadata
    module._key_metadata = lambda key: {"AWSAccountId": key["Arn"].split(":")[4], **describe(key)}
    get_policy = module._get_key_policy

    def corrected(request):
        status, headers, body = get_policy(request)
        if status == 200:
            response = json.loads(body)
            response["Policy"] = as_aws.normalized_key_policy(response["Policy"])
            body = json.dumps(response).encode()
        return status, headers, body

    module._get_key_policy = corrected


def iam(module):
    """Rejects the simulation of the root user, and resets the session duration in UpdateRole, as AWS does."""
    simulate = module._simulate_principal_policy

    def corrected(request):
        arn = module._p(request, "PolicySourceArn")
        if arn.endswith(":root"):
            response = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
            return module._error(400, "InvalidInput", response, ns="iam")
        return simulate(request)

    update = module._update_role

    def updated(request):
        # "If you do not specify a value for this setting, the default value of one hour is applied."
        role = module._roles.get(module._p(request, "RoleName"))
        if role is not None and "MaxSessionDuration" not in request:
            role["MaxSessionDuration"] = 3600
        return update(request)

    for table in vars(module).values():
        if isinstance(table, dict) and table.get("SimulatePrincipalPolicy") is simulate:
            table["SimulatePrincipalPolicy"] = corrected
            table["UpdateRole"] = updated


def functions(module):
    """Returns account settings as AWS does, and no resource policy for a function without statements."""
    from ministack.core.responses import error_response_json

    policy = module._get_policy

    def corrected(*request):
        status, headers, body = policy(*request)
        if status == 200 and not json.loads(json.loads(body)["Policy"])["Statement"]:
            return error_response_json("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return status, headers, body

    module._get_policy = corrected
    extend_function_timeouts()
    module._get_account_settings = lambda: (
        200,
        {"Content-Type": "application/json"},
        json.dumps(as_aws.account_settings()).encode(),
    )


def extend_function_timeouts():
    """Ends functions later than their timeout: a loaded machine takes many seconds to start Python."""
    from ministack.core import lambda_runtime

    create = lambda_runtime.Worker.__init__

    def corrected(worker, name, config, code):
        create(worker, name, config | {"Timeout": FUNCTION_SECONDS}, code)

    lambda_runtime.Worker.__init__ = corrected


def sqs(module):
    """Adds message move tasks, which ministack lacks."""
    from ministack.core.responses import new_uuid

    def find(arn):
        queue = module._queue_by_arn(arn)
        for message in queue["messages"] if queue else []:
            module._ensure_msg_fields(message)
        return queue

    def corrected(operation):
        def handle(request, _url):
            try:
                return operation(request)
            except as_aws.ServiceError as error:
                raise module._Err(error.code, error.message, error.status) from error

        return handle

    def start(request):
        return as_aws.start_move_task(request, find, list(module._queues.values()))

    dispatch = module._dispatch

    async def advanced(action, data, url):
        as_aws.advance_move_tasks(find, new_uuid)
        return await dispatch(action, data, url)

    module._dispatch = advanced
    module._HANDLERS["StartMessageMoveTask"] = corrected(start)
    module._HANDLERS["ListMessageMoveTasks"] = corrected(lambda request: as_aws.list_move_tasks(request, find))
    module._HANDLERS["CancelMessageMoveTask"] = corrected(as_aws.cancel_move_task)


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
    "sqs": sqs,
}
