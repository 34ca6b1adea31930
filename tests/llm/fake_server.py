"""A server of the OpenAI form that says what a test scripts, and takes nothing that it does not know.

It offers the part of vLLM's interface that is used: ``GET /health``, ``GET /v1/models``, ``POST /v1/chat/completions``.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """An answer: its text, why it ends, what is declined. ``finish`` "" leaves the reason out."""

    text: str | None
    finish: str = "stop"
    refusal: str | None = None
    logprobs: bool = True


@dataclass(frozen=True)
class Status:
    """An error of the server."""

    code: int
    message: str = "scripted"
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Bytes that are no answer."""

    body: bytes
    kind: str = "application/json"


@dataclass(frozen=True)
class Hang:
    """No answer for some seconds, then none at all."""

    seconds: float


@dataclass(frozen=True)
class Reset:
    """A connection that is broken in the middle of an answer."""


Reply = Say | Status | Raw | Hang | Reset
Script = Callable[[Body], Reply]

_KNOWN = {"model", "messages", "max_tokens", "temperature", "seed", "logprobs", "response_format"}


class FakeServer:
    """Serves while it is entered. `die` breaks every connection; `revive` answers at the same address again.

    Args:
        script: the reply to a request that is well formed; None: any answer that the schema allows, always the same one
            to the same request.
        served: names of the models and, for an adapter, of its parent.
        root: folder from which the server says it loaded the first model.
    """

    def __init__(
        self,
        script: Script | None = None,
        served: Mapping[str, str | None] | None = None,
        context: int = 4096,
        root: str = "/nowhere/fake",
    ) -> None:
        self.script: Script = script or (lambda body: Say(any_answer(body)))
        self.served = {"fake": None} if served is None else dict(served)
        self.context = context
        self.root = root
        self.asked: list[Body] = []
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        self._server: _Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/v1"

    def revive(self) -> None:
        """Answer (again)."""
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def die(self) -> None:
        """Break every connection and take no more."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.break_connections()

    def __enter__(self) -> FakeServer:
        self.revive()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake: FakeServer) -> None:
        self.fake = fake
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        for connection in list(self._open):
            _break(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours; a script that fails is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _break(connection: socket.socket) -> None:
    """Close with a reset, as a process that is killed does."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        fake = self.server.fake
        if self.path == "/health":
            self._send(200, {})
        elif self.path == "/v1/models":
            cards = [
                {"id": name, "object": "model", "created": int(time.time()), "root": root, "parent": parent}
                | {"max_model_len": None if parent else fake.context}
                for (name, parent), root in zip(fake.served.items(), (fake.root, *fake.served), strict=False)
            ]
            self._send(200, {"object": "list", "data": cards})
        else:
            self._send_error(Status(404, "Not Found"))

    def do_POST(self) -> None:
        fake = self.server.fake
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with fake.lock:
            fake.asked.append(body)
            fake.in_flight += 1
            fake.most_in_flight = max(fake.most_in_flight, fake.in_flight)
        try:
            self._reply(_refusal_of(self.path, body, fake) or fake.script(body), body)
        finally:
            with fake.lock:
                fake.in_flight -= 1

    def _reply(self, reply: Reply, body: Body) -> None:
        if isinstance(reply, Say):
            self._send(200, _completion(reply, body))
        elif isinstance(reply, Status):
            self._send_error(reply)
        elif isinstance(reply, Raw):
            self._write(200, reply.body, reply.kind)
        elif isinstance(reply, Hang):
            time.sleep(reply.seconds)
            self._reset()
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        _break(self.connection)

    def _send_error(self, status: Status) -> None:
        error = {"message": status.message, "type": "Scripted", "param": status.param, "code": status.code}
        self._write(status.code, json.dumps({"error": error}).encode(), headers=status.headers)

    def _send(self, status: int, content: Body) -> None:
        self._write(status, json.dumps(content).encode())

    def _write(
        self, status: int, content: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _refusal_of(path: str, body: Body, fake: FakeServer) -> Status | None:
    """What is wrong with a request, as vLLM says it."""
    if path != "/v1/chat/completions":
        return Status(404, "Not Found")
    if unknown := set(body) ^ _KNOWN:
        return Status(400, f"unknown or missing: {sorted(unknown)}")
    if body["model"] not in fake.served:
        return Status(404, f"The model `{body['model']}` does not exist.", "model")
    roles = [message["role"] for message in body["messages"]]
    if not re.fullmatch(r"(system )?user( assistant user)*", " ".join(roles)):
        return Status(400, "turns out of order")
    form = body["response_format"]
    if form["type"] != "json_schema" or not isinstance(form["json_schema"]["schema"], dict):
        return Status(400, "no schema")
    if prompt_length(body) + 1 > fake.context or body["max_tokens"] > fake.context:
        return Status(400, f"This model's maximum context length is {fake.context} tokens.", "input_tokens")
    return None


def prompt_length(body: Body) -> int:
    """Tokens of a prompt: words, and what stands between them."""
    return sum(len(_pieces(message["content"])) for message in body["messages"])


def _pieces(text: str) -> list[str]:
    return re.findall(r"\w+|\W", text)


def _completion(said: Say, body: Body) -> Body:
    text, finish = said.text, said.finish
    pieces = _pieces(text or "")
    if len(pieces) > body["max_tokens"]:
        pieces, finish = pieces[: body["max_tokens"]], "length"
        text = "".join(pieces)
    choice: Body = {"index": 0, "message": {"role": "assistant", "content": text, "refusal": said.refusal}}
    if finish:
        choice["finish_reason"] = finish
    if said.logprobs:
        content = [{"token": piece, "logprob": -0.125, "bytes": list(piece.encode())} for piece in pieces]
        choice["logprobs"] = {"content": content}
    asked = prompt_length(body)
    usage = {"prompt_tokens": asked, "completion_tokens": len(pieces), "total_tokens": asked + len(pieces)}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice]} | {
        "usage": usage
    }


def any_answer(body: Body) -> str:
    """Some text that the schema of the request allows, which the request decides."""
    asked = json.dumps([body["messages"], body["seed"], body["temperature"]], sort_keys=True)
    chance = random.Random(hashlib.sha256(asked.encode()).digest())
    schema = body["response_format"]["json_schema"]["schema"]
    return json.dumps(_instance(schema, chance), ensure_ascii=False, separators=(",", ":"))


def _instance(schema: Body, chance: random.Random) -> Any:
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _instance(chance.choice(schema[key]), chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    kind = schema["type"]
    kind = chance.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _instance(part, chance) for name, part in schema["properties"].items()}
    if kind == "array":
        length = chance.randint(schema.get("minItems", 0), schema.get("maxItems", 2))
        return [_instance(schema["items"], chance) for _ in range(length)]
    if kind == "null":
        return None
    if kind == "boolean":
        return chance.random() < 0.5
    if kind in ("integer", "number"):
        return chance.randint(int(schema.get("minimum", 0)), int(schema.get("maximum", 99)))
    return chance.choice(["NIHSS à 12", "hémiplégie", "2021-06-14"])
