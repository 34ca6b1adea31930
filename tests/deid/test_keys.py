"""Key files: private, whole or refused, and drawn numbers that depend on the secret alone."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.keys import PatientKey, Replaced, Secret, private_file, read_key, read_shifts, write_key
from schema.problem import InputError

PATIENTS = [
    PatientKey("P1", -210, (Replaced("NOM", "Ambrière", "Lopez"), Replaced("DATE", "12 mars", "14 août"))),
    PatientKey("P,2\n'", 0),
]


def write(path: Path) -> Secret:
    secret = Secret.new()
    write_key(path, secret, [patient.to_json() for patient in PATIENTS])
    return secret


def test_what_is_written_is_read(tmp_path: Path) -> None:
    secret = write(tmp_path / "key.jsonl")
    key = read_key(tmp_path / "key.jsonl")
    assert list(key.patients.values()) == PATIENTS
    assert key.secret.hex == secret.hex
    assert read_shifts(tmp_path / "key.jsonl") == {"P1": -210, "P,2\n'": 0}


def test_a_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.jsonl"
    path.write_text("an older one, open to all")
    path.chmod(0o644)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["key.jsonl"]


def test_a_private_file_is_never_an_existing_one(tmp_path: Path) -> None:
    (tmp_path / "spans.jsonl").touch(0o644)
    with pytest.raises(FileExistsError):
        private_file(tmp_path / "spans.jsonl")


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "nothing", '{"format": "cohort-rag de-identification key 1"}', '{"format": "another"}', "\x00"],
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match="key"):
        read_key(path)


def test_a_key_with_another_kind_of_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.jsonl"
    secret = write(path)
    write_key(path, secret, ['{"patient_id": "P1", "shift_days": 1, "replaced": 5}'])
    with pytest.raises(InputError, match="not a whole"):
        read_key(path)


def test_a_key_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.jsonl"
    write(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="not a whole"):
        read_key(path)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path / "none.jsonl")


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_numbers_depend_on_every_word_and_on_the_secret(first: list[str], second: list[str]) -> None:
    secret = Secret(b"k" * 32)
    assert (secret.number(*first) == secret.number(*second)) == (first == second)
    assert secret.number(*first) == Secret(b"k" * 32).number(*first) != Secret(b"l" * 32).number(*first)
    assert sorted(secret.pick(range(7), *first)) == list(range(7))
