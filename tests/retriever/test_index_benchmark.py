"""The benchmark of the index measures what it says."""

import numpy as np

from benchmarks import index as benchmark


def test_growth_fills_each_size_and_asks_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "ASKED", 3)
    benchmark.growth(str(tmp_path), [1, 2], documents=4)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows[1:3]] == [["1", "6"], ["2", "12"]]  # documents of one and of two passages
    assert [row[0] for row in rows[4:]] == ["1", "2"]
    assert rows[4][4] == "1.00"


def test_one_document_more_is_read_from_the_state_before_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "TIMELINE", 3)
    put = []
    kept = benchmark.DenseIndex.put_states

    def spied(self, model, documents, states):
        put.append({number: np.array(state) for number, state in states.items()})
        kept(self, model, documents, states)

    monkeypatch.setattr(benchmark.DenseIndex, "put_states", spied)
    benchmark.update(benchmark.RandomEncoder(), str(tmp_path))
    assert "one document more" in capsys.readouterr().out
    assert [list(states) for states in put] == [[number] for number in range(3, 10)]
    assert len({states[number].tobytes() for number, states in enumerate(put, start=3)}) == 7
