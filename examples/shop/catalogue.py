"""The catalogue: what there is to buy, pictures of it, and what people say about it."""

import struct
import zlib

from reviews import app as reviews

from multicloud import PUBLIC, Function, NotFound, Request, Response

# Whoever comes by may look; to order, one must be known.
catalogue = Function("catalogue", memory_mb=512, dependencies=["fastapi>=0.115"], authorizer=PUBLIC)

ITEMS = {
    "espresso-machine": {"name": "Espresso machine", "price": 249.0, "tags": ["kitchen", "coffee"]},
    "grinder": {"name": "Grinder", "price": 89.5, "tags": ["kitchen", "coffee"]},
    "cafe-creme": {"name": "Café crème, 1 kg", "price": 18.9, "tags": ["coffee", "food"]},
}


@catalogue.get("/items", summary="Search the catalogue")
def list_items(request: Request) -> dict[str, object]:
    """Filter by every `tag` given, sort by `sort`."""
    tags = request.query.get_list("tag")
    found = [{"sku": sku, **item} for sku, item in ITEMS.items() if set(tags) <= set(item["tags"])]  # type: ignore[call-overload]
    found.sort(key=lambda item: str(item.get(request.query.get("sort", "sku"))))
    return {"items": found, "tags": tags, "currency": request.cookies.get("currency", "EUR")}


@catalogue.get("/items/{sku}")
def read_item(request: Request, sku: str) -> dict[str, object]:
    """Read one item."""
    if sku not in ITEMS:
        raise NotFound(f"There is no item {sku}.", sku=sku)
    return {"sku": sku, **ITEMS[sku]}


@catalogue.get("/items/{sku}/picture.png")
def read_picture(sku: str) -> Response:
    """Download a picture: one pixel in a colour that follows from the item."""
    if sku not in ITEMS:
        raise NotFound(f"There is no picture of {sku}.")
    return Response(
        _png(zlib.crc32(sku.encode()) & 0xFFFFFF), content_type="image/png", headers={"cache-control": "no-cache"}
    )


@catalogue.get("/files/{path+}")
def read_file(path: str) -> str:
    """Show that a greedy parameter keeps its slashes."""
    return f"file {path}"


def _png(colour: int) -> bytes:
    """Return a PNG of one pixel (W3C PNG specification)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + colour.to_bytes(3, "big"), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


catalogue.mount("/reviews", reviews)
