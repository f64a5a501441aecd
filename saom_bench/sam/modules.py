"""segment-anything's own network modules, imported also where torchvision is absent.

The package's ``__init__`` imports its mask generator and its image transforms, and those import torchvision, which has
no CPU build on the package index. The network modules need none of it. So where the plain import fails because of
torchvision, the package is registered under its own path without running its ``__init__``; its submodules then import
as usual.
"""

from saom_bench.sam import runtime

runtime.prepare()

import importlib  # noqa: E402
import importlib.util  # noqa: E402
import sys  # noqa: E402
from types import ModuleType  # noqa: E402

from saom_bench.errors import SaomBenchError  # noqa: E402

_PACKAGE = "segment_anything"


def _make_importable() -> None:
    try:
        importlib.import_module(_PACKAGE)
    except (ImportError, RuntimeError, AttributeError, OSError):
        # What a torchvision that does not fit raises depends on how it does not fit: a missing module, an unknown
        # operator, a library that cannot be loaded. Any other trouble shows again when the modules below are imported.
        _register_without_init()


def _register_without_init() -> None:
    for name in [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]  # half imported
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise SaomBenchError("segment-anything is not installed; run: pip install segment-anything")
    package = ModuleType(_PACKAGE)
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    sys.modules[_PACKAGE] = package


_make_importable()

from segment_anything.modeling.image_encoder import ImageEncoderViT  # noqa: E402
from segment_anything.modeling.mask_decoder import MaskDecoder  # noqa: E402
from segment_anything.modeling.prompt_encoder import PromptEncoder  # noqa: E402
from segment_anything.modeling.transformer import TwoWayTransformer  # noqa: E402

__all__ = ["ImageEncoderViT", "MaskDecoder", "PromptEncoder", "TwoWayTransformer"]
