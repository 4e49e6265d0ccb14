"""The floor on Google Cloud: a function of functions-framework that answers by itself."""

import json


def handler(request):
    if (request.method, request.path) == ("GET", "/hello"):
        return json.dumps({"message": "hello"}), 200, {"content-type": "application/json"}
    return json.dumps({"message": "not found"}), 404, {"content-type": "application/json"}
