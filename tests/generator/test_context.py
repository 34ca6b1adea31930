"""What is said of a mention. Each case is a sentence whose mention stands in «», and the marks it must bear."""

from __future__ import annotations

import pytest

from generator.rules.annotate import Annotated
from generator.rules.context import Context, context_of
from generator.rules.cues import cue_forms
from generator.rules.matcher import Matcher
from generator.rules.text import fold
from rag.corpus.build import build_document
from schema.document import RawDocument

AFFIRMED = [
    "Antécédents : «HTA», diabète de type 2.",
    "Patient «hypertendu» connu, non diabétique.",
    "«HTA» non traitée, mal équilibrée.",
    "Diabète non insulino-dépendant, «tabac» à 30 PA.",
    "Pas d'allergie connue, «HTA» traitée par amlodipine.",
    "Pas de tabac mais «dyslipidémie» traitée.",
    "Pas de doute sur la «pneumopathie».",
    "Un «AVC» n'est pas exclu en 2012 mais retenu en 2014 : «AVC» lacunaire.".replace("Un «AVC»", "Un AIT"),
    "Fume depuis l'âge de 15 ans, non sevré malgré une «BPCO».",
    "[x] «HTA»   [ ] diabète",
    "☒ «HTA» ☐ diabète",
    "HTA : [ ] oui [x] non    «Diabète» : [x] oui [ ] non",
    "«Diabète» : oui",
    "HTA : non ; «Diabète» : oui, type 2",
    "«HTA» +, diabète -",
    "Infarctus compliqué d'une «pneumopathie» d'inhalation, sans choc septique.",
    "Embolie pulmonaire éliminée, «pneumopathie» traitée par Augmentin.",
    "ATCD PERSONNELS : «HTA»   ATCD FAMILIAUX : AVC chez la mère",
    "Père décédé d'un infarctus. «HTA» depuis 2010.",
    "Mère diabétique ; lui-même : «HTA» et dyslipidémie.",
    "La mère de la patiente signale une «épilepsie» dans l'enfance.",
    "Vit avec sa sœur. «HTA» ancienne.",
    "Son épouse signale une «FA» connue depuis 2015.",
    "Le fils du patient rapporte une «HTA» traitée.",
    "«Thrombolyse» débutée à 14h02 malgré un risque hémorragique accru.",
    "«Thrombolyse» faite sans délai ni complication.",
    "«FA» non valvulaire, anticoagulée.",
    "Le scanner retrouve une «transformation hémorragique» sans effet de masse.",
    "Patient sans allergie, porteur d'un «pacemaker» depuis 2019.",
    "Pas seulement une gêne : vraie «pneumopathie».",
    "N'a jamais été suivi pour son «HTA».",
    "«FA» découverte il y a 2 ans, jamais anticoagulée.",
    "Aucun changement depuis la consultation : «diabète» équilibré.",
    "«Coronaropathie» stentée, sans récidive angineuse.",
    "Poursuite de l'«aspirine».",
    "Sous «Eliquis» sans oubli de prise.",
    "«Kardégic» 75, pas d'anticoagulant.",
    "Est traité par «apixaban» depuis sa phlébite, n'a pas saigné.",
    "«Pneumopathie» non compliquée, apyrexie.",
    "Le «diabète» n'est pas équilibré.",
    "Le «diabète» n'est pas traité.",
    "Le patient ne prend pas régulièrement son «Kardégic».",
    "Absence de contre-indication à l'«aspirine», débutée ce jour.",
    "«HTA» probable ancienne négligée, traitée depuis 2018.".replace("probable ", ""),
    "Plus de fièvre depuis le traitement de la «pneumopathie».",
    "«FA» sans anticoagulant.",
    "Pas de fièvre, toux ou expectoration. «Asthme» de l'enfance.",
    "Ni fièvre ni toux, «BPCO» stade 2.",
    "TABAC NON SEVRE, «HTA», PAS DE DIABETE",
    "Sans hypertension, mais «diabétique» depuis 2003.",
    "Douleur thoracique devant faire évoquer une dissection, éliminée ; «HTA» sévère.",
    # forms: boxes before or after their item, columns
    "HTA [ ]   «Diabète» [x]   FA [ ]",
    "FDR : HTA ☐  ATCD «AVC» ou AIT ☒  FA ☐",
    "FDR : [ ] HTA [x] diabète [x] «AVC» ou AIT [ ] FA",
    "Antécédents : HTA : [ ]  «coronaropathie» : [x]  diabète : [ ]",
    "«HTA» ................ [x]",
    "«HTA» O [x] N [ ]",
    "HTA oui   Diabète non   «Dyslipidémie» oui   FA non",
    "Diabète : non     «HTA»",
    "| «HTA» | oui |",
    "«HTA» + / Diabète - / FA -",
    "Rankin : 0  «HTA», diabète",
    "ATCD : 10 PA, «HTA»",
    "Pas de FA chez ce patient «hypertendu».",
    "«FA» non connue jusque-là.",
]

NEGATED = [
    "Pas d'«HTA».",
    "Pas d'HTA, pas de «diabète».",
    "Pas d'HTA, de «diabète» ni de dyslipidémie.",
    "Pas d'HTA, de diabète ni de «dyslipidémie».",
    "Ni HTA, ni «diabète», ni tabac.",
    "Pas d'HTA ni «diabète».",
    "Absence d'«HTA» et de diabète.",
    "Absence d'HTA et de «diabète».",
    "Non «diabétique», non fumeur.",
    "Patient non hypertendu et non «fumeur».",
    "N'a jamais «fumé».",
    "Il n'est pas «diabétique».",
    "Elle n'a ni HTA ni «diabète».",
    "«HTA» : non",
    "«HTA» : non, diabète : oui",
    "HTA : oui, «diabète» : non",
    "«HTA» = 0 ; Tabac = 20 PA",
    "«Diabète» (-)",
    "«HTA» : absente",
    "«Tabac» : aucun",
    "«Tabac» : jamais",
    "[ ] «HTA»   [x] diabète",
    "☐ «HTA» ☒ diabète",
    "«HTA» : ☐ oui ☒ non",
    "«HTA» : [ ] oui [x] non",
    "Aucune «fibrillation» n'a été vue.",
    "Pas de trouble du rythme, notamment pas de «FA».",
    "Pas d'argument pour un «AVC» hémorragique.",
    "Le holter ne retrouve pas de «FA».",
    "Le scanner ne montre pas de «saignement».",
    "L'imagerie de contrôle ne met pas en évidence de «transformation hémorragique».",
    "«Transformation hémorragique» non retrouvée.",
    "Embolie pulmonaire et «pneumopathie» éliminées.",
    "Une «embolie pulmonaire» a été éliminée.",
    "La «pneumopathie» a été écartée.",
    "Sans «transformation hémorragique».",
    "Évolution sans complication infectieuse ni «pneumopathie».",
    "Indemne de «coronaropathie».",
    "PAS D'«HTA»",
    "pas d «HTA»".replace("d «", "d' «"),
    "Nie tout «tabagisme».",
    "Il n'y a pas eu de «pneumopathie».",
    "Ne prend pas d'«anticoagulant».",
    "Ne prend ni antiagrégant ni «anticoagulant».",
    "Pas d'antécédent d'«AVC» ni d'AIT.",
    "Sans antécédent de «FA».",
    "Pas de nouvel épisode de «FA».".replace("nouvel épisode de ", ""),
    "Pas de «diabète» connu.",
    "HTA- «diabète»- tabac+",
    "«HTA» [ ]   Diabète [x]   FA [ ]",
    "FDR : HTA ☒  ATCD «AVC»/AIT ☐  FA ☐",
    "FDR : [ ] HTA [x] diabète [ ] «AVC» ou AIT [x] FA",
    "Antécédents : «HTA» : [ ]  coronaropathie : [x]  diabète : [ ]",
    "«Diabète» ............ [ ]",
    "«Diabète» O [ ] N [x]",
    "«Tabac» : [ ] actif [ ] sevré [x] jamais",
    "«Tabac» : actif ☐ sevré ☐ non ☒",
    "HTA oui   «Diabète» non   Dyslipidémie oui",
    "| «Diabète» | non |",
    "HTA + / «Diabète» - / FA -",
    "Tox : 0 «tabac», 0 OH",
    "Scope 5 j : 0 «FA»",
    "HTA, 0 «diabète»",
    "Il n'y a pas chez ce patient d'«angor» ni d'AVC.",
    "Il n'y a pas chez elle de signe évocateur de «coronaropathie».",
    "Nous n'avons pas vu, au cours de cinq jours de scope, de «FA».",
]

MARKED = [
    ("Père «diabétique».", "family"),
    ("Mère : HTA, «diabète».", "family"),
    ("Antécédents familiaux : «AVC» chez le père, HTA chez la mère.", "family"),
    ("ATCD fam : «IDM» père 58 ans.", "family"),
    ("AF : père «AVC» à 61 ans.", "family"),
    ("«AVC» chez son père à 70 ans.", "family"),
    ("Deux frères «diabétiques».", "family"),
    ("Sa sœur a été traitée pour un «cancer du sein».", "family"),
    ("Notion d'«infarctus» précoce chez le frère.", "family"),
    ("Hérédité : «coronaropathie» chez deux oncles.", "family"),
    ("Fils «épileptique».", "other_person"),
    ("Une grand-mère morte d'un «AVC».", "family"),
    ("Suspicion de «pneumopathie».", "hypothetical"),
    ("«Pneumopathie» ?", "hypothetical"),
    ("«FA» paroxystique possible.", "hypothetical"),
    ("Recherche de «FA» par Holter.", "hypothetical"),
    ("À la recherche d'une «FA».", "hypothetical"),
    ("Risque de «transformation hémorragique».", "hypothetical"),
    ("Reconsulter en cas de «saignement».", "hypothetical"),
    ("Si «FA», anticoaguler.", "hypothetical"),
    ("Probable «pneumopathie» d'inhalation à surveiller.", "hypothetical"),
    ("La «pneumopathie» reste à confirmer.", "hypothetical"),
    ("Une «FA» ne peut être exclue.", "hypothetical"),
    ("L'examen ne permet pas d'éliminer une «embolie pulmonaire».", "hypothetical"),
    ("«Thrombectomie» prévue demain.", "planned"),
    ("«Anticoagulation» à débuter à J10.", "planned"),
    ("Introduction d'«apixaban» prévue le 12.", "planned"),
    ("Indication à une «thrombectomie».", "planned"),
    ("Refus de la «thrombectomie».", "declined"),
    ("«Thrombectomie» récusée par le CHU.", "declined"),
    ("«Thrombolyse» contre-indiquée devant les AOD.", "declined"),
    ("«Thrombolyse» non indiquée.", "declined"),
    ("«Thrombectomie» initialement prévue puis annulée.", "declined"),
    ("Mari gros «fumeur».", "other_person"),
    ("Vit avec son époux «diabétique».", "other_person"),
    ("Voisine de chambre traitée pour une «pneumopathie».", "other_person"),
    ("Son conjoint a fait un «AVC» l'an dernier.", "other_person"),
]  # fmt: skip


def context(sentence: str) -> Context:
    """The context of the last mention in «»."""
    start = sentence.rindex("«")
    mention = sentence[start + 1 : sentence.rindex("»")]
    text = sentence.replace("«", "").replace("»", "")
    document = build_document(RawDocument("P", "D", text), [].append)
    annotated = Annotated(document, Matcher({**cue_forms(), "mention": [mention]}))
    at = sentence[:start].replace("«", "").replace("»", "")
    hits = [hit for hit in annotated.find("mention") if annotated.folded[: hit.start].rstrip() == fold(at).rstrip()]
    assert len(hits) == 1, f"the mention is not found once: {annotated.find('mention')}"
    return context_of(annotated, hits[0])


@pytest.mark.parametrize("sentence", AFFIRMED)
def test_affirmed(sentence: str) -> None:
    assert context(sentence).affirmed, context(sentence)


@pytest.mark.parametrize("sentence", NEGATED)
def test_negated(sentence: str) -> None:
    found = context(sentence)
    assert found.negated and not found.family, found


@pytest.mark.parametrize(("sentence", "mark"), MARKED)
def test_marked(sentence: str, mark: str) -> None:
    found = context(sentence)
    assert getattr(found, mark), found
    assert not found.affirmed
