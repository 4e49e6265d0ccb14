"""How an entry point of each kind is called and its answer read. The measured process imports it late."""


class Context:
    """What awslambdaric and Azure's worker pass beside the event."""

    aws_request_id = invocation_id = "5d0c7a1e-6a55-4b6f-8d5e-6d8a0c2f9b77"
    function_name = "measured"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:measured"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self):
        return 29000


def caller(kind, entry):
    """Return (prepare, call): prepare makes the argument from the event's literals, untimed; call answers it."""
    context = Context()
    if kind in ("http_api", "rest_api"):
        return (lambda event: event), (lambda event: entry(event, context))
    if kind == "azure":
        from azure.functions import HttpRequest

        return (lambda fields: HttpRequest(**fields)), (lambda request: entry(request, context))
    return environ, wsgi_caller(entry)


def environ(strings):
    from io import BytesIO

    return {**strings, "wsgi.input": BytesIO(), "wsgi.errors": None}


def wsgi_caller(entry):
    """Call through a Flask application, as functions-framework has one around a function."""
    from flask import Flask, request

    application = Flask("main")

    def view(path=""):
        return entry(request)

    for rule in ("/", "/<path:path>"):
        application.add_url_rule(rule, view_func=view)

    def call(environment):
        started = []
        chunks = application(environment, lambda status, headers, error=None: started.append(status))
        return int(started[0][:3]), b"".join(chunks)

    return call


def status_and_body(kind, answer):
    if kind in ("http_api", "rest_api"):
        return answer["statusCode"], answer["body"]
    if kind == "azure":
        return answer.status_code, answer.get_body()
    return answer
