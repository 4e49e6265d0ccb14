"""Starlette on AWS Lambda, through Mangum."""

from mangum import Mangum
from on_starlette import app, show
from starlette.applications import Starlette
from starlette.routing import Route

handler = Mangum(app, lifespan="off")


def make(templates):
    return Mangum(Starlette(routes=[Route(template, show) for template in templates]), lifespan="off")
