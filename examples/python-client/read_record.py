"""Reads one patient's summary as a clinician's system would: typed, and by the digest of a trusted document.

    TSUZURI_TOKEN=… python read_record.py http://127.0.0.1:8080/graphql ../../app/documents < number.txt

The number comes by standard input: arguments are seen by everybody on the machine.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from httpx import Response
from tsuzuri_client import TsuzuriClient
from tsuzuri_client.input_types import PatientKey
from tsuzuri_client.summary import SummaryPatientRecordAccessRefused


class TrustedClient(TsuzuriClient):
    """Sends the digests of trusted documents, by the cards in a folder, and never a document itself."""

    def __init__(self, url: str, token: str, documents: Path) -> None:
        super().__init__(url, headers={"Authorization": f"Bearer {token}"})
        cards = [json.loads(card.read_text("utf-8")) for card in documents.glob("*.json")]
        self.digests = {card["name"]: card["sha256"] for card in cards}

    async def execute(
        self,
        query: str,
        operation_name: str | None = None,
        variables: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Response:
        given, _, _ = self._process_variables(variables)
        body = {"documentId": f"sha256:{self.digests[operation_name]}", "variables": given}
        return await self.http_client.post(self.url, json=body, **kwargs)


async def main(url: str, documents: str) -> int:
    number = sys.stdin.readline().strip()
    async with TrustedClient(url, os.environ["TSUZURI_TOKEN"], Path(documents)) as client:
        record = (await client.summary(PatientKey(insuredPerson=number))).patient_record
    if isinstance(record, SummaryPatientRecordAccessRefused):
        print(f"refused: {record.reason.value} (access {record.access_id})")
        return 1
    print(f"{record.patient.name} (access {record.access_id})")
    for kind, entries in record.summary:
        for entry in entries or ():
            print(f"  {kind:15} {entry.name}  {entry.effective or ''}  {entry.facility.name or ''}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
