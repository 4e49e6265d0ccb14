"""The shop's API: two functions that deploy, scale and fail on their own, and what they share."""

from catalogue import catalogue
from orders import orders
from privacy import keep_private

from multicloud import Api, ApiKeyAuthorizer, Cors, JwtAuthorizer, Quota, Throttle

customers = JwtAuthorizer(issuer="https://id.example.com/", audience=["shop"])
# The key itself is in MULTICLOUD_SECRET_SHOP_PARTNER_KEY: a stored secret in a cloud, a variable on your own machine.
partners = ApiKeyAuthorizer(keys={"partner": "shop-partner-key"})

api = Api(
    "shop",
    functions=[catalogue, orders],
    authorizer=[customers, partners],
    throttle=Throttle(rate=100, burst=200),
    quota=Quota(10_000, "day"),
    cors=Cors(
        allow_origins=["https://shop.example.com"],
        allow_headers=["content-type", "authorization"],
        allow_credentials=True,
    ),
    version="1.2.0",
    description="What a small shop needs.",
)
# In a module of its own, so that neither function has to load the other to find it.
api.middleware(keep_private)
