"""What callers give: checked into the domain's own values before anything else happens."""

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry import UNSET

from tsuzuri.domain import identifiers
from tsuzuri.domain.demographics import demographic_key
from tsuzuri.domain.identifiers import InsuredPersonNumber, MalformedNumber, PublicAssistanceNumber
from tsuzuri.graphql import context
from tsuzuri.graphql.context import AsOfPosition, RequestRefused
from tsuzuri.graphql.statements import aware


@strawberry.input(description="A facility's own patient number.")
class LocalNumber:
    facility: str = strawberry.field(description="医療機関番号: 10 digits.")
    number: str = strawberry.field(description="患者番号.")


@strawberry.input(description="A patient without a card: in emergencies and disasters only.")
class Demographics:
    kana: str = strawberry.field(description="カナ氏名.")
    birth_date: str = strawberry.field(description="生年月日: YYYY-MM-DD.")
    sex: str = strawberry.field(description="FHIR administrative-gender code.")
    insurer_number: str | None = strawberry.field(
        default=None, description="保険者番号: this or the postcode."
    )
    postal_code: str | None = strawberry.field(default=None, description="郵便番号: this or the insurer.")


@strawberry.input(description="How you name a patient: exactly one of these.", one_of=True)
class PatientKey:
    id: strawberry.ID | None = strawberry.field(default=UNSET, description="Our id.")
    insured_person: str | None = strawberry.field(
        default=UNSET, description="被保険者番号: 保険者番号8桁:記号:番号:枝番."
    )
    public_assistance: str | None = strawberry.field(
        default=UNSET, description="公費負担者番号8桁::受給者番号7桁:."
    )
    local: LocalNumber | None = strawberry.field(default=UNSET, description="A facility's own number.")
    demographics: Demographics | None = strawberry.field(
        default=UNSET, description="Name, birth date, sex: exactly one match, or NOT_AVAILABLE."
    )

    def checked(self) -> identifiers.PatientKey:
        """Raises RequestRefused; the message never repeats the number."""
        try:
            if self.id:
                return UUID(self.id)
            if self.insured_person:
                return InsuredPersonNumber.asked(self.insured_person)
            if self.public_assistance:
                return PublicAssistanceNumber.parse(self.public_assistance)
            if self.local:
                return identifiers.LocalNumber.parse(self.local.facility, self.local.number)
        except MalformedNumber as error:
            raise RequestRefused("BAD_INPUT", str(error)) from None
        except ValueError:
            raise RequestRefused("BAD_INPUT", "this is not the id of a patient") from None
        if self.demographics:
            return self._said(self.demographics)
        raise RequestRefused(
            "BAD_INPUT", "name the patient by id, insuredPerson, publicAssistance, local or demographics"
        )

    def _said(self, demographics: Demographics) -> identifiers.DemographicKey:
        try:
            return demographic_key(**vars(demographics))
        except MalformedNumber as error:
            raise RequestRefused("BAD_INPUT", str(error)) from None


@strawberry.input(
    description="A moment of the past: what was recorded then and may be seen now.", one_of=True
)
class AsOf:
    at: datetime | None = strawberry.field(default=UNSET, description="A time.")
    position: str | None = strawberry.field(default=UNSET, description="A position that an answer gave out.")

    def checked(self) -> context.AsOf:
        """Raises RequestRefused."""
        if self.position:
            return AsOfPosition(self.position)
        if self.at:
            return aware(self.at)
        raise RequestRefused("BAD_INPUT", "asOf is a time or a position")


@strawberry.input(description="From a moment on, before another; either may be left open.")
class Period:
    start: datetime | None = strawberry.field(name="from", default=None, description="From this moment on.")
    end: datetime | None = strawberry.field(name="to", default=None, description="Before this moment.")


@strawberry.input(description="Bundle.identifier.")
class BundleIdentifier:
    system: str = strawberry.field(description="Its system.")
    value: str = strawberry.field(description="Its value.")


def uuid_of(text: str, what: str) -> UUID:
    """Raises RequestRefused."""
    try:
        return UUID(text)
    except ValueError:
        raise RequestRefused("BAD_INPUT", f"this is not the id of {what}") from None
