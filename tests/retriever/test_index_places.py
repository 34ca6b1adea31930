"""Where an index is kept: folders that last, that are foreign, that are damaged; servers."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex, open_index
from retriever.passages import passages
from retriever.place import LOCK
from schema.problem import InputError
from tests.retriever.conftest import make_document

ENCODER = HashedNgramEncoder()


class OtherEncoder:
    name = "other"
    dimension = 3

    def encode(self, texts):
        return np.eye(3, dtype=np.float32)[[len(text) % 3 for text in texts]]


def unexpected(problem):
    raise AssertionError(str(problem))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """This machine alone may be spoken to."""
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family != socket.AF_UNIX:
            assert address[0] in ("127.0.0.1", "::1"), f"a connection to {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


def test_a_folder_keeps_the_vectors(tmp_path, document):
    doc = document("Aphasie brutale.")
    with closing(DenseIndex.in_folder(ENCODER, tmp_path / "new" / "index", unexpected)) as first:
        first.upsert([doc])
    with closing(open_index(ENCODER, str(tmp_path / "new" / "index"), unexpected)) as again:
        assert again.upsert([doc]) == 0
        np.testing.assert_array_equal(again.vectors("P1", passages(doc)), ENCODER.encode([doc.text]))


def test_no_text_of_a_document_is_written(tmp_path, document):
    with closing(DenseIndex.in_folder(ENCODER, tmp_path, unexpected)) as index:
        index.upsert([document("Aphasie brutale.")])
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"P1-01" in written
    assert b"Aphasie" not in written


def test_an_index_of_another_encoder_is_refused_and_kept(tmp_path, document):
    doc = document("Aphasie brutale.")
    with closing(DenseIndex.in_folder(OtherEncoder(), tmp_path, unexpected)) as index:
        index.upsert([doc])
    with pytest.raises(InputError) as refused:
        DenseIndex.in_folder(ENCODER, tmp_path, unexpected)
    for said in (str(tmp_path), "'other' (3 numbers)", f"{ENCODER.name!r} (2048 numbers)", "--index", "--rebuild"):
        assert said in str(refused.value)
    with closing(DenseIndex.in_folder(OtherEncoder(), tmp_path, unexpected)) as index:
        assert index.upsert([doc]) == 0


def test_an_index_of_other_passages_is_refused(tmp_path, document, monkeypatch):
    with closing(DenseIndex.in_folder(ENCODER, tmp_path, unexpected)) as index:
        index.upsert([document("Aphasie brutale.")])
    monkeypatch.setattr("retriever.manifest.PASSAGE_SETTINGS", {"max_words": 20})
    with pytest.raises(InputError, match=r"other passages.*max_words.*--rebuild"):
        DenseIndex.in_folder(ENCODER, tmp_path, unexpected)


def test_an_index_without_a_manifest_is_refused(tmp_path):
    import chromadb

    with chromadb.PersistentClient(tmp_path) as client:
        client.create_collection("cohort-rag.manifest", embedding_function=None)
    with pytest.raises(InputError, match="other files"):
        DenseIndex.in_folder(ENCODER, tmp_path, unexpected)
    (tmp_path / LOCK).touch()
    with pytest.raises(InputError, match=r"another version.*--rebuild"):
        DenseIndex.in_folder(ENCODER, tmp_path, unexpected)


def test_a_full_disk_is_not_damage(tmp_path, document, monkeypatch):
    from chromadb.api.models.Collection import Collection
    from chromadb.errors import InternalError

    doc = document("Aphasie brutale.")
    with closing(DenseIndex.in_folder(ENCODER, tmp_path, unexpected)) as index:
        index.upsert([doc])

        def full(*_, **__):
            raise InternalError("error returned from database: (code: 13) database or disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(Collection, "upsert", full)
            with pytest.raises(InputError, match=r"disk is full.*Make room"):
                index.upsert([document("Autre.", name="P1-02")])
        assert index.upsert([doc]) == 0


def test_rebuild_starts_again(tmp_path, document):
    doc = document("Aphasie brutale.")
    with closing(DenseIndex.in_folder(OtherEncoder(), tmp_path, unexpected)) as index:
        index.upsert([doc])
        index.put_states("gru", [doc], {1: np.ones(2)})
    (tmp_path / "notes.txt").write_text("mine")
    with closing(DenseIndex.in_folder(ENCODER, tmp_path, unexpected, rebuild=True)) as index:
        assert index.count() == 0
        assert index.states("gru", [doc]) == {}
        assert index.upsert([doc]) == 1
    assert (tmp_path / "notes.txt").read_text() == "mine"
    DenseIndex.in_folder(ENCODER, tmp_path, unexpected).close()


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "P1.txt").write_text("Aphasie.")
    for rebuild in (False, True):
        with pytest.raises(InputError, match=r"other files.*--index"):
            DenseIndex.in_folder(ENCODER, tmp_path, unexpected, rebuild=rebuild)
    with pytest.raises(InputError, match=r"P1\.txt.*cannot be used.*--index"):
        DenseIndex.in_folder(ENCODER, tmp_path / "P1.txt", unexpected)
    assert os.listdir(tmp_path) == ["P1.txt"]


# --- damage ---------------------------------------------------------------------------------------------------------

DOCUMENTS = [
    make_document(f"# A\nAphasie {i}.\n# B\nNIHSS à {i}.\n", patient=f"P{i % 9}", name=f"D{i}") for i in range(600)
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder whose vectors lie in Chroma's files, and not in its journal alone."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retriever.index._GRAPH", {"hnsw": {"space": "l2", "sync_threshold": 100, "batch_size": 50}})
        with closing(DenseIndex.in_folder(OtherEncoder(), folder, unexpected)) as index:
            index.upsert(DOCUMENTS)
    assert any(file.name == "data_level0.bin" for file in folder.rglob("*"))
    return folder


def cut(file):
    os.truncate(file, file.stat().st_size // 2)


def garbage(file):
    with file.open("r+b") as stream:
        stream.write(bytes(range(256)) * 16)


def files(pattern):
    return lambda folder: next(folder.rglob(pattern))


@pytest.mark.parametrize("harm", [cut, garbage, Path.unlink, lambda file: os.truncate(file, 0)])
@pytest.mark.parametrize(
    "name", ["chroma.sqlite3", "data_level0.bin", "header.bin", "length.bin", "link_lists.bin", "index_metadata.pickle"]
)
def test_a_damaged_folder_is_rebuilt_and_said(tmp_path, whole, harm, name):
    shutil.copytree(whole, tmp_path / "index")
    harm(next((tmp_path / "index").rglob(name)))
    said, encoded = [], []
    for _ in range(3):
        with closing(DenseIndex.in_folder(OtherEncoder(), tmp_path / "index", said.append)) as index:
            encoded.append(index.upsert(DOCUMENTS))
            for doc in DOCUMENTS[::50]:
                expected = OtherEncoder().encode([p.text for p in passages(doc)])
                np.testing.assert_array_equal(index.vectors(doc.patient_id, passages(doc)), expected)
    # Chroma may do without what was harmed, or not notice that a file is short and find the right vectors in memory
    # that the tests before left: then nothing is encoded, or not yet.
    assert encoded[-1] == 0
    assert sum(encoded) in (0, *range(132, 1201))
    assert [("damaged" in str(problem), problem.lost) for problem in said] == [(True, False)] * bool(sum(encoded))


def test_a_lost_folder_of_vectors_is_rebuilt(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "index")
    shutil.rmtree(next((tmp_path / "index").rglob("data_level0.bin")).parent)
    said = []
    with closing(DenseIndex.in_folder(OtherEncoder(), tmp_path / "index", said.append)) as index:
        assert 132 <= index.upsert(DOCUMENTS) <= 268  # of the patients who had their vectors there
    assert len(said) == 1


def test_vectors_that_are_not_those_stored_are_not_given(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "index")
    one, half = np.float32(1).tobytes(), np.float32(0.5).tobytes()
    for vectors in (tmp_path / "index").rglob("data_level0.bin"):
        content = vectors.read_bytes()
        assert one in content
        vectors.write_bytes(content.replace(one, half))
    said = []
    with closing(DenseIndex.in_folder(OtherEncoder(), tmp_path / "index", said.append)) as index:
        with pytest.raises(LookupError, match="upsert"):
            index.vectors("P1", passages(DOCUMENTS[1]))
        assert index.emptied == len(said) == 1
        assert index.upsert(DOCUMENTS) == 1200


# --- servers --------------------------------------------------------------------------------------------------------


@contextmanager
def running_server(folder):
    """The URL of a Chroma server on this machine, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [chroma, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{url}/api/v2/heartbeat", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url, process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URL of a server for the length of these tests."""
    with running_server(tmp_path_factory.mktemp("server")) as (url, _):
        yield url


def test_a_server_keeps_the_vectors(server, document):
    doc, other = document("# A\nAphasie.\n# B\nNIHSS à 14.\n"), document("FEVG.", name="P1-02")
    with closing(open_index(ENCODER, server, unexpected)) as index:
        assert index.upsert([doc, other]) == 3
        index.put_states("gru", [doc], {1: np.ones(2)})
    with closing(open_index(ENCODER, server, unexpected)) as index:
        assert index.upsert([doc, other]) == 0
        expected = ENCODER.encode([p.text for p in passages(doc)])
        np.testing.assert_array_equal(index.vectors("P1", passages(doc)), expected)
        assert len(index.states("gru", [doc, other])) == 1
        assert index.prune([("P1", "P1-02")]) == 2
        assert index.count() == 1


def test_indexes_of_a_server_are_kept_apart_by_name(server, document):
    doc = document("Aphasie.")
    with (
        closing(DenseIndex.on_server(ENCODER, f"{server}/one")) as one,
        closing(DenseIndex.on_server(OtherEncoder(), f"{server}/one-two")) as other,
    ):
        one.upsert([doc])
        assert other.upsert([doc]) == 1
        assert one.prune([]) == 1
        assert (one.count(), other.count()) == (0, 1)
    with pytest.raises(InputError, match=r"'other'.*--rebuild"):
        DenseIndex.on_server(ENCODER, f"{server}/one-two")
    DenseIndex.on_server(OtherEncoder(), f"{server}/one", rebuild=True).close()
    with closing(DenseIndex.on_server(OtherEncoder(), f"{server}/one-two")) as other:
        assert other.count() == 1


def test_what_another_client_dropped_is_made_again(server, document):
    doc = document("Aphasie.")
    with closing(DenseIndex.on_server(ENCODER, f"{server}/dropped")) as index:
        index.upsert([doc])
        DenseIndex.on_server(ENCODER, f"{server}/dropped", rebuild=True).close()
        assert index.upsert([doc]) == 1
        assert len(index.vectors("P1", passages(doc))) == 1


@pytest.mark.parametrize(
    "url", ["http://192.168.1.9:8000", "https://chroma.example.org", "http://127.0.0.1.example.org"]
)
def test_another_machine_is_refused_unless_allowed(url):
    with pytest.raises(InputError, match=rf"another machine.*remote:{url}"):
        open_index(ENCODER, url, unexpected)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://127.0.0.1:port",
        "http://127.0.0.1:8000/a b",
        "http://[::1",
        "https://:8",
        "http://127.0.0.1/a.b",
    ],
)
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(InputError, match=r"not the URL.*http://127"):
        open_index(ENCODER, url, unexpected)


def test_a_server_that_does_not_answer_is_said():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=re.escape("chroma run")):
        DenseIndex.on_server(ENCODER, f"http://127.0.0.1:{port}")


def test_a_server_that_ends_is_said(tmp_path, document):
    with running_server(tmp_path) as (url, process), closing(DenseIndex.on_server(ENCODER, url)) as index:
        index.upsert([document("Aphasie.")])
        process.kill()
        process.wait()
        with pytest.raises(InputError, match=re.escape("chroma run")):
            index.upsert([document("FEVG.")])
