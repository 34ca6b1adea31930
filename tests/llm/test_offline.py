"""vLLM without a server, in a process of its environment: the same promises as a server's."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from generator.llm.launch import find_vllm
from generator.llm.offline import OfflineEngine
from schema.problem import InputError

_PROGRAM = """
import json, sys
from pathlib import Path
from generator.llm.engine import Message, NoAnswer, Request
from generator.llm.offline import OfflineEngine

def main():
    folder = Path(sys.argv[1])
    schema = json.dumps({"type": "object", "properties": {"valeur": {"type": "integer", "minimum": 0, "maximum": 9}},
                         "required": ["valeur"], "additionalProperties": False})
    engine = OfflineEngine(folder, folder.with_name("adapter"), context=512)
    def asks(text, sample=0, most=64):
        return Request((Message("system", "Tu lis."), Message("user", text)), schema, most, sample)
    requests = [asks("un"), asks("mot " * 600), asks("un", 1), asks("un", most=3), asks("un", most=600), asks("un")]
    answers = engine.complete(requests)
    engine.close()
    told = [[a.fault.value] if isinstance(a, NoAnswer)
            else [a.finish.value, a.text, "".join(t.text for t in a.tokens), a.prompt_tokens] for a in answers]
    print("\\n" + json.dumps([engine.name, engine.context, told]), flush=True)

if __name__ == "__main__":
    main()
"""


@pytest.mark.server
def test_it_answers_as_a_server_does(vllm_there: None, tiny_llama: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    (python, *_), _ = find_vllm()
    ran = subprocess.run([python, program, tiny_llama], capture_output=True, text=True, env=environment, timeout=900)
    assert ran.returncode == 0, ran.stderr[-3000:]
    name, context, told = json.loads(ran.stdout.strip().splitlines()[-1])
    first, long, drawn, cut, more, again = told
    assert name.startswith("tiny on ")
    assert context == 512
    assert 0 <= json.loads(first[1])["valeur"] <= 9
    assert first[:1] == drawn[:1] == ["stop"]
    assert first == again
    assert first[1] == first[2]
    assert cut[0] == "length"
    assert long == more == ["too_long"]


def test_without_vllm_it_says_what_to_do(tiny_llama: Path) -> None:
    with pytest.raises(InputError, match="--server"):
        OfflineEngine(tiny_llama)


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no config\.json"):
        OfflineEngine(tmp_path)
