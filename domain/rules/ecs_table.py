"""What the profiles of single resources require beyond FHIR: eCS of JP-CLINS, and two of JP Core.

Facts read from the published profiles, in our own notation (`table.py`). That a resource claims its profile is asked
only where its place in a Bundle says which one: elsewhere nobody could tell that the claim is missing.
"""

from tsuzuri.domain.rules.systems import HL7, RESOURCE_IDENTIFIER

_HEAD = "meta.lastUpdated meta.profile"
_NAMED = "identifier:resourceIdentifier!1 identifier:resourceIdentifier.value"
_CODED = "code code.coding code.coding.system code.coding.code@1.10 code.coding.display@1.10 code.text"
_ACT_CODE = f"{HL7}/v3-ActCode"

ECS = f"""
JP_Patient_eCS Patient: meta.lastUpdated name name.text name.family name.given gender birthDate address!1 address.text
JP_Condition_eCS Condition: {_HEAD} {_NAMED}
    clinicalStatus.coding clinicalStatus.coding.system@1.10 clinicalStatus.coding.code@1.10
    clinicalStatus.coding.display@1.10 verificationStatus verificationStatus.coding@1.10
    verificationStatus.coding.system@1.10 verificationStatus.coding.code@1.10 verificationStatus.coding.display@1.10
    category!1 code code.coding code.coding:medisRecordNo code.coding:medisRecordNo.code
    code.coding:medisRecordNo.display code.text subject extension:department.valueCodeableConcept.text
JP_AllergyIntolerance_eCS AllergyIntolerance: {_HEAD} {_NAMED}
    clinicalStatus.coding clinicalStatus.coding.system@1.10 clinicalStatus.coding.code@1.10
    clinicalStatus.coding.display@1.10 verificationStatus.coding verificationStatus.coding.system@1.10
    verificationStatus.coding.code@1.10 verificationStatus.coding.display@1.10 {_CODED} patient
    reaction.manifestation.text@1.10 extension:department.valueCodeableConcept.text
JP_Observation_LabResult_eCS Observation: {_HEAD} {_NAMED} status category:laboratory!1 {_CODED} subject effective[x]
    specimen extension:department.valueCodeableConcept.text
JP_MedicationRequest_eCS MedicationRequest: {_HEAD}
    identifier:requestIdentifier!1 identifier:requestIdentifier.value identifier:rpNumber identifier:orderInRp
    status=completed intent=order medicationCodeableConcept medicationCodeableConcept.coding
    medicationCodeableConcept.text subject authoredOn dosageInstruction dosageInstruction.text
    dosageInstruction.extension:periodOfUse dosageInstruction.extension:periodOfUse.valuePeriod.start
    dosageInstruction.timing dosageInstruction.timing.code dosageInstruction.timing.code.coding
    dosageInstruction.timing.code.text dosageInstruction.doseAndRate.type dosageInstruction.doseAndRate.type.coding
    dispenseRequest.quantity.unit@1.10 dispenseRequest.quantity.system@1.10 dispenseRequest.quantity.code@1.10
    dispenseRequest.expectedSupplyDuration.value@1.10 dispenseRequest.expectedSupplyDuration.unit@1.10
    extension:department.valueCodeableConcept.text
JP_Encounter_eCS Encounter: meta.lastUpdated identifier?!1 identifier.system@1.10 identifier.value
    status=finished class class.system={_ACT_CODE} class.code class.display period.start
    classHistory.class.system={_ACT_CODE} classHistory.period.start reasonCode.text
JP_Organization_eCS Organization: meta.lastUpdated@1.10 identifier:medicalInstitutionCode!1
    identifier:medicalInstitutionCode.value name
    type.coding.system={HL7}/organization-type address.text@1.10
JP_Practitioner_eCS Practitioner: meta.lastUpdated@1.10 qualification.code.coding!1
    qualification.code.coding.system qualification.code.coding.code qualification.identifier.system
JP_CarePlan_eCS CarePlan: meta.lastUpdated identifier.system={RESOURCE_IDENTIFIER} identifier.value
    status=active intent=plan category!1 title description subject period period.start contributor?!0 careTeam?!0
JP_CarePlan_ePCS CarePlan: meta.lastUpdated identifier.system={RESOURCE_IDENTIFIER} identifier.value
    status=active intent=plan title=療養計画 description subject period period.start created encounter?!0 author?!0
    contributor?!0 careTeam?!0
JP_FamilyMemberHistory_eCS FamilyMemberHistory: meta.lastUpdated relationship.coding!1 relationship.coding.system
    relationship.coding.code sex.coding!1 sex.coding.system
"""

JP_CORE = """
JP_DiagnosticReport_Radiology DiagnosticReport: category:first!1
JP_DiagnosticReport_LabResult DiagnosticReport: code.coding:reportCode.code=11502-2
"""
