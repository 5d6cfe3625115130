"""Sends notices in a process beside `tsuzuri serve`, to the outlet that is set."""

from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.notices.file_outlet import FileOutlet
from tsuzuri.app.notices.outlet import Outlet
from tsuzuri.app.notices.sender import Sender
from tsuzuri.app.notices.webhook_outlet import WebhookOutlet
from tsuzuri.app.services import logins_of
from tsuzuri.app.settings import Settings
from tsuzuri.eventlog.data_keys import KeyRing

FILE = "notices.ndjson"


def outlet_of(settings: Settings) -> Outlet:
    if settings.notice_url is not None:
        return WebhookOutlet(settings.notice_url, settings.notice_token_file)
    return FileOutlet(settings.home / FILE)


def sender_of(settings: Settings, dsn: str) -> Sender:
    return Sender(logins_of(settings, dsn), KeyRing(key_encryption(settings)), outlet_of(settings))


def send_on_and_on(settings: Settings, dsn: str, parent: int) -> None:
    """Until this process is asked to end, or *parent* has ended."""
    configure_logs()
    sender = sender_of(settings, dsn)
    ended_with(parent, sender.stopping.set)
    sender.run()
