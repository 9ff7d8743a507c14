"""Corrected weights on the Hub: the page says that they exist, loads them with --refresh, and changes nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from demo import revisions
from demo.i18n.translate import use_locale
from demo.renderer import Renderer, RenderRequest
from demo.service import StudyService
from demo.state import ViewState
from tests.hub import NAMESPACE, HubServer, make_repo, unused_url, use_hub
from tests.nano import NAME, REPO, correct_nano, load_nano, until
from transxnet.weights.revisions import newest_commit

NOTICE = f"A newer revision of hf-hub:{REPO} exists. Restart with --refresh to use it."
LOOK_UP = ("GET", f"api/models/{REPO}")


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[HubServer]:
    """A Hub with nano, which was downloaded before. Its requests from then on are counted."""
    make_repo(tmp_path / "root", NAMESPACE, NAME)
    monkeypatch.setenv("TRANSXNET_CACHE", str(tmp_path / "records"))
    with HubServer(tmp_path / "root") as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        load_nano()
        server.requests.clear()
        yield server


def start(namespace: str = NAMESPACE, **options: object) -> StudyService:
    """A service that has loaded nano."""
    service = StudyService(device="cpu", models=("nano",), hub_namespace=namespace, **options)
    service.preload("nano").wait()
    return service


def requests(hub: HubServer) -> list[tuple[str, str]]:
    """Those for nano: the page also looks for T."""
    return [request for request in hub.requests if REPO in request[1]]


def note(service: StudyService, locale: str = "en") -> str:
    """The note below the predictions of an example."""
    request = RenderRequest(ViewState(), lambda: True, lambda: False)
    with use_locale(locale):
        steps = list(Renderer(service, "nano").render(request))
    return next(step["predictions"]["note"] for step in reversed(steps) if "predictions" in step)


def revision(service: StudyService) -> str:
    return service.preload("nano").loaded.provenance.revision


def test_look_up_does_not_delay_the_model(hub, monkeypatch):
    gate, answers = threading.Event(), []

    def wait_and_look_up(*args: object, **options: object) -> str:
        assert gate.wait(60)
        answers.append(newest_commit(*args, **options))
        return answers[-1]

    monkeypatch.setattr(revisions, "newest_commit", wait_and_look_up)
    service = start()
    assert NOTICE not in note(service)
    assert requests(hub) == []
    gate.set()
    until(lambda: answers)
    assert requests(hub) == [LOOK_UP]


def test_newer_revision_is_noticed_and_not_used(hub):
    first = revision(start())
    until(lambda: LOOK_UP in hub.requests)
    newest = correct_nano(hub)
    newest_commit(REPO)  # as a day later
    hub.requests.clear()
    service = start()
    until(lambda: NOTICE in note(service))
    assert revision(service) == first != newest
    assert "새 리비전이 있습니다" in note(service, "ko")
    assert requests(hub) == []  # the answer of the same day is used


def test_second_start_of_a_day_sends_no_request(hub):
    service = start()
    until(lambda: service.revisions._newest)
    service = start()
    until(lambda: service.revisions._newest)
    assert requests(hub) == [LOOK_UP]


def test_refresh_loads_the_newest_once(hub):
    newest = correct_nano(hub)
    service = start(refresh=True)
    assert revision(service) == newest
    assert NOTICE not in note(service)
    correct_nano(hub)
    assert not service._refreshes("nano")  # loaded again after an eviction, it stays the same


def test_pinned_revision_is_not_looked_up(hub):
    service = start(f"{NAMESPACE}@main")
    assert NOTICE not in note(service)
    assert service.revisions._look_ups == {}


def test_offline_page_says_nothing(hub, tmp_path, monkeypatch):
    use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    failed = threading.Event()

    def look_up(*args: object, **options: object) -> str:
        try:
            return newest_commit(*args, **options)
        finally:
            failed.set()

    monkeypatch.setattr(revisions, "newest_commit", look_up)
    service = start()
    assert failed.wait(60)
    assert "revision" not in note(service)
