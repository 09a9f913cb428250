"""How people give their names and birth dates in other languages and scripts than English.

Is: the phrases that introduce a name or a birth date, by language. Is not: a translator, nor a recogniser of names
that nothing introduces.
"""

from __future__ import annotations

import re

# "I was born on", "date of birth" and their short forms; a date follows.
BORN = (
    r"geb(?:oren)?\.?(?:\s+am)?|geburtsdatum|geboren\s+op|geboortedatum|n[ée]e?\s+le|date\s+de\s+naissance|ddn|"
    r"fecha\s+de\s+nacimiento|nacid[oa]\s+el|f\.?\s?nac\.?|data\s+di\s+nascita|nat[oa]\s+il|data\s+de\s+nascimento|"
    r"nascid[oa]\s+em|f[öø]dd?t?(?:selsdato|elsedatum)?|f[öø]delsedag|urodzon[ya]|data\s+urodzenia|narozen[aý]?|"
    r"doğum\s+tarihi|syntynyt|дата\s+рождения|родил(?:ся|ась)|г\.?\s?р\.?|д\.?\s?р\.?|дата\s+народження|"
    r"ημερομηνία\s+γέννησης|出生日期|生年月日|生日|생년월일|تاريخ\s+الميلاد|जन्म\s+तिथि|תאריך\s+לידה"
)

# A word of any script: its vowel signs are no letters to a regular expression.
_WORD = r"[^\W\d_][^\s,.;:!?()।，。]*"
_LATIN = (
    r"me\s+llamo|mi\s+nombre\s+es|se\s+llama|je\s+m['’]appelle|mon\s+nom\s+est|il\s+s['’]appelle|elle\s+s['’]appelle|"
    r"ich\s+hei(?:ß|ss)e|mein\s+name\s+ist|er\s+hei(?:ß|ss)t|sie\s+hei(?:ß|ss)t|mi\s+chiamo|il\s+mio\s+nome\s+[èe]|"
    r"meu\s+nome\s+[ée]|chamo-me|me\s+chamo|ik\s+heet|mijn\s+naam\s+is|jag\s+heter|mitt\s+namn\s+[äa]r|jeg\s+heter|"
    r"jeg\s+hedder|nazywam\s+si[ęe]|mam\s+na\s+imi[ęe]|jmenuji\s+se|numele\s+meu\s+este|m[ăa]\s+numesc|"
    r"(?:benim\s+)?ad[ıi]m|nimeni\s+on|t[êe]n\s+t[ôo]i\s+l[àa]|jina\s+langu\s+ni|nama\s+saya|mera\s+na{1,2}m"
)
_OTHER = (
    r"меня\s+зовут|мо[её]\s+имя|мене\s+звати|казвам\s+се|зовем\s+се|με\s+λένε|ονομάζομαι|اسمي|إسمي|انا\s+اسمي|نام\s+من|"
    r"मेरा\s+नाम|আমার\s+নাম|என்\s+பெயர்|میرا\s+نام|קוראים\s+לי|שמי"
)
_INTRODUCED = re.compile(rf"(?<!\w)(?:{_LATIN}|{_OTHER})\s*[:=]?\s+({_WORD}(?:\s+{_WORD}){{0,2}})", re.IGNORECASE)
# Chinese, Japanese and Korean write no blanks between a cue and a name; two to four signs are a name.
_HAN_CUED = re.compile(
    r"(?:我叫|我是|我的名字(?:叫|是)|本人叫|姓名[::]?\s*)([\u4e00-\u9fff·]{2,4})(?=[,，。、.!?;\s]|$)"
)
_KANA_CUED = re.compile(
    r"(?:私の名前は|名前は|氏名[::]?\s*)([\u3040-\u30ff\u4e00-\u9fff]{2,8}?)(?=です|と申|といい|[。、,\s]|$)"
)
_HANGUL_CUED = re.compile(
    r"(?:제\s*이름은|저는|성명[::]?)\s*([\uac00-\ud7a3]{2,4}?)(?=입니다|이에요|예요|라고|[,.\s]|$)"
)
# Titles before a name in capitals. "M." alone is French; a genus ("M. tuberculosis") goes on in lower case.
_TITLE = re.compile(
    r"(?<!\w)(?:M\.|Mme|Mlle|Monsieur|Madame|Sr\.?|Sra\.?|Srta\.?|Doña|Sig\.(?:ra|na)|Signora?|Dott\.?(?:ssa)?|"
    r"Dhr\.?|Mevr\.?|Mevrouw|Meneer|Herrn?|Frau|Hr\.|Fru|Dona)\s+"
    r"((?:[A-ZÀ-ÖØ-Þ]\w*['’-]?\w+)(?:\s+(?:(?:de|da|dos|van|von|der|den|del|di|la|le)\s+)*[A-ZÀ-ÖØ-Þ]\w+){0,2})"
)
# Words that end a name which was not in capitals.
_AND = frozenset(
    "и y e et und en och og i ja ve و और and, tengo ho ich je j'ai ik jag jeg mam mam, a ha estoy sono bin suis aos tenho".split()
)


def names_abroad(text: str) -> list[tuple[int, int]]:
    """Return half-open spans of names that a phrase or title of another language introduces.

    Example:
        >>> text = "меня зовут Ирина Соколова, судороги"
        >>> [text[start:end] for start, end in names_abroad(text)]
        ['Ирина Соколова']
    """
    spans = [match.span(1) for pattern in (_HAN_CUED, _KANA_CUED, _HANGUL_CUED) for match in pattern.finditer(text)]
    spans += [match.span(1) for match in _TITLE.finditer(text)]
    for match in _INTRODUCED.finditer(text):
        start = end = match.start(1)
        for word in re.finditer(r"\S+", text[start : match.end(1)]):
            if word.group().lower() in _AND:
                break
            end = start + word.end()
        spans.append((start, end))
    return [span for span in spans if span[0] < span[1]]
