"""What a question asks for, and what a section offers: treatment, symptoms, dose, …

Is: cue words of English medical headings and questions, as one table of kinds. Is not: a topic detector; what
the question is about is the retrieval's work.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, get_args

Intent = Literal[
    "definition",
    "symptoms",
    "causes",
    "risk",
    "frequency",
    "diagnosis",
    "treatment",
    "dose",
    "prevention",
    "outlook",
    "complications",
    "safety",
    "research",
    "urgent",
    "living",
]

# How people ask. Each pattern is a set of stems and phrases of one intent; a question may have several.
_QUESTION_CUES: dict[Intent, str] = {
    "symptoms": r"symptoms?|signs?|notic(?:e|ed|ing)|feel(?:s|ing)? like|what does (?:\S+ ){1,5}(?:look|feel) like|"
    r"looks? like|present(?:s|ation|ing)?\b(?! (?:day|guidance))|manifest\w*|clinical features?|"
    r"(?:how|can) (?:\S+ ){1,4}(?:tell|know) (?:if|whether|that)|warning signs?|recogni[sz]\w+|spot it",
    "causes": r"caus(?:e|es|ed|ing)|why (?:do|does|did|is|are|have|has)|a?etiolog\w+|patho(?:genesis|physiolog\w+)|"
    r"trigger\w*|due to|reasons? (?:for|behind)|brings? (?:it|this|them) on|come from|"
    r"how (?:do|does|did) (?:\S+ ){1,4}(?:get|catch|develop|happen|start)|responsible for|origin",
    "risk": r"(?:who|which (?:people|patients)) (?:gets?|is|are|can|develops?|has|have|might|could)\b|at risk|"
    r"risk factors?|risks? (?:of|for) (?:getting|developing)|more likely|most likely to|prone|susceptib\w+|"
    r"predispos\w+|inherit\w*|run in (?:the |my )?famil\w+|hereditary",
    "frequency": r"how (?:common|frequent|rare|many people)|prevalen\w+|inciden(?:ce|t)|epidemiolog\w+|"
    r"how often does (?:it|this|that|\S+) (?:occur|happen)|how many (?:people|patients|cases|americans|children)",
    "diagnosis": r"diagnos\w+|tests?\b|tested|testing|exams?\b|examin\w+|confirm\w*|work-?up|investigat\w+|screen\w*|"
    r"detect\w*|imaging|scans?\b|mri\b|x-?rays?|ultrasound|biops\w+|rule(?:d)? out|assess\w*|evaluat\w+|"
    r"differential|check(?:ed)? for|find out (?:if|whether)|identif(?:y|ied)",
    "treatment": r"treat\w*|therap(?:y|ies|eutic)\w*|manag\w+|medic(?:ine|ines|ation|ations)|drugs?\b|cure[ds]?\b|"
    r"(?:can|could|should|to) (?:be )?(?:do|done)\b|(?:do|done) (?:about|for|with) (?:it|this|that|them)|"
    r"first[- ]line|"
    r"second[- ]line|options?\b|remed(?:y|ies)|relie(?:f|ve\w*)|surg(?:ery|ical)|operation|handle[ds]?|"
    r"what (?:\S+ )?helps?|get rid of|fix(?:ed)?\b|deal with|prescri\w+|recommended|(?:take|give|use|used|given) for|"
    r"what (?:should|can|do) (?:i|we|you|they|patients?) (?:take|do|use|give|try)|alternatives?",
    "dose": r"dos(?:e|es|age|ing)\b|how much|how (?:many|often) (?:\S+ ){0,4}(?:take|taken|give|given|mg|tablets?|"
    r"times|days|weeks)|"
    r"maximum|max\b|titrat\w+|\bmg\b|milligrams?|loading|how long (?:\S+ ){0,4}(?:take|taken|treat\w*|course|"
    r"continue\w*)|"
    r"frequency of (?:administration|dosing)",
    "prevention": r"prevent\w*|avoid (?:getting|developing|having)|stop (?:it|this|them|\S+) (?:from|coming|"
    r"happening)|"
    r"(?:reduce|lower|cut|decrease) (?:\S+ ){0,3}(?:risk|chance|odds)s?|protect\w*|prophyla\w+|keep (?:it|this|"
    r"\S+) from|"
    r"ward off|vaccin\w+",
    "outlook": r"outlook|prognos\w+|long[- ]?(?:term|run)|life expectancy|surviv\w+|get(?:s)? better|go(?:es)? away|"
    r"recover\w*|how (?:serious|bad|dangerous)|curable|fatal|die (?:of|from)|mortality|what (?:to|can \S+) expect|"
    r"how long (?:does|do|will|can) (?:it|this|\S+ ?\S*) (?:last|take to)|what happens (?:next|later|over time)|"
    r"expected|in the future|permanent\w*|how do (?:people|patients) do\b|resolve",
    "complications": r"complicat\w+|what (?:will |would |can )?happens? if|lead to|what (?:problems|harm)|"
    r"consequences?|untreated|if (?:it|this) is not treated|"
    r"what else can (?:go wrong|happen)|long-term effects",
    "safety": r"side[- ]effects?|adverse|safe(?:ty|ly)?\b|unsafe|contra-?indicat\w+|interact\w*|should(?: not|"
    r"n[’']t)|"
    r"must not|avoid(?:ed|ing)?\b(?! (?:getting|developing|having))|warnings?\b|danger\w*|precautions?|harm\w*|"
    r"not recommended|why not|toxic\w*|overdos\w+|withdraw\w*|pitfalls?|don[’']t|not (?:to )?(?:do|take|use|give|"
    r"prescribe)",
    "research": r"research\w*|stud(?:y|ies)\b|trials?\b|being (?:done|studied|developed)|new (?:treatments?|"
    r"drugs?|findings?)|"
    r"latest|recent (?:advances|developments)|scientists?|discover\w*|on the horizon|ongoing work",
    "urgent": r"emergenc\w+|urgent\w*|red flags?|when (?:\S+ ){1,3}(?:worry|be (?:worried|concerned))|"
    r"(?:when|should) (?:\S+ ){1,4}(?:see|call|go to|visit|consult|refer|seek) |"
    r"hospital|a&e|emergency room|refer(?:red|ral)?\b|call (?:a|the|my) (?:doctor|ambulance)",
    "living": r"liv(?:e|ing) with|cop(?:e|ing)|diet\w*|nutrition\w*|foods?\b|eat(?:ing)?\b|exercis\w+|lifestyle|"
    r"everyday|daily life|"
    r"support groups?|self[- ]?(?:care|help|management)|at home|work or school|travel\w*",
}
# "What is X?" asks for a definition only when nothing else is asked.
_DEFINITION = re.compile(
    r"(?:(?:and|so|please|ok|hi|hello)\b,? )*"
    r"(?:(?:can|could|would|will) (?:you|someone)(?: please)? |"
    r"i(?:['’]d| would)? (?:want|like|need) to |help me (?:to )?)?"
    r"(?:what(?:['’]s| is| are| was| were)?(?: \(are\))? |defin\w+|meaning|explain|tell me|describe|overview|"
    r"information (?:about|on)|do you (?:have|know)|(?:know|learn|understand)\b|summar\w+|background|about \w+)",
    re.IGNORECASE,
)
# How sections are called. Headings are short, so that single words suffice.
_HEADING_CUES: dict[Intent, str] = {
    "definition": r"definition|overview|introduction|background|information|summary|about|what (?:is|are)|"
    r"key (?:facts|points)|at a glance",
    "symptoms": r"symptom\w*|signs?\b|presentation|presenting|features?|manifest\w*|recogni\w+|look like",
    "causes": r"caus\w+|a?etiolog\w+|patho\w+|mechanism\w*|trigger\w*|why\b",
    "risk": r"risk factors?|risk\b|susceptib\w+|who (?:gets|is)|predispos\w+|inherit\w*|genetic\w*",
    "frequency": r"frequency|prevalence|incidence|epidemiolog\w+|how (?:common|many)|statistics",
    "diagnosis": r"diagnos\w+|tests?\b|exams?\b|examin\w+|investigat\w+|work-?up|screen\w*|imaging|assess\w*|"
    r"evaluat\w+|"
    r"differential|history|laborator\w+|confirm\w*",
    "treatment": r"treat\w*|therap\w+|manag\w+|medic\w+|drugs?\b|pharmac\w+|surg\w+|intervention\w*|acute\b|"
    r"first[- ]line|"
    r"second[- ]line|immediate|options?|relief|recommend\w*|procedure\w*|(?<!urgent )(?<!emergency )care\b|supplement\w*",
    "dose": r"dos(?:e|es|age|ing)|administration|titration|regimen\w*|how (?:much|to take)",
    "prevention": r"prevent\w*|prophyla\w+|reduc\w+ (?:the )?risk|protect\w*|vaccin\w+",
    "outlook": r"outlook|prognos\w+|course|natural history|follow[- ]?up|recover\w*|surviv\w+|expect\w*|long[- ]term",
    "complications": r"complicat\w+|what (?:will |would |can )?happens? if|consequences?|sequelae",
    "safety": r"safety|side[- ]effects?|adverse|contra-?indicat\w+|interact\w*|warnings?|precautions?|pitfalls?|"
    r"avoid\w*|"
    r"not (?:to )?(?:do|use|prescribe|take|give)|do not|don[’']t|harm\w*|caution\w*|toxic\w*|withdrawal|"
    r"monitor\w*|limits",
    "research": r"research|trials?|stud(?:y|ies)|future|evidence|results?|findings?",
    "urgent": r"urgent\w*|emergenc\w+|red flags?|when to (?:see|call|seek|get|refer|contact)|refer\w*|hospital\w*|"
    r"seek\w*",
    "living": r"liv(?:e|ing)|lifestyle|diet\w*|nutrition|exercis\w+|self[- ]?(?:care|help|management)|"
    r"consideration\w*|"
    r"coping|support\w*|home\b|eating",
}


# One bit an intent; the order is part of every index.
_BITS: dict[Intent, int] = {intent: 1 << place for place, intent in enumerate(get_args(Intent))}


def intents_digest() -> str:
    """Return a hash of all cue words: sections that were read by other ones must be read again."""
    cues = repr((get_args(Intent), _QUESTION_CUES, _DEFINITION.pattern, _HEADING_CUES))
    return hashlib.sha256(cues.encode()).hexdigest()[:16]


def intent_bits(intents: Iterable[Intent]) -> int:
    """Return intents as the sum of their bits, below 2 ** 16.

    Example:
        >>> intent_bits(["definition", "causes"])
        5
    """
    return sum(_BITS[intent] for intent in frozenset(intents))


def _compiled(table: dict[Intent, str]) -> dict[Intent, re.Pattern[str]]:
    return {intent: re.compile(rf"\b(?:{cues})", re.IGNORECASE) for intent, cues in table.items()}


_QUESTION_PATTERNS = _compiled(_QUESTION_CUES)
_HEADING_PATTERNS = _compiled(_HEADING_CUES)
# Only the start of a very long question says what it asks; the rest is a case history.
_MAX_CHARS = 1_000


@lru_cache(4096)
def question_intents(question: str) -> frozenset[Intent]:
    """Return what a question asks for; empty when it does not say.

    Example:
        >>> sorted(question_intents("How is it treated, and what is the dose?"))
        ['dose', 'treatment']
        >>> sorted(question_intents("What is claudication?"))
        ['definition']
    """
    asked = question[:_MAX_CHARS]
    found = {intent for intent, pattern in _QUESTION_PATTERNS.items() if pattern.search(asked)}
    if not found and _DEFINITION.match(asked.strip()):
        return frozenset({"definition"})
    return frozenset(found)


@lru_cache(65536)
def heading_intents(heading: str) -> frozenset[Intent]:
    """Return what a section with this heading offers.

    Example:
        >>> sorted(heading_intents("exams and tests"))
        ['diagnosis']
    """
    return frozenset(intent for intent, pattern in _HEADING_PATTERNS.items() if pattern.search(heading))


def section_intents(path: Iterable[str], question: str = "") -> frozenset[Intent]:
    """Return what a passage offers: by its headings, else by the question that its document answers.

    Example:
        >>> sorted(section_intents(["Offloading"], "How is a diabetic foot ulcer treated?"))
        ['treatment']
    """
    found = {intent for heading in path for intent in heading_intents(heading)}
    return frozenset(found) or question_intents(question)
