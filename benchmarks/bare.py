"""Apps as published benchmarks write them, of three routes; in FastAPI with a dict, a model or a response returned.

Not part of the contract: ``plausibility.py`` and ``calls.py`` measure them to say where the contract's apps do more.
"""

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from apps.contract.replies import Greeting, Health


async def health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def plaintext(request: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello, World!")


async def greeting(request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello, World!"})


starlette = Starlette(routes=[Route("/health", health), Route("/plaintext", plaintext), Route("/json", greeting)])
fastapi = FastAPI(openapi_url=None)
fastapi_declared = FastAPI(openapi_url=None)
fastapi_response = FastAPI(openapi_url=None)


@fastapi.get("/health")
@fastapi_declared.get("/health")
@fastapi_response.get("/health")
async def fastapi_health() -> Health:
    return Health(status="ok")


@fastapi.get("/plaintext", response_class=PlainTextResponse)
@fastapi_declared.get("/plaintext", response_class=PlainTextResponse)
@fastapi_response.get("/plaintext", response_class=PlainTextResponse)
async def fastapi_plaintext() -> str:
    return "Hello, World!"


# An annotation of what it returns would be a response model.
@fastapi.get("/json")
async def fastapi_greeting():  # type: ignore[no-untyped-def]
    return {"message": "Hello, World!"}


@fastapi_declared.get("/json")
async def declared_greeting() -> Greeting:
    return Greeting(message="Hello, World!")


@fastapi_response.get("/json")
async def returned_greeting() -> JSONResponse:
    return JSONResponse({"message": "Hello, World!"})
