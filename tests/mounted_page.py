"""A FastAPI application with the page under /lens: python -m tests.mounted_page PORT."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, Request

import demo

app = FastAPI()


@app.post("/echo")
async def echo(request: Request) -> dict[str, object]:
    """A route of the application's own, without the page's limits."""
    return {"host": request.headers["host"], "bytes": len(await request.body())}


assert demo.mount(app, "/lens", frame_ancestors=["https://example.org"], allowed_host=["lens.example"]) is app

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
