"""Reads findings that name an outcome: what a measure brings more of, less of, or at what price.

Is: word classes (measures, outcomes that nobody wants, outcomes that everybody wants, verbs of more and of less) and
comparisons of the two sides of a balance. Is not: advice; a sentence that advises is read by its cues (see
`polarity_clauses.py`).
"""

from __future__ import annotations

import re

# What can be done or left undone, and so be blamed for harm: a disease that harms says nothing of a treatment. Drugs by
# the common stems of international nonproprietary names (WHO, "The use of stems"), acts by their ending.
_MEASURE = re.compile(
    r"\b(?:\w+(?:caine|cillin|cycline|floxacin|mycin|azole|vir|statin|olol|pril|sartan|dipine|parin|xaban|gatran|zepam|"
    r"zolam|pidem|triptan|gliptin|gliflozin|glitazone|tidine|prazole|dronate|setron|oxetine|ipramine|triptyline|azine|"
    r"adol|profen|fenac|coxib|olone|asone|steroids?|mab|tinib)s?|steroids?|inhibitors?|blockers?|agonists?|"
    r"antagonists?|diuretics?|opioids?|opiates?|nsaids?|anti(?!bod|gen)\w{5,}|sedatives?|hypnotics?|laxatives?|"
    r"vaccin\w+|drugs?|medic(?:ine|ation)s?|tablets?|capsules?|drops|creams?|supplements?|vitamins?|herb\w*|teas?|"
    r"remed(?:y|ies)|therap(?:y|ies)|treatments?|regimens?|infusions?|injections?|transfusions?|surgery|operations?|"
    r"\w+(?:ectomy|otomy|ostomy|plasty|scopy|desis|centesis)|resection|repair|correction|reduction|screening|scans?|"
    r"x-rays?|imaging|tests?|biops(?:y|ies)|stent\w*|catheters?|tubes?|drains?|braces?|collars?|splints?|casts?|"
    r"restraints?|tourniquets?|rest|diets?|fasting|exercise\w*|programmes?|control|oxygen|fluids?|starch|feeding|"
    r"feeds)\b|^[\s\"'(\[•*–-]*[a-z]{2,}ing\s+(?!in\b|to\b)"
)
_BAD = (
    r"(?:mortality|deaths?|strokes?|bleed(?:s|ing)?|h(?:a)?emorrhages?|fractures?|falls|relapses?|recurrences?|"
    r"infections?|complications?|pneumonias?|sepsis|admissions?|readmissions?|attacks?|flares?|seizures?|fits|clots?|"
    r"thrombos[ie]s|emboli\w*|ulcers?|sores|pain|nausea|vomiting|wheez\w+|symptoms|distress|suffering|dying|anxiety|"
    r"depression|delirium|confusion|sedation|dependence|addiction|toxicity|poisonings?|overdos(?:e|es)|resistance|"
    r"hypogly\w+|hypotension|arrhythmias?|torsades|incontinence|caesareans?|miscarriages?|overdiagnosis|overtreatment|"
    r"incidental\s+findings|false\s+(?:positives?|alarms?)|side\s+effects|harms?|damage|injur(?:y|ies)|disability|"
    r"amputations?|errors|events|hospital\s+stays?|length\s+of\s+stay|blood\s+pressure)\b"
)
_GOOD = (
    r"(?:recovery|healing|survival|(?:quality\s+of\s+)?life|lives|function|mobility|growth|outcomes?|results?|"
    r"breastfeeding)\b"
)
_LESS = (
    r"(?:cuts|halve[sd]?|slashe[sd]|(?:lowers|reduces|lessens|shortens|diminishe[sd]|averts?|averted|forestalls?)|"
    r"(?:led|leads?|was\s+followed\s+by|brings?|brought|meant|means|had|have|has|saw|with)\s+(?:to\s+)?(?:fewer|less))"
)
_MORE = (
    r"(?:raise[sd]?|increase[sd]?|double[sd]?|treble[sd]?|triple[sd]?|prolong(?:s|ed)?|multipl(?:y|ies|ied)|"
    r"invite[sd]?|breeds?|fuels?|feeds?|promotes?|hastens?|hastened|produce[sd]?|(?:led|leads?)\s+to|"
    r"(?:results?|resulted)\s+in|(?:bought|brought|brings?|caused|meant|means|saw|had|have|has)\s+more)"
)
# Verbs that only harm does, whatever they take.
_HARMS = (
    r"(?:(?:destroy|poison|injure|stain|spoil|ruin|cripple|endanger|jeopardi[sz]e|threaten|hinder|hamper|retard|wreck|"
    r"undermine|erode)s?\s+(?!or\b|by\b|to\b|from\b|in\b|(?:[\w-]+\s+){0,2}?(?:cancers?|tumou?rs?|cells?|bacteria|"
    r"germs|virus\w*|parasites?|fung\w+|mites|lice)\b)\w"
    r"|(?:(?:harm|damage)s?|(?:can|may|could|might)\s+kill)\s+(?=(?:the|an?|your|their|her|his|our|unborn|growing|"
    r"healthy)\b)"
    r"|(?:has|have|had|ended\s+up)\s+(?:harmed|damaged|destroyed|injured|poisoned|ruined|killed|harming|damaging)\b)"
)
_HARMING = re.compile(
    rf"\b(?:{_HARMS}|(?<!can )(?<!may )(?<!could )(?<!might )(?<!also ){_MORE}\s+(?:(?!fewer\b|less\b|lower\b|no\b|"
    rf"of\b|with\b|in\b|to\b|for\b|cell\b)[\w-]+\s+){{0,3}}?{_BAD}(?!\s+risk)"
    rf"|(?:linked|associated|connected|tied)\s+(?:to|with)\s+(?:(?!fewer\b|less\b|lower\b|no\b|reduced\b)[\w-]+\s+){{0,4}}?{_BAD}"
    rf"|(?:slow|delay|impair|reduce|shorten|worsen)s?\s+(?:(?!cell\b|tumou?r\b|cancer\b)[\w-]+\s+){{0,2}}?{_GOOD})"
)
_DOES_GOOD = re.compile(
    rf"\b(?:{_LESS}\s+(?:[\w-]+\s+){{0,3}}?{_BAD}|(?:brings|brought)\s+(?:[\w-]+\s+){{1,4}}down\b"
    rf"|(?:better|longer|improved|higher|faster|quicker|earlier)\s+(?:\w+\s+)?(?:{_GOOD}|discharge\b|return\b))"
)
_DENIES = re.compile(
    r"\b(?:not|no|nor|neither|never|cannot|without|hardly|rarely|unlikely|fails?|failed|whether|\w+n't|less|than)\b"
)
# What stands before a harm that is prevented, or treated.
_ANSWERS = re.compile(
    r"\b(?:help|prevent|reduc|protect|minimi[sz]|effective|treat|lower|lessen|limit|avoid|stop|goal|aim)\w*\b"
)

# What comes after these tells of a case or a reason, not of the measure.
_SUBORDINATE = re.compile(r"\b(?:when|whenever|if|where|because|since|unless|that|which|who|whose|as)\b")

# How a good outcome is weighed against a bad one: "the harms outweigh …", "at the price of".
_OUTWEIGHS = re.compile(
    r"\b(?:(?P<bad>risks?|harms?|hazards?|dangers?|disadvantages?|drawbacks?|burdens?|side\s+effects|toxicity|costs?)|"
    r"(?P<good>benefits?|gains?|advantages?|good))\b[^.;:]{0,70}?\b(?:far\s+)?(?:outweigh(?:s|ed)?|"
    r"exceed(?:s|ed)?)\b(?P<rest>[^.;]*)"
)
_OTHER_SIDE = re.compile(r"\b(?:benefit|risk|harm|gain)")
_IN_DOUBT = re.compile(r"\b(?:whether|if|unclear|unknown|uncertain|depends?|until|unless)\b")
_JUDGED = re.compile(
    r"\b(?:(?P<bad>risks?|harms?|hazards?|dangers?|side\s+effects|toxicity)|"
    r"(?P<good>benefits?|value|efficacy|usefulness|advantages?|gains?))\b[^,;:.]{0,50}?\b(?:is|are|was|were|remains?|"
    r"has\s+been|have\s+been)\s+(?:(?!not\b|never\b)\w+\s+)?(?:(?P<inflated>overstated|overrated|exaggerated|illusory|"
    r"unfounded)|unproven|doubtful|dubious|questionable|negligible|marginal|minimal|trivial|slight|nil)\b"
)
# "As fast with antibiotics as with none".
_NO_DIFFERENCE = re.compile(
    r"\b(?:just\s+)?as\s+\w+\s+(?:with|without|after|on)\b[^.;]{1,60}?\bas\s+(?:[\w']+\s+){0,4}?(?:without|none|"
    r"nothing|no\s+\w+|placebo|with\s+it|alone)\b"
)
_FARED = re.compile(
    r"\b(?:fare[sd]?|did|do|does)\s+(?:no\s+|any\s+)?(?:(?P<worse>worse|badly|poorly)|"
    r"(?P<better>better|best|well))\s+(?:with|on|after|if|when|under)\b"
)
_MORE_OFTEN_WITH = re.compile(
    rf"\b{_BAD}[^.;:]{{0,40}}?\b(?:is|are|was|were)\s+(?:[\w-]+\s+){{0,3}}?(?:higher|twice|double|doubled|"
    rf"more\s+(?:frequent|common)|commoner)\s+"
    r"(?:that\s+)?(?:with|on|under)\s+(?!age|men|women|older|male|female)"
)
# Who did well was not given it; and a good outcome that is paid for.
_COMPARATOR = re.compile(r"\b(?:placebo|sham|controls?|usual\s+care|untreated|no\s+treatment)\b")
_BUT_MORE = re.compile(
    r"\b(?:but|though|yet|while|whereas)\b[^.;]*\b(?:more|higher|greater|increased|worse|raised|cost)\b"
    r"|\b(?:without|off|under\s+placebo|(?:with|on|after|in\s+the)\s+(?:placebo|sham|control|stopping))\b"
)
_MORE_OFTEN = ("higher", "twice", "double", "more frequent", "more common", "commoner")
_HARM_THAN_HELP = re.compile(
    r"\b(?:harm|hurt|damage|kill)\w*\b[^.;]{0,40}\bthan\b[^.;]{0,30}\b(?:help|benefit|cure|save|heal)\w*\b"
)
# "Patients who declined it died more often": then what they declined does good.
_WHO_LACKED = re.compile(
    r"\b(?:who|that)\s+(?:declined|refused|missed|skipped|omitted|stopped|"
    r"(?:did\s+not|didn't)\s+(?:take|receive|attend|get|have)|were\s+(?:not|never)\s+(?:given|offered|\w+ed)|"
    r"never\s+\w+ed|went\s+without)\b[^.;]{0,80}?\b(?:died|relapsed|fared\s+worse|bled|fell|"
    r"(?:more|twice\s+as)\s+likely\s+to\s+(?:die|relapse|bleed|fall|suffer|be\s+(?:re)?admitted)|"
    r"at\s+(?:higher|greater|increased)\s+risk|"
    rf"had\s+(?:[\w-]+\s+){{0,2}}?(?:higher|more|worse)\s+(?:[\w-]+\s+){{0,2}}?{_BAD})"
)


def side_of_outcome(sentence: str) -> int:
    """Return 1 if a folded sentence finds that something does good, -1 that it does harm or no good, else 0.

    Harm is told of diseases too, so that it counts only of something that can be left off.

    Example:
        >>> side_of_outcome("tetracyclines stain growing teeth."), side_of_outcome("diabetes damages the kidneys.")
        (-1, 0)
        >>> side_of_outcome("family education cuts relapse.")
        1
    """
    if "weigh" in sentence or "exceed" in sentence:
        match = _OUTWEIGHS.search(sentence)
        if match and ("outweigh" in match.group() or _OTHER_SIDE.search(match["rest"])):
            return _signed(match, sentence)
    if (match := _JUDGED.search(sentence)) and (match["good"] or match["inflated"]):
        return -1 if match["good"] else 1
    if " as " in sentence and _NO_DIFFERENCE.search(sentence):
        return -1
    if match := _FARED.search(sentence):
        denied = _DENIES.search(sentence, 0, match.start())
        if match["worse"]:
            return 0 if denied else -1
        return -1 if denied or "no better" in match.group() else 1
    if "than" in sentence and _HARM_THAN_HELP.search(sentence):
        return -1
    if ("who" in sentence or "that" in sentence) and _WHO_LACKED.search(sentence):
        return 1
    if match := _HARMING.search(sentence):
        before = sentence[: match.start()]
        spared = _DENIES.search(before) or _ANSWERS.search(before)
        if _MEASURE.search(before) and not spared and not _SUBORDINATE.search(before.rpartition(",")[2]):
            return -1
    if any(word in sentence for word in _MORE_OFTEN) and _MORE_OFTEN_WITH.search(sentence):
        return -1
    match = _DOES_GOOD.search(sentence)
    if not match or _DENIES.search(sentence, 0, match.start()) or _COMPARATOR.search(sentence, 0, match.start()):
        return 0
    return 0 if _BUT_MORE.search(sentence, match.end()) else 1


def _signed(match: re.Match[str], sentence: str) -> int:
    """Return the side of a balance: "the benefits do not outweigh the harms" speaks against; a doubt takes none."""
    told = sentence[: match.end()]
    if _IN_DOUBT.search(told):
        return 0
    side = -1 if match["bad"] else 1
    if _DENIES.search(sentence, 0, match.start()):
        return min(0, -side)
    return -side if _DENIES.search(sentence, match.start(), match.start("rest")) else side
