"""A dataset's card: one Markdown page that says what it holds, where it came from, and under which licence."""

from collections import Counter

from saom_bench.shards.dataset import ShardDataset
from saom_bench.shards.format import simulator_title

_LICENCES = {
    "saom-player": "Apache-2.0 (object placements and assets' sizes derive from AI2-THOR and ProcTHOR, Apache-2.0)",
    "ai2thor-unity": "Apache-2.0 (pictures of AI2-THOR's scenes)",
}
_UNKNOWN_LICENCE = "not known here: that of the source it was imported from"


def card(dataset: ShardDataset, front_matter: str = "") -> str:
    """The page. ``front_matter``: lines of YAML for sites that read them at the top of a page."""
    height, width = dataset.size_of(0)
    counts = _counts(dataset)
    sizes = {dataset.size_of(i) for i in range(len(dataset))}
    shown = f"{width}x{height}" if len(sizes) == 1 else f"{len(sizes)} sizes, the first {width}x{height}"
    lines = [
        f"# {dataset.folder.resolve().name}",
        "",
        f"{len(dataset)} frames ({shown}) of {len(dataset.scenes)} {dataset.split} scenes with "
        f"{sum(counts.values())} labelled objects of {len(counts)} classes.",
        "",
        f"- simulator: {simulator_title(dataset.simulator)}",
        f"- licence: {_licence(dataset)}",
        f"- split: {dataset.split}",
        f"- label set: {dataset.label_set.name} ({len(dataset.label_set)} classes)",
        f"- fingerprint: `{dataset.fingerprint}`",
        f"- scenes: {', '.join(dataset.scenes)}",
        "",
        "| class | objects |",
        "| --- | ---: |",
        *(
            f"| {dataset.label_set.classes[k]} | {n} |"
            for k, n in sorted(counts.items(), key=lambda kn: (-kn[1], kn[0]))
        ),
        "",
        f"Absent: {', '.join(c for k, c in enumerate(dataset.label_set.classes) if k not in counts) or 'none'}.",
    ]
    head = ["---", front_matter.strip(), "---", ""] if front_matter else []
    return "\n".join([*head, *lines]) + "\n"


def _licence(dataset: ShardDataset) -> str:
    # Pictures of packs show AI2-THOR's own models and textures, whoever drew them.
    shows_packs = "packs" in str(dataset.simulator.get("scenes"))
    name = "ai2thor-unity" if shows_packs else str(dataset.simulator.get("name"))
    return _LICENCES.get(name, _UNKNOWN_LICENCE)


def _counts(dataset: ShardDataset) -> Counter[int]:
    return Counter(each.class_index for i in range(len(dataset)) for each in dataset.objects(i))
