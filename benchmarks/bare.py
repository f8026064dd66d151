"""Apps as published benchmarks write them: one route, no middleware; with a declared reply and without one.

Not part of the contract: ``plausibility.py`` measures them to say where the contract's apps do more.
"""

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from apps.contract.replies import GreetingReply


async def health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def greeting(request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello, World!"})


starlette = Starlette(routes=[Route("/health", health), Route("/json", greeting)])
fastapi = FastAPI(openapi_url=None)
fastapi_declared = FastAPI(openapi_url=None)
fastapi_response = FastAPI(openapi_url=None)


@fastapi.get("/health")
@fastapi_declared.get("/health")
@fastapi_response.get("/health")
async def fastapi_health():
    return {"status": "ok"}


@fastapi.get("/json")
async def fastapi_greeting():
    return {"message": "Hello, World!"}


@fastapi_declared.get("/json")
async def declared_greeting() -> GreetingReply:
    return {"message": "Hello, World!"}


fastapi_response.get("/json", response_model=None)(greeting)
