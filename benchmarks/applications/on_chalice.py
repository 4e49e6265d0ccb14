"""The measured API on Chalice, whose routing is API Gateway's: the event names the route."""

from chalice import Chalice, Response

app = handler = Chalice(app_name="measured")


@app.route("/hello")
def hello():
    return {"message": "hello"}


@app.route("/items/{item_id}")
def read_item(item_id):
    request = app.current_request
    query, headers = request.query_params, request.headers
    return {
        "item": item_id,
        "limit": int(query["limit"]),
        "colours": query.getlist("colour"),
        "text": query["text"],
        "language": headers["accept-language"],
        "correlation": headers["x-correlation-id"],
    }


@app.route("/items", methods=["POST"])
def create_item():
    order = app.current_request.json_body
    return Response({"name": order["name"], "units": sum(line["units"] for line in order["lines"])}, status_code=201)


def make(templates):
    made = Chalice(app_name="many")
    for number, template in enumerate(templates):
        if "{" in template:
            made.route(template, name=f"route{number}")(lambda item_id: {"item": item_id})
        else:
            made.route(template, name=f"route{number}")(lambda: {"item": None})
    return made
