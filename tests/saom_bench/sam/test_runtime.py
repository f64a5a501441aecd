"""The allocator's settings are made before torch is imported, once, and only where they exist."""

import os
import subprocess
import sys

import pytest

from saom_bench.sam import runtime

MODULES_WITH_TORCH = ("saom_bench.sam.modules", "saom_bench.sam.registry", "saom_bench.everything.generate")
_PROGRAM = """
import importlib, importlib.abc, sys
from saom_bench.sam import runtime
state = []
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            state.append(runtime.prepared())
sys.meta_path.insert(0, Watch())
assert "torch" not in sys.modules
importlib.import_module(sys.argv[1])
print(state[0])
"""


@pytest.mark.skipif(not runtime.supported(), reason="needs glibc")
@pytest.mark.parametrize("module", MODULES_WITH_TORCH)
def test_settings_come_before_torch(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, module], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(("system", "libc"), [("darwin", "glibc"), ("linux", "musl")])
def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch, system: str, libc: str) -> None:
    monkeypatch.setattr(runtime.sys, "platform", system)
    monkeypatch.setattr(runtime.platform, "libc_ver", lambda: (libc, "1"))
    monkeypatch.setattr(runtime, "_prepared", False)
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda _: pytest.fail("called the C library"))
    runtime.prepare()
    assert not runtime.prepared()


def test_a_second_call_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_prepared", True)
    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda _: pytest.fail("called the C library"))
    runtime.prepare()


@pytest.mark.parametrize(("before", "after"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", before or "")
    if before is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    runtime.prepare()
    assert os.environ["OMP_WAIT_POLICY"] == after


LIGHT = ("saom_bench.predict", "saom_bench.sam.cli", "saom_bench.sam.specs", "saom_bench.everything.config")


def test_commands_load_no_torch_before_they_run() -> None:
    program = f"import sys, {', '.join(LIGHT)}; print([m for m in ('torch', 'cv2', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
