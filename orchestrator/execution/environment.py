"""What a trainable sees of the environment: what is on a list. Called in each Ray worker before its code is imported.

The workers of a local cluster inherit the driver's environment, the passwords of ledger and MLflow with it. This keeps
them from what a trainable prints, reports or starts. It is no wall: code that means harm runs as the same user.
"""

import os
from collections.abc import Collection, MutableMapping

NAMES = {
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "HOSTNAME", "PWD", "TERM", "LANG", "LANGUAGE", "TZ", "TMPDIR",
    "TMP", "TEMP", "VIRTUAL_ENV", "MPLCONFIGDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "TOKENIZERS_PARALLELISM", "DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"
}  # fmt: skip
PREFIXES = (
    "LC_", "XDG_", "PYTHON", "CONDA_", "DYLD_", "CUDA", "CUBLAS_", "CUDNN_", "NVIDIA_", "NCCL_", "GLOO_", "HIP_",
    "ROCR_", "TORCH", "PYTORCH_", "TRITON_", "XLA_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_",
    "NUMEXPR_", "MALLOC_", "RAY_", "TUNE_", "GRPC_", "HF_", "TRANSFORMERS_"
)  # fmt: skip
SECRET_WORDS = {"TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIALS"}
"""A name with one of these words, such as HF_TOKEN, is not let through by its prefix."""


def is_allowed(name: str) -> bool:
    """Whether every trainable may see the variable."""
    return name in NAMES or (name.startswith(PREFIXES) and SECRET_WORDS.isdisjoint(name.split("_")))


def scrub(named: Collection[str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Remove every variable that is neither on the list nor among those that the sweep file has `named`."""
    for name in list(environ):
        if name not in named and not is_allowed(name):
            del environ[name]
