"""The Russian of the front end: whole, well formed, and what JupyterLab is given."""

from __future__ import annotations

import re
import subprocess

import pytest
from babel.messages.catalog import Catalog, Message

from machine import translations
from machine.translations import texts_of

# Words that are the same in every language: names of products and files, and what is typed or kept as it is.
NAMES = {
    *("apt", "conda", "Dockerfile", "dockerfile", "dockerignore", "environment", "GPU", "install"),
    *("jupyter_image_manager", "pip", "Python", "requirements", "template", "txt", "yml"),
    *("env", "Escape", "file", "NAME", "opt", "PATH", "project", "TARGET"),
    # Values of arguments, commands of Docker, and the user of the kernels.
    *("archive", "duplicate", "import", "memory", "docker", "pull", "save", "jupyter", "Jupyter"),
}
LATIN = re.compile(r"[A-Za-z][A-Za-z_]*")
END = re.compile(r"[.:;…?]? ?$")
PLACEHOLDER = re.compile(r"%\d+")


@pytest.fixture(scope="module")
def asked() -> Catalog:
    return translations.extracted()


@pytest.fixture(scope="module")
def russian() -> Catalog:
    return translations.read("ru_RU")


def _key(message: Message) -> tuple[str, ...]:
    """Return what tells a message from others, as a person would look for it."""
    texts = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    return (message.context, *texts) if message.context else texts


def _messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def _offending(catalog: Catalog, pattern: str) -> list[str]:
    return [text for message in _messages(catalog) for text in texts_of(message) if re.search(pattern, text)]


def test_there_are_texts(asked: Catalog) -> None:
    assert len(asked) > 300


def test_everything_is_translated_and_nothing_is_left_over(asked: Catalog, russian: Catalog) -> None:
    wanted = {_key(message) for message in _messages(asked)}
    done = {_key(message) for message in _messages(russian) if all(texts_of(message)) and not message.fuzzy}
    written = {_key(message) for message in _messages(russian)}
    renew = "run `make translations`"
    assert not wanted - done, f"Not in Russian; {renew} and write it in labextension/locale/ru_RU.po"
    assert not written - wanted, f"Nothing asks for it any more; {renew}"


def test_what_is_filled_in_is_the_same(russian: Catalog) -> None:
    wrong = []
    for message in _messages(russian):
        # The last of the English forms has the number, which one of the Russian needs too: 21 is like 1.
        wanted = set(PLACEHOLDER.findall(_key(message)[-1]))
        wrong += [text for text in texts_of(message) if set(PLACEHOLDER.findall(text)) != wanted]
    assert wrong == []


def test_a_number_has_three_forms(russian: Catalog) -> None:
    plural = [message for message in _messages(russian) if message.pluralizable]
    assert len(plural) > 10
    assert [_key(message) for message in plural if len(texts_of(message)) != 3] == []


def test_no_english_is_left(russian: Catalog) -> None:
    left = {
        text: words
        for message in _messages(russian)
        for text in texts_of(message)
        if (words := [word for word in LATIN.findall(text) if word not in NAMES])
    }
    assert left == {}


def test_it_is_set_as_russian_is(russian: Catalog) -> None:
    assert _offending(russian, r"[\"'“”\N{RIGHT SINGLE QUOTATION MARK}!ё]|\.\.\.|  | - |^ ") == []
    assert [text for text in _offending(russian, "[«»]") if text.count("«") != text.count("»")] == []


def test_it_begins_and_ends_as_the_english_does(russian: Catalog) -> None:
    unlike = []
    for message in _messages(russian):
        english = _key(message)[-1]
        for text in texts_of(message):
            ends = {END.findall(each)[0] for each in (english, text)}
            begins = {each[0].isupper() for each in (english, text) if each[0].isalpha()}
            if len(ends) == 2 or len(begins) == 2:
                unlike.append((english, text))
    assert unlike == []


def test_jupyterlab_is_given_what_is_written(russian: Catalog) -> None:
    given = translations.json_file("ru_RU").read_text()
    assert given == translations.compiled(russian), "run `make translations`"


def test_what_two_calls_ask_for_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Done:
        returncode = 0
        stdout = (
            '[{"message": "%1 image", "plural": "", "context": "", "files": []},'
            ' {"message": "%1 image", "plural": "%1 images", "context": "", "files": []}]'
        )

    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: Done)
    with pytest.raises(ValueError, match="'%1 image' is asked for with a plural and without"):
        translations.extracted()


def test_jupyterlab_finds_it() -> None:
    from jupyterlab_server.translation_utils import get_language_pack

    packs, problem = get_language_pack("ru_RU")
    assert not problem
    assert packs[translations.DOMAIN]["New image"] == ["Новый образ"]
