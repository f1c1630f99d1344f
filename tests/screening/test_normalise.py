"""What a reader would call the same letters becomes the same letters."""

from __future__ import annotations

import pytest

from bookrunner.adapters.screening import EntryKind
from bookrunner.adapters.screening.normalise import normalise, sound

PEOPLE = {
    "YAN, Xiaobing": "xiaobing yan",
    "Dr. Xiaobing  YAN Jr.": "xiaobing yan",
    "Os\u200bama b\u0456n L\u0430den": "osama laden",
    "\u202eOsama\u202c bin Laden\ufeff": "osama laden",
    "\u0410\u0412\u0412\u0410\u0405, Rim": "rim abbas",
    "\u0412\u043b\u0430\u0434\u0438\u043c\u0438\u0440": "vladimir",
    "Ivan \u041f\u0435\u0442\u0440\u043e\u0432": "ivan petrov",
    "\uff2e\uff2f\uff32\uff29\uff25\uff27\uff21": "noriega",
    "\u0141ukasz \u017b\u00f3\u0142\u0107": "lukasz zolc",
    "M0hamed Al-Zaw4hiri": "mohamed zawahiri",
    "Sa'd al-Faysal": "sad faysal",
    "J.R. Smith": "j r smith",
    "Wang Bin": "wang bin",
    "Mr. T": "mr t",
    "\u4e60\u8fd1\u5e73": "xijinping",
}
COMPANIES = {
    "BANCO NACIONAL DE CUBA S.A.": "banco nacional cuba",
    "The Planar Company": "planar",
    "3M Company": "3m company",
    "7 Seas Ltd": "7 seas",
    "A & C International Trade, Inc.": "ac international trade",
    "T.M.A. International": "tma international",
    "Public Jiont Stock Company Gazmor": "gazmor",
    "Gazmor Stockcompany Limted": "gazmor",
    "Trade Point International": "trade point international",
    "1C-Rating 2000 OOO": "1c rating 2000",
    "Br0ok\u00adlyn Mills": "brooklyn mills",
}


@pytest.mark.parametrize(("name", "words"), PEOPLE.items())
def test_a_person_is_known_by_these_words(name: str, words: str) -> None:
    assert " ".join(normalise(name, EntryKind.PERSON)) == words


@pytest.mark.parametrize(("name", "words"), COMPANIES.items())
def test_a_company_is_known_by_these_words(name: str, words: str) -> None:
    assert " ".join(normalise(name, EntryKind.ENTITY)) == words


@pytest.mark.parametrize(
    "spellings",
    [
        "mohammed mohamed mohamid",
        "youssef yousef",
        "hussein husayn husein",
        "sergei sergey",
        "petrov petroff",
        "zhukov jukov",
        "tchaikovskii chaikovski",
    ],
)
def test_romanisations_sound_alike(spellings: str) -> None:
    assert len({sound(word) for word in spellings.split()}) == 1


def test_different_names_sound_different() -> None:
    words = ["hassan", "hussein", "khalid", "jamal", "yusuf", "petrov", "mohammed"]
    assert len({sound(word) for word in words}) == len(words)
