"""Keep the translations of the front end: ``python -m machine.translations``, or ``make translations``.

``labextension/locale/extract.mjs`` reads what the sources ask for, people write ``labextension/locale/<locale>.po``,
and JupyterLab takes the JSON below ``jupyter_image_manager/locale`` by the entry point ``jupyterlab.locale``.
"""

from __future__ import annotations

import json
import subprocess
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "labextension" / "locale"
DOMAIN = "jupyter_image_manager"
LOCALES = ("ru_RU",)
# Of our own: that of the library has dates and addresses, which nobody needs and each renewal would change.
HEADER = """\
# Texts of the front end in another language. `make translations` adds what the sources ask for anew.
msgid ""
msgstr ""
"Language: {locale}\\n"
"Plural-Forms: {plurals}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def extracted() -> Catalog:
    """Return what the sources of the front end ask for.

    Raises
    ------
    ValueError
        One text is asked for both with a plural and without, of which the catalogue of JupyterLab could hold only one.
    """
    done = subprocess.run(["node", str(SOURCES / "extract.mjs")], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"The strings of the front end could not be read: {done.stderr}")
    catalog = Catalog(domain=DOMAIN, fuzzy=False)
    for each in json.loads(done.stdout):
        text, plural, context = each["message"], each["plural"], each["context"] or None
        known = catalog.get(text, context)
        if known is not None and known.pluralizable != bool(plural):
            raise ValueError(f"{text!r} is asked for with a plural and without; give one of them a context.")
        files = [(file, 0) for file in each["files"]]  # no lines, which each edit would change
        catalog.add((text, plural) if plural else text, locations=files, context=context)
    return catalog


def po_file(locale: str) -> Path:
    """Return where people write the translation into a locale."""
    return SOURCES / f"{locale}.po"


def json_file(locale: str) -> Path:
    """Return where JupyterLab finds the translation into a locale."""
    return ROOT / DOMAIN / "locale" / locale / "LC_MESSAGES" / f"{DOMAIN}.json"


def read(locale: str) -> Catalog:
    """Return what is translated into a locale."""
    with po_file(locale).open("rb") as file:
        return read_po(file, locale=locale, domain=DOMAIN, abort_invalid=True)


def merged(catalog: Catalog, template: Catalog) -> str:
    """Return a catalogue's file with new messages, empty, and without those that nothing asks for any more."""
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written = BytesIO()
    write_po(written, catalog, width=110, omit_header=True)
    return HEADER.format(locale=catalog.locale, plurals=catalog.plural_forms) + written.getvalue().decode()


def texts_of(message: Message) -> list[str]:
    """Return what a message is translated to: one text, or one for each form of a plural."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def compiled(catalog: Catalog) -> str:
    """Return the JSON that JupyterLab reads; what is not translated is left out and stays English."""
    content: dict[str, object] = {
        "": {
            "domain": DOMAIN,
            "language": str(catalog.locale).replace("_", "-"),
            "plural_forms": catalog.plural_forms,
        }
    }
    for message in catalog:
        texts = texts_of(message)
        if message.id and all(texts):
            text = message.id if isinstance(message.id, str) else message.id[0]
            content[f"{message.context}\x04{text}" if message.context else text] = texts
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Bring the files of each locale up to date with the sources, and name what is still to be translated."""
    for locale in LOCALES:
        if not po_file(locale).exists():
            po_file(locale).write_text(merged(Catalog(locale=locale, domain=DOMAIN, fuzzy=False), extracted()))
        po_file(locale).write_text(merged(read(locale), extracted()))
        catalog = read(locale)
        json_file(locale).parent.mkdir(parents=True, exist_ok=True)
        json_file(locale).write_text(compiled(catalog))
        missing = [message.id for message in catalog if message.id and not all(texts_of(message))]
        print(f"{locale}: {len(catalog)} texts, {len(missing)} to be translated", *map(repr, missing), sep="\n  ")


if __name__ == "__main__":
    main()
