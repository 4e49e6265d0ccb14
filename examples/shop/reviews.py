"""A FastAPI application that was there before; the catalogue mounts it as it is."""

from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI()


class Review(BaseModel):
    """What a customer says."""

    stars: int = Field(ge=1, le=5)
    text: str


@app.get("/{sku}")
async def list_reviews(sku: str, limit: int = 10) -> dict[str, object]:
    """List reviews of an item."""
    return {"sku": sku, "limit": limit, "reviews": [{"stars": 5, "text": "Très bien."}][:limit]}


@app.post("/{sku}", status_code=201)
async def write_review(sku: str, review: Review) -> dict[str, object]:
    """Add a review."""
    return {"sku": sku, "review": review.model_dump()}
