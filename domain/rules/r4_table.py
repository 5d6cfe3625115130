"""What FHIR R4 itself requires of the resource types that occur in the Japanese guides and beside them.

The notation is that of `table.py`.
"""

_FINISHED = "preliminary|final|amended|entered-in-error"
_EVENT = "preparation|in-progress|not-done|on-hold|stopped|completed|entered-in-error|unknown"
_REQUEST = "draft|active|on-hold|revoked|completed|entered-in-error|unknown"
_ORDERS = "original-order|reflex-order|filler-order|instance-order|option"
_RESULT = "registered|preliminary|final|amended|corrected|cancelled|entered-in-error|unknown"
_REPORT = "registered|partial|preliminary|final|amended|corrected|appended|cancelled|entered-in-error|unknown"
_USE = "usual|official|temp|secondary|old"
_NAME_USE = "usual|official|temp|nickname|anonymous|old|maiden"
_TELECOM = "phone|fax|email|pager|url|sms|other"
_ADDRESS_USE = "home|work|temp|old|billing"
_VERBS = "GET|HEAD|POST|PUT|DELETE|PATCH"

R4 = f"""
AllergyIntolerance: patient* type?=allergy|intolerance category?=food|medication|environment|biologic
    criticality?=low|high|unable-to-assess note.text reaction.manifestation* reaction.severity?=mild|moderate|severe
    reaction.note.text
AuditEvent: type* recorded agent* agent.requestor source* source.observer* entity.detail.type
    entity.detail.value[x] action?=C|R|U|D|E outcome?=0|4|8|12
Binary: contentType
Bundle: type=document|message|transaction|transaction-response|batch|batch-response|history|searchset|collection
    link.relation link.url entry.link.relation entry.link.url entry.request.method={_VERBS} entry.request.url
    entry.response.status signature.type* signature.when signature.who*
CarePlan: status={_REQUEST} intent=proposal|plan|order|option subject* note.text activity.detail.status
    activity.progress.text
ChargeItem: status=planned|billable|not-billable|aborted|billed|entered-in-error|unknown code* subject*
    performer.actor* note.text
CommunicationRequest: status={_REQUEST} payload.content[x] note.text
Composition: status={_FINISHED} type* date author* title attester.mode=personal|professional|legal|official
    relatesTo.code relatesTo.target[x]
Condition: subject* note.text
Consent: status=draft|proposed|active|rejected|inactive|entered-in-error scope* category* verification.verified
    provision.type?=deny|permit provision.actor.role* provision.actor.reference* provision.data.meaning
    provision.data.reference*
Coverage: status=active|cancelled|draft|entered-in-error beneficiary* payor* class.type* class.value
    costToBeneficiary.value[x] costToBeneficiary.exception.type*
Device: deviceName.name deviceName.type property.type* specialization.systemType* version.value note.text
DiagnosticReport: status={_REPORT} code* media.link*
DocumentReference: status=current|superseded|entered-in-error docStatus?={_FINISHED} content* content.attachment*
    relatesTo.code relatesTo.target*
Encounter: status=planned|arrived|triaged|in-progress|onleave|finished|cancelled|entered-in-error|unknown class*
    statusHistory.status statusHistory.period* classHistory.class* classHistory.period* diagnosis.condition*
    location.location*
Endpoint: status=active|suspended|error|off|entered-in-error|test connectionType* payloadType* address
FamilyMemberHistory: status=partial|completed|entered-in-error|health-unknown patient* relationship*
    condition.code* condition.note.text note.text
Goal: lifecycleStatus=proposed|planned|accepted|active|on-hold|completed|cancelled|entered-in-error|rejected
    description* subject* note.text
ImagingStudy: status=registered|available|cancelled|entered-in-error|unknown subject* series.uid series.modality*
    series.performer.actor* series.instance.uid series.instance.sopClass* note.text
Immunization: status=completed|entered-in-error|not-done vaccineCode* patient* occurrence[x] performer.actor*
    protocolApplied.doseNumber[x] note.text
Invoice: status=draft|issued|balanced|cancelled|entered-in-error participant.actor* lineItem.chargeItem[x]
    lineItem.priceComponent.type totalPriceComponent.type note.text
List: status=current|retired|entered-in-error mode=working|snapshot|changes entry.item* note.text
Location: status?=active|suspended|inactive mode?=instance|kind position.latitude position.longitude
Media: status={_EVENT} content* note.text
Medication: status?=active|inactive|entered-in-error ingredient.item[x]
MedicationAdministration: status=in-progress|not-done|on-hold|completed|entered-in-error|stopped|unknown medication[x]
    subject* effective[x] performer.actor* note.text
MedicationDispense: status=preparation|in-progress|cancelled|on-hold|completed|entered-in-error|stopped|declined|unknown
    medication[x] performer.actor* substitution.wasSubstituted note.text
MedicationRequest: status=active|on-hold|cancelled|completed|entered-in-error|stopped|draft|unknown
    intent=proposal|plan|order|{_ORDERS} priority?=routine|urgent|asap|stat medication[x] subject*
    substitution.allowed[x] note.text
MedicationStatement: status=active|completed|entered-in-error|intended|stopped|on-hold|unknown|not-taken medication[x]
    subject* note.text
Observation: status={_RESULT} code* component.code* valueQuantity.comparator?=<|<=|>=|> note.text
Organization: identifier.use?={_USE} telecom.system?={_TELECOM} address.use?={_ADDRESS_USE}
Patient: gender?=male|female|other|unknown identifier.use?={_USE} name.use?={_NAME_USE} telecom.system?={_TELECOM}
    address.use?={_ADDRESS_USE} communication.language* link.other* link.type=replaced-by|replaces|refer|seealso
Practitioner: gender?=male|female|other|unknown identifier.use?={_USE} name.use?={_NAME_USE}
    telecom.system?={_TELECOM} qualification.code*
PractitionerRole: notAvailable.description
Procedure: status={_EVENT} subject* performer.actor* focalDevice.manipulated* note.text
Provenance: target* recorded agent* agent.who* entity.role=derivation|revision|quotation|source|removal
    entity.what* entity.agent.who* signature.type* signature.when signature.who*
Questionnaire: status=draft|active|retired|unknown item.linkId item.type item.enableWhen.question
    item.enableWhen.operator item.enableWhen.answer[x] item.answerOption.value[x] item.initial.value[x]
QuestionnaireResponse: status=in-progress|completed|amended|entered-in-error|stopped item.linkId
    item.answer.item.linkId
RelatedPerson: patient* communication.language*
ResearchStudy: status arm.name note.text
ResearchSubject: status study* individual*
ServiceRequest: status={_REQUEST} intent=proposal|plan|directive|order|{_ORDERS} subject* note.text
Specimen: status?=available|unavailable|unsatisfactory|entered-in-error note.text
Substance: code* status?=active|inactive|entered-in-error ingredient.substance[x]
"""
