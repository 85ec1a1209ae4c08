"""What a model can run on: what ggml was built with, what a machine has, and what lies idle."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from agent.models import store
from agent.models.llm.llama import LlamaModel
from agent.models.llm.options import LlamaOptions
from hardware import npu
from hardware.base import DeviceError
from hardware.npu import Ggml, Host
from tests import tiny_gguf

CPU = Ggml("CPU", "cpu", "a processor", 8000)
PHONE = (
    ("proc/cpuinfo", "Hardware : Qualcomm SM8750\nFeatures : fp asimd asimddp i8mm\n"),
    ("dev/fastrpc-cdsp", ""),
    ("sys/class/kgsl/kgsl-3d0/gpu_model", "Adreno830v2\n"),
)
CLUSTER = (
    ("proc/cpuinfo", "model name : Xeon\nflags : sse avx2 avx512f amx_int8\n"),
    ("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t NVIDIA H200\nIRQ: 1\n"),
    ("usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "{}"),
)


def made(root, files):
    for name, text in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "machine", "found"),
    [
        (
            PHONE,
            "aarch64",
            [
                ("cpu", "Qualcomm SM8750 (asimd, asimddp, i8mm)"),
                ("hexagon", "/dev/fastrpc-cdsp"),
                ("adreno", "Adreno830v2"),
            ],
        ),
        (
            CLUSTER,
            "x86_64",
            [
                ("cpu", "Xeon (avx2, avx512f, amx_int8)"),
                ("cuda", "NVIDIA H200"),
                ("vulkan", "lvp_icd.x86_64"),
            ],
        ),
        ((), "riscv64", [("cpu", "riscv64")]),
    ],
)
def test_a_machine_is_known_by_what_its_drivers_leave(tmp_path, files, machine, found):
    here = npu.host(made(tmp_path, files), machine, "linux")
    assert [(one.kind, one.description) for one in here] == found


def test_a_mac_has_metal(tmp_path):
    assert npu.host(tmp_path, "arm64", "darwin")[-1].kind == "metal"


def test_this_machine_has_a_processor_and_ggml_computes_on_it():
    assert npu.host()[0].kind == "cpu"
    assert "CPU" in [device.name for device in npu.built()]
    assert npu.handle("cpu") == npu.handle("CPU") != 0
    assert npu.handle("HTP9") is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("CUDA0", "cuda"), ("HTP0", "hexagon"), ("GPUOpenCL", "adreno"), ("Vulkan0", "vulkan"),
     ("Metal", "metal"), ("RPC0", "rpc"), ("CPU", "cpu"), ("BLAS", "other"), ("", "other")],
)  # fmt: skip
def test_a_device_is_known_by_its_name(name, kind):
    assert npu.kind_of(name) == kind


def test_what_lies_idle_is_told_with_what_would_use_it(tmp_path):
    phone = npu.host(made(tmp_path, PHONE), "aarch64", "linux")
    hexagon, adreno = npu.idle(phone, (CPU,))
    assert "-DGGML_HEXAGON=on" in hexagon.told
    for needed in (
        "CMAKE_ARGS=",
        "ADSP_LIBRARY_PATH=",
        "GGML_HEXAGON_NDEV=",
        "pure Q4_0",
        "not tried on silicon",
    ):
        assert needed in hexagon.told
    assert "-DGGML_OPENCL=on" in adreno.line
    assert (
        npu.idle(phone, (CPU, Ggml("HTP0", "hexagon", "", 0), Ggml("GPUOpenCL", "adreno", "", 0)))
        == ()
    )


def test_one_chip_lies_idle_once(tmp_path):
    cluster = npu.host(made(tmp_path, CLUSTER), "x86_64", "linux")
    assert [one.host.kind for one in npu.idle(cluster, (CPU,))] == ["cuda"]
    assert npu.idle(cluster, (CPU, Ggml("CUDA0", "cuda", "", 0))) == ()


def test_only_what_was_tried_is_said_to_be():
    untried = [kind for kind in npu.BUILDS if kind not in npu.TRIED]
    assert untried == ["cuda", "vulkan", "metal", "hexagon", "adreno"]
    for kind in untried:
        assert "not tried" in npu.Advice(Host(kind, "x"), npu.BUILDS[kind]).told


def test_the_best_device_is_the_fastest_kind_and_never_another_machine():
    others = [
        Ggml("RPC0", "rpc", "far:1", 0),
        CPU,
        Ggml("Vulkan0", "vulkan", "", 0),
        Ggml("CUDA0", "cuda", "", 0),
    ]
    assert npu.automatic(tuple(others)).name == "CUDA0"
    assert npu.automatic(tuple(others[:2])).name == "CPU"
    assert npu.automatic(()) is None


@pytest.mark.parametrize(
    ("kind", "file", "fits"),
    [("hexagon", "qwen3-1.7b-q4_0.gguf", True), ("hexagon", "qwen2.5-q4_k_m.gguf", False),
     ("adreno", "x-Q4_0.gguf", True), ("adreno", "x-q4_0_4_4.gguf", False),
     ("cuda", "x-q8_0.gguf", True), ("cpu", "x.gguf", True)],
)  # fmt: skip
def test_the_quantization_has_to_suit(kind, file, fits):
    assert (npu.suits(kind, file) == "") is fits


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:1", "nonsense", "localhost:x", "", "[::1]:99999999"]
)
def test_nobody_there_is_one_line(endpoint):
    with pytest.raises(DeviceError):
        npu.connect(endpoint)


@pytest.mark.parametrize(
    ("endpoint", "here"),
    [
        ("127.0.0.1:5", True),
        ("localhost:5", True),
        ("[::1]:5", True),
        ("10.0.0.1:5", False),
        ("x", False),
    ],
)
def test_another_machine_is_told_from_this_one(endpoint, here):
    assert npu.is_here(endpoint) is here


def test_what_is_no_backend_is_refused(tmp_path):
    with pytest.raises(DeviceError, match="no such backend"):
        npu.load(tmp_path / "none.so")
    (tmp_path / "text.so").write_text("nonsense")
    with pytest.raises(DeviceError, match="not a backend"):
        npu.load(tmp_path / "text.so")


def test_a_model_runs_on_the_device_that_is_named(tmp_path):
    """Through the very list that another device would be named in."""
    path = tiny_gguf.write(tmp_path / "tiny.gguf", says="on it")
    options = LlamaOptions(gpu_layers=999, device=npu.handle("CPU"), device_name="CPU")
    model = LlamaModel(path, options)
    assert model.complete("x") == "on it"
    model.close()


@pytest.mark.skipif(
    "GLASSES_GGML" not in os.environ, reason="names no libggml-rpc.so: see hardware/npu.py"
)
def test_a_model_runs_on_a_device_of_another_process(tmp_path):
    path = tiny_gguf.write(tmp_path / "tiny.gguf", says="far")
    npu.load(Path(os.environ["GLASSES_GGML"]))
    name = npu.connect(os.environ["GLASSES_RPC"])
    model = LlamaModel(
        path, LlamaOptions(gpu_layers=999, device=npu.handle(name), device_name=name)
    )
    assert model.complete("x") == "far"
    model.close()


# -- by command -----------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(main, [*arguments])


def test_a_device_is_chosen_and_kept(run, tmp_path):
    assert "run on CPU" in run("models", "use", "--device", "CPU").output
    assert store.device(tmp_path / "models") == "CPU"
    run("models", "use", "auto")
    assert store.device(tmp_path / "models") == "CPU"
    run("models", "use", "--device", "auto")
    assert store.device(tmp_path / "models") == ""


def test_a_device_that_is_not_there_is_not_kept(run, tmp_path):
    done = run("models", "use", "--device", "HTP0")
    assert done.exit_code == 1
    assert "ggml has no device HTP0 here: it has CPU" in done.output
    assert store.device(tmp_path / "models") == ""
    assert "name a model" in run("models", "use").output


@pytest.mark.parametrize("text", ["", "[]", '{"device": 3}', "\udcff"])
def test_a_choice_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / store.CHOSEN).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert store.device(tmp_path) == ""


def test_the_doctor_says_what_would_be_used(run):
    told = run("doctor", "--json").output
    assert '"part": "model device", "state": "ok", "used": "CPU"' in told
    assert '"part": "processor"' in told
