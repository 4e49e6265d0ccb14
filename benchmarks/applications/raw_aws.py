"""The floor on AWS: a handler of dicts without any framework, for payload formats 2.0 and 1.0."""

import base64
import json

JSON = {"content-type": "application/json"}


def answer(status, body):
    return {"statusCode": status, "headers": JSON, "body": json.dumps(body)}


def hello(event):
    return answer(200, {"message": "hello"})


def read_item(event, item_id):
    query, headers = event["queryStringParameters"], event["headers"]
    several = event.get("multiValueQueryStringParameters")
    return answer(
        200,
        {
            "item": item_id,
            "limit": int(query["limit"]),
            "colours": several["colour"] if several else query["colour"].split(","),
            "text": query["text"],
            "language": headers["accept-language"],
            "correlation": headers["x-correlation-id"],
        },
    )


def create_item(event):
    body = event["body"]
    order = json.loads(base64.b64decode(body) if event["isBase64Encoded"] else body)
    return answer(201, {"name": order["name"], "units": sum(line["units"] for line in order["lines"])})


ROUTES = {("GET", "/hello"): hello, ("POST", "/items"): create_item}


def handler(event, context):
    path = event.get("rawPath")
    if path is None:
        method, path = event["httpMethod"], event["path"]
    else:
        method = event["requestContext"]["http"]["method"]
    found = ROUTES.get((method, path))
    if found is not None:
        return found(event)
    if method == "GET" and path.startswith("/items/"):
        return read_item(event, path.removeprefix("/items/"))
    return answer(404, {"message": "not found"})
