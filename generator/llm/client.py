"""A language model behind an OpenAI-compatible server, such as vLLM: many requests in flight, faults waited out."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
import openai
from pydantic import BaseModel, ValidationError

from generator.llm.decoding import temperature, tokens_of
from generator.llm.engine import Completion, Fault, Finish, NoAnswer, Request
from generator.llm.errors import Failure, MalformedReplyError, translate
from generator.llm.served import Served, read_served
from schema.problem import InputError, Problem

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

#: Seconds to connect, and to hear what is served.
_GREETING = 10.0
#: Without graphics card a queue of long prompts takes minutes, and giving one up throws its work away. Seconds.
_TIMEOUT = 600.0
#: Pauses between tries: doubled from the first to the longest. Seconds.
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 10.0
#: Idle connections are reused for less time than vLLM's server keeps them (5 s). Seconds.
_KEPT_ALIVE = 4.0

_FINISHES = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "content_filter": Finish.REFUSED,
}


class ServerEngine:
    """An `Engine` that asks a server. Opened in the process that uses it; used from one thread at a time.

    Nothing is asked of any other address: proxies, redirections and the settings of the environment are not followed.
    The key of a server that wants one is read from the variable ``VLLM_API_KEY``, as vLLM itself does.

    Args:
        url: of the server, with or without ``/v1``.
        model: name that it serves; "": the only one, adapters apart.
        patience: seconds that the server may be away before its requests are given up.
        concurrency: requests in flight, at most.
        timeout: seconds that one answer may take, its turn in the server's queue included.
        on_wait: told once, in words, that the server is away and waited for.

    Raises:
        InputError: nothing answers at this address, or it does not serve the model.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        patience: float = 600.0,
        concurrency: int = 32,
        timeout: float = _TIMEOUT,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self._url = _with_version(url)
        self._patience = patience
        self._concurrency = concurrency
        self._on_wait = on_wait
        self._runner = asyncio.Runner()
        self._down_since: float | None = None
        self._gave_up = False
        self._is_replaced = False
        limits = httpx.Limits(max_connections=concurrency, keepalive_expiry=_KEPT_ALIVE)
        transport = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            limits=limits,
            timeout=httpx.Timeout(timeout, connect=_GREETING, pool=None),
        )
        self._client = openai.AsyncOpenAI(
            base_url=self._url,
            api_key=os.environ.get("VLLM_API_KEY") or "none",
            max_retries=0,
            http_client=transport,
        )
        try:
            self._served = self._runner.run(self._find(model))
        except BaseException:
            self.close()
            raise
        self.name = self._served.identity
        self.context = self._served.context

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """See `Engine.complete`."""
        return self._runner.run(self._all(requests))

    def close(self) -> None:
        """See `Engine.close`."""
        if not self._client.is_closed():
            self._runner.run(self._client.close())
            self._runner.close()

    async def _find(self, model: str) -> Served:
        try:
            served = read_served(await self._listing(), self._url)
        except (openai.OpenAIError, MalformedReplyError) as error:
            what = f"No language model answers there ({translate(error).answer.detail})."
            remedy = "Start one (cohort-rag serve MODEL), or give the address of one that runs."
            raise InputError(Problem(self._url, what, remedy)) from None
        wanted = [one for one in served if (one.model == model if model else not one.parent)]
        if len(wanted) == 1:
            return wanted[0]
        names = ", ".join(one.model for one in served) or "none"
        what = f"It does not serve {model!r}." if model else "It does not serve one model alone."
        raise InputError(Problem(self._url, what, f"Name one of those that it serves: {names}."))

    async def _listing(self) -> Any:
        reply = await self._client.models.with_raw_response.list(timeout=_GREETING)
        return _json_of(reply.http_response)

    async def _all(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        self._gave_up = False
        turns = asyncio.Semaphore(self._concurrency)
        recovery = asyncio.Lock()

        async def one(request: Request) -> Completion | NoAnswer:
            async with turns:
                return await self._answer(request, recovery)

        return await asyncio.gather(*(one(request) for request in requests))

    async def _answer(self, request: Request, recovery: asyncio.Lock) -> Completion | NoAnswer:
        """Ask until there is an answer, or another try is not worth it."""
        failures = 0
        troubled_since = time.monotonic()
        while True:
            if self._down_since is not None:
                async with recovery:
                    await self._await_return()
            if self._is_replaced:
                return NoAnswer(Fault.UNREACHABLE, "another model is served under this name now")
            if self._gave_up:
                return NoAnswer(Fault.UNREACHABLE, "the server did not come back")
            tried = await self._try(request)
            if isinstance(tried, Completion):
                return tried
            if not failures:
                troubled_since = time.monotonic()
            failures += 1
            if tried.is_down and self._down_since is None:
                self._down_since = time.monotonic()
            waited = time.monotonic() - troubled_since
            if waited > self._patience or (tried.tries is not None and failures >= tried.tries):
                return tried.answer
            await asyncio.sleep(_pause(failures) if tried.wait is None else tried.wait)

    async def _await_return(self) -> None:
        """Wait until the server says again what it serves, or patience ends; one request waits for all."""
        probes = 0
        while self._down_since is not None and not self._gave_up:
            try:
                served = read_served(await self._listing(), self._url)
            except (openai.OpenAIError, MalformedReplyError):
                if time.monotonic() - self._down_since > self._patience:
                    self._gave_up = True
                    return
                if not probes and self._on_wait is not None:
                    self._on_wait(f"{self._url} does not answer: waiting for it, up to {self._patience:.0f} s.")
                probes += 1
                await asyncio.sleep(_pause(probes))
            else:
                self._is_replaced = self._served.identity not in {one.identity for one in served}
                self._down_since = None

    async def _try(self, request: Request) -> Completion | Failure:
        schema = json.loads(request.schema)
        try:
            reply = await self._client.chat.completions.with_raw_response.create(
                model=self._served.model,
                messages=[cast("ChatCompletionMessageParam", asdict(message)) for message in request.messages],
                max_tokens=request.max_tokens,
                temperature=temperature(request),
                seed=request.sample,
                logprobs=True,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": True, "schema": schema},
                },
            )
            return _read(_json_of(reply.http_response))
        except (openai.OpenAIError, MalformedReplyError) as error:
            return translate(error)


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Token(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Reply(BaseModel):
    """What is read of a chat completion; servers add to it."""

    choices: list[_Choice]
    usage: _Usage | None = None


def _json_of(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        raise MalformedReplyError from None


def _read(reply: Any) -> Completion:
    """Raises MalformedReplyError: no completion, or one that the server broke off."""
    try:
        read = _Reply.model_validate(reply)
    except ValidationError:
        raise MalformedReplyError from None  # its message quotes the answer
    if not read.choices:
        raise MalformedReplyError
    choice, usage = read.choices[0], read.usage or _Usage()
    finish = Finish.REFUSED if choice.message.refusal else _FINISHES.get(choice.finish_reason or "")
    if finish is None:
        raise MalformedReplyError
    text = choice.message.content or ""
    logprobs = (choice.logprobs.content if choice.logprobs else None) or []
    pieces = [(one.token.encode() if one.bytes is None else bytes(one.bytes), one.logprob) for one in logprobs]
    return Completion(text, finish, tokens_of(pieces, text), usage.prompt_tokens, usage.completion_tokens)


def _pause(failures: int) -> float:
    """Twice as long after each failure, drawn so that requests that failed together do not come back together."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 (no secret)


def _with_version(url: str) -> str:
    """Raises InputError: this is no URL."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url:
        what, remedy = "is not the URL of a server.", "Give one such as http://127.0.0.1:8000/v1."
        raise InputError(Problem(url, what, remedy))
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/v1"
