"""`python app.py --mcp`: the endpoints as tools of a real MCP client on loopback; without its package."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
from argparse import Namespace
from collections.abc import Iterator

import gradio.mcp
import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from demo import command, launch
from demo.examples import examples
from demo.i18n.translate import tr
from demo.renderer import Renderer
from demo.server import launch_options
from demo.service import StudyService
from demo.temporary_files import TemporaryFiles
from demo.ui import mcp
from demo.ui.page import Page
from transxnet import load
from transxnet.errors import ImageError
from transxnet.images import decode
from transxnet.study import StudyOptions, study

pytest.importorskip("mcp")

IMAGE = examples()[0].path
DATA = "data:image/jpeg;base64," + base64.b64encode(IMAGE.read_bytes()).decode()
PATHS = re.compile(r"/tmp|/home|/wor[k]|/root|gradio_api/file|transxnet-lens-[a-z0-9_]+/")
TOOLS = {
    "predict", "attention", "kernels", "grad_cam", "erf", "explain", "ablation_table", "sanity_checks", "compare",
    "ablation", "export",
}  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save_file(load("pico@untrained").model.state_dict(), folder / "transxnet_pico.safetensors")
    return folder


@pytest.fixture(scope="module")
def address(weights) -> Iterator[str]:
    mcp.answer_plainly()
    page = Page(Renderer(StudyService(device="cpu", weights_dir=str(weights))))
    page.blocks.queue(api_open=False)
    options = launch_options(Namespace(host="127.0.0.1", quiet=True))
    _, url, _ = page.blocks.launch(prevent_thread_lock=True, mcp_server=True, **options)
    try:
        yield f"{url}gradio_api/mcp/"
    finally:
        page.blocks.close()


def call_tools(address: str, *calls: tuple[str, dict]):
    """The tools, and the result of each call, in one session of the official client."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def talk():
        async with streamable_http_client(address) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            return tools, [await session.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(talk())


def test_tools_return_numbers_and_images(address, weights):
    tools, (predicted, attended, exported, refused) = call_tools(
        address,
        ("predict", {"image": DATA, "top": 3}),
        ("attention", {"image": DATA, "stage": 2, "x": 40, "y": 200}),
        ("export", {"image": DATA, "tab": "attention", "format": "npz"}),
        ("predict", {"image": DATA, "model": "zeta"}),
    )
    assert {tool.name for tool in tools} == TOOLS
    assert all(tool.description.split(".")[0].strip() and "Returns" in tool.description for tool in tools)
    by_name = {tool.name: tool.inputSchema["properties"] for tool in tools}
    assert by_name["attention"]["stage"]["enum"] == [1, 2, 3, 4]
    assert by_name["export"]["format"]["enum"] == ["png", "svg", "npz", "html"]

    expected = study(load("pico", weights_dir=weights), decode(IMAGE), StudyOptions(stage=2, position=(40, 200)))
    top = json.loads(predicted.content[0].text)["predictions"]
    assert [entry["index"] for entry in top] == [p.index for p in expected.predictions.top[:3]]
    probabilities = [p.probability for p in expected.predictions.top[:3]]
    assert [entry["probability"] for entry in top] == pytest.approx(probabilities)

    assert not attended.isError, attended.content[0].text
    numbers, image, npz = attended.content
    heads = expected.attention.heads
    assert json.loads(numbers.text)["range"] == pytest.approx([heads.min(), heads.max()], rel=1e-5)
    assert (image.type, image.mimeType) == ("image", "image/png")
    with Image.open(io.BytesIO(base64.b64decode(image.data))) as image:
        assert np.asarray(image).std() > 1
    assert "gradio_client" in npz.text
    assert json.loads(exported.content[0].text)["schema"] == "transxnet-lens/export"
    assert exported.content[1].text.partition(",")[0].endswith(".npz")

    assert refused.isError
    assert "'zeta'" in refused.content[0].text
    for answer in (predicted, attended, exported, refused):
        texts = [block.text for block in answer.content if block.type == "text"]
        assert not any(PATHS.search(text) for text in texts)


def test_only_data_urls_are_opened(address):
    images = ["http://127.0.0.1:9/a.jpg", str(IMAGE), "/etc/nowhere", "file:///etc/passwd", "", "~"]
    _, answers = call_tools(address, *(("predict", {"image": image}) for image in images))
    assert {(answer.isError, answer.content[0].text) for answer in answers} == {(True, tr("errors.not_uploaded"))}


def test_client_inside_the_server_opens_no_path(address):
    """Gradio calls its own endpoints with gradio_client, which uploads what a path names."""
    files = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in (str(IMAGE), "/etc/nowhere")]
    calls = [{"image": file} for file in files] + [{"image": DATA, "model": file} for file in files]
    _, answers = call_tools(address, *(("predict", call) for call in calls))
    assert all(answer.isError for answer in answers)  # by the schema of the tool
    server = gradio.mcp.GradioMCPServer(Page(Renderer(StudyService(device="cpu"))).blocks)
    for call in calls:  # and without it
        with pytest.raises(ImageError, match="Only uploaded images"):
            server.convert_strings_to_filedata(call, [["image"]])


def test_page_runs_without_the_mcp_package(monkeypatch, capsys):
    options = {}
    blocks = Namespace(queue=lambda **_: None, launch=lambda **kwargs: options.update(kwargs))
    monkeypatch.setattr(mcp, "available", lambda: False)
    monkeypatch.setattr(TemporaryFiles, "start", lambda self: None)
    launch.launch(Namespace(blocks=blocks, renderer=None, translations=Namespace(i18n=dict)), Namespace(mcp=True))
    assert options["mcp_server"] is False
    assert 'pip install "mcp>=1.21,<2"' in capsys.readouterr().err


@pytest.mark.parametrize(("argv", "variable", "expected"), [([], "", False), (["--mcp"], "", True), ([], "1", True)])
def test_mcp_is_an_option_or_a_variable(monkeypatch, argv, variable, expected):
    monkeypatch.setenv("TRANSXNET_MCP", variable)
    assert command.arguments(argv).mcp is expected
