"""What users do with kernels, done with kernels in real images."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.errors import KernelStartError

from .laboratory import ACTOR, Kernel, Laboratory, kernel

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def folder(lab: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose path has a space, letters of another script and a colon."""
    path = tmp_path_factory.mktemp("work") / "мой проект: 1"
    lab.project(path)
    return path


@pytest.fixture
def shared(folder: Path) -> Iterator[Kernel]:
    with kernel(folder) as started:
        yield started


def test_runs_in_the_image_and_nothing_stays(lab: Laboratory, folder: Path) -> None:
    with kernel(folder) as started:
        assert started.value("6 * 7") == "42"
        assert started.value("import os; os.getcwd()") == repr(str(folder))
        assert started.value("import getpass; getpass.getuser()") == "'jupyter'"
        container = started.provisioner.handle.container
        private = started.provisioner.handle.connection.folder
        assert private.stat().st_mode & 0o077 == 0
        running = lab.manager.kernels.list(ACTOR)
        assert [k.container for k in running] == [container]
        assert running[0].image == "env:1" and not running[0].stale
    assert lab.manager.engine.inspect(container) is None
    assert not private.exists()
    assert lab.manager.kernels.list(ACTOR) == []


def test_a_folder_without_project_runs_in_the_servers_environment(lab: Laboratory, tmp_path: Path) -> None:
    with kernel(tmp_path) as started:
        assert started.provisioner.handle is None
        assert started.value("import os; os.getpid()") == str(started.provisioner.pid)


def test_notebook_decides_not_the_working_directory(folder: Path, tmp_path: Path) -> None:
    with kernel(tmp_path, notebook=str(folder / "deep" / "x.ipynb")) as started:
        assert started.provisioner.handle is not None
        assert started.value("import os; os.getcwd()") == repr(str(folder))


def test_interrupt_reaches_loops_and_child_processes(shared: Kernel) -> None:
    for code, wait in (
        ("while True: pass", 0.0),
        ("import time; time.sleep(600)", 0.0),
        # A loop in C, which lets no other thread run: what was printed must be on its way before it begins.
        ("import time; time.sleep(0.5)\nimport re; re.match('(a+)+$', 'a' * 60 + 'b')", 1.5),
    ):
        # Otherwise the kernel aborts what comes soon after an error, as it should when cells are queued.
        request = shared.client.execute(f"print('on', flush=True)\n{code}", stop_on_error=False)
        shared.wait_for_text(request, "on")
        time.sleep(wait)
        shared.manager.interrupt_kernel()
        assert shared.reply_to(request)["ename"] == "KeyboardInterrupt"
    code = "import subprocess; child = subprocess.Popen(['sleep', '600']); print('on', flush=True); child.wait()"
    request = shared.client.execute(code, stop_on_error=False)
    shared.wait_for_text(request, "on")
    shared.manager.interrupt_kernel()
    assert shared.reply_to(request)["ename"] == "KeyboardInterrupt"
    # 0: the interrupt hit CPython between the child's end and the note of its code; it has ended all the same.
    assert shared.value("child.wait()") in (str(-signal.SIGINT), "0")


def test_restart_keeps_the_channels_and_forgets_the_state(shared: Kernel) -> None:
    shared.value("kept = 1")
    before = shared.manager.get_connection_info()
    container = shared.provisioner.handle.container
    shared.restart()
    assert shared.run("kept")[1].startswith("NameError")
    assert shared.manager.get_connection_info() == before
    assert shared.provisioner.handle.container != container
    shared.restart(now=True)
    assert shared.value("1 + 1") == "2"


def test_stdin_shell_completion_inspection_history(shared: Kernel) -> None:
    def answer(message: dict[str, object]) -> None:
        shared.client.input("blue")

    assert shared.run("print(input('colour? '))", allow_stdin=True, stdin_hook=answer) == ("ok", "blue\n")
    assert "shell of" in shared.value("%%bash\necho shell of $(id -un)")
    assert shared.value("!echo $((3 * 4))") == "12"
    shared.value("import json")
    reply = shared.client.complete("json.du", reply=True, timeout=60)
    assert "dumps" in [match.rpartition(".")[2] for match in reply["content"]["matches"]]
    reply = shared.client.inspect("json.dumps", reply=True, timeout=60)
    assert "Serialize" in reply["content"]["data"]["text/plain"]
    reply = shared.client.history(hist_access_type="tail", n=5, raw=True, output=False, reply=True, timeout=60)
    assert "import json" in [entry[2] for entry in reply["content"]["history"]]


def test_packages_are_installed_without_root_and_see_no_runtime(shared: Kernel) -> None:
    assert "/.jupyter-image-manager/runtime" in shared.value("import ipykernel; print(ipykernel.__file__)")
    listed = shared.value("!pip list --format=json 2>/dev/null")
    assert "ipykernel" not in {package["name"] for package in json.loads(listed)}
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import ipykernel'], stderr=-3).returncode"
    assert shared.value(code) == "1"
    wheel = (
        "import zipfile\n"
        "with zipfile.ZipFile('/tmp/mine-1-py3-none-any.whl', 'w') as z:\n"
        "    z.writestr('mine.py', 'x = 5')\n"
        "    z.writestr('mine-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: mine\\nVersion: 1\\n')\n"
        "    z.writestr('mine-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n')\n"
        "    z.writestr('mine-1.dist-info/RECORD', '')"
    )
    shared.value(wheel)
    assert "Successfully installed mine-1" in shared.value("%pip install /tmp/mine-1-py3-none-any.whl")
    assert shared.value("!python3 -c 'import mine; print(mine.x)'") == "5"
    shared.restart()
    status, said = shared.run("import os; os.environ['HOME']")
    assert (status, said) == ("ok", "'/home/jupyter'")


def test_several_kernels_have_containers_of_their_own(lab: Laboratory, folder: Path) -> None:
    with kernel(folder) as one, kernel(folder) as other:
        one.value("x = 1")
        assert other.run("x")[1].startswith("NameError")
        assert len(lab.manager.kernels.list(ACTOR)) == 2


@pytest.mark.parametrize("uid", [1000, 1001, 0])
def test_files_belong_to_the_folders_owner(lab: Laboratory, tmp_path: Path, uid: int) -> None:
    if os.getuid() != 0:
        uid = os.getuid()
    lab.project(tmp_path / "p", uid=uid)
    with kernel(tmp_path / "p") as started:
        started.value("open('made', 'w').write('x'); import os; os.mkdir('folder')")
        for name in ("made", "folder"):
            assert (tmp_path / "p" / name).stat().st_uid == uid
        assert started.value("import os; os.getuid()") == str(uid)
        assert started.value("import getpass; bool(getpass.getuser())") == "True"
        home = started.value("import os; print(os.path.expanduser('~'))")
        assert started.value(f"open({home!r} + '/x', 'w').write('home is writable')") == "16"
        assert started.value("import os; os.path.basename(os.path.expanduser('~')) != ''") == "True"
        status = started.value("print(open('/proc/self/status').read())")
        assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("uid", [1000, 4321], ids=["the image's user", "somebody else"])
def test_home_is_writable_and_goes_with_the_kernel(lab: Laboratory, tmp_path: Path, uid: int) -> None:
    """What shall outlive a kernel is pointed into the project; the history of commands, for one."""
    folder = tmp_path / "p"
    lab.project(folder, uid=uid, environment={"IPYTHONDIR": str(folder / ".ipython")})
    with kernel(folder) as started:
        marked = "from pathlib import Path; mark = Path.home() / 'mark'"
        assert started.run(f"{marked}; mark.write_text('x'); print(mark.exists())", store_history=True)[1].startswith(
            "True"
        )
        started.restart()
        assert started.value(
            f"{marked}; print(mark.exists(), mark.parent.owner() == __import__('getpass').getuser())"
        ) == ("False True")
        assert "mark.write_text" in started.value("%history -g -l 5")


def test_symbolic_links_keep_the_users_path(lab: Laboratory, folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    with kernel(link) as started:
        assert started.value("import os; print(os.getcwd())") == str(link)
        assert started.value(f"import os; os.path.exists({str(folder)!r})") == "True"


def test_a_folder_that_cannot_be_written_is_said_before_the_start(lab: Laboratory, tmp_path: Path) -> None:
    lab.project(tmp_path / "p", uid=1001)
    (tmp_path / "p").chmod(0o555)
    with (
        pytest.raises(KernelStartError, match=r"cannot be written by .* as whom its kernels run"),
        kernel(tmp_path / "p"),
    ):
        raise AssertionError
    (tmp_path / "p").chmod(0o300)
    with pytest.raises(KernelStartError, match="cannot be read by"), kernel(tmp_path / "p"):
        raise AssertionError


def test_nothing_of_the_server_reaches_the_kernel(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "AWS_SECRET_ACCESS_KEY", "SOME_VARIABLE"):
        monkeypatch.setenv(name, "tell-nobody-4711")
    with kernel(folder) as started:
        # Every process's environment and command line, and every file that the kernel can open outside of the
        # image's own system folders.
        code = (
            "import os\n"
            "found = []\n"
            "needle = b'tell-nobody-' + str(4711).encode()\n"
            "for root, dirs, files in os.walk('/'):\n"
            "    if root == '/':\n"
            "        dirs[:] = [d for d in dirs if d not in ('sys', 'usr', 'lib', 'lib64', 'bin', 'sbin')]\n"
            "    for name in files:\n"
            "        path = os.path.join(root, name)\n"
            "        if root.startswith('/proc') and name not in ('environ', 'cmdline', 'mountinfo'): continue\n"
            "        try:\n"
            "            if os.path.isfile(path) and needle in open(path, 'rb').read(1 << 22): found.append(path)\n"
            "        except OSError: pass\n"
            "print(found)"
        )
        assert started.value(code) == "[]"
        names = set(json.loads(started.value("import json, os; print(json.dumps(list(os.environ)))")))
        assert not {n for n in names if n.startswith(("JUPYTER", "JPY", "PIP_", "AWS"))} - {"JPY_SESSION_NAME"}
        assert started.value("import os; os.path.exists('/var/run/docker.sock')") == "False"


def test_time_zone_umask_and_locale_are_the_servers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Yekaterinburg")
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    before = os.umask(0o027)
    try:
        with kernel(folder) as started:
            assert started.value("import time; time.localtime(0).tm_hour") == "5"
            assert started.value("import locale; locale.getpreferredencoding()") == "'UTF-8'"
            started.value("open('masked', 'w').close()")
            assert (folder / "masked").stat().st_mode & 0o777 == 0o640
            assert started.value("print('Привет')") == "Привет"
    finally:
        os.umask(before)


def test_switching_while_clients_are_connected(lab: Laboratory, tmp_path: Path) -> None:
    project = lab.project(tmp_path / "p")
    lab.activate(project, None)
    with kernel(tmp_path / "p") as started:
        assert started.provisioner.handle is None
        lab.activate(project, lab.dockerfile())
        started.restart()
        assert started.provisioner.handle is not None
        assert started.value("import getpass; getpass.getuser()") == "'jupyter'"
        assert len(started.value("print('x' * 3_000_000)")) == 3_000_000
        lab.activate(project, None)
        started.restart()
        assert started.provisioner.handle is None
        assert started.value("1 + 1") == "2"


def test_encrypted_tcp_where_there_are_no_sockets(
    lab: Laboratory, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "x.json"
    config.touch()
    from jupyter_image_manager.kernels.service import KernelService

    monkeypatch.setattr(KernelService.transport, "default_value", "tcp")
    with kernel(folder) as started:
        info = started.manager.get_connection_info()
        assert info["transport"] == "tcp" and info["ip"] == "127.0.0.1" and info["curve_publickey"]
        assert started.value("1 + 1") == "2"
        started.restart()
        assert started.manager.get_connection_info() == info
        assert started.value("2 + 2") == "4"


def test_a_kernel_that_cannot_encrypt_is_refused(
    lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_image_manager.kernels.service import KernelService

    lab.project(tmp_path / "p", lab.dockerfile("3.8"))
    monkeypatch.setattr(KernelService.transport, "default_value", "tcp")
    with pytest.raises(KernelStartError, match="too old to encrypt"), kernel(tmp_path / "p"):
        raise AssertionError


def test_labels_tell_whose_a_kernel_is_and_no_secret(
    lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "open-sesame-1234")
    lab.project(tmp_path / "p", secrets={"KEY": "env:THE_KEY"}, environment={"PLAIN": "yes"})
    with kernel(tmp_path / "p") as started:
        assert started.value("import os; os.environ['KEY'], os.environ['PLAIN']") == "('open-sesame-1234', 'yes')"
        state = started.provisioner.handle.state()
        assert state.labels[f"{LABEL}.role"] == "kernel"
        assert "open-sesame" not in repr(state)
        import docker

        client = docker.APIClient(version="auto")
        assert "open-sesame" not in json.dumps(client.inspect_container(state.id))
        client.close()
    lab.project(tmp_path / "q", secrets={"KEY": "env:NOT_THERE"})
    with pytest.raises(KernelStartError, match="NOT_THERE, which the server does not have"), kernel(tmp_path / "q"):
        raise AssertionError
