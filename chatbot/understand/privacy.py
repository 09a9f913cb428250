"""Finds personal data in a message and masks it, before anything is stored, logged or sent on.

Is: recognisers for names, birth dates, record numbers, contacts, addresses and accounts; pure, without a model.
Is not: presidio, whose analyser needs spaCy and seconds to import; and not a proof that a text is anonymous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from chatbot.understand.personal_languages import BORN, names_abroad
from chatbot.understand.personal_names import find_names

PersonalDataKind = Literal[
    "name",
    "date of birth",
    "record number",
    "phone",
    "e-mail",
    "address",
    "web link",
    "bank account",
    "card number",
    "password",
]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A piece of personal data; `start` and `end` are half-open code-point offsets into the message."""

    kind: PersonalDataKind
    start: int
    end: int


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = (
    r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{8}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?[\s-]+{_MONTH},?[\s-]+(?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}"
    rf"|\d{{1,2}}[ -]?{_MONTH}[ -]?\d{{2,4}}"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?)\b"
)
_BIRTH_DATE = re.compile(
    r"(?:\bd\.?\s?o\.?\s?b\b\.?|\b(?:date of birth|birth\s?-?date|birthday|bday|born(?:\s+on)?(?:\s+the)?)\b|\bb\."
    rf"|(?<!\w)(?:{BORN}))"
    rf"(?:\s*(?:is|was|on|the|[:=,-]))*\s*({_DATE}|\d{{4}}年\d{{1,2}}月\d{{1,2}}日)",
    re.IGNORECASE,
)

_EMAIL = re.compile(
    r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|\b[\w.+-]{1,64}\s*[(\[]at[)\]]\s*[\w-]{1,63}(?:\.[\w-]{1,63}){1,3}"
    r"|\b[\w.+-]{1,64}(?:\s+dot\s+\w{1,40}){0,3}\s*(?:\(at\)|\[at\]|\bat\b)\s*[\w-]{1,63}"
    r"(?:\s*(?:\(dot\)|\[dot\]|\bdot\b)\s*[\w-]{1,40}){1,3}",
    re.IGNORECASE,
)
# A name on a network, where the message speaks of one; "5 mg @night" names nobody.
_HANDLE = re.compile(r"(?<![\w.])@[A-Za-z][\w.]{2,30}\b")
_NETWORK = re.compile(
    r"\b(?:insta\w*|twitter|tiktok|telegram|signal|snap\w*|facebook|linkedin|mastodon|dm|handle|follow)\b", re.I
)
_WEB_LINK = re.compile(r"\bhttps?://\S+", re.IGNORECASE)
# A link is personal when it carries a key to something: a log-in, a token, a signature.
_KEY_IN_LINK = re.compile(
    r"^https?://[^\s/@:]{1,200}:[^\s/@]{1,200}@|[?&#;][\w-]{0,60}(?:token|sig|session|auth|key|secret|password|pwd|code|jwt|otp)"
    r"[\w-]{0,60}=",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"\b(?:my\s+)?(?:(?:password|passcode|pass\s?word)\s*(?:is|[:=])|(?:pw|pwd|pin)\s*[:=]|pin (?:code )?is)\s*(\S+)",
    re.IGNORECASE,
)

# Labels of identity numbers, and an identifier with a digit in each of its parts.
_LABEL = (
    r"(?:m\.?r\.?n\.?|med(?:ical)?\.?\s+rec(?:ord)?|record|nhs|chi|hosp(?:ital)?|urn|uhid|pid|reg(?:istration)?|patient|chart|unit|case|file|accession|"
    r"s\.?s\.?n\.?|social security|national insurance|ni|nino|passport|insurance(?:\s+policy)?|policy|member|"
    r"subscriber|"
    r"health\s?card|medicare|medicaid|mbi|driv(?:er['’]?s?|ing)\s+licen[cs]e|aadhaar|aadhar|ssin|bsn|dni|nie|"
    r"codice fiscale|num[eé]ro de s[eé]curit[eé] sociale|account|sort code|encounter|visit|specimen|id card)"
)
# With these alone; the others need "number", "no", "id" or "#" after them, as "patient 12" is nobody's number.
_BARE_LABEL = re.compile(
    r"^(?:m\.?r\.?n|med(?:ical)?\.?\s+rec|nhs|chi|urn|uhid|s\.?s\.?n|social|national|nino|passport|medicare|medicaid|mbi|"
    r"health|driv|aadha|bsn|dni|nie|codice|num)",
    re.IGNORECASE,
)
_RECORD = re.compile(
    rf"\b({_LABEL})((?:[\s:.#=-]*(?:number|num|no|nr|id|identifier|is|was|[#:=]))*)[\s:.#=-]*"
    r"((?:[A-Z]{1,6}-?)?\d[A-Z0-9]*(?:[./-](?:[A-Z]{1,3}-)?(?=[A-Z0-9]*\d)[A-Z0-9]+"
    r"|[ ](?=\d{2,})[0-9]+(?!\s*(?:m?c?g|ml|%|µg|years?)))*(?:-[A-Z]{1,3}\b)?|[A-Z]{2,4}-\d[\d-]+)",
    re.IGNORECASE,
)
# The registration of a trial is public.
_TRIAL = re.compile(r"(?:NCT|ISRCTN|ACTRN|ChiCTR|EUCTR|DRKS|CTRI|UMIN|JPRN|PACTR|NTR|CRD)", re.IGNORECASE)
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_NHS = re.compile(r"(?<![\d.,-])\d{3}([ -])\d{3}\1\d{4}(?![\d-])")
_TEN_DIGITS = re.compile(r"(?<![\d.,/-])\d{10}(?![\d/-])(?=[^\n]{0,60}\bn\.?h\.?s\b)", re.IGNORECASE)
_NATIONAL_INSURANCE = re.compile(r"\b(?![DFIQUV])[A-Z](?![DFIQUVO])[A-Z]\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b")
_MEDICARE_BENEFICIARY = re.compile(
    r"\b[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?"
    r"[AC-HJKMNP-RT-Y]{2}\d{2}\b"
)
_BRITISH_LICENCE = re.compile(r"\b[A-Z][A-Z9]{4}\d{6}[A-Z9]{2}\d[A-Z]{2}\b", re.IGNORECASE)
_FISCAL_CODE = re.compile(r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", re.IGNORECASE)
_FRENCH_NUMBER = re.compile(r"(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?!\d)")
_SPANISH_NUMBER = re.compile(r"\b([XYZ]?\d{7,8})-?([A-HJ-NP-TV-Z])\b")
_CPF = re.compile(r"(?<![\d.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)")
_AADHAAR = re.compile(r"(?<![\d ])[2-9]\d{3} \d{4} \d{4}(?! ?\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])")

_STREET = (
    r"(?:street|st|road|rd|avenue|ave|av|lane|ln|drive|dr|court|ct|close|way|boulevard|blvd|place|pl|terrace|"
    r"crescent|square|gardens|grove|mews|row|parade|parkway|highway|quay)"
)
_CAP_WORD = r"(?:[NSEW]\.?|[A-Z][\w'’.-]*|\d{1,3}(?:st|nd|rd|th))"
_ADDRESSES = (
    re.compile(
        rf"(?<![\d.])\d{{1,5}}[A-Za-z]?(?:/\d{{1,4}})?,?[ \t]+(?:{_CAP_WORD}[ \t]+){{1,3}}(?i:{_STREET})\b\.?"
        r"(?:,[ \t]*[A-Z][\w'’-]+)?(?:,[ \t]*[A-Z]{2}[ \t]+\d{5}(?:-\d{4})?)?"
    ),
    # In lower case only with a street word that is little else, and with no word of measure or place before it.
    re.compile(
        r"(?<![\d.])\d{1,5}[a-z]?[ \t]+(?!(?:km|m|miles?|metres?|meters?|days?|times?|people|of|on|in|per|the|a|x|"
        r"mg|ml|hours?|minutes?|weeks?)\b)[a-z'’]{3,}(?:[ \t]+[a-z'’]{3,})?[ \t]+(?:street|road|avenue|lane|drive|"
        r"boulevard|crescent|grove)\b"
    ),
    re.compile(
        r"(?<!\d)\d{1,4},?(?:[ \t]*bis)?[ \t]+(?i:rue|avenue|boulevard|place|impasse|chemin|all[ée]e|quai)[ \t]+(?:d(?:es?|u)[ \t]+|de[ \t]+l['’])?(?:la[ \t]+)?"
        r"[A-Z][\w-]+"
    ),
    re.compile(
        r"\b(?:[A-ZÄÖÜ][a-zäöüß]+(?:straße|strasse|gasse|weg|allee|platz|damm|laan|straat)|"
        r"(?i:calle|avenida|paseo|via|viale|piazza|rua)[ \t]+(?:d[eoa]l?[ \t]+)?[A-Z][\w-]+)[ \t]+\d{1,4}[a-z]?\b"
        r"(?:,[ \t]*\d{5}[ \t]+[A-ZÄÖÜ][a-zäöüß]+)?"
    ),
    re.compile(r"\bp\.?\s?o\.?\s?box[ \t]+\d+", re.IGNORECASE),
    re.compile(r"\b[A-Z][a-z]+,[ \t]*[A-Z]{2}[ \t]+\d{5}(?:-\d{4})?\b"),
    # British postcodes; the second half never holds C, I, K, M, O or V, so "B12 5MG" is none.
    # Source: Royal Mail, Programmer's Guide to the Postcode Address File.
    re.compile(
        r"\b(?!(?:CD|IL|IG|HB|GP|FE|FT)\d)(?:[BEGLMNSW]|[A-PR-UWYZ][A-HJ-Y])\d[A-Z\d]? \d(?!ST|ND|RD|TH)"
        r"[ABD-HJLN-UW-Z]{2}\b"
    ),
)
# What follows "my address is", up to the end of the clause; an address holds a number or a capital.
_ADDRESS_LABEL = re.compile(
    r"\b(?i:my|his|her|our|home|postal|patient(?:['’]s)?|current)[ \t]+(?i:(?:home|postal|new)[ \t]+)?"
    r"(?i:address)[ \t]*(?i:is|:|=)[ \t]*((?=[^.;\n]{0,20}[A-Z0-9])[^;\n]{4,80}?)"
    r"(?=[.;!?\n]|$|,?\s+(?:and|but|can|what|i|my)\b)"
)
# A postcode without its blank looks like a code of any kind, so it needs the word.
_POSTCODE_LABEL = re.compile(
    r"\b(?:post\s?code|zip(?:\s?code)?)\s*(?:is|[:=])?\s*([A-Z0-9]{3,8}(?:[ -]\d?[A-Z0-9]{2,4})?)\b", re.I
)

_PHONE_SHAPE = re.compile(r"(?<![\w.,/])(?:\+|\(\+?)?\d(?:[ \t().-]{0,2}\d){6,14}(?![\w/]|[.,]\d)")
_PHONE_WORDS = re.compile(
    r"\b(?:phone|tel|telephone|mobile|cell(?!\s+count)|fax|pager|call|ring|text|sms|whats\s?app|contact|reach|"
    r"number(?:['’]s| is)|anrufen|telefon\w*|t[ée]l[ée]phone|appele[zr]|llam[ae]\w*|llamar|m[óo]vil|celular|handy|portable|chiam\w+|bellen|"
    r"ring(?:a|e)|zadzwo\w+|позвон\w+|тел|телефон|电话|手机|電話|전화|هاتف|اتصل\w*)\b",
    re.IGNORECASE,
)
# What a long number is instead: an amount, a count, the name of a paper or a trial, a span of years.
_NOT_A_PHONE_BEFORE = re.compile(
    r"(?:pmid|pmcid|doi|isbn|issn|isrctn|nct|eudract|trial|of|to|than|with|about|in|[<>=≥≤±~])[\s:#.]*$", re.IGNORECASE
)
_NOT_A_PHONE_AFTER = re.compile(
    r"\s*(?:-|–)?\s*(?:mg|mcg|µg|g\b|kg|ml|l\b|iu\b|units?|u/|per\b|/|%|people|persons|patients|cells|copies|"
    r"participants|adults|children|women|men|years?|cases|deaths|births|[km]?cal|platelets|mm)",
    re.IGNORECASE,
)
# "4 500 000" is a count.
_COUNT = re.compile(r"\d{1,3}(?: \d{3})* 000|\d+000000")
_YEARS = re.compile(r"(?:1[89]|20)\d\d\s*[-–]\s*(?:1[89]|20)\d\d")
# How national numbers are written when no word says that they are numbers: US, UK, France, Australia, Germany.
_PHONE_FORMATS = re.compile(
    r"\(\d{2,5}\)[ -]?\d{3,4}[ -]?\d{3,5}|[2-9]\d{2}[.-]\d{3}[.-]\d{4}|1[ -][2-9]\d{2}[ -]\d{3}[ -]\d{4}"
    r"|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,6}|0\d{9,10}|0\d(?:[ .-]\d{2}){4}|[6-9]\d{4} \d{5}"
)
# Fewer digits than this are an emergency number, a dose or a count.
_LEAST_PHONE_DIGITS = 7


# A conversation's messages are read again with each of its turns.
@lru_cache(512)
def find_personal_data(text: str) -> tuple[PersonalData, ...]:
    """Return the personal data in `text`, in order, without overlaps.

    Example:
        >>> [text[d.start:d.end] for text in ("Mrs Smith, DOB 1/2/1950",) for d in find_personal_data(text)]
        ['Smith', '1/2/1950']
    """
    taken: list[PersonalData] = []
    for recogniser in _RECOGNISERS:
        for kind, start, end in recogniser(text):
            if start < end and all(end <= other.start or other.end <= start for other in taken):
                taken.append(PersonalData(kind, start, end))
    return tuple(sorted(taken, key=lambda found: found.start))


def mask(text: str) -> str:
    """Return `text` with each piece of personal data replaced by its kind: "[name] has cramps"."""
    parts, last = [], 0
    for found in find_personal_data(text):
        parts += [text[last : found.start], f"[{found.kind}]"]
        last = found.end
    return "".join(parts) + text[last:]


def without_personal_data(text: str) -> str:
    """Return `text` without its personal data, and without what masking left in its place; masked if nothing is left.

    What a question is about, and what is searched for, is never a person.

    Example:
        >>> without_personal_data("Mrs Pemberton, DOB 1/2/1950, has cramps. What helps?")
        'Mrs has cramps. What helps?'
    """
    masked = mask(text)
    if not _MASKED.search(masked):
        return text
    bare = _LABEL_LEFT.sub(" ", masked)
    bare = re.sub(r"\s*,(?:\s*,)+", ",", re.sub(r"\s+(?=[,.;:!?)])", "", re.sub(r"\(\s*\)", "", bare)))
    bare = re.sub(r"(?:^|(?<=[.!?;\n]))[\s,;:]+", " ", " ".join(bare.split())).strip(" ,;:")
    return bare if any(char.isalnum() for char in bare) else masked


def was_personal(text: str) -> bool:
    """Say whether a message holds personal data, or held some before it was masked."""
    return bool(_MASKED.search(text) or find_personal_data(text))


_MASKED = re.compile(rf"\[(?:{'|'.join(get_args(PersonalDataKind))})\]")
# What is left of a label once its value is gone: "DOB", "my name is", "tel".
_LABEL_LEFT = re.compile(
    rf"(?:,\s*)?(?:\b(?:d\.?o\.?b\.?|date of birth|born(?: on)?|(?:my|his|her|their|our) (?:\w+ )?name(?:'s| is| was)|i am called|call me|"
    rf"{_LABEL}(?:\s+(?:number|num|no|nr|id)\b\.?)?|tel|phone|mobile|cell|fax|e-?mail|address)\s*(?:is|was|[:=#.])*\s*)?"
    rf"{_MASKED.pattern}(?:\s*,)?",
    re.IGNORECASE,
)
_Found = Iterator[tuple[PersonalDataKind, int, int]]


def _links(text: str) -> _Found:
    yield from (("web link", *match.span()) for match in _WEB_LINK.finditer(text) if _KEY_IN_LINK.search(match[0]))
    yield from (("e-mail", *match.span()) for match in _EMAIL.finditer(text))
    if _NETWORK.search(text):
        yield from (("web link", *match.span()) for match in _HANDLE.finditer(text))
    yield from (("password", *match.span(1)) for match in _PASSWORD.finditer(text))


def _birth_dates(text: str) -> _Found:
    yield from (("date of birth", *match.span(1)) for match in _BIRTH_DATE.finditer(text))


def _accounts(text: str) -> _Found:
    yield from (("bank account", *match.span()) for match in _IBAN.finditer(text) if _iban_holds(match.group()))
    yield from (("card number", *match.span()) for match in _CARD.finditer(text) if _luhn_holds(match.group()))


def _records(text: str) -> _Found:
    for match in _RECORD.finditer(text):
        label, link, number = match.group(1, 2, 3)
        digits = sum(char.isdigit() for char in number)
        named = bool(re.search(r"number|num|\bno\b|\bnr\b|\bid\b|identifier|#|:", link, re.IGNORECASE))
        # "NHS 2021" is a year's guidance; "case number 5" is nobody's file.
        least = 4 if named else 6
        if _TRIAL.match(number):
            continue
        if digits >= least and not re.fullmatch(r"(?:19|20)\d\d", number) and (named or _BARE_LABEL.match(label)):
            yield "record number", *match.span(3)
    for pattern, holds in _IDENTIFIERS:
        yield from (("record number", *match.span()) for match in pattern.finditer(text) if holds(match.group()))


def _phones(text: str) -> _Found:
    for match in _PHONE_SHAPE.finditer(text):
        number = match.group()
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 40]
        if (
            sum(char.isdigit() for char in number) < _LEAST_PHONE_DIGITS
            or _YEARS.fullmatch(number)
            or _COUNT.fullmatch(number)
        ):
            continue
        if _NOT_A_PHONE_AFTER.match(after):
            continue
        said = _PHONE_WORDS.search(before) or _PHONE_WORDS.search(after)
        if not said and _NOT_A_PHONE_BEFORE.search(before):
            continue
        if said or _PHONE_FORMATS.fullmatch(number) or (number.lstrip("(").startswith("+") and _possible(number)):
            yield "phone", *match.span()


def _addresses(text: str) -> _Found:
    yield from (("address", *match.span()) for pattern in _ADDRESSES for match in pattern.finditer(text))
    yield from (("address", *match.span(1)) for match in _ADDRESS_LABEL.finditer(text))
    yield from (("address", *match.span(1)) for match in _POSTCODE_LABEL.finditer(text) if re.search(r"\d", match[1]))


def _names(text: str) -> _Found:
    # Longest first, so that a short hit inside a longer one is dropped.
    spans = [*find_names(text), *names_abroad(text)]
    yield from (("name", *span) for span in sorted(spans, key=lambda span: span[0] - span[1]))


# A date that stands right after a person's name is a birth date: "SMITH, JOHN 03/04/1955".
_DATE_AFTER_NAME = re.compile(rf"[\s,;(]{{1,3}}({_DATE})", re.IGNORECASE)


def _dates_of_names(text: str) -> _Found:
    for _, _, end in _names(text):
        if match := _DATE_AFTER_NAME.match(text, end):
            yield "date of birth", *match.span(1)


# Most certain first: a later one never claims what an earlier one has.
_RECOGNISERS: tuple[Callable[[str], _Found], ...] = (
    _links,
    _birth_dates,
    _accounts,
    _records,
    _phones,
    _addresses,
    _names,
    _dates_of_names,
)


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if char.isdigit()]


def _luhn_holds(text: str) -> bool:
    """Check a card number. Source: ISO/IEC 7812-1, annex B."""
    digits = _digits(text)[::-1]
    total = sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return total % 10 == 0 and len(set(digits)) > 1


def _iban_holds(text: str) -> bool:
    """Check an account number. Source: ISO 13616-1, modulo 97."""
    bare = text.replace(" ", "").upper()
    return int("".join(str(int(char, 36)) for char in bare[4:] + bare[:4])) % 97 == 1


def _nhs_holds(text: str) -> bool:
    """Check a British health number. Source: NHS Data Dictionary, NHS number, modulus 11."""
    digits = _digits(text)
    check = 11 - sum(digit * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return check != 10 and check % 11 == digits[9]


def _french_holds(text: str) -> bool:
    """Check a French health number. Source: INSEE, numéro de sécurité sociale, modulo 97."""
    bare = text.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return bare.isdigit() and 97 - int(bare[:-2]) % 97 == int(bare[-2:])


def _spanish_holds(text: str) -> bool:
    """Check a Spanish identity number. Source: Real Decreto 1553/2005, modulo 23."""
    bare = text.replace("-", "").upper()
    number = bare[:-1].translate(str.maketrans("XYZ", "012"))
    return len(number) == 8 and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == bare[-1]


def _always(_: str) -> bool:
    return True


_IDENTIFIERS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_SSN, _always),
    (_NHS, _nhs_holds),
    (_TEN_DIGITS, _always),
    (_NATIONAL_INSURANCE, _always),
    (_MEDICARE_BENEFICIARY, _always),
    (_BRITISH_LICENCE, _always),
    (_FISCAL_CODE, _always),
    (_FRENCH_NUMBER, _french_holds),
    (_SPANISH_NUMBER, _spanish_holds),
    (_AADHAAR, _always),
    (_CPF, _always),
)


def _possible(number: str) -> bool:
    """Say whether an international number has a country's code and length; fictional ones do too."""
    import phonenumbers

    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(number, None)))
    except phonenumbers.NumberParseException:
        return False
