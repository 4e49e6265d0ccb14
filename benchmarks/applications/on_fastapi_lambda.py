"""FastAPI on AWS Lambda, through Mangum."""

from mangum import Mangum
from on_fastapi import app

handler = Mangum(app, lifespan="off")
