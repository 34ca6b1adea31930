"""`cohort-rag serve`: a language model on this machine, for fill and ask."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

from rag.commands.console import DONE, command, positive, say

_ABOUT = "Serve a language model on this machine, for fill --generator llm."

_EXAMPLES = """\
examples:
  cohort-rag serve models/biomedical-french
  cohort-rag serve models/biomedical-french --adapter stroke=runs/stroke-adapter
  cohort-rag fill --generator llm --documents notes/ --dictionary dictionary.csv --out runs/first

It answers on 127.0.0.1 alone, until Ctrl-C. With a graphics card, install vllm beside this program; without one, run
make serve-cpu once.
"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands.add_parser, "serve", _ABOUT, _EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="folder of the model, or its name in this machine's hub cache")
    about = "a LoRA adapter to serve too, by this name (may be given again)"
    parser.add_argument("--adapter", type=_named, action="append", default=[], metavar="NAME=FOLDER", help=about)
    parser.add_argument("--port", type=positive, default=8000, metavar="N", help="where it answers (8000)")
    parser.add_argument("--name", default="", help="name of the model (that of its folder)")
    about = "tokens of a prompt and its answer (the model's, up to 8192)"
    parser.add_argument("--context", type=positive, metavar="N", help=about)
    about = "type of the weights (auto: the model's; bfloat16 without graphics card)"
    parser.add_argument("--dtype", choices=("auto", "bfloat16", "float16", "float32"), default="auto", help=about)
    about = "processor threads, without graphics card (vLLM chooses)"
    parser.add_argument("--threads", type=positive, metavar="N", help=about)
    parser.set_defaults(command=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from generator.llm.launch import ServedModel, find_model
    from generator.llm.serve import ServerProcess

    model = ServedModel(
        folder=find_model(arguments.model),
        name=arguments.name or ("" if Path(arguments.model).is_dir() else arguments.model),
        adapters=dict(arguments.adapter),
        context=arguments.context,
        dtype=arguments.dtype,
        threads=arguments.threads,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server = ServerProcess(model, arguments.port)
        say(f"Starting {server.name} …")
        with server:
            print(f"ready     {server.url}\nmodels    {', '.join([server.name, *model.adapters])}", flush=True)
            say("Ctrl-C stops it.")
            server.wait()
    except KeyboardInterrupt:
        say("Stopped.")
    return DONE


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _named(text: str) -> tuple[str, Path]:
    """A name and a folder: NAME=FOLDER."""
    name, mark, folder = text.partition("=")
    if not (name and mark and folder):
        raise argparse.ArgumentTypeError("give NAME=FOLDER")
    return name, Path(folder)
