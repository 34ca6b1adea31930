"""The closed questions of the stroke table, as other hands may answer them: forms, telegrams, letters, capitals."""

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from tests.generator.closed_questions import DAY, Note, angio, fill, imaging, later, summary, urgent


def report(text: str) -> Note:
    """A report of an operation whose first lines alone say of which."""
    return ("compte rendu opératoire", DAY, f"NEURORADIOLOGIE INTERVENTIONNELLE\nThrombectomie du 08/03/2022\n{text}")


# fmt: off
CASES: list[tuple[str, str | None, list[Note]]] = [
    ('cote', '4', [summary('Infarctus bulbaire par occlusion basilaire. Hémiplégie gauche.')]),
    ('cote', '4', [summary('Infarctus du pont, paramédian. Hémiparésie droite.')]),
    ('cote', '1', [summary('Infarctus paramédian gauche du pont.')]),
    ('cote', '1', [summary('Infarctus protubérantiel paramédian gauche. Hémiparésie droite.')]),
    ('cote', '4', [summary('AVC du tronc cérébral sur thrombose basilaire. Locked-in syndrome.')]),
    ('cote', '3', [summary('Infarctus cérébelleux droit et occipital gauche.')]),
    ('cote', '3', [summary('Infarctus cérébelleux bilatéraux.')]),
    ('cote', '3', [imaging('Conclusion : infarctus récents multifocaux des deux hémisphères.')]),
    ('cote', '3', [imaging('Conclusion : lésions ischémiques récentes bi-hémisphériques.')]),
    ('cote', '2', [summary('Syndrome de Wallenberg droit : infarctus latéro-bulbaire droit.')]),
    ('cote', '2', [summary('AVC dans le territoire de la PICA droite.')]),
    ('cote', '1', [summary("Ischémie aiguë de l'ACP G. HLH droite.")]),
    ('cote', '2', [imaging('AVCi ACM D récent.')]),
    ('cote', '2', [urgent('Hémiplégie G, aphasie croisée. NIHSS 18.'), imaging('Thrombus dans la M1 droite')]),
    ('cote', '2', [summary("Infarctus thalamique droit. Séquelle d'infarctus occipital gauche.")]),
    ('cote', '2', [imaging('Séquelles ischémiques pariétales gauches. Hypersignal diffusion insulaire droit.')]),
    ('cote', None, [urgent('Hémiplégie gauche brutale. Hanche droite opérée.')]),
    ('cote', '2', [summary('AVC isch. sylv. D sur occl. M1')]),
    ('cote', '1', [summary('territoire : sylvien superficiel G')]),
    ('cote', '1', [summary('Territoire atteint : [ ] ACM D [x] ACM G [ ] VB')]),
    ('cote', '2', [summary("Côté de l'AVC : droit")]),
    ('cote', '2', [summary('Côté : [x] D [ ] G')]),
    ('cote', '1', [urgent('Patient droitier. Aphasie. Occlusion M1 G.')]),
    ('cote', '2', [imaging('Infarctus récent cortical pariétal D. Lacunes anciennes bilatérales.')]),
    ('cote', '1', [imaging('Restriction de diffusion cortico-sous-corticale fronto-insulaire gauche.')]),
    ('cote', '4', [imaging('Infarctus pontique paramédian.')]),
    ('cote', '1', [summary('Infarctus de la choroïdienne antérieure gauche')]),
    ('site_occlusion', '2', [imaging('Hyperdensité de M1 gauche. Angio : stop M1 G.')]),
    ('site_occlusion', '2', [imaging('ARTERES : OCCLUSION PROXIMALE DE L ACM DROITE.')]),
    ('site_occlusion', '1', [imaging('Occlusion de la carotide interne gauche intracrânienne étendue à M1 et A1.')]),
    ('site_occlusion', '1', [summary("AVC sylvien G sur occlusion de l'ACI gauche athéromateuse.")]),
    ('site_occlusion', '3', [imaging("Occlusion d'une branche M2 inférieure droite. M1 perméable. Carotides libres.")]),
    ('site_occlusion', '3', [imaging("Arrêt brutal de la branche postérieure de division de l'ACM droite.")]),
    ('site_occlusion', '6', [imaging("Occlusion de l'artère vertébrale droite en V4. Tronc basilaire perméable.")]),
    ('site_occlusion', '0', [imaging('Axes carotidiens et polygone perméables. Pas de sténose.')]),
    ('site_occlusion', '0', [imaging('TOF : polygone de Willis sans anomalie.')]),
    ('site_occlusion', '0', [summary("IRM : infarctus lacunaire, ARM normale, pas d'occlusion.")]),
    ('site_occlusion', '0', [summary('AngioTDM : 0 occlusion.')]),
    ('site_occlusion', '2', [summary('Occlusion : [ ] aucune [ ] TICA [x] M1 [ ] M2 [ ] TB')]),
    ('site_occlusion', '6', [imaging('Thrombose basilaire. Carotides perméables.')]),
    ('site_occlusion', '2', [imaging('occl. M1 D, coll. bonnes')]),
    ('site_occlusion', '2', [imaging('Thrombus intraluminal de la sylvienne gauche dans sa portion M1')]),
    ('site_occlusion', '1', [imaging('Occlusion en T carotidien droit')]),
    ('site_occlusion', '2', [imaging("Image d'arrêt au niveau de M1 droit")]),
    ('site_occlusion', '2', [imaging('Stop en M1 G proximal')]),
    ('site_occlusion', '3', [imaging("Absence de visualisation d'une branche M2 temporale droite")]),
    ('site_occlusion', '6', [imaging("Occlusion du sommet du tronc basilaire s'étendant aux deux P1")]),
    ('site_occlusion', '2', [summary("AVC sylvien D par occlusion M1 d'origine cardioembolique.")]),
    ('imagerie_initiale', '2', [urgent('TDMc + TSA fait 10h')]),
    ('imagerie_initiale', '1', [urgent('IRM cér. : diff + sylvien D')]),
    ('imagerie_initiale', '2', [summary('Imagerie initiale : [ ] IRM [x] TDM')]),
    ('imagerie_initiale', '2', [urgent("Pacemaker donc pas d'IRM. Scanner cérébral réalisé à 10h.")]),
    ('imagerie_initiale', '1', [urgent('IRM cérébrale 10h05 puis angioscanner des TSA 10h30.')]),
    ('imagerie_initiale', '1', [urgent('IRM : DWI + sylvien. Ancien scanner 2019 normal.')]),
    ('thrombolyse', '0', [summary('[ ] thrombolyse IV [x] thrombectomie')]),
    ('thrombolyse', '1', [summary('Thrombolyse IV : oui. Thrombectomie : non.')]),
    ('thrombolyse', '0', [summary('TIV : 0. TM : 0.')]),
    ('thrombolyse', '0', [urgent('Ø TIV (AOD)')]),
    ('thrombolyse', '0', [urgent('TIV contre-indiquée : INR 2,8.')]),
    ('thrombolyse', '0', [urgent("Pas d'indication à une thrombolyse devant le déficit non invalidant.")]),
    ('thrombolyse', '1', [urgent('TNK 20 mg bolus 11h15.')]),
    ('thrombolyse', '1', [summary('thrombolysé par altéplase à H3')]),
    ('thrombolyse', '0', [urgent('Thrombolyse récusée devant un INR à 3.')]),
    ('thrombolyse', '0', [urgent('Après discussion, abstention de thrombolyse.')]),
    ('thrombolyse', '0', [urgent('On ne thrombolyse pas (récupération complète).')]),
    ('thrombolyse', '1', [urgent('Feu vert pour thrombolyse, débutée à 10h12 (altéplase).')]),
    ('thrombolyse', '0', [summary('Non thrombolysé, non thrombectomisé.')]),
    ('thrombolyse', '1', [summary('AVC sylvien droit thrombolysé et thrombectomisé.')]),
    ('agent_thrombolyse', '1', [urgent('Bolus rtPA 10h, PSE 1h')]),
    ('agent_thrombolyse', '2', [urgent('Metalyse 5000 UI')]),
    ('agent_thrombolyse', '1', [urgent('[x] altéplase [ ] ténectéplase, bolus 10h, 63 mg')]),
    ('agent_thrombolyse', '2', [summary('TIV par TNK')]),
    ('agent_thrombolyse', '1', [summary('fibrinolyse par alteplase')]),
    ('agent_thrombolyse', '2', [urgent('Protocole altéplase non disponible : ténectéplase 20 mg bolus.')]),
    ('thrombectomie', '1', [summary('[ ] thrombolyse IV [x] thrombectomie')]),
    ('thrombectomie', '0', [summary('Thrombolyse IV : oui. Thrombectomie : non.')]),
    ('thrombectomie', '0', [summary('TIV : 0. TM : 0.')]),
    ('thrombectomie', '0', [summary('Pas de thrombectomie car occlusion trop distale')]),
    ('thrombectomie', '0', [urgent("TM : pas d'indication (0 occlusion).")]),
    ('thrombectomie', '1', [angio('Ponction 10h. Artère retrouvée ouverte, pas de passage.')]),
    ('thrombectomie', '0', [summary('Non thrombolysé, non thrombectomisé.')]),
    ('thrombectomie', '1', [summary('AVC sylvien droit thrombolysé et thrombectomisé.')]),
    ('anesthesie', '1', [report('Anesthésie : AG\nPonction 10h.')]),
    ('anesthesie', '1', [report("Patient déjà intubé-ventilé à l'arrivée en salle. Ponction 10h.")]),
    ('anesthesie', '1', [report("Type d'anesthésie : [ ] locale [ ] sédation [x] générale\nPonction 10h")]),
    ('anesthesie', '3', [report('Anesthésie : [x] AL [ ] sédation [ ] AG\nPonction 10h')]),
    ('anesthesie', '2', [report('Sous sédation (propofol faible dose) en ventilation spontanée. Ponction 10h')]),
    ('anesthesie', '2', [report('Anesthésie : NLA. Ponction 10h')]),
    ('anesthesie', '3', [report('AL simple au point de ponction, patient calme. Ponction 10h')]),
    ('anesthesie', '1', [report('Anesth. gén. (Dr X). Ponction 10h')]),
    ('anesthesie', '1', [report('Anesthésie générale avec IOT en séquence rapide. Ponction 10h')]),
    ('anesthesie', '3', [report("Pas d'anesthésie générale ni sédation : anesthésie locale. Ponction 10h")]),
    ('anesthesie', '2', [report("Anesthésie locale puis sédation consciente devant l'agitation. Ponction 10h")]),
    ('anesthesie', '2', [angio('Ponction 10h. Sédation consciente. Pas de conversion en anesthésie générale.')]),
    ('anesthesie', '1', [angio('Ponction 10h. Sédation initiale puis intubation à 10h30 pour agitation.')]),
    ('anesthesie', '2', [angio('Ponction 10h. Anesthésie : sédation légère, patient en VS.')]),
    ('anesthesie', '3', [angio('Ponction 10h. Procédure réalisée sous anesthésie locale pure.')]),
    ('anesthesie', None, [angio('Ponction 10h. Anesthésiste : Dr Durand.')]),
    ('technique_tm', '2', [report('Ponction 10h. Passage 1 et 2 : Embotrap 5x33. TICI 3')]),
    ('technique_tm', '3', [report('Ponction 10h. 1) aspiration : échec. 2) stent 4x40 déployé dans M1 : TICI 2b.')]),
    ('technique_tm', '3', [report('Ponction 10h. Technique : SR + aspiration. TICI 3')]),
    ('technique_tm', '1', [report('Technique : [x] aspiration [ ] stent retriever [ ] combinée. Ponction 10h. ')]),
    ('technique_tm', '2', [report('Technique : [ ] aspiration [x] stent retriever [ ] combinée. Ponction 10h. ')]),
    ('technique_tm', '1', [report('Ponction 10h. ADAPT, 1 passage. Pas de recours au stent retriever.')]),
    ('technique_tm', '1', [summary('Thrombectomie par thrombo-aspiration seule, TICI 3 en 1 passage.')]),
    ('technique_tm', '2', [report("Ponction 10h. Stent retriever exclusif, pas d'aspiration. TICI 3")]),
    ('technique_tm', '2', [angio('Ponction 10h. Capture du caillot par stent Solitaire, un passage.')]),
    ('technique_tm', None, [angio('Ponction 10h. Deux passages. TICI 3.')]),
    ('complication_tm', '0', [report("Ponction 10h. TICI 3. Pas d'extravasation ni de dissection sur le contrôle.")]),
    ('complication_tm', '0', [report('Ponction 10h. TICI 3. Pas de complication immédiate.')]),
    ('complication_tm', '0', [report('Ponction 10h. TICI 3. Incident : néant')]),
    ('complication_tm', '1', [report("Ponction 10h. Contrôle : embole dans l'ACA droite, non accessible.")]),
    ('complication_tm', '2', [report('Ponction 10h. Dissection iatrogène de la carotide interne, non sténosante.')]),
    ('complication_tm', '5', [report('Ponction 10h. Vasospasme carotidien sévère cédant sous nimodipine.')]),
    ('complication_tm', '0', [report('Ponction 10h. Vasospasme modéré habituel. Pas de complication.')]),
    ('complication_tm', '0', [angio('Ponction 10h. TICI 3. Déroulement sans complication.')]),
    ('complication_tm', '0', [angio('Ponction 10h. TICI 3. Aucun événement indésirable per-procédure.')]),
    ('complication_tm', '0', [angio('Ponction 10h. TICI 2b. Complication procédurale : non')]),
    ('etiologie_toast', '2', [summary('Mécanisme cardio-embolique sur FA découverte. Doppler : pas de sténose.')]),
    ('etiologie_toast', '1', [summary('Classification TOAST : 1')]),
    ('etiologie_toast', '3', [summary('TOAST 3')]),
    ('etiologie_toast', '2', [summary('TOAST = cardioembolique')]),
    ('etiologie_toast', '4', [summary('Étiologie : dissection carotidienne gauche.')]),
    ('etiologie_toast', '5', [summary('Bilan étiologique négatif à ce jour. AVC cryptogénique.')]),
    ('etiologie_toast', '5', [summary('Heure de début inconnue. Étiologie indéterminée.')]),
    ('etiologie_toast', None, [summary('Heure de début inconnue. Holter demandé.')]),
    ('etiologie_toast', '5', [summary('Deux causes possibles : FA et sténose carotidienne symptomatique.')]),
    ('etiologie_toast', '1', [summary('Cause : athérome carotidien D (LAA)')]),
    ('etiologie_toast', '3', [summary('Maladie des petites artères.')]),
    ('etiologie_toast', '2', [summary('Au total infarctus cardio-embolique sur ACFA non anticoagulée.')]),
    ('etiologie_toast', '4', [summary('Endocardite exclue. Cause retenue : syndrome des antiphospholipides.')]),
    ('etiologie_toast', '5', [summary("ESUS, implantation d'un holter.")]),
    ('etiologie_toast', '5', [summary('Pas de cardiopathie emboligène, pas de sténose. Etiologie : non déterminée.')]),
    ('etiologie_toast', '5', [summary("Au terme du bilan, aucune étiologie n'est retenue.")]),
    ('etiologie_toast', '2', [summary("AVC d'origine cardio-embolique probable (FA paroxystique).")]),
    ('etiologie_toast', None, [summary('Bilan étiologique en cours : holter, ETT. RDV à 3 mois.')]),
    ('etiologie_toast', '2', [summary('Bilan étiologique : thrombus apical du VG => cause cardioembolique')]),
    ('etiologie_toast', '3', [summary("Mécanisme : occlusion d'une artère perforante (lipohyalinose).")]),
    ('etiologie_toast', '4', [summary('AVC secondaire à une vascularite cérébrale.')]),
    ('etiologie_toast', '4', [summary('Infarctus sur dissection vertébrale droite')]),
    ('destination', '1', [summary('Sortie vers : [x] domicile [ ] SMR [ ] autre')]),
    ('destination', '2', [summary('Sortie vers : [ ] domicile [x] SMR [ ] autre')]),
    ('destination', '2', [summary('Mode de sortie : SSR neuro (Berck)')]),
    ('destination', '2', [summary('Devenir : SSR gériatrique')]),
    ('destination', '2', [summary('Transfert ce jour en SMR, puis retour à domicile envisagé.')]),
    ('destination', '3', [summary("En attente d'une place en SSR, il est muté ce jour en gériatrie.")]),
    ('destination', '3', [summary("Merci d'accueillir M. X dans votre service de cardiologie ce jour.")]),
    ('destination', '1', [summary('RAD ce jour. Demande de SSR refusée par la famille.')]),
    ('destination', '1', [summary('Sortie autorisée ce jour au domicile de sa fille.')]),
    ('destination', '4', [summary('Retour EHPAD Les Lilas ce jour')]),
    ('destination', '4', [summary('Admission en USLD le 15/03.')]),
    ('destination', '5', [summary('Décès le 14/03/2022 à 4h20 dans le service.')]),
    ('destination', '5', [summary('Le patient est décédé malgré les soins.')]),
    ('destination', '2', [summary('Elle part au centre de rééducation de Kerpape.')]),
    ('destination', '2', [summary('Suite de prise en charge en hospitalisation complète au CRF.')]),
    ('destination', '3', [summary('Retransféré au CH de Cambrai (neurologie).')]),
    ('destination', '1', [summary('Retour à domicile avec HDJ de rééducation 3x/sem.')]),
    ('destination', '1', [summary("Sort à domicile. Kiné en ville. Vit seule, père décédé d'un AVC.")]),
    ('destination', '2', [summary('CAT : SSR')]),
    ('destination', '2', [summary('-> SSR le 15/03')]),
    ('destination', '1', [summary('-> RAD le 15/03')]),
    ('destination', '2', [summary("Nous vous l'adressons pour rééducation intensive dans votre centre.")]),
    ('destination', '3', [summary('transféré en réanimation médicale pour détresse respiratoire')]),
    ('destination', '2', [summary('Orientation : SSR cardio-neuro.')]),
    ('destination', '1', [summary('Elle sera raccompagnée à son domicile par ambulance ce jour.')]),
    ('destination', '1', [summary('Autorisé à regagner son domicile.')]),
    ('destination', '2', [summary('Sortie : 15/03, rééducation fonctionnelle (Dr Y)')]),
    ('destination', '3', [summary('Passe ce jour en chirurgie vasculaire pour endartériectomie.')]),
    ('destination', '3', [summary('Mutation en pneumologie le 15/03.')]),
    ('destination', '5', [summary('Exitus le 14/03.')]),
    ('destination', '1', [summary('Retour domicile avec HAD.')]),
    ('destination', '2', [summary("Demande de SMR acceptée, transfert le 15/03 à l'hôpital de Y (SMR).")]),
    ('destination', '4', [summary('Retourne en maison de retraite.')]),
    ('destination', '1', [summary('Refus de SSR par le patient, sortie contre avis à domicile.')]),
]
# fmt: on


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_answer(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    assert fill(stroke, *notes)[name].value == expected


def test_last_conclusion_wins(stroke: RulesGenerator) -> None:
    first = summary("Étiologie indéterminée à ce stade.")
    value = fill(stroke, first, later("Le holter a mis en évidence une FA : AVC cardio-embolique."))["etiologie_toast"]
    assert value.value == "2"


def test_cites_the_report_and_the_summary(stroke: RulesGenerator) -> None:
    notes = (
        imaging("Occlusion M1 droite."),
        report("Occlusion de M1 droite. Ponction 10h."),
        summary("Occlusion M1 D."),
    )
    value = fill(stroke, *notes)["site_occlusion"]
    assert {evidence.document_id for evidence in value.evidence} == {"P1-0", "P1-1", "P1-2"}


def test_class_number_ticked(stroke: RulesGenerator) -> None:
    value = fill(stroke, summary("TOAST : [ ] 1 [ ] 2 [x] 3 [ ] 4 [ ] 5"))["etiologie_toast"]
    assert value.value == "3"


def test_history_written_on_one_line_with_the_present(stroke: RulesGenerator) -> None:
    note = urgent("ATCD : AVC sylvien gauche 2015, FA. Ce jour hémiplégie gauche. Angio-TDM : occlusion M1 droite.")
    values = fill(stroke, note)
    assert (values["cote"].value, values["site_occlusion"].value) == ("2", "2")
