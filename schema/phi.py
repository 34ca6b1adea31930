"""Identifying spans of a document (protected health information, PHI)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PhiLabel(StrEnum):
    """What an identifying span is. The labels are those of AP-HP's eds-pseudo (Tannier et al. 2024)."""

    NOM = "NOM"
    PRENOM = "PRENOM"
    DATE_NAISSANCE = "DATE_NAISSANCE"
    DATE = "DATE"
    ADRESSE = "ADRESSE"
    ZIP = "ZIP"
    VILLE = "VILLE"
    TEL = "TEL"
    MAIL = "MAIL"
    IPP = "IPP"
    NDA = "NDA"
    SECU = "SECU"
    HOPITAL = "HOPITAL"


@dataclass(frozen=True, slots=True, order=True)
class PhiEntity:
    """An identifying span: code points [start, end) of the document's text *as given* (``RawDocument.text``)."""

    start: int
    end: int
    label: PhiLabel


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """What the data warehouse knows of one patient, to be found in that patient's documents whatever their wording.

    ``values`` are (label, value) pairs as written in the warehouse; a label may come several times.
    """

    patient_id: str
    values: tuple[tuple[PhiLabel, str], ...]
