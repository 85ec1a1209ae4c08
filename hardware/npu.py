"""What a language model can run on: the devices ggml was built with, and those of this machine.

llama.cpp computes on a device only if it was built for it, so the two lists differ: a phone's NPU
lies idle beside a llama.cpp from a package registry, which knows the processor alone. `idle` says
which build would use it. Build options, variables and quantization are those of llama.cpp's own
documents (docs/build.md, docs/backend/{snapdragon,OPENCL,CUDA}.md).

TRIED says on what the project ran a model itself. All else was written from those documents.
"""

from __future__ import annotations

import ctypes
import platform
import re
import socket
import sys
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from hardware.base import DeviceError

Kind = Literal["cpu", "cuda", "vulkan", "metal", "hexagon", "adreno", "rpc", "other"]

TRIED: frozenset[Kind] = frozenset(("cpu", "rpc"))
"""Kinds on which a model was run by this project; the others are untried on silicon."""

CONNECT_S = 2.0
"""Longest another process may take to answer."""

FEATURES = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
    "sve",
    "sme",
)
"""Features of a processor that ggml has faster code for, as Linux calls them."""


@dataclass(frozen=True, slots=True)
class Ggml:
    """A device that ggml can compute on."""

    name: str
    """What it is chosen by: `CPU`, `CUDA0`, `HTP0`, `GPUOpenCL`."""
    kind: Kind
    """What it is."""
    description: str
    """What its driver calls it."""
    free_mb: int
    """Memory that is free for weights, in MiB; 0 where nobody says."""

    @property
    def accelerates(self) -> bool:
        """Whether layers can be put on it."""
        return self.kind != "cpu"


@dataclass(frozen=True, slots=True)
class Host:
    """A device of this machine."""

    kind: Kind
    """What it is."""
    description: str
    """What the machine calls it."""


@dataclass(frozen=True, slots=True)
class Build:
    """How llama.cpp is built for one kind of device."""

    cmake: str
    """Options for CMake."""
    environment: str = ""
    """What has to be set when it runs."""
    quantization: str = "Q4_K_M"
    """What weights have to be quantized to: the NPU and OpenCL backends have fast kernels for pure
    Q4_0 alone."""


BUILDS: dict[Kind, Build] = {
    "cuda": Build("-DGGML_CUDA=on"),
    "vulkan": Build("-DGGML_VULKAN=on"),
    "metal": Build("-DGGML_METAL=on"),
    "hexagon": Build(
        "-DGGML_HEXAGON=on -DHEXAGON_SDK_ROOT=$HEXAGON_SDK_ROOT -DPREBUILT_LIB_DIR=android_aarch64",
        "ADSP_LIBRARY_PATH=<folder with libggml-htp-v*.so> GGML_HEXAGON_NDEV=1",
        "Q4_0",
    ),
    "adreno": Build("-DGGML_OPENCL=on", quantization="Q4_0"),
    "rpc": Build("-DGGML_RPC=on", "GLASSES_GGML=<libggml-rpc.so> GLASSES_RPC=host:port"),
}
"""By kind; the processor needs none."""

_PREFIXES: tuple[tuple[str, Kind], ...] = (
    ("CUDA", "cuda"), ("VULKAN", "vulkan"), ("METAL", "metal"), ("MTL", "metal"),
    ("HTP", "hexagon"), ("HEXAGON", "hexagon"), ("GPUOPENCL", "adreno"), ("OPENCL", "adreno"),
    ("RPC", "rpc"), ("CPU", "cpu"),
)  # fmt: skip


def kind_of(name: str) -> Kind:
    """Return what kind of device ggml means by a name."""
    return next((kind for start, kind in _PREFIXES if name.upper().startswith(start)), "other")


# -- what ggml was built with ---------------------------------------------------------------------


@cache
def library() -> Any:
    """Return ggml as llama-cpp-python brings it. Raises OSError or ImportError without it."""
    import llama_cpp

    folder = Path(llama_cpp.__file__).parent / "lib"
    ending = {"darwin": "dylib", "win32": "dll"}.get(sys.platform, "so")
    ggml = ctypes.CDLL(str(folder / f"libggml.{ending}"), mode=ctypes.RTLD_GLOBAL)
    for name, result, arguments in (
        ("ggml_backend_dev_count", ctypes.c_size_t, ()),
        ("ggml_backend_dev_get", ctypes.c_void_p, (ctypes.c_size_t,)),
        ("ggml_backend_dev_by_name", ctypes.c_void_p, (ctypes.c_char_p,)),
        ("ggml_backend_load", ctypes.c_void_p, (ctypes.c_char_p,)),
        ("ggml_backend_register", None, (ctypes.c_void_p,)),
        ("ggml_backend_reg_by_name", ctypes.c_void_p, (ctypes.c_char_p,)),
        ("ggml_backend_reg_get_proc_address", ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_char_p)),
        ("ggml_backend_dev_name", ctypes.c_char_p, (ctypes.c_void_p,)),
        ("ggml_backend_dev_description", ctypes.c_char_p, (ctypes.c_void_p,)),
    ):
        function = getattr(ggml, name)
        function.restype, function.argtypes = result, arguments
    ggml.ggml_backend_dev_memory.restype = None
    ggml.ggml_backend_dev_memory.argtypes = (
        ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t),
    )  # fmt: skip
    return ggml


def accelerated() -> bool:
    """Return whether ggml was built for more than the processor, without loading it."""
    found = find_spec("llama_cpp")
    if found is None or found.origin is None:
        return False
    backends = (path.name for path in (Path(found.origin).parent / "lib").glob("libggml-*"))
    return any(not re.match(r"libggml-(?:base|cpu|blas)\b", name) for name in backends)


def built() -> tuple[Ggml, ...]:
    """Return the devices that ggml can compute on here; none where llama.cpp cannot be loaded."""
    try:
        ggml = library()
    except (ImportError, OSError, AttributeError, RuntimeError):
        return ()
    return tuple(
        _described(ggml, ggml.ggml_backend_dev_get(at))
        for at in range(ggml.ggml_backend_dev_count())
    )


def _described(ggml: Any, device: int) -> Ggml:
    free, whole = ctypes.c_size_t(), ctypes.c_size_t()
    ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(whole))
    name = ggml.ggml_backend_dev_name(device).decode("utf-8", "replace")
    description = ggml.ggml_backend_dev_description(device).decode("utf-8", "replace")
    return Ggml(name, kind_of(name), description.strip(), free.value >> 20)


def handle(name: str) -> int | None:
    """Return what llama.cpp calls a device by, whatever the case of its name; None without one."""
    known = next((d.name for d in built() if d.name.casefold() == name.casefold()), None)
    return None if known is None else library().ggml_backend_dev_by_name(known.encode())


# -- another process's device ---------------------------------------------------------------------


def load(path: Path) -> None:
    """Load one more backend of ggml's, as `libggml-rpc.so`. Raises DeviceError."""
    if not path.is_file():
        raise DeviceError(f"{path}: no such backend of ggml's; see GLASSES_GGML")
    try:
        taken = library().ggml_backend_load(str(path).encode())
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        raise DeviceError(f"ggml cannot be loaded: {error}") from None
    if not taken:
        raise DeviceError(f"{path}: not a backend for this build of llama.cpp")


def connect(endpoint: str) -> str:
    """Return what ggml calls the device behind `host:port`, where an RPC server of ggml's listens.

    Raises DeviceError where ggml has no RPC backend, or nobody answers.
    """
    try:
        ggml = library()
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        raise DeviceError(f"ggml cannot be loaded: {error}") from None
    backend = ggml.ggml_backend_reg_by_name(b"RPC")
    if not backend:
        how = f"build it with {BUILDS['rpc'].cmake}, or name libggml-rpc.so in GLASSES_GGML"
        raise DeviceError(f"ggml was built without RPC: {how}")
    before = {device.name for device in built()}
    known = next((d.name for d in built() if d.kind == "rpc" and d.description == endpoint), None)
    if known is not None:
        return known
    _answers(endpoint)  # ggml ends the process where nobody does
    address = ggml.ggml_backend_reg_get_proc_address(backend, b"ggml_backend_rpc_add_server")
    server = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(address)(endpoint.encode())
    if not server:
        raise DeviceError(f"{endpoint}: no RPC server of ggml's answers there")
    ggml.ggml_backend_register(server)
    return next(device.name for device in built() if device.name not in before)


def _answers(endpoint: str) -> None:
    name, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((name.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise DeviceError(f"{endpoint}: no RPC server of ggml's answers there ({error})") from None


def is_here(endpoint: str) -> bool:
    """Return whether `host:port` is of this machine."""
    name = endpoint.rpartition(":")[0].strip("[]")
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


# -- what this machine has ------------------------------------------------------------------------


def host(root: Path = Path("/"), machine: str = "", system: str = sys.platform) -> tuple[Host, ...]:
    """Return the devices of this machine that a model could run on, without waking one.

    Each is told by what its driver leaves in the file system; `root` is another one for tests.
    """
    machine = machine or platform.machine()
    looks: tuple[tuple[Kind, Callable[[], str]], ...] = (
        ("cpu", lambda: _processor(root, machine)),
        (
            "hexagon",
            lambda: _first(root, "dev/fastrpc-cdsp", "dev/fastrpc-cdsp-secure", "dev/adsprpc-smd"),
        ),
        ("adreno", lambda: _adreno(root)),
        ("cuda", lambda: _nvidia(root)),
        ("vulkan", lambda: _vulkan(root)),
        ("metal", lambda: "Apple GPU" if system == "darwin" and machine == "arm64" else ""),
    )
    return tuple(Host(kind, told) for kind, look in looks if (told := look()))


def _processor(root: Path, machine: str) -> str:
    try:
        told = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return machine
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", told, re.MULTILINE)
    has = [feature for feature in FEATURES if feature in (flags[1].split() if flags else ())]
    model = re.search(r"^(?:model name|Hardware)\s*:\s*(.*)$", told, re.MULTILINE)
    return f"{model[1].strip() if model else machine} ({', '.join(has) or 'no vector features'})"


_HEXAGON = ("dev/fastrpc-cdsp", "dev/fastrpc-cdsp-secure", "dev/adsprpc-smd")


def _first(root: Path, *paths: str) -> str:
    return next((f"/{path}" for path in paths if (root / path).exists()), "")


def _adreno(root: Path) -> str:
    try:
        told = (root / "sys/class/kgsl/kgsl-3d0/gpu_model").read_text(encoding="utf-8")
        return told.strip()
    except (OSError, UnicodeDecodeError):
        return _first(root, "dev/kgsl-3d0")


def _nvidia(root: Path) -> str:
    for told in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        try:
            found = re.search(r"^Model:\s*(.*)$", told.read_text(encoding="utf-8"), re.MULTILINE)
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found[1].strip()
    return _first(root, "dev/nvidia0")


def _vulkan(root: Path) -> str:
    """Return the drivers of Vulkan; the library alone drives nothing."""
    places = ("usr/share/vulkan/icd.d", "etc/vulkan/icd.d", "usr/local/share/vulkan/icd.d")
    drivers = sorted(path.stem for place in places for path in (root / place).glob("*.json"))
    there = drivers and (root != Path("/") or find_library("vulkan"))
    return ", ".join(drivers) if there else ""


# -- what to do about it --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advice:
    """A device that lies idle, and what would use it."""

    host: Host
    """The device."""
    build: Build
    """What it takes."""

    @property
    def line(self) -> str:
        """The command that builds for it."""
        return (
            f'CMAKE_ARGS="{self.build.cmake}" pip install --force-reinstall --no-cache-dir'
            " --no-binary llama-cpp-python llama-cpp-python"
        )

    @property
    def told(self) -> str:
        """It, in one line, with what has to be set and known."""
        parts = [f"{self.host.kind} ({self.host.description}) lies idle: {self.line}"]
        if self.build.environment:
            parts.append(f"then set {self.build.environment}")
        pure = "pure " if self.build.quantization == "Q4_0" else ""
        parts.append(f"weights in {pure}{self.build.quantization}")
        if self.host.kind not in TRIED:
            parts.append("not tried on silicon by this project")
        return "; ".join(parts)


def idle(here: tuple[Host, ...], ggml: tuple[Ggml, ...]) -> tuple[Advice, ...]:
    """Return what of a machine no device of ggml's computes on, the most worth it first."""
    used = {device.kind for device in ggml}
    if "cuda" in used or "metal" in used:
        used.add("vulkan")  # it would be the same chip once more
    order: tuple[Kind, ...] = ("hexagon", "adreno", "cuda", "metal", "vulkan")
    found = {device.kind: device for device in here if device.kind not in used}
    if found.keys() & {"cuda", "adreno"}:
        found.pop("vulkan", None)
    return tuple(Advice(found[kind], BUILDS[kind]) for kind in order if kind in found)


def automatic(ggml: tuple[Ggml, ...]) -> Ggml | None:
    """Return the device that a model is put on unless another is chosen: the fastest kind there is.

    Never another machine's, which would be told everything.
    """
    order: tuple[Kind, ...] = ("cuda", "metal", "hexagon", "adreno", "vulkan", "cpu")
    return min(
        (device for device in ggml if device.kind in order),
        key=lambda device: order.index(device.kind),
        default=None,
    )


def suits(kind: Kind, file: str) -> str:
    """Return what is wrong with a file's quantization for a device; nothing where it suits."""
    wanted = BUILDS[kind].quantization if kind in BUILDS else ""
    if wanted != "Q4_0" or re.search(r"q4_0(?!_)", file, re.IGNORECASE):
        return ""
    return f"{file} is not pure Q4_0, which alone is fast on {kind}: quantize it, or pull one"
