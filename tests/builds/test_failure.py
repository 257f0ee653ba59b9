"""The lines that decide, as pip, apt and builders really write them."""

from __future__ import annotations

import pytest

from jupyter_image_manager.builds.failure import decisive, hint

UNKNOWN = """Looking in indexes: https://index.example/simple
ERROR: Could not find a version that satisfies the requirement nosuch==1 (from versions: none)
ERROR: No matching distribution found for nosuch==1
[notice] A new release of pip is available: 23.2.1 -> 24.0"""
OTHER_VERSION = """ERROR: Could not find a version that satisfies the requirement six==99 (from versions: 1.16.0)
ERROR: No matching distribution found for six==99"""
CONFLICT = """Collecting requests==2.31.0
  Downloading requests-2.31.0-py3-none-any.whl (62 kB)
ERROR: Cannot install -r /r.txt (line 1) and urllib3==1.20 because these package versions have conflicting dependencies.
The conflict is caused by:
    The user requested urllib3==1.20
    requests 2.31.0 depends on urllib3<3 and >=1.21.1
To fix this you could try to:
1. loosen the range of package versions you've specified
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/topics/dependency-resolution/"""
NO_NETWORK = """WARNING: Retrying (Retry(total=0, connect=None)) after connection broken \
by 'NewConnectionError('<...>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/six/
ERROR: Could not find a version that satisfies the requirement six (from versions: none)
ERROR: No matching distribution found for six"""


@pytest.mark.parametrize(
    ("said", "words", "line"),
    [
        (UNKNOWN, "no nosuch==1, or was not reached", "No matching distribution found for nosuch==1"),
        (OTHER_VERSION, "There is no six==99 for this Python", "from versions: 1.16.0"),
        (CONFLICT, "contradict each other", "requests 2.31.0 depends on urllib3<3"),
        (NO_NETWORK, "The network is not reachable", "Connection refused"),
        ("E: Unable to locate package nosuch", "no package nosuch", "E: Unable"),
        ("lstat /var/lib/x/merged/nothing: no such file or directory", "A file that is copied", "lstat"),
    ],
)
def test_the_decisive_lines_and_what_helps(said: str, words: str, line: str) -> None:
    lines = said.splitlines()
    assert words in hint(lines)
    assert any(line in one for one in decisive(lines)), decisive(lines)
    assert not any("A new release of pip" in one or "Downloading" in one for one in decisive(lines))
