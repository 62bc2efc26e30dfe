"""The proof of a phase: frozen stages are bit-equal to what they were, trained ones are not."""

from typing import Any

import numpy as np

from zsltf.training.checkpoints import Values
from zsltf.training.network import Network
from zsltf.training.phases import Phase

__all__ = ["freeze_proof"]


def freeze_proof(network: Network, phase: Phase, start: Values) -> dict[str, Any]:
    """Compare every stage's weights with those at the start of the phase.

    Args:
        network: after the phase, frozen as in it.
        phase: what should have trained.
        start: all weights of network.model as they were, from `values_of`.

    Returns:
        phase, and the names of the stages that are "frozen" and that have "moved".

    Raises:
        RuntimeError: if a frozen stage changed, or a trained one did not.
    """
    before = dict(zip((id(variable) for variable in network.model.variables), start.values(), strict=False))
    stages = network.stages
    moved = [
        stage
        for stage in stages
        if any(not np.array_equal(np.asarray(w), before[id(w)], equal_nan=True) for w in network.weights_of(stage))
    ]
    trained = [stage for stage in phase.trained(list(stages)) if _trains(network, stages[stage])]
    wrong = [stage for stage in stages if (stage in moved) != (stage in trained)]
    if wrong:
        found = "moved though it is frozen" if wrong[0] in moved else "did not move though it trains"
        raise RuntimeError(
            f"Phase '{phase.name}': stage {wrong[0]} {found}. Report this, or check custom layers in it."
        )
    return {"phase": phase.name, "frozen": [stage for stage in stages if stage not in moved], "moved": moved}


def _trains(network: Network, layers: tuple[str, ...]) -> bool:
    return any(network.model.get_layer(name).trainable_weights for name in layers)
