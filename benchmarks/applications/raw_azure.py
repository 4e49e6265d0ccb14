"""The floor on Azure: a function of azure-functions that answers by itself."""

import json

import azure.functions as func


def handler(req, context):
    path = "/" + req.url.split("/", 3)[3].partition("?")[0]
    if (req.method, path) == ("GET", "/hello"):
        return func.HttpResponse(json.dumps({"message": "hello"}), mimetype="application/json")
    return func.HttpResponse(json.dumps({"message": "not found"}), status_code=404, mimetype="application/json")
