"""Break points in cells and in files, and a kernel of another language that an image brings."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.kernels import specs

from .laboratory import Kernel, Laboratory, kernel

pytestmark = pytest.mark.engine


class Debugger:
    """As JupyterLab's: requests over the control channel, events over iopub."""

    def __init__(self, started: Kernel) -> None:
        self.client = started.client
        self.sequence = itertools.count(1)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        content = {"type": "request", "seq": next(self.sequence), "command": command, "arguments": arguments}
        message = self.client.session.msg("debug_request", content)
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                assert reply["content"].get("success", True), reply["content"]
                answer: dict[str, Any] = reply["content"].get("body") or {}
                return answer

    def stopped_in(self) -> str:
        """Wait until a thread stops; return its first frame's file."""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == "stopped":
                break
        thread = message["content"]["body"]["threadId"]
        frames = self.ask("stackTrace", threadId=thread)["stackFrames"]
        self.ask("continue", threadId=thread)
        return str(frames[0]["source"]["path"])


def test_break_points_in_cells_and_in_files(lab: Laboratory, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    lab.project(folder)
    (folder / "module.py").write_text("def double(x):\n    y = x * 2\n    return y\n")
    with kernel(folder) as started:
        debugger = Debugger(started)
        debugger.ask("initialize", clientID="test", adapterID="", linesStartAt1=True, pathFormat="path")
        debugger.ask("attach")
        cell = "import module\nvalue = module.double(21)\nprint(value)"
        source = debugger.ask("dumpCell", code=cell)["sourcePath"]
        for path in (source, str(folder / "module.py")):
            debugger.ask("setBreakpoints", breakpoints=[{"line": 2}], source={"path": path}, sourceModified=False)
        debugger.ask("configurationDone")
        request = started.client.execute(cell)
        assert debugger.stopped_in() == source
        assert debugger.stopped_in() == str(folder / "module.py")
        assert started.reply_to(request)["status"] == "ok"


R = "RUN apt-get update -q && apt-get install -qy --no-install-recommends r-base-core r-cran-irkernel\n"


def test_the_r_kernel_of_an_r_image(lab: Laboratory, tmp_path: Path) -> None:
    """The image's kernelspec becomes visible; its kernel runs, is interrupted and ends like Python's."""
    folder = tmp_path / "statistics"
    more = (
        "RUN mkdir -p /usr/local/share/jupyter/kernels/ir && "
        'echo \'{"argv": ["R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"], '
        '"display_name": "R", "language": "R"}\' > /usr/local/share/jupyter/kernels/ir/kernel.json\n'
    )
    project = lab.project(folder, lab.dockerfile(slow=R, more=more))
    assert project.active_image_id is not None
    image = lab.manager.store.image(project.active_image_id)
    assert image is not None
    kernels = Path(lab.manager.data_dir).parent / "kernels"
    specs.publish(kernels, [])
    assert specs.publish(kernels, [image])
    assert json.loads((kernels / "ir" / "kernel.json").read_text())["language"] == "R"
    with kernel(folder, name="ir") as started:
        assert started.value("cat(sum(1:10), basename(getwd()))") == "55 statistics"
        for busy in ("Sys.sleep(600)", "repeat sum(1)", "system('sleep 600')"):
            request = started.client.execute(f"cat('on\\n'); flush.console(); {busy}")
            started.wait_for_text(request, "on")
            started.manager.interrupt_kernel()
            assert started.reply_to(request)["status"] in ("ok", "error", "aborted", "abort")
            # Until then IRkernel drops whatever it finds asked, in images as on machines.
            started.wait_for_idle(request)
            assert started.value("cat(1 + 1)") == "2"
    assert specs.publish(kernels, []) and not (kernels / "ir").exists()
