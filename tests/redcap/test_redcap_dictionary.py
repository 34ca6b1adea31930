"""Data dictionaries as people export, edit and break them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.redcap.dictionary import Dictionary, read_dictionary
from rag.redcap.units import unit_of
from schema.problem import InputError
from schema.variable import Choice, Variable, VariableKind

STROKE = Path(__file__).parents[2] / "configs/studies/stroke/dictionary.csv"

ENGLISH = [
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Field Annotation",
]
RAW = [
    "field_name",
    "form_name",
    "section_header",
    "field_type",
    "field_label",
    "select_choices_or_calculations",
    "field_note",
    "text_validation_type_or_show_slider_number",
    "text_validation_min",
    "text_validation_max",
    "identifier",
    "branching_logic",
    "required_field",
    "field_annotation",
]
_PARTS = "name form section type label choices note validation minimum maximum identifier branching required annotation"
PARTS = _PARTS.split()


def field(name: str, type: str = "text", label: str = "Question", **others: str) -> list[str]:
    given = {"name": name, "type": type, "label": label, "form": "visite", **others}
    return [given.get(part, "") for part in PARTS]


def read(
    tmp_path: Path,
    *fields: list[str],
    header: list[str] = ENGLISH,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Dictionary:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([header, field("patient", label="Identifiant"), *fields])
    path = tmp_path / "dico.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return read_dictionary(path)


def one(tmp_path: Path, *args: str, **others: str) -> Variable:
    dictionary = read(tmp_path, field("v", *args, **others))
    assert dictionary.problems == ()
    return dictionary.variables[0]


def test_stroke_dictionary_is_read_without_a_doubt() -> None:
    dictionary = read_dictionary(STROKE)
    assert dictionary.record_id == "record_id"
    assert (len(dictionary.variables), dictionary.skipped, dictionary.problems) == (49, (), ())
    assert len(dictionary.version) == 64
    by_name = {variable.name: variable for variable in dictionary.variables}
    units = {name: variable.unit for name, variable in by_name.items() if variable.unit}
    assert units == {
        "age": "années",
        "taille_poids_imc": "kg/m²",
        "pas_admission": "mmHg",
        "glycemie_admission": "mmol/L",
        "fevg": "%",
        "ldl": "mmol/L",
        "hba1c": "%",
    }
    assert by_name["tici_final"].choices[3] == Choice("2b", "2b")
    assert by_name["heure_ponction"].branching == "[thrombectomie] = '1'"
    assert by_name["nihss_24h"].section == "Évolution"


@pytest.mark.parametrize("header", [ENGLISH, RAW, [h.replace("Calculations, OR", "OR") for h in ENGLISH]])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_headings_delimiters_and_encodings(tmp_path: Path, header: list[str], delimiter: str, encoding: str) -> None:
    dictionary = read(
        tmp_path,
        field("stade", "radio", "Stade à l’entrée", choices="1, Précoce | 2, Avancé, métastatique"),
        header=header,
        delimiter=delimiter,
        encoding=encoding,
    )
    assert dictionary.record_id == "patient"
    (variable,) = dictionary.variables
    assert variable.label == "Stade à l’entrée"
    assert variable.choices == (Choice("1", "Précoce"), Choice("2", "Avancé, métastatique"))
    assert dictionary.problems == ()


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ("", {"kind": VariableKind.TEXT}),
        ("integer", {"kind": VariableKind.INTEGER}),
        ("number", {"kind": VariableKind.NUMBER, "decimals": None, "decimal_mark": "."}),
        ("number_2dp", {"kind": VariableKind.NUMBER, "decimals": 2, "decimal_mark": "."}),
        ("number_comma_decimal", {"kind": VariableKind.NUMBER, "decimals": None, "decimal_mark": ","}),
        ("number_4dp_comma_decimal", {"kind": VariableKind.NUMBER, "decimals": 4, "decimal_mark": ","}),
        ("date_dmy", {"kind": VariableKind.DATE, "date_order": "dmy"}),
        ("date", {"kind": VariableKind.DATE, "date_order": "ymd"}),
        ("datetime_mdy", {"kind": VariableKind.DATETIME, "date_order": "mdy", "seconds": False}),
        ("datetime_seconds_ymd", {"kind": VariableKind.DATETIME, "date_order": "ymd", "seconds": True}),
        ("time", {"kind": VariableKind.TIME, "seconds": False}),
        ("time_hh_mm_ss", {"kind": VariableKind.TIME, "seconds": True}),
        ("email", {"kind": VariableKind.EMAIL}),
        ("phone", {"kind": VariableKind.PHONE}),
        ("phone_france", {"kind": VariableKind.PHONE}),
        ("zipcode", {"kind": VariableKind.ZIPCODE}),
        ("postalcode_french", {"kind": VariableKind.ZIPCODE}),
    ],
)
def test_text_validations(tmp_path: Path, validation: str, expected: dict[str, object]) -> None:
    variable = one(tmp_path, validation=validation)
    assert {name: getattr(variable, name) for name in expected} == expected


@pytest.mark.parametrize("validation", ["time_mm_ss", "alpha_only", "integre"])
def test_a_validation_that_is_not_checked_is_said_and_read_as_text(tmp_path: Path, validation: str) -> None:
    dictionary = read(tmp_path, field("v", validation=validation))
    assert dictionary.variables[0].kind is VariableKind.TEXT
    (problem,) = dictionary.problems
    assert "row 3, variable 'v'" in problem.where
    assert validation in problem.what
    assert not problem.lost


def test_every_field_type(tmp_path: Path) -> None:
    dictionary = read(
        tmp_path,
        field("a", "notes"),
        field("b", "dropdown", choices="A, x"),
        field("c", "yesno"),
        field("d", "truefalse"),
        field("e", "checkbox", choices="1, x | -1, y"),
        field("f", "slider"),
        field("g", "calc"),
        field("h", "descriptive"),
        field("i", "file"),
        field("j", "sql"),
        field("k", annotation="@HIDDEN @CALCTEXT([c])"),
        field("l", "matrice"),
    )
    kinds = {variable.name: str(variable.kind) for variable in dictionary.variables}
    assert kinds == {
        "a": "notes",
        "b": "choice",
        "c": "yesno",
        "d": "truefalse",
        "e": "checkbox",
        "f": "integer",
    }
    slider = dictionary.variables[-1]
    assert (slider.minimum, slider.maximum) == ("0", "100")
    assert [(skipped.name, skipped.type) for skipped in dictionary.skipped] == [
        ("g", "calc"),
        ("h", "descriptive"),
        ("i", "file"),
        ("j", "sql"),
        ("k", "text"),
    ]
    (problem,) = dictionary.problems
    assert "'matrice'" in problem.what
    assert problem.lost


def test_html_is_taken_out_and_comparisons_stay(tmp_path: Path) -> None:
    label = '<div class="rich"><p>Débit <b>VEMS</b>&nbsp;(L/min/m<sup>2</sup>)</p><p>si &lt; 3 mois</p></div>'
    variable = one(tmp_path, "text", label, note="<x et >y : garder", validation="number")
    assert variable.label == "Débit VEMS (L/min/m2) si < 3 mois"
    assert variable.unit == "L/min/m2"
    assert variable.note == "<x et >y : garder"
    choices = one(tmp_path, "radio", choices="1, <span style='color:red'>Oui</span> | 2, < 5 mm").choices
    assert [choice.label for choice in choices] == ["Oui", "< 5 mm"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Cholestérol (mmol/L)", "mmol/L"),
        ("IMC (kg/m²)", "kg/m²"),
        ("FEVG (%)", "%"),
        ("CRP [mg/L]", "mg/L"),
        ("Pression systolique en mmHg", "mmHg"),
        ("Pression (mm Hg)", "mm Hg"),
        ("Âge (années)", "années"),
        ("Débit de filtration (mL/min/1,73 m²)", "mL/min/1,73 m²"),
        ("Plaquettes (10^9/L)", "10^9/L"),
        ("Plaquettes (x10⁹/L)", "x10⁹/L"),
        ("Leucocytes (G/L)", "G/L"),
        ("Leucocytes (/mm3)", "/mm3"),
        ("Protéinurie (g/24 h)", "g/24 h"),
        ("Fréquence cardiaque (battements par minute)", "battements par minute"),
        ("Créatinine µmol/L", "µmol/L"),
        ("Glycémie (mmol/L, à jeun)", "mmol/L"),
        ("Durée (en jours)", "jours"),
        ("Lactate (unité : mmol/L)", "mmol/L"),
        ("Score (échelle) et délai (min)", "min"),
        ("Surface (mm2)", "mm2"),
        ("Activité (heures/semaine)", "heures/semaine"),
        ("Diagnostic (mois/année)", ""),
        ("Tabac (paquets-années)", "paquets-années"),
        ("VEMS (% de la valeur théorique)", "%"),
        ("Aspects (scanner ou diffusion)", ""),
        ("NIHSS à 24 heures (J1)", ""),
        ("Côté (D/G)", ""),
        ("Sexe (M/F)", ""),
        ("Score (0-42)", ""),
        ("Score (/10)", ""),
        ("Décès (oui/non)", ""),
        ("Durée du traitement en cours", ""),
        ("Site (MS)", ""),
        ("", ""),
    ],
)
def test_units_are_told_from_other_brackets(text: str, unit: str) -> None:
    assert unit_of(text) == unit


def test_unit_comes_from_the_note_when_the_label_has_none(tmp_path: Path) -> None:
    assert one(tmp_path, "text", "Créatinine", note="À l'entrée, en µmol/L.", validation="integer").unit == "µmol/L"
    assert one(tmp_path, "text", "Commentaire", note="Délai en jours").unit == ""


@pytest.mark.parametrize(
    ("choices", "codes", "faults"),
    [
        ("1, Un | 2, Deux", ["1", "2"], 0),
        ("-1, Inconnu | 2a, Stade IIa | 99, NR", ["-1", "2a", "99"], 0),
        ("1,|2, ", ["1", "2"], 0),
        ("1, Un\n2, Deux", ["1", "2"], 0),
        ("1, Un | 1, Deux | 2, Trois", ["1", "2"], 1),
        ("1, Un | , Deux | 2, Trois |", ["1", "2"], 2),
        ("1, Un | ou deux | 2, Trois", ["1", "2"], 1),
        ("I | II | III", ["I", "II", "III"], 0),
        ("1, Un | é é, Deux", ["1"], 1),
    ],
)
def test_choices(tmp_path: Path, choices: str, codes: list[str], faults: int) -> None:
    dictionary = read(tmp_path, field("v", "radio", choices=choices))
    assert [choice.code for choice in dictionary.variables[0].choices] == codes
    assert [problem.lost for problem in dictionary.problems] == [False] * faults


def test_blank_label_is_its_code(tmp_path: Path) -> None:
    assert one(tmp_path, "radio", choices="1, | 2, b").choices == (Choice("1", "1"), Choice("2", "b"))


def test_field_without_readable_choice_is_lost_and_the_others_kept(tmp_path: Path) -> None:
    dictionary = read(tmp_path, field("x", "radio"), field("y", "checkbox", choices=", a"), field("z"))
    assert [variable.name for variable in dictionary.variables] == ["z"]
    assert [problem.lost for problem in dictionary.problems] == [True, True]


def test_names(tmp_path: Path) -> None:
    dictionary = read(
        tmp_path,
        field("Âge (ans)"),
        field("ok"),
        field("OK"),
        field("patient"),
        field(""),
        field("deux__tirets"),
        field("c", "checkbox", choices="1, a"),
        field("c___1"),
        field("d", "checkbox", choices="-1, a | .1, b"),
    )
    assert [variable.name for variable in dictionary.variables] == ["Âge (ans)", "ok", "deux__tirets", "c"]
    lost = [problem.where for problem in dictionary.problems if problem.lost]
    assert [where.partition(", ")[2] for where in lost] == [
        "row 5, variable 'OK'",
        "row 6, variable 'patient'",
        "row 7",
        "row 10, variable 'c___1'",
        "row 11, variable 'd'",
    ]
    assert all(problem.remedy for problem in dictionary.problems)


@pytest.mark.parametrize(
    ("validation", "minimum", "maximum", "kept", "problems"),
    [
        ("integer", "0", "42", ("0", "42"), 0),
        ("number_1dp", "0,5", "9.5", ("0,5", "9.5"), 0),
        ("integer", "42", "0", (None, None), 1),
        ("integer", "zéro", "42", (None, "42"), 1),
        ("date_dmy", "01/02/2020", "2021-01-01", ("01/02/2020", "2021-01-01"), 0),
        ("date_dmy", "2020-01-01", "today", ("2020-01-01", None), 1),
        ("datetime_ymd", "[debut]", "", (None, None), 1),
        ("time", "08:00", "18:00", ("08:00", "18:00"), 0),
        ("email", "1", "", (None, None), 1),
        ("", "1", "2", (None, None), 0),
    ],
)
def test_bounds(
    tmp_path: Path,
    validation: str,
    minimum: str,
    maximum: str,
    kept: tuple[str | None, str | None],
    problems: int,
) -> None:
    dictionary = read(tmp_path, field("v", validation=validation, minimum=minimum, maximum=maximum))
    (variable,) = dictionary.variables
    assert (variable.minimum, variable.maximum) == kept
    assert len(dictionary.problems) == problems


@pytest.mark.parametrize("logic", ["[inconnu] = '1'", "[score] > 3", "[a = 1", "datediff([b], 'today', 'd') > 2"])
def test_branching_that_cannot_be_evaluated_is_said_and_opened(tmp_path: Path, logic: str) -> None:
    dictionary = read(tmp_path, field("a"), field("b", branching=logic), field("score", "calc"))
    assert dictionary.variables[1].branching == ""
    (problem,) = dictionary.problems
    assert "variable 'b'" in problem.where
    assert "always applicable" in problem.what


def test_branching_may_name_a_later_field(tmp_path: Path) -> None:
    dictionary = read(tmp_path, field("a", branching="[b] = '1' or [c(2)] = '1'"), field("b"), field("c", "yesno"))
    assert dictionary.problems == ()
    assert dictionary.variables[0].branching


def test_section_and_form(tmp_path: Path) -> None:
    dictionary = read(
        tmp_path,
        field("a", section="<b>Bilan</b>"),
        field("b", required="y", identifier="y"),
        field("c", form="suivi"),
    )
    assert [variable.section for variable in dictionary.variables] == ["Bilan", "Bilan", ""]
    assert (dictionary.variables[1].required, dictionary.variables[1].identifier) == (True, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"a,b,c\n1,2,3\n",
        b"PK\x03\x04....",
        b"\x00\x01\x02\x00",
        ",".join(RAW).encode(),
        (",".join(RAW) + "\nid,f,,text,Id\n").encode(),
        b"\x81\x8d\x9d",
        b'field_name,field_type,field_label\n"' + b"x" * 200_000,
    ],
)
def test_unusable_files_say_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dico.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_dictionary(path)
    assert all("dico.csv" in problem.where and problem.remedy for problem in raised.value.problems)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(InputError):
            read_dictionary(path)


def test_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dico.csv"
    path.write_text("field_name,field_label\nid,Identifiant\n")
    with pytest.raises(InputError, match="Field Type"):
        read_dictionary(path)


def test_a_row_wider_than_the_headings_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "dico.csv"
    path.write_text("field_name,field_label,field_type\nid,Id,text\na,Poids, en kg,text\nb,Taille,text\n")
    dictionary = read_dictionary(path)
    assert [variable.name for variable in dictionary.variables] == ["b"]
    (problem,) = dictionary.problems
    assert "row 3" in problem.where
    assert problem.lost


def test_mac_line_ends_and_the_sep_line(tmp_path: Path) -> None:
    path = tmp_path / "dico.csv"
    rows = ["field_name;field_type;field_label", "id;text;Id", "a;text;Âge"]
    path.write_bytes("\r".join(rows).encode())
    assert [variable.label for variable in read_dictionary(path).variables] == ["Âge"]
    path.write_bytes("\r\n".join(["sep=;", *rows]).encode("cp1252"))
    assert [variable.label for variable in read_dictionary(path).variables] == ["Âge"]


wild = st.text(st.characters(codec="utf-8"), max_size=12)
types = st.sampled_from(["text", "radio", "checkbox", "yesno", "notes", "slider", "calc", ""]) | wild
validations = st.sampled_from(["", "integer", "number_1dp", "date_dmy", "datetime_ymd", "time", "email"]) | wild
logic = st.text("[]()ab1'<>=! andor,+-", max_size=20)
wild_fields = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]) | wild,  # name
        wild,
        wild,
        types,
        wild,
        st.text("0123ab,|-. é\n", max_size=20),
        wild,
        validations,
        st.sampled_from(["0", "1", "2020-01-01", "10:00"]) | wild,
        wild,
        wild,
        logic,
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wild_fields)
def test_wild_dictionaries_give_variables_or_an_input_error(tmp_path: Path, fields: list[tuple[str, ...]]) -> None:
    try:
        dictionary = read(tmp_path, *map(list, fields))
    except InputError:
        return
    names = [variable.name for variable in dictionary.variables]
    assert len(names) == len({name.lower() for name in names})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_wild_bytes_give_an_input_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dico.csv"
    path.write_bytes(b"field_name,field_type,field_label\n" + content)
    try:
        assert read_dictionary(path).variables
    except InputError as error:
        assert error.problems
