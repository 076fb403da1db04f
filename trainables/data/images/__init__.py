"""Labelled pictures: scikit-learn's digits, Omniglot characters, and the user's own files laid out like CIFAR-100."""
