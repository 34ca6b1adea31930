"""The main path of de-identification: documents -> spool -> patient by patient -> documents, spans, key."""

from __future__ import annotations

import functools
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from rag.corpus.decode import decode
from rag.corpus.read import read_documents
from rag.deid.gazetteer import gazetteer
from rag.deid.identities import parse_identities
from rag.deid.keys import Key, Secret, read_key, write_key
from rag.deid.policy import Policy, load_policy
from rag.deid.tokens import fold
from rag.deid_files import FORMATS, OutputFiles, PatientLines
from rag.deid_patient import Detector, PatientDeidentifier
from rag.fingerprint import hash_code, hash_tree
from rag.journal import Journal
from rag.store import Spool
from rag.terminology.bundled import open_terminology
from rag.workers import Failure, ReadPlace, read_all
from schema.phi import KnownIdentity
from schema.problem import InputError, Problem, describe_break

_NAMES_SHOWN = 5
_LONG_WORD = re.compile(r"[^\W\d_](?:[^\W_]|-(?=\w)){4,}")
_EPONYM = re.compile(r"(?<=[\s'’-])[A-ZÀ-Þ][a-zß-ÿ]{2,}")
#: Builds a detector inside the process that will use it; must be picklable.
MakeDetector = Callable[[], Detector]
#: Values of `DeidentifyRequest.ner` that are no folder.
NO_NER, SHIPPED_NER = "none", "shipped"


@dataclass(frozen=True, slots=True)
class DeidentifyRequest:
    """The arguments of one de-identification.

    Args:
        documents: folder or file, as `rag.corpus.read.read_documents` takes it.
        out: file of the de-identified documents, .jsonl, .csv or .parquet.
        spans: file of what was found, JSON lines; it names the patients.
        policy: name of a bundled policy, or path of a policy file.
        identities: table of known identities.
        key: the key file, made if missing, followed if it is there; by default beside ``spans``.
        ner: trained model whose spans are added: "none", "shipped", or the path of a folder.
        workers: number of processes that read patients, at least 1.
        resume: go on with an interrupted run.
        progress: show a progress bar on stderr.
    """

    documents: Path
    out: Path
    spans: Path
    policy: str = "surrogate"
    identities: Path | None = None
    key: Path | None = None
    ner: str = SHIPPED_NER
    workers: int = 1
    resume: bool = False
    progress: bool = False

    @property
    def key_file(self) -> Path:
        """Where the key is, or will be."""
        return self.key or self.spans.with_name(f"{self.spans.stem}.key.jsonl")

    @property
    def work(self) -> Path:
        """The folder that holds what is finished while the run is not: it names the patients, so it lies with them."""
        return self.spans.with_name(f".{self.spans.name}.work")


@dataclass(frozen=True, slots=True)
class DeidentifyReport:
    """What a de-identification did.

    Args:
        spans: number of spans by label.
        levels: number of sentences by level of sensitivity.
        failed: one problem for each patient on whom the program broke; their documents are not in the output.
    """

    patients: int
    documents: int
    spans: Counter[str]
    levels: Counter[str]
    problems: tuple[Problem, ...]
    failed: tuple[Problem, ...]

    def summary(self) -> list[str]:
        """What was done, in a few lines for a person."""
        spans = ", ".join(f"{label} {count}" for label, count in sorted(self.spans.items()))
        levels = ", ".join(f"{level} {count}" for level, count in sorted(self.levels.items()))
        lines = [
            f"{self.patients} patients, {self.documents} documents, {self.spans.total()} identifying spans",
            *([f"spans      {spans}"] if spans else []),
            f"sentences  {levels}",
        ]
        if self.failed:
            lines.append(f"{len(self.failed)} patients failed; run again with --resume to retry them alone")
        return lines


def deidentify(request: DeidentifyRequest, make_detector: MakeDetector | None = None) -> DeidentifyReport:
    """De-identify a corpus and write it, with its spans and its key.

    Args:
        make_detector: instead of the rules and the model that ``request`` names.

    Raises:
        InputError: nothing can be done (the message says what to mend).
    """
    _check_paths(request)
    policy = load_policy(request.policy)
    problems: list[Problem] = []
    identities = _identities(request.identities, problems)
    with _nothing_left(request):
        key = _key(request.key_file)
        journal, spool = _open_work(request, key, problems)
    failed: list[Problem] = []
    with spool:
        make = make_detector or functools.partial(_detector, request.ner)
        make_reader = functools.partial(_make_reader, spool.path, policy, key, identities, make)
        done = journal.places
        left = [place for place in range(spool.patients) if place not in done]
        results = read_all(left, make_reader, request.workers)
        bar = tqdm(results, total=spool.patients, initial=len(done), unit="patient", disable=not request.progress)
        for result in bar:
            if isinstance(result, Failure):
                failed.append(_failure_problem(spool, result))
            else:
                journal.add(result.place, asdict(result))
        problems += [*spool.problems(), *_strangers(request, identities, spool), *_near_problems(request)]
    report = _publish(request, key, journal, problems, failed)
    journal.close()
    if not failed:
        shutil.rmtree(request.work)
    return report


def _check_paths(request: DeidentifyRequest) -> None:
    if request.out.suffix.lower() not in FORMATS:
        what = f"documents cannot be written as {request.out.suffix or 'a folder'}."
        raise InputError(Problem(str(request.out), what, f"Give a file {', '.join(FORMATS)} to --out."))
    named = {
        "--documents": request.documents,
        "--out": request.out,
        "--spans": request.spans,
        "--key": request.key_file,
    }
    if request.identities:
        named["--identities"] = request.identities
    places: dict[Path, str] = {}
    for option, path in named.items():
        other = places.setdefault(path.resolve(), option)
        if other != option:
            raise InputError(Problem(str(path), f"is given to {other} and to {option}.", "Give each its own path."))
        written = option in ("--out", "--spans", "--key")
        if written and path.is_dir():
            raise InputError(Problem(str(path), "is a folder.", f"Give the path of a file to {option}."))
        if written and request.documents.is_dir() and path.resolve().is_relative_to(request.documents.resolve()):
            what = "lies inside the folder of the documents."
            raise InputError(Problem(str(path), what, f"Give a path elsewhere to {option}."))
    for path in (request.out, request.spans, request.key_file):
        path.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def _nothing_left(request: DeidentifyRequest) -> Iterator[None]:
    """A new run that cannot begin leaves neither key nor folder behind."""
    had_key = request.key_file.exists()
    try:
        yield
    except (InputError, OSError):
        if not request.resume:
            shutil.rmtree(request.work, ignore_errors=True)
        if not had_key:
            request.key_file.unlink(missing_ok=True)
        raise


def _identities(path: Path | None, problems: list[Problem]) -> dict[str, KnownIdentity]:
    if path is None:
        return {}
    try:
        text, encoding = decode(path.read_bytes())
    except OSError as error:
        what, remedy = f"cannot be read ({error.strerror}).", "Check the path given to --identities."
        raise InputError(Problem(str(path), what, remedy)) from error
    if encoding.damaged:
        what = "some bytes are not valid UTF-8; they are read as '�'."
        problems.append(Problem(path.name, what, "Export the file again in UTF-8.", lost=False))
    return parse_identities(path.name, text, problems.append)


def _key(path: Path) -> Key:
    """The key that is there, else a new one, which is written at once: a killed run goes on with it."""
    if path.exists():
        return read_key(path)
    key = Key(Secret.new(), {})
    write_key(path, key.secret, ())
    return key


def _open_work(request: DeidentifyRequest, key: Key, problems: list[Problem]) -> tuple[Journal, Spool]:
    """The finished patients and the documents of the run, those of the interrupted one where it goes on."""
    if not request.resume:
        shutil.rmtree(request.work, ignore_errors=True)
    request.work.mkdir(mode=0o700, exist_ok=True)
    made_of = {
        "documents": hash_tree(request.documents),
        "policy": load_policy(request.policy).model_dump_json(),
        "identities": hash_tree(request.identities) if request.identities else "",
        "key": str(key.secret.number("run")),
        "ner": request.ner if request.ner in (NO_NER, SHIPPED_NER) else hash_tree(Path(request.ner)),
        "code": hash_code(),
    }
    journal = Journal(request.work / "journal.jsonl", made_of)
    spool = Spool.find(request.work, made_of["documents"])
    if spool is None:
        documents = read_documents(request.documents, problems.append)
        spool = Spool.write(request.work, made_of["documents"], documents, problems)
        problems.clear()  # the spool gives them, to a resumed run too
    return journal, spool


def _detector(ner: str) -> Detector:
    """The rules, with a trained model where one is asked for; terms of the bundled terminology are not names."""
    from rag.deid import detect

    protected = _medical_words()
    if ner == NO_NER:
        return detect.Detector(protected)
    from rag.deid.ner import NerTagger

    return detect.Detector(protected, NerTagger.load(None if ner == SHIPPED_NER else Path(ner)))


def _medical_words() -> set[str]:
    """Words of the names of concepts: eponyms ("syndrome de Wallenberg"), and longer ones that are nobody's name.

    The latter open a line or follow "Biologiste :" with a capital, as a name does.
    """
    lists = gazetteer()
    words: set[str] = set()
    terminology = open_terminology()
    try:
        for _, name in terminology.store.texts():
            words.update(word[0] for word in _EPONYM.finditer(name))
            forms = {word[0]: fold(word[0]) for word in _LONG_WORD.finditer(name)}
            words.update(word for word, form in forms.items() if not (lists.is_name(form) or lists.is_town(form)))
    finally:
        terminology.close()
    return words


def _make_reader(
    spool: Path, policy: Policy, key: Key, identities: dict[str, KnownIdentity], make_detector: MakeDetector
) -> ReadPlace[PatientLines]:
    """Runs in the process that will read the patients."""
    patients = PatientDeidentifier(make_detector(), policy, key.secret, key.patients, identities)
    documents = Spool(spool)

    def read_place(place: int) -> PatientLines | Failure:
        try:
            return patients.read(place, documents.raw_documents(place))
        except Exception as error:
            return Failure(place, describe_break(error))

    return read_place


def _failure_problem(spool: Spool, failure: Failure) -> Problem:
    return Problem(
        f"patient {spool.patient_id(failure.place)!r}",
        f"the program broke on this patient ({failure.reason}); the documents are left out.",
        "Run the same command with --resume to try again; if it breaks again, report this message.",
    )


def _strangers(request: DeidentifyRequest, identities: dict[str, KnownIdentity], spool: Spool) -> Iterator[Problem]:
    """Identities of patients without documents: a sign that the two tables name patients differently."""
    if not identities:
        return
    strangers = len(identities.keys() - {spool.patient_id(place) for place in range(spool.patients)})
    if strangers:
        what = f"{strangers} of its {len(identities)} patients have no document."
        remedy = "Check that patient_id is written as in the documents."
        yield Problem(str(request.identities), what, remedy, lost=False)


def _near_problems(request: DeidentifyRequest) -> Iterator[Problem]:
    """What names the patients and lies where the de-identified documents do."""
    folder = request.out.resolve().parent
    for path in (request.spans, request.key_file):
        if path.resolve().parent == folder:
            what = "it names the patients, and lies in the folder of the de-identified documents."
            yield Problem(str(path), what, "Share that folder only without it.", lost=False)


def _publish(
    request: DeidentifyRequest, key: Key, journal: Journal, problems: list[Problem], failed: list[Problem]
) -> DeidentifyReport:
    spans: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    telling: list[str] = []
    patients = 0
    with OutputFiles(request.out, request.spans) as files:
        for lines in map(PatientLines.of, journal):
            files.add(lines)
            patients += 1
            spans.update(lines.labels)
            levels.update(lines.levels)
            telling += lines.telling
            problems += lines.problems
        write_key(request.key_file, key.secret, _key_lines(key, journal))
        files.publish()
    if telling:
        names = ", ".join(map(repr, telling[:_NAMES_SHOWN])) + ("…" if len(telling) > _NAMES_SHOWN else "")
        what = (
            f"{len(telling)} document_id (or file names) hold a date or a name and are kept, which identifies: {names}."
        )
        remedy = "Give documents identifiers that tell nothing before you share them."
        problems.append(Problem(str(request.documents), what, remedy, lost=False))
    return DeidentifyReport(patients, files.documents, spans, levels, (*problems, *failed), tuple(failed))


def _key_lines(key: Key, journal: Journal) -> Iterator[str]:
    """Patients of this run as they are now, then those of earlier runs as they were."""
    seen = set()
    for lines in map(PatientLines.of, journal):
        seen.add(lines.patient_id)
        yield lines.key
    yield from (patient.to_json() for name, patient in key.patients.items() if name not in seen)
