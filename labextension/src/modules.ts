/**
 * From the name in an `import` to the distribution that brings it; pure.
 */

/**
 * Distributions whose modules have another name, as `module distribution`; a longer module name is more exact.
 */
const DIFFERENT = `
absl absl-py
airflow apache-airflow
antlr4 antlr4-python3-runtime
apiclient google-api-python-client
attr attrs
azure.identity azure-identity
azure.storage.blob azure-storage-blob
bidi python-bidi
Bio biopython
bs4 beautifulsoup4
cairo pycairo
camelot camelot-py
can python-can
cassandra cassandra-driver
clang libclang
consul python-consul
corsheaders django-cors-headers
crispy_forms django-crispy-forms
crontab python-crontab
Crypto pycryptodome
Cryptodome pycryptodomex
cv2 opencv-python-headless
dateutil python-dateutil
debug_toolbar django-debug-toolbar
decouple python-decouple
discord discord.py
dns dnspython
docx python-docx
dotenv python-dotenv
ee earthengine-api
engineio python-engineio
environ django-environ
faiss faiss-cpu
ffmpeg ffmpeg-python
fitz PyMuPDF
git GitPython
github PyGithub
gitlab python-gitlab
google.auth google-auth
google.cloud.bigquery google-cloud-bigquery
google.cloud.bigquery_storage google-cloud-bigquery-storage
google.cloud.firestore google-cloud-firestore
google.cloud.pubsub google-cloud-pubsub
google.cloud.secretmanager google-cloud-secret-manager
google.cloud.storage google-cloud-storage
google.cloud.vision google-cloud-vision
google.genai google-genai
google.generativeai google-generativeai
google.oauth2 google-auth
google.protobuf protobuf
googleapiclient google-api-python-client
grpc grpcio
grpc_status grpcio-status
haystack haystack-ai
hydra hydra-core
ibis ibis-framework
imblearn imbalanced-learn
jenkins python-jenkins
jose python-jose
jwt PyJWT
kafka kafka-python
ldap python-ldap
llama_cpp llama-cpp-python
magic python-magic
markdown_it markdown-it-py
memcache python-memcached
mpl_toolkits matplotlib
mpl_toolkits.basemap basemap
multipart python-multipart
mysql mysql-connector-python
MySQLdb mysqlclient
nacl PyNaCl
nmap python-nmap
odf odfpy
OpenGL PyOpenGL
openslide openslide-python
OpenSSL pyOpenSSL
opentelemetry opentelemetry-api
opentelemetry.sdk opentelemetry-sdk
osgeo GDAL
paho paho-mqtt
past future
PIL Pillow
pkg_resources setuptools
pptx python-pptx
psycopg2 psycopg2-binary
pylab matplotlib
pynvml nvidia-ml-py
pythonjsonlogger python-json-logger
pywt PyWavelets
pyximport Cython
rest_framework djangorestframework
ruamel ruamel.yaml
ruamel.yaml ruamel.yaml
saml2 pysaml2
scikits.odes scikits.odes
serial pyserial
shapefile pyshp
skbio scikit-bio
skfda scikit-fda
skfuzzy scikit-fuzzy
skimage scikit-image
sklearn scikit-learn
skmisc scikit-misc
skopt scikit-optimize
sksparse scikit-sparse
sksurv scikit-survival
slugify python-slugify
snappy python-snappy
snowflake.connector snowflake-connector-python
snowflake.snowpark snowflake-snowpark-python
socketio python-socketio
socks PySocks
speech_recognition SpeechRecognition
stdnum python-stdnum
tabula tabula-py
talib TA-Lib
telegram python-telegram-bot
tlz toolz
tree dm-tree
umap umap-learn
usb pyusb
vlc python-vlc
vtkmodules vtk
websocket websocket-client
whisper openai-whisper
whois python-whois
win32api pywin32
wx wxPython
xdist pytest-xdist
Xlib python-xlib
yaml PyYAML
z3 z3-solver
zmq pyzmq
`;

/**
 * Distributions that bring the same modules, one of a kind a line, the one that we offer first.
 */
const ALIKE = `
faiss-cpu faiss-gpu faiss-gpu-cu11 faiss-gpu-cu12
onnxruntime onnxruntime-gpu onnxruntime-openvino
opencv-python-headless opencv-python opencv-contrib-python-headless opencv-contrib-python
Pillow pillow-simd
psycopg2-binary psycopg2
python-magic python-magic-bin
tensorflow tensorflow-cpu tensorflow-intel tensorflow-rocm tf-nightly
xgboost xgboost-cpu
`;

/**
 * Distributions of the name of their module, which are known to be what people mean.
 */
const SAME = `
accelerate aiohttp alembic altair anthropic anyio arrow arviz astropy bleach bokeh boto3 botocore cairosvg cartopy
catboost category_encoders celery certifi cffi chardet charset_normalizer cirq click clickhouse_driver cloudpickle
cmdstanpy corner cryptography cssselect cvxopt cx_Oracle Cython dash dash_bootstrap_components dask datasets
dateparser dbfread deap diffusers distributed django docx2txt duckdb einops elasticsearch_dsl emcee ete3 fabric
factor_analyzer fake_useragent faker fastai fastapi feedparser fiona flask flask_cors flask_login flask_sqlalchemy
flax folium fsspec gcsfs gensim geopandas gevent google_auth_oauthlib gradio great_expectations greenlet gunicorn h5py
hdbscan html5lib httpx huggingface_hub humanize hyperopt hypothesis idna igraph imageio imgaug iminuit inflect
ipykernel IPython ipywidgets iso3166 jax jaxlib jinja2 joblib jsonschema jupyter kazoo keras kubernetes langchain
langchain_community langchain_core langchain_openai ldap3 leidenalg Levenshtein librosa lifelines lightgbm lightning
lime linear_operator llama_index loguru lxml Markdown markdown markdown2 markupsafe matplotlib matplotlib_inline mesa
missingno mlflow mne modin moviepy msgpack nbformat netCDF4 networkx nibabel nilearn nltk numba numpy numpyro obspy
onnx onnxruntime open3d openai openpyxl optuna oracledb orjson ortools osmium packaging pandas pandera papermill
paramiko parse_type patsy pdfplumber peewee peft pendulum pennylane pint pip plotly pmdarima polars prometheus_client
prophet psutil psycopg pulp pyarrow pydantic pydot pydrive pygame pymc pymongo pymysql pyod pyodbc pyomo pypdf PyPDF2
pyproj PyQt5 PyQt6 pyreadstat pysam pyspark pytesseract pytest pytorch_lightning pytz pyvista qiskit qrcode rapidfuzz
rasterio ray rdkit redis regex reportlab requests rich s3fs sagemaker scipy scrapy seaborn selenium
sentence_transformers setuptools shap shapely simplejson simpy six sklearn_crfsuite sklearn_pandas sktime slack_sdk
smart_open soundfile spacy sqlalchemy sqlglot sqlmodel statsmodels streamlit sympy tables tabulate tensorboard
tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub tensorflow_probability textblob theano timm tokenizers
toml tomli torch torch_geometric torchaudio torchmetrics torchvision tqdm transformers trimesh trio tslearn twisted
typer typing_extensions ujson uncertainties unidecode urllib3 usaddress uvicorn vaex wandb weasyprint werkzeug wheel
wordcloud xarray xgboost xlrd xlsxwriter xmltodict ydata_profiling yfinance zarr
`;

/**
 * Modules of the standard library of any Python 3, with those that a later version has dropped.
 */
const STANDARD = `
abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect
builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression
concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal
difflib dis distutils doctest dummy_threading email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
fnmatch formatter fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq
hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale
logging lzma macpath mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis
nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb pickle pickletools pipes
pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat
queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil
signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics
string stringprep struct subprocess sunau symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios
test textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo
types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml
xmlrpc zipapp zipfile zipimport zlib zoneinfo
`;

const table = new Map(
  DIFFERENT.trim()
    .split('\n')
    .map(line => line.split(' ') as [string, string])
);
const alike = ALIKE.trim()
  .split('\n')
  .map(line => line.split(' ').map(canonicalName));
const same = new Set(SAME.trim().split(/\s+/));
const standard = new Set(STANDARD.trim().split(/\s+/));

/** A module's dotted name, in the letters that a distribution's name may have too. */
const MODULE = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
/** A distribution's name, with extras and versions where they are wanted. */
const DISTRIBUTION =
  /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(\[[A-Za-z0-9._,-]+\])?((===?|~=|!=|[<>]=?)[A-Za-z0-9.*+!]+)?(,(===?|~=|!=|[<>]=?)[A-Za-z0-9.*+!]+)*$/;
const LONGEST = 100;

/**
 * A module that a cell lacks, and what brings it.
 */
export interface IMissingModule {
  /** The name before the first dot. */
  module: string;
  distribution: string;
  /** Whether the distribution is known to bring it; otherwise it only has the same name. */
  known: boolean;
}

/**
 * The dotted name of the module that an error tells; null for anything else.
 *
 * @param name - Of the error.
 * @param message - Of the error.
 */
export function missingName(name: string, message: string): string | null {
  if (name !== 'ModuleNotFoundError') {
    return null;
  }
  // “No module named 'a.b'; 'a' is not a package” is about a file called a.py.
  const found = /^No module named '([^']*)'\s*$/.exec(message);
  return found && found[1].length <= LONGEST && MODULE.test(found[1])
    ? found[1]
    : null;
}

/**
 * What brings a module; null where nothing from outside can.
 *
 * #### Notes
 * A module's name comes from the code of a notebook: what could be anything but a name is refused.
 *
 * @param dotted - A dotted name.
 * @param own - Names of files and folders beside the notebook.
 */
export function distributionOf(
  dotted: string,
  own: ReadonlyArray<string> = []
): IMissingModule | null {
  if (dotted.length > LONGEST || !MODULE.test(dotted)) {
    return null;
  }
  const parts = dotted.split('.');
  const module = parts[0];
  if (standard.has(module) || own.some(name => isModule(name, module))) {
    return null;
  }
  for (let length = parts.length; length > 0; length--) {
    const distribution = table.get(parts.slice(0, length).join('.'));
    if (distribution) {
      return { module, distribution, known: true };
    }
  }
  return {
    module,
    distribution: module.replace(/_+/g, '-').replace(/-$/, ''),
    known: same.has(module)
  };
}

/**
 * Other distributions that bring the same modules, by the spelling in which names are compared.
 */
export function alternativesOf(distribution: string): string[] {
  const name = canonicalName(distribution);
  const all = alike.find(each => each.includes(name)) ?? [];
  return all.filter(each => each !== name);
}

/** Whether a file or folder is what Python takes for a module. */
function isModule(name: string, module: string): boolean {
  return (
    name === module ||
    (name.startsWith(`${module}.`) && /\.(py|pyc|pyx|so|pyd)$/.test(name))
  );
}

/**
 * Whether a text, as typed by a person, is a package that can be asked for.
 */
export function isDistribution(text: string): boolean {
  return text.length <= LONGEST && DISTRIBUTION.test(text);
}

/**
 * A distribution's name in the one spelling by which names are compared.
 */
export function canonicalName(distribution: string): string {
  return distribution
    .replace(/[[=<>!~,].*$/, '')
    .toLowerCase()
    .replace(/[-_.]+/g, '-');
}
