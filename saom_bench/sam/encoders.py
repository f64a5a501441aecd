"""Image encoders behind one call: the small one in onnxruntime, segment-anything's ViT in torch.

All are frozen, unless ``adapt`` opens a part of one in torch.
"""

from pathlib import Path
from typing import Any, Protocol

import onnxruntime
import torch
from torch import Tensor, nn

from saom_bench.errors import SaomBenchError
from saom_bench.types import FloatArray


class ImageEncoder(Protocol):
    """Maps the (3, S, S) input of ``preprocess.encoder_input`` to (C, h, w) features on ``device``."""

    def __call__(self, image: FloatArray, device: torch.device) -> Tensor:
        """The features, float32, without gradient."""


class OnnxEncoder:
    """An encoder in an ONNX file; runs on the CPU whatever the decoder's device."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session: Any = None

    def __call__(self, image: FloatArray, device: torch.device) -> Tensor:
        """(3, S, S) float32 to (C, h, w) on ``device``."""
        if self._session is None:
            self._session = self._open()
        (features,) = self._session.run(None, {self._session.get_inputs()[0].name: image[None]})
        return torch.from_numpy(features[0]).to(device, torch.float32)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_session": None}

    def _open(self) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Idle threads that spin would take the cores from the decoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise SaomBenchError(f"the encoder {self.path} cannot be loaded ({error}); reinstall saom-bench") from error


class TorchEncoder:
    """An encoder that is a torch module, frozen, on the device it is called for."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, image: FloatArray, device: torch.device) -> Tensor:
        """(3, S, S) float32 to (C, h, w) on ``device``."""
        return self.with_gradient(image, device)

    def with_gradient(self, image: FloatArray, device: torch.device) -> Tensor:
        """The same, with the graph to whatever of the module trains."""
        self.module.to(device)
        features: Tensor = self.module(torch.from_numpy(image)[None].to(device))[0]
        return features.float()
