"""A SAM for tests: segment-anything's decoder with random weights on a 256-pixel input and a made-up encoder."""

import hashlib

import torch
from torch import Tensor

from saom_bench.sam.encoders import TorchEncoder
from saom_bench.sam.model import Sam
from saom_bench.sam.modules import ImageEncoderViT
from saom_bench.sam.zoo import new_decoder
from saom_bench.types import FloatArray

EMBEDDING_SIZE = 16


class PatchEncoder:
    """Each 16-pixel patch through one fixed random projection and a tanh: (256, 16, 16) from a (3, 256, 256) input."""

    def __init__(self, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(256, 3, 16, 16, generator=draws) / 28

    def __call__(self, image: FloatArray, device: torch.device) -> Tensor:
        """(3, 256, 256) float32 to (256, 16, 16)."""
        features = torch.nn.functional.conv2d(torch.from_numpy(image)[None], self.weight, stride=16)
        return torch.tanh(features[0]).to(device)


def tiny_sam(seed: int = 0, n_classes: int | None = None) -> Sam:
    """The same tiny model for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        prompt_encoder, mask_decoder = new_decoder(EMBEDDING_SIZE, mlp_dim=64)
    sha256 = hashlib.sha256(f"tiny-sam {seed}".encode()).hexdigest()
    sam = Sam("tiny-sam", PatchEncoder(seed), prompt_encoder, mask_decoder, sha256).eval()
    if n_classes is not None:
        sam.attach_class_head([f"class {i}" for i in range(n_classes)], seed)
    return sam


def tiny_vit_sam(seed: int = 0, n_classes: int | None = None) -> Sam:
    """tiny_sam's decoder behind a real ViT encoder of two small layers, one with windows and one global."""
    sam = tiny_sam(seed, n_classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vit = ImageEncoderViT(
            img_size=16 * EMBEDDING_SIZE,
            embed_dim=32,
            depth=2,
            num_heads=2,
            window_size=6,
            global_attn_indexes=(1,),
            use_rel_pos=True,
        )
        for value in vit.parameters():
            if value.abs().sum() == 0:  # positions and biases start at zero, where a mix-up could not be seen
                torch.nn.init.normal_(value, std=0.02)
    sam.encoder[0] = TorchEncoder(vit)
    return sam


def sharp(sam: Sam) -> Sam:
    """Random weights give masks of one sign; larger hypernetwork weights make them end inside the picture."""
    with torch.no_grad():
        for mlp in sam.mask_decoder.output_hypernetworks_mlps:
            mlp.layers[-1].weight.mul_(200)
            mlp.layers[-1].bias.zero_()
    return sam
