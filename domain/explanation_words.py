"""The words of explanations, English and Japanese side by side; what stands in braces is filled in by `sentences`."""

from tsuzuri.domain.explanation_steps import Rule
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RefusalReason, Role

WORDS: dict[Rule, tuple[str, str]] = {
    Rule.PATIENT_UNKNOWN: (
        "Nobody was known by what the caller asked for.",
        "照会された番号等に該当する患者はいませんでした。",
    ),
    Rule.CONSENTS_ERASED: (
        "Consents that this rests on have been erased: it cannot be decided again as it was.",
        "根拠となる同意の記録が消去されているため、当時のとおりには再判定できません。",
    ),
    Rule.RECORD_ERASED: (
        "The record has been erased: what the facility had registered is no longer known.",
        "診療情報が消去されているため、この医療機関が登録していた内容は分かりません。",
    ),
    Rule.MOMENT_OF_RECORDING: (
        "The moment of the decision was not kept then; that of its recording stands for it: {at}.",
        "当時は判定時刻を記録していなかったため、記録時刻を用いています: {at}。",
    ),
    Rule.EVERY_SCOPE_ASSUMED: (
        "No token's scopes are known here: every class is taken to be readable.",
        "トークンのスコープが不明のため、すべての情報を読める前提としています。",
    ),
    Rule.ROLE_READS: ("The role {role} may read records.", "役割「{role}」は記録を閲覧できます。"),
    Rule.ROLE_DOES_NOT_READ: (
        "The role {role} may not read this.",
        "役割「{role}」はこれを閲覧できません。",
    ),
    Rule.PURPOSE_OF_ROLE: (
        "The role {role} may read for {purpose}.",
        "役割「{role}」は目的「{purpose}」で閲覧できます。",
    ),
    Rule.PURPOSE_NOT_OF_ROLE: (
        "The role {role} may not read for {purpose}.",
        "役割「{role}」は目的「{purpose}」では閲覧できません。",
    ),
    Rule.SCOPE_READS: (
        "The token's scopes let be read: {classes}.",
        "トークンのスコープで読める情報: {classes}。",
    ),
    Rule.SCOPE_READS_NOTHING: (
        "The token's scopes let nothing of a record be read.",
        "トークンのスコープでは何も読めません。",
    ),
    Rule.SCOPE_LEAVES_OUT: (
        "The token's scopes leave out all that this would open: {classes}.",
        "これで開示される情報は、すべてトークンのスコープの外です: {classes}。",
    ),
    Rule.RIGHT_HELD: (
        "{person} had the right to declare emergencies from {since} until {until}.",
        "{person}には救急時閲覧の権限がありました（{since}から{until}まで）。",
    ),
    Rule.RIGHT_NOT_OF_ROLE: (
        "Only clinicians declare emergencies, not the role {role}.",
        "救急時閲覧は医師等に限られ、役割「{role}」は対象外です。",
    ),
    Rule.RIGHT_NOT_OF_FACILITY: (
        "The facility {facility} was not listed as a hospital that takes emergencies.",
        "医療機関{facility}は救急時閲覧の対象病院として登録されていませんでした。",
    ),
    Rule.RIGHT_MISSING: (
        "The facility's administrator had given {person} no right to declare emergencies.",
        "{person}には救急時閲覧の権限が付与されていませんでした。",
    ),
    Rule.RIGHT_NOT_YET: (
        "The right of {person} to declare emergencies begins only at {since}.",
        "{person}の救急時閲覧の権限は{since}からで、まだ有効ではありませんでした。",
    ),
    Rule.RIGHT_OVER: (
        "The right of {person} to declare emergencies was over since {until}.",
        "{person}の救急時閲覧の権限は{until}に終了していました。",
    ),
    Rule.RIGHT_TAKEN: (
        "The right of {person} to declare emergencies had been taken back by event {ended_by}.",
        "{person}の救急時閲覧の権限は取り消されていました（イベント{ended_by}）。",
    ),
    Rule.WINDOW_COUNTS: (
        "A disaster window was open where the facility lies, from {since} until {until}: {classes}.",
        "医療機関の所在地で災害時閲覧が開放されていました（{since}から{until}まで）: {classes}。",
    ),
    Rule.WINDOW_MISSING: ("No disaster window had been opened.", "災害時閲覧は開放されていませんでした。"),
    Rule.WINDOW_ELSEWHERE: (
        "This disaster window is open for other municipalities.",
        "この災害時閲覧は別の市区町村を対象としています。",
    ),
    Rule.WINDOW_NOT_YET: (
        "This disaster window opens only at {since}.",
        "この災害時閲覧は{since}からで、まだ始まっていませんでした。",
    ),
    Rule.WINDOW_OVER: (
        "This disaster window was over since {until}.",
        "この災害時閲覧は{until}に終了していました。",
    ),
    Rule.WINDOW_CLOSED: (
        "This disaster window had been closed before its time, by event {ended_by}.",
        "この災害時閲覧は期間前に終了されていました（イベント{ended_by}）。",
    ),
    Rule.WINDOW_DENIED: (
        "A disaster window was open, but the patient denies the facility all that it would open.",
        "災害時閲覧は開放されていましたが、患者が対象情報をすべて拒否しています。",
    ),
    Rule.FACILITY_NOT_LISTED: (
        "The facility {facility} was not listed: no disaster window is open to it.",
        "医療機関{facility}は登録されていないため、災害時閲覧の対象外です。",
    ),
    Rule.OWN_REFERRALS: (
        "A facility may see where the referrals stand that it sent itself; nothing of the record comes with it.",
        "医療機関は自ら送った診療情報提供書の状況を確認できます。診療情報そのものは含みません。",
    ),
    Rule.CORRECTION_REQUESTS: (
        "Administrators see the requests that their facility must answer, the operating body those that wait too "
        "long; nothing of the record comes with it.",
        "施設の管理者は自施設が回答すべき訂正等請求を、運営主体は回答が遅れている請求を確認できます。診療情報そのものは含みません。",
    ),
    Rule.REGISTERED_HERE: (
        "The facility {facility} may see what it registered itself.",
        "医療機関{facility}は自ら登録した情報を閲覧できます。",
    ),
    Rule.REGISTERED_HERE_NOT_ALONE: (
        "The facility {facility} registered something itself, which this purpose does not open by itself.",
        "医療機関{facility}が登録した情報はありますが、この目的ではそれだけで閲覧できません。",
    ),
    Rule.NOT_REGISTERED_HERE: (
        "The facility {facility} had registered nothing of this patient.",
        "医療機関{facility}はこの患者の情報を登録していませんでした。",
    ),
    Rule.HERSELF: ("The caller is the patient herself.", "閲覧者は患者本人です。"),
    Rule.NOT_HERSELF: ("The caller is not this patient.", "閲覧者はこの患者本人ではありません。"),
    Rule.PROXY_COUNTS: (
        "{person} stood for the patient from {since} until {until}.",
        "{person}は患者の代理人でした（{since}から{until}まで）。",
    ),
    Rule.PROXY_MISSING: ("Nobody stood for the patient.", "代理人は指定されていませんでした。"),
    Rule.PROXY_OF_ANOTHER_PERSON: (
        "This appointment is of another person, {person}.",
        "この代理人の指定は別の人（{person}）のものです。",
    ),
    Rule.PROXY_NOT_YET: (
        "The appointment of {person} begins only at {since}.",
        "{person}の代理は{since}からで、まだ有効ではありませんでした。",
    ),
    Rule.PROXY_OVER: (
        "The appointment of {person} was over since {until}.",
        "{person}の代理は{until}に終了していました。",
    ),
    Rule.PROXY_ENDED: (
        "The appointment of {person} had been ended before its time, by event {ended_by}.",
        "{person}の代理は期間前に終了されていました（イベント{ended_by}）。",
    ),
    Rule.CONSENT_COUNTS: (
        "The patient consented: facility {facility}, {purpose}, from {since} until {until}: {classes}.",
        "患者の同意がありました: 医療機関{facility}、{purpose}、{since}から{until}まで: {classes}。",
    ),
    Rule.CONSENT_MISSING: ("The patient had given no consent.", "患者の同意はありませんでした。"),
    Rule.CONSENT_TO_ANOTHER_FACILITY: (
        "This consent is to another facility, {facility}.",
        "この同意は別の医療機関（{facility}）へのものです。",
    ),
    Rule.CONSENT_FOR_ANOTHER_PURPOSE: (
        "This consent is for another purpose, {purpose}.",
        "この同意は別の目的（{purpose}）のためのものです。",
    ),
    Rule.CONSENT_NOT_YET: (
        "This consent was not yet in force: it begins at {since}.",
        "この同意は{since}からで、まだ有効ではありませんでした。",
    ),
    Rule.CONSENT_OVER: (
        "This consent was over since {until}.",
        "この同意は{until}に終了していました。",
    ),
    Rule.CONSENT_WITHDRAWN: (
        "This consent had been withdrawn, by event {ended_by}, of: {classes}.",
        "この同意は撤回されていました（イベント{ended_by}）: {classes}。",
    ),
    Rule.CONSENT_REPLACED: (
        "A newer consent, given in the same way by event {ended_by}, had taken the place of this one.",
        "同じ方法による新しい同意（イベント{ended_by}）に置き換えられていました。",
    ),
    Rule.CONSENT_DENIED: (
        "This consent was in force, but the patient denies the facility all that it would open.",
        "この同意は有効でしたが、患者が対象情報をすべて拒否しています。",
    ),
    Rule.DENIAL_KEEPS: (
        "The patient denies {to}: {classes}.",
        "患者は{to}への開示を拒否しています: {classes}。",
    ),
    Rule.DENIAL_TO_ANOTHER_FACILITY: (
        "This denial is to another facility, {facility}.",
        "この拒否は別の医療機関（{facility}）へのものです。",
    ),
    Rule.DENIAL_LIFTED: (
        "The patient had taken this denial back, by event {ended_by}.",
        "この拒否は取り消されていました（イベント{ended_by}）。",
    ),
    Rule.DENIAL_PASSED: (
        "The patient denies {to}, and a declared emergency passes that: {classes}.",
        "患者は{to}への開示を拒否していますが、救急時には適用されません: {classes}。",
    ),
    Rule.EMERGENCY_COUNTS: (
        "{person} had declared an emergency at {facility}, in force from {since} until {until}: {classes}.",
        "{person}が医療機関{facility}で救急を宣言していました（{since}から{until}まで）: {classes}。",
    ),
    Rule.EMERGENCY_MISSING: (
        "No emergency had been declared for this patient.",
        "この患者について救急の宣言はありませんでした。",
    ),
    Rule.EMERGENCY_OF_ANOTHER_PERSON: (
        "This emergency was declared by another person, {person}.",
        "この救急の宣言は別の人（{person}）によるものです。",
    ),
    Rule.EMERGENCY_AT_ANOTHER_FACILITY: (
        "This emergency was declared at another facility, {facility}.",
        "この救急の宣言は別の医療機関（{facility}）でのものです。",
    ),
    Rule.EMERGENCY_NOT_YET: (
        "This emergency was not yet in force: it begins at {since}.",
        "この救急の宣言は{since}からで、まだ有効ではありませんでした。",
    ),
    Rule.EMERGENCY_OVER: (
        "This emergency was over since {until}.",
        "この救急の宣言は{until}に終了していました。",
    ),
    Rule.EMERGENCY_ENDED: (
        "This emergency had been ended before its time, by event {ended_by}.",
        "この救急の宣言は期間前に終了されていました（イベント{ended_by}）。",
    ),
    Rule.CONSENT_NOT_ASKED: (
        "This consent was not asked: a read for {purpose} does not rest on it.",
        "目的「{purpose}」の閲覧では、この同意は判定の対象外です。",
    ),
    Rule.DENIAL_NOT_ASKED: (
        "This denial was not asked: a read for {purpose} does not rest on it.",
        "目的「{purpose}」の閲覧では、この拒否は判定の対象外です。",
    ),
    Rule.PROXY_NOT_ASKED: (
        "This appointment was not asked: a read for {purpose} does not rest on it.",
        "目的「{purpose}」の閲覧では、この代理人の指定は判定の対象外です。",
    ),
    Rule.EMERGENCY_NOT_ASKED: (
        "This emergency was not asked: a read for {purpose} does not rest on it.",
        "目的「{purpose}」の閲覧では、この救急の宣言は判定の対象外です。",
    ),
    Rule.PERMITTED: (
        "So at {at} it could be read: {classes}.",
        "以上により、{at}には閲覧できました: {classes}。",
    ),
    Rule.REFUSED: (
        "So at {at} it could not be read ({reason}).",
        "以上により、{at}には閲覧できませんでした（{reason}）。",
    ),
}

OPENED: dict[AccessBasis, tuple[str, str]] = {
    AccessBasis.CONSENT: (
        "You had let this facility see: {classes}.",
        "あなたがこの医療機関に閲覧を同意した情報です: {classes}。",
    ),
    AccessBasis.REFERRAL: (
        "You had let this facility see a referral that is addressed to it.",
        "あなたが、この医療機関あての診療情報提供書の閲覧に同意していました。",
    ),
    AccessBasis.OWN_FACILITY: (
        "The facility may see what it has sent itself.",
        "医療機関は、自ら送った情報を閲覧できます。",
    ),
    AccessBasis.EMERGENCY: (
        "An emergency had been declared, for which nobody waits for your consent. It is reviewed.",
        "救急のため、同意を待たずに閲覧されました。この閲覧は事後に確認されます。",
    ),
    AccessBasis.DISASTER: (
        "Records were open to the facilities of a disaster area, except for what you deny.",
        "災害時のため、被災地域の医療機関に開放されていました（あなたが拒否した情報は除きます）。",
    ),
    AccessBasis.SELF: ("It was you.", "あなた自身による閲覧です。"),
    AccessBasis.PROXY: ("Somebody who stands for you looked.", "あなたの代理人による閲覧です。"),
    AccessBasis.AUDIT: (
        "An auditor looked at who had looked; nothing of your record was shown.",
        "監査のため閲覧履歴が確認されました。診療情報は表示されていません。",
    ),
}
"""What let somebody see a record, as the patient is told it: by whom, she reads elsewhere, as far as she may."""

ROLES: dict[Role, tuple[str, str]] = {
    Role.CLINICIAN: ("clinician", "医師・歯科医師"),
    Role.PHARMACIST: ("pharmacist", "薬剤師"),
    Role.FACILITY_ADMIN: ("facility administrator", "医療機関の管理者"),
    Role.PATIENT: ("patient", "患者"),
    Role.AUDITOR: ("auditor", "監査者"),
    Role.OPERATOR: ("operator", "運営主体"),
    Role.SYSTEM: ("facility system", "医療機関のシステム"),
}

PURPOSES: dict[PurposeOfUse, tuple[str, str]] = {
    PurposeOfUse.TREAT: ("treatment", "診療"),
    PurposeOfUse.ETREAT: ("emergency treatment", "救急診療"),
    PurposeOfUse.BTG: ("breaking the glass", "救急時の緊急閲覧"),
    PurposeOfUse.DISASTER: ("care in a disaster", "災害時の診療"),
    PurposeOfUse.HPAYMT: ("healthcare payment", "医療費の支払"),
    PurposeOfUse.HOPERAT: ("healthcare operations", "医療機関の運営"),
    PurposeOfUse.PATRQT: ("the patient's own request", "本人の求め"),
    PurposeOfUse.FAMRQT: ("the family's request", "家族・代理人の求め"),
    PurposeOfUse.HSYSADMIN: ("administration of the health system", "システム管理"),
}

REASONS: dict[RefusalReason, tuple[str, str]] = {
    RefusalReason.NOT_AVAILABLE: ("nothing let it be seen", "閲覧の根拠がありません"),
    RefusalReason.PURPOSE_NOT_PERMITTED: ("the purpose is not the role's", "役割に認められない目的です"),
    RefusalReason.ROLE_NOT_PERMITTED: ("the role reads no records", "閲覧の認められない役割です"),
    RefusalReason.SCOPE_NOT_PERMITTED: ("the token's scopes", "トークンのスコープ外です"),
    RefusalReason.EMERGENCY_NOT_PERMITTED: ("no emergency right", "救急時閲覧の権限がありません"),
    RefusalReason.EMERGENCY_NOT_DECLARED: ("no emergency in force", "有効な救急の宣言がありません"),
    RefusalReason.DISASTER_NOT_OPEN: ("no disaster window open there", "災害時閲覧が開放されていません"),
}
