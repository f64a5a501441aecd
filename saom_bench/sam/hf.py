"""A model as transformers' ``SamModel``: the same tensors under its names. Needs the extra ``export``.

Limit: encoders that are segment-anything's ViT; SamModel has no place for mobile-sam's.
"""

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from saom_bench.errors import SaomBenchError
from saom_bench.sam.encoders import TorchEncoder
from saom_bench.sam.model import Sam

# segment-anything's name -> transformers' name, each applied in turn.
_NAMES = (
    (r"^image_encoder\.", "vision_encoder."),
    (r"^vision_encoder\.blocks\.", "vision_encoder.layers."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"\.neck\.0\.", ".neck.conv1."),
    (r"\.neck\.1\.", ".neck.layer_norm1."),
    (r"\.neck\.2\.", ".neck.conv2."),
    (r"\.neck\.3\.", ".neck.layer_norm2."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.point_embeddings\.", ".point_embed."),
    (r"\.pe_layer\.positional_encoding_gaussian_matrix$", ".shared_embedding.positional_embedding"),
    (r"(iou_prediction_head|output_hypernetworks_mlps\.\d)\.layers\.0\.", r"\1.proj_in."),
    (r"(iou_prediction_head|output_hypernetworks_mlps\.\d)\.layers\.1\.", r"\1.layers.0."),
    (r"(iou_prediction_head|output_hypernetworks_mlps\.\d)\.layers\.2\.", r"\1.proj_out."),
)
_POSITIONS = "prompt_encoder.shared_embedding.positional_embedding"


def to_transformers(sam: Sam, out: Path) -> Any:
    """Write the model to ``out`` as transformers does, and read it back.

    Raises SaomBenchError without transformers, and for an encoder that SamModel has not.
    """
    encoder = sam.encoder[0]
    if not isinstance(encoder, TorchEncoder):
        raise SaomBenchError(
            f"transformers' SamModel has no place for the image encoder of {sam.name}; use --format onnx, or fine-tune "
            "a sam-vit model"
        )
    try:
        from transformers import SamModel
    except ImportError as error:
        raise SaomBenchError("this needs transformers; run: pip install 'saom-bench[export]'") from error
    model = SamModel(_config(sam, encoder.module))
    parts = {"image_encoder": encoder.module, "prompt_encoder": sam.prompt_encoder, "mask_decoder": sam.mask_decoder}
    tensors: dict[str, Tensor] = {}
    for part, module in parts.items():
        for name, value in module.state_dict().items():
            tensors[renamed(f"{part}.{name}")] = value
    tensors["shared_image_embedding.positional_embedding"] = tensors[_POSITIONS]
    model.load_state_dict(tensors)
    model.save_pretrained(out)
    written: Any = SamModel.from_pretrained(out, local_files_only=True)
    return written.eval()


def renamed(name: str) -> str:
    """A tensor's name in transformers, from that in segment-anything."""
    for old, new in _NAMES:
        name = re.sub(old, new, name)
    return name


def _config(sam: Sam, vit: Any) -> Any:
    """The configuration that the modules themselves tell."""
    from transformers import SamConfig

    side, width = sam.image_size, vit.patch_embed.proj.out_channels
    windows = [block.window_size for block in vit.blocks]
    vision = {
        "hidden_size": width,
        "num_hidden_layers": len(vit.blocks),
        "num_attention_heads": vit.blocks[0].attn.num_heads,
        "global_attn_indexes": [i for i, size in enumerate(windows) if size == 0],
        "window_size": max(windows),
        "mlp_dim": vit.blocks[0].mlp.lin1.out_features,
        "output_channels": vit.neck[0].out_channels,
        "layer_norm_eps": vit.blocks[0].norm1.eps,
        "image_size": side,
    }
    prompts = {"image_size": side, "image_embedding_size": sam.prompt_encoder.image_embedding_size[0]}
    decoder = {"mlp_dim": sam.mask_decoder.transformer.layers[0].mlp.lin1.out_features}
    return SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
