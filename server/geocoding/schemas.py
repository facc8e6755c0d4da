"""Wire shapes of geocoding."""

from typing import Annotated

from pydantic import BaseModel, Field

from geo.geocode.types import AddressQuery, Answer, Candidate

Short = Annotated[str, Field(max_length=400)]


class Question(BaseModel):
    """An address in fields or as one line."""

    name: Short = ""
    street: Short = ""
    postcode: Annotated[str, Field(max_length=40)] = ""
    city: Short = ""
    country: Annotated[str, Field(max_length=120)] = ""
    query: Short = ""

    def asked(self) -> AddressQuery:
        """As the geocoder takes it."""
        return AddressQuery(**self.model_dump())


class Batch(BaseModel):
    """Many questions."""

    items: Annotated[list[Question], Field(max_length=10_000)]


class CandidateRead(BaseModel):
    """One of the best three of an unsure address."""

    lon: float
    lat: float
    street: str
    number: str
    postcode: str
    city: str
    country: str
    grade: str
    uncertainty_m: float
    confidence: float

    @classmethod
    def of(cls, candidate: Candidate) -> "CandidateRead":
        """The shape of a candidate."""
        return cls(
            lon=candidate.point.lon, lat=candidate.point.lat, street=candidate.street, number=candidate.number,
            postcode=candidate.postcode, city=candidate.city, country=candidate.country, grade=candidate.grade,
            uncertainty_m=candidate.uncertainty_m, confidence=candidate.confidence,
        )  # fmt: skip


class AnswerRead(BaseModel):
    """Where an address is, how well that is known and why."""

    lon: float | None
    lat: float | None
    street: str
    number: str
    postcode: str
    city: str
    country: str
    grade: str | None
    uncertainty_m: float | None
    confidence: float
    reason: str
    provider: str
    candidates: list[CandidateRead]
    region_version: str

    @classmethod
    def of(cls, answer: Answer) -> "AnswerRead":
        """The shape of an answer."""
        return cls(
            lon=answer.point.lon if answer.point else None, lat=answer.point.lat if answer.point else None,
            street=answer.street, number=answer.number, postcode=answer.postcode, city=answer.city,
            country=answer.country, grade=answer.grade, uncertainty_m=answer.uncertainty_m,
            confidence=answer.confidence, reason=answer.reason, provider=answer.provider,
            candidates=[CandidateRead.of(c) for c in answer.candidates], region_version=answer.region_version,
        )  # fmt: skip


class Answers(BaseModel):
    """Answers in the order of the questions, with what must be printed beside them."""

    items: list[AnswerRead]
    attribution: list[str]
