"""Which conda packages are on PyPI, and under which name.

Only packages that are known to be the same project on both are listed. Conda has packages that PyPI cannot have (R,
compilers, CUDA's libraries), and some names mean another project there, so what is not listed is refused by name.
"""

from __future__ import annotations

_SAME = """
    absl-py accelerate aiohttp altair annotated-types anyio attrs azure-identity azure-storage-blob azureml-core
    azureml-defaults bcrypt beautifulsoup4 bokeh boto3 botocore cachetools catboost category-encoders certifi cffi
    charset-normalizer click cloudpickle colorama cryptography cycler cython datasets dill distributed docutils einops
    evaluate faiss-cpu fastapi fastparquet filelock fire flask fonttools fsspec future gensim geopandas google-auth
    google-cloud-storage grpcio gunicorn h5py holidays httpx huggingface-hub idna imbalanced-learn importlib-metadata
    inference-schema ipykernel ipython ipywidgets jinja2 joblib jsonschema jupyter jupyterlab keras kiwisolver
    langchain lightgbm llvmlite lxml lz4 mako markdown markdown-it-py markupsafe matplotlib mlflow mlflow-skinny
    mlxtend msgpack multidict mypy-extensions networkx ninja nltk notebook numba numexpr numpy oauthlib onnx onnxruntime
    openpyxl optuna orjson packaging pandas pandera patsy pillow pip platformdirs plotly polars prophet protobuf psutil
    psycopg2-binary pyarrow pyasn1 pycparser pydantic pydantic-core pygments pymysql pyod pyparsing pyproj pytest
    python-dateutil python-dotenv pytz pyyaml pyzmq rasterio redis regex requests rich safetensors scikit-image
    scikit-learn scikit-optimize scipy seaborn sentence-transformers sentencepiece setuptools shap shapely simplejson
    six sktime smart-open snowflake-connector-python spacy sqlalchemy starlette statsmodels sympy tabulate tenacity
    tensorboard tensorflow threadpoolctl tokenizers toml tomli torchmetrics tornado tqdm transformers typer
    torchaudio torchvision streamlit pytorch-lightning googleapis-common-protos
    typing-extensions tzdata ujson urllib3 uvicorn watchdog werkzeug wheel wrapt xarray xgboost xlrd xlsxwriter yarl
    zipp zstandard
"""
SAME = frozenset(_SAME.split())

DIFFERENT = {
    "dask-core": "dask",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "psycopg2": "psycopg2-binary",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "pytables": "tables",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-kubernetes": "kubernetes",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "ruamel-yaml": "ruamel.yaml",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "dask": "dask[complete]",
    "uvicorn-standard": "uvicorn[standard]",
}

_NOT_PYTHON = (
    ("r-", "a package of R"),
    ("lib", "a library that is no Python package"),
    ("cuda", "a part of CUDA"),
    ("cudnn", "a part of CUDA"),
    ("nccl", "a part of CUDA"),
    ("mkl", "a library of Intel's that is no Python package of its own"),
    ("gcc", "a compiler"),
    ("gxx", "a compiler"),
    ("clang", "a compiler"),
    ("openmpi", "a system for parallel programs"),
    ("openjdk", "Java"),
    ("nodejs", "JavaScript's runtime"),
    ("_", "a helper of conda's own"),
)


def on_pypi(name: str) -> str:
    """The name on PyPI of a conda package, whose own name is in PyPI's spelling; empty where none is known."""
    return name if name in SAME else DIFFERENT.get(name, "")


def what_it_is(name: str) -> str:
    """What a package that PyPI does not have is, as far as its name tells."""
    return next((what for prefix, what in _NOT_PYTHON if name.startswith(prefix)), "")
