"""The measured API on the event handler of Powertools for AWS Lambda."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

app = APIGatewayHttpResolver()


@app.get("/hello")
def hello():
    return {"message": "hello"}


@app.get("/items/<item_id>")
def read_item(item_id):
    event = app.current_event
    query, headers = event.query_string_parameters, event.headers
    return {
        "item": item_id,
        "limit": int(query["limit"]),
        "colours": query["colour"].split(","),
        "text": query["text"],
        "language": headers["accept-language"],
        "correlation": headers["x-correlation-id"],
    }


@app.post("/items")
def create_item():
    order = app.current_event.json_body
    return {"name": order["name"], "units": sum(line["units"] for line in order["lines"])}, 201


handler = app.resolve


def make(templates):
    made = APIGatewayHttpResolver()
    for template in templates:
        if "{" in template:
            made.get(template.replace("{", "<").replace("}", ">"))(lambda item_id: {"item": item_id})
        else:
            made.get(template)(lambda: {"item": None})
    return made.resolve
