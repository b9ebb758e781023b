"""Networks by name. Each takes raw grey crops and gives logits."""

from training.networks.registry import NETWORKS, build, parameter_count
from training.networks.standard import Classifier, FerNet, HalfClassifier, standardize

__all__ = ["NETWORKS", "Classifier", "FerNet", "HalfClassifier", "build", "parameter_count", "standardize"]
