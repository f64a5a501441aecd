"""A SAM: an image encoder, segment-anything's prompt encoder and mask decoder, and an optional class head.

Frames: points and masks are in pixels of the original image; the model's own input frame (longest side 1024) does not
leave this module. Only the parts after the encoder are parameters of the module; the encoder is frozen in SAOM, and
``adapt`` opens parts of it where a recipe wants more.
"""

from saom_bench.sam import runtime

runtime.prepare()

from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from saom_bench.errors import SaomBenchError  # noqa: E402
from saom_bench.sam.decoder import ImageTokens, decode_points  # noqa: E402
from saom_bench.sam.encoders import ImageEncoder, TorchEncoder  # noqa: E402
from saom_bench.sam.modules import MaskDecoder, PromptEncoder  # noqa: E402
from saom_bench.sam.preprocess import colors_of, encoder_input, input_size, low_size, to_input_frame  # noqa: E402
from saom_bench.sam.scorer import MaskScorer, look  # noqa: E402
from saom_bench.types import RgbImage, Size  # noqa: E402

# What a fine-tuning step of the published method reaches.
_TRAINED = (
    "prompt_encoder.point_embeddings.1.",
    "prompt_encoder.not_a_point_embed.",
    "prompt_encoder.no_mask_embed.",
    "mask_decoder.transformer.",
    "mask_decoder.iou_token.",
    "mask_decoder.mask_tokens.",
    "mask_decoder.output_upscaling.",
    "mask_decoder.output_hypernetworks_mlps.1.",
    "mask_decoder.output_hypernetworks_mlps.2.",
    "mask_decoder.output_hypernetworks_mlps.3.",
    "class_head.",
)
# A bias that adds the same to every score of a softmax: no output depends on it, so it has no gradient.
_WITHOUT_EFFECT = "token_to_image.k_proj.bias"
_IOU_HEAD = "mask_decoder.iou_prediction_head."
_LOGITS_A_TOKEN = 4  # along each side
DecodePoints = Callable[[nn.Module, ImageTokens, Tensor, Size | None], tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True)
class Embedding:
    """The encoder's view of one image."""

    features: Tensor
    """(C, h, w) float32; (256, 64, 64) for every published SAM."""
    size_hw: Size
    """(H, W) of the original image."""
    input_hw: Size
    """(H, W) of the image in the encoder's input, before padding."""
    colors: Tensor | None = None
    """(3, h, w) from 0 to 1, the image at the size of the low-resolution logits; a mask scorer looks at it."""


@dataclass(frozen=True)
class Decoded:
    """What the decoder says of N point prompts: three masks each, from whole to part in no fixed order."""

    low_res_logits: Tensor
    """(N, 3, 256, 256) mask logits over the padded input, or their part that shows the image; above 0 is object."""
    predicted_iou: Tensor
    """(N, 3)."""
    iou_token: Tensor
    """(N, 256) the IoU token after the transformer: the class head's input."""


@dataclass(frozen=True)
class Judged:
    """How good N prompts' masks are, and what they show: by the mask scorer where there is one."""

    predicted_iou: Tensor
    """(N, 3)."""
    class_logits: Tensor | None
    """(N, n_classes); None for a model without classes."""
    none_logit: Tensor | None = None
    """(N, 1) for "none of the classes", which mask scorers know."""

    def classes(self) -> tuple[Tensor, Tensor] | None:
        """(N,) the likeliest class and (N,) its probability, which is low where it is likelier none of them."""
        if self.class_logits is None:
            return None
        known = [self.class_logits] if self.none_logit is None else [self.class_logits, self.none_logit]
        probabilities = torch.cat(known, dim=1).float().softmax(dim=1)[:, : self.class_logits.shape[1]]
        score, index = probabilities.max(dim=1)
        return index, score


@dataclass(frozen=True)
class Lora:
    """The shape of low-rank changes to the image encoder."""

    rank: int
    alpha: int


class Sam(nn.Module):
    """A Segment Anything model; ``name`` and ``weights_sha256`` are those of its base, also after fine-tuning."""

    def __init__(
        self,
        name: str,
        encoder: ImageEncoder,
        prompt_encoder: PromptEncoder,
        mask_decoder: MaskDecoder,
        weights_sha256: str,
    ) -> None:
        super().__init__()
        self.name = name
        self.weights_sha256 = weights_sha256
        self.encoder = [encoder]  # in a list, so that it is no submodule: a frozen encoder has no part in parameters()
        self.prompt_encoder = prompt_encoder
        self.mask_decoder = mask_decoder
        self.image_size: int = prompt_encoder.input_image_size[0]
        self.class_head: nn.Linear | None = None
        self.scorer: MaskScorer | None = None
        self.class_names: tuple[str, ...] | None = None
        self._decode_points: DecodePoints = decode_points
        self.encoder_sha256 = weights_sha256
        """Tells encoders apart: that of the base, unless a training changed its encoder."""
        self.encoder_changes: dict[str, Tensor] = {}
        """What a training changed of the encoder, by checkpoint name; ``adapt`` fills it."""
        self.lora: Lora | None = None

    @property
    def device(self) -> torch.device:
        """Where the decoder runs."""
        device: torch.device = self.mask_decoder.iou_token.weight.device
        return device

    def attach_class_head(self, class_names: Sequence[str], seed: int = 0) -> None:
        """Add a linear class head on the IoU token, with weights drawn from ``seed``."""
        channels = self.mask_decoder.iou_token.weight.shape[1]
        head = nn.Linear(channels, len(class_names))
        bound = channels**-0.5
        draws = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            head.weight.uniform_(-bound, bound, generator=draws)
            head.bias.zero_()
        self.class_head = head.to(self.device, self.mask_decoder.iou_token.weight.dtype)
        self.class_names = tuple(class_names)

    def attach_scorer(self, class_names: Sequence[str] | None, seed: int = 0) -> MaskScorer:
        """Add a mask scorer, with weights drawn from ``seed``; with names it also tells classes, else the head does."""
        channels = self.mask_decoder.iou_token.weight.shape[1]
        self.scorer = MaskScorer(channels, len(class_names or ()), seed).to(self.device)
        if class_names:
            self.class_names = tuple(class_names)
        return self.scorer

    def detach_scorer(self) -> None:
        """Be without a mask scorer, as a decoder that is to change must be."""
        self.scorer = None
        if self.class_head is None:
            self.class_names = None

    def input_size(self, size_hw: Size) -> Size:
        """(H, W) that an image of ``size_hw`` has in the encoder's input, before padding."""
        return input_size(size_hw, self.image_size)

    @torch.no_grad()
    def encode(self, rgb: RgbImage) -> Embedding:
        """Embed an (H, W, 3) uint8 image."""
        features = self.encoder[0](encoder_input(rgb, self.image_size), self.device)
        return self.embedding_of(rgb, features)

    def encode_with_gradient(self, rgb: RgbImage) -> Embedding:
        """Embed an image with the graph to what of the encoder trains; for encoders that ``adapt`` has opened."""
        encoder = self.encoder[0]
        if not isinstance(encoder, TorchEncoder):
            raise TypeError(f"the encoder of {self.name} is no torch module")
        features = encoder.with_gradient(encoder_input(rgb, self.image_size), self.device)
        return self.embedding_of(rgb, features)

    def embedding_of(self, rgb: RgbImage, features: Tensor) -> Embedding:
        """An image's embedding, from features that were computed before."""
        size_hw = (rgb.shape[0], rgb.shape[1])
        input_hw = self.input_size(size_hw)
        colors = torch.from_numpy(colors_of(rgb, input_hw)).to(self.device)
        return Embedding(features, size_hw, input_hw, colors)

    def decode(self, embedding: Embedding, points_xy: Tensor, padding: bool = True) -> Decoded:
        """Masks for (N, 2) foreground points, one prompt each, in pixels of the original image. Differentiable.

        Without ``padding`` the logits that show nothing of the image are left out, which is cheaper by as much.
        """
        points = self.point_tokens(points_xy, embedding)
        shown = None if padding else self.tokens_shown(embedding)
        return Decoded(*self._decode_points(self.mask_decoder, self.image_tokens(embedding), points, shown))

    def decode_together(self, embeddings: Sequence[Embedding], points_xy: Sequence[Tensor]) -> list[Decoded]:
        """``decode``, without padding, for the points of several images: on a GPU in fewer and larger operations."""
        if len(embeddings) == 1 or self.device.type == "cpu":
            # A CPU gains nothing by size, and points of one image share the work on its tokens.
            return [self.decode(*each, padding=False) for each in zip(embeddings, points_xy, strict=True)]
        return self._decode_packed(embeddings, points_xy)

    def _decode_packed(self, embeddings: Sequence[Embedding], points_xy: Sequence[Tensor]) -> list[Decoded]:
        counts = [len(points) for points in points_xy]
        images = [self.image_tokens(embedding) for embedding in embeddings]
        keys = torch.cat([image.keys.expand(n, -1, -1) for image, n in zip(images, counts, strict=True)])
        tokens = ImageTokens(keys, images[0].shift, images[0].position, images[0].grid_hw)
        points = [self.point_tokens(xy, embedding) for xy, embedding in zip(points_xy, embeddings, strict=True)]
        shown = [self.tokens_shown(embedding) for embedding in embeddings]
        most = (max(rows for rows, _ in shown), max(columns for _, columns in shown))
        together = self._decode_points(self.mask_decoder, tokens, torch.cat(points), most)
        parts = [torch.split(values, counts) for values in together]
        return [Decoded(*one) for one in zip(*parts, strict=True)]

    def compile_decoder(self, backend: str = "inductor") -> None:
        """Have torch compile the decoder on its first use; needs a C++ compiler on a CPU."""
        self._decode_points = torch.compile(decode_points, dynamic=True, backend=backend)

    def upscale(self, low_res_logits: Tensor, embedding: Embedding) -> Tensor:
        """(N, K, 256, 256) logits to (N, K, H, W) of the original image, in segment-anything's two steps.

        Logits that were left out, because they show padding, have no part in the result.
        """
        square = (self.image_size, self.image_size)
        side = _LOGITS_A_TOKEN * self.prompt_encoder.image_embedding_size[0]
        height, width = low_res_logits.shape[-2:]
        low_res_logits = functional.pad(low_res_logits, (0, side - width, 0, side - height))
        masks = functional.interpolate(low_res_logits, square, mode="bilinear", align_corners=False)
        masks = masks[..., : embedding.input_hw[0], : embedding.input_hw[1]]
        return functional.interpolate(masks, embedding.size_hw, mode="bilinear", align_corners=False)

    def classify(self, iou_token: Tensor) -> Tensor:
        """(N, n_classes) class logits of (N, 256) IoU tokens. Raises SaomBenchError without a class head."""
        if self.class_head is None:
            raise SaomBenchError(f"{self.name} has no class head; classes come with a fine-tuned checkpoint")
        logits: Tensor = self.class_head(iou_token.to(self.class_head.weight.dtype))
        return logits

    def judge(self, decoded: Decoded, embedding: Embedding) -> Judged:
        """How good the masks of N prompts on one image are, and what they show."""
        if self.scorer is not None:
            # Sums over a whole picture leave float16, and the scorer was trained on float32.
            with torch.autocast(self.device.type, enabled=False):
                predicted_iou, classes = self.scorer(self.look(decoded, embedding), decoded.predicted_iou.float())
            if classes is not None:
                return Judged(predicted_iou, classes[:, :-1], classes[:, -1:])
        else:
            predicted_iou = decoded.predicted_iou
        return Judged(predicted_iou, None if self.class_head is None else self.classify(decoded.iou_token))

    def look(self, decoded: Decoded, embedding: Embedding) -> Tensor:
        """(N, D) what a mask scorer sees of N prompts on one image."""
        if embedding.colors is None:
            raise ValueError("a mask scorer needs an embedding with colors, as encode gives it")
        rows, columns = self.tokens_shown(embedding)
        height, width = rows * _LOGITS_A_TOKEN, columns * _LOGITS_A_TOKEN
        colors = embedding.colors[:, :height, :width]
        return look(
            decoded.iou_token,
            decoded.low_res_logits[..., :height, :width],
            decoded.predicted_iou,
            embedding.features[:, :rows, :columns],
            functional.pad(colors, (0, width - colors.shape[2], 0, height - colors.shape[1])),
            low_size(embedding.input_hw),
        )

    def trainable_parameters(self, iou_head: bool = False) -> dict[str, nn.Parameter]:
        """What SAOM fine-tunes, by name; with ``iou_head`` also the IoU prediction head, which the paper leaves."""
        wanted = (*_TRAINED, _IOU_HEAD) if iou_head else _TRAINED
        named = self.named_parameters()
        return {name: p for name, p in named if name.startswith(wanted) and not name.endswith(_WITHOUT_EFFECT)}

    def tokens_shown(self, embedding: Embedding) -> Size:
        """Rows and columns of tokens whose logits ``upscale`` reads: the image and the neighbours of its edge."""
        grid = self.prompt_encoder.image_embedding_size[0]
        logit_px = self.image_size // (_LOGITS_A_TOKEN * grid)
        last = [(side - 0.5) / logit_px + 0.5 for side in embedding.input_hw]
        rows, columns = (min(grid, int(logit) // _LOGITS_A_TOKEN + 1) for logit in last)
        return rows, columns

    def image_tokens(self, embedding: Embedding) -> ImageTokens:
        """What the decoder attends to: the same for all points of an image."""
        _, height, width = embedding.features.shape
        no_mask: Tensor = self.prompt_encoder.no_mask_embed.weight
        keys = embedding.features.to(no_mask.dtype).flatten(1).T
        ys, xs = torch.meshgrid(
            (torch.arange(height, device=self.device) + 0.5) / height,
            (torch.arange(width, device=self.device) + 0.5) / width,
            indexing="ij",
        )
        position = self._positions(torch.stack([xs, ys], dim=-1).view(-1, 2))
        return ImageTokens(keys.contiguous(), no_mask[0], position, (height, width))

    def point_tokens(self, points_xy: Tensor, embedding: Embedding) -> Tensor:
        """(N, 2, C): each point's token, and the padding token that SAM adds where there is no box."""
        factors = torch.tensor(to_input_frame(embedding.size_hw, embedding.input_hw), device=self.device)
        # The half pixel is segment-anything's own shift of every prompt.
        in_unit_square = (points_xy.to(self.device) * factors + 0.5) / self.image_size
        encoder = self.prompt_encoder
        points = self._positions(in_unit_square) + encoder.point_embeddings[1].weight
        padding = encoder.not_a_point_embed.weight.expand_as(points)
        return torch.stack([points, padding], dim=1)

    def _positions(self, unit_xy: Tensor) -> Tensor:
        """(N, C) positional encoding of (N, 2) points in the unit square."""
        frequencies: Tensor = self.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
        angles = 2 * torch.pi * ((2 * unit_xy.to(frequencies.dtype) - 1) @ frequencies)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
