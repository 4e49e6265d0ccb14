"""The shop's API: two functions that deploy, scale and fail on their own, and what they share."""

from catalogue import catalogue
from multicloud import Api, Cors
from orders import orders
from privacy import keep_private

api = Api(
    "shop",
    functions=[catalogue, orders],
    cors=Cors(allow_origins=["https://shop.example.com"], allow_headers=["content-type"], allow_credentials=True),
    version="1.2.0",
    description="What a small shop needs.",
)
# In a module of its own, so that neither function has to load the other to find it.
api.middleware(keep_private)
