"""Video and text: contrastive learning, captioning and masked modelling on one trunk."""
