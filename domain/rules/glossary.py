"""What the elements of the tables are, for a reader who does not know their paths: everywhere, or in one type."""

from tsuzuri.domain.rules.rule import Words

_CODED = {
    "code.coding.system": Words("which code system the code is of", "コード体系"),
    "code.coding.display": Words("the name that belongs to the code", "コードの表示名"),
    "code.text": Words("the name as it was entered", "入力された名称"),
}

GLOSSARY = _CODED | {
    "meta.lastUpdated": Words("when the sender last changed it", "最終更新日時"),
    "meta.profile": Words("which profile it follows", "準拠するプロファイル"),
    "identifier:resourceIdentifier": Words("the sender's own name for it", "リソース一意識別ID"),
    "identifier:requestIdentifier": Words("the sender's own name for it", "リソース一意識別ID"),
    "identifier:rpNumber": Words("the group of drugs taken together", "剤グループ番号"),
    "identifier:orderInRp": Words("its place in that group", "剤グループ内連番"),
    "identifier:medicalInstitutionCode": Words("the ten digits of the institution", "保険医療機関番号10桁"),
    "category:laboratory": Words("that it is a laboratory result", "検体検査を示すカテゴリー"),
    "category:first": Words("that it is a radiology report", "放射線検査を示すカテゴリー"),
    "code.coding:medisRecordNo": Words("the MEDIS record number of the disease", "MEDIS 病名管理番号"),
    "code.coding:reportCode.code": Words("the kind of report", "レポート種別"),
    "effective[x]": Words("when the specimen was taken", "検体採取日時"),
    "specimen": Words("the material, by name or by reference", "検体材料"),
    "verificationStatus": Words("confirmed, or suspected", "確定か疑いか"),
    "authoredOn": Words("when it was prescribed", "処方日時"),
    "dosageInstruction.extension:periodOfUse": Words("the first day of use", "投与開始日"),
    "dosageInstruction.text": Words("the whole instruction in words", "用法の文字列"),
    "dosageInstruction.timing": Words("how often and when", "用法"),
    "dosageInstruction.doseAndRate.type": Words("product or substance", "力価区分"),
    "extension:department.valueCodeableConcept.text": Words("the department in words", "診療科名"),
    "extension:version": Words("the version of the document", "文書バージョン"),
    "name.text": Words("the whole name", "氏名の全体"),
    "address.text": Words("the whole address", "住所の全体"),
    "Composition.custodian": Words("the institution that answers for it", "文書管理責任機関"),
    "Composition.event": Words("what the document attests, and when", "文書発行のイベント"),
    "Composition.category": Words("the kind of stay or visit it is of", "文書サブ区分など"),
    "Composition.encounter": Words("the visit or stay it was written in", "受診情報"),
    "section:910": Words("whom the patient is referred to", "紹介先情報セクション"),
    "section:920": Words("who refers the patient", "紹介元情報セクション"),
    "Bundle.timestamp": Words("when the Bundle was made", "Bundle の作成日時"),
    "Bundle.identifier.value": Words(
        "by which it is replaced or cancelled later", "後の更新・取消に使う識別子"
    ),
    "Bundle.entry.fullUrl": Words("by which the entries refer to each other", "entry 間の参照に使うURL"),
}
