"""What a question is about: "How is spasticity treated?" -> "spasticity".

Is: the question's words less the frame that asks. Is not: a recogniser of diseases; the words are the user's.
"""

from __future__ import annotations

import re

# A topic that is longer than this is a case history; its rarest words would say more than its span.
MAX_TOPIC_WORDS = 12

_ASKING = (
    r"(?:and|but|so|or|ok(?:ay)?|well|then|also|now|hi|hello|please|thanks|thank you|sorry|actually|doctor|"
    r"dr)\b[,.!]?"
)
_WH = (
    r"(?:what(?:['’]?s)?|which|who(?:m|se)?|where|when|why|how(?: (?:come|much|many|often|long|soon|common|rare|"
    r"serious|dangerous|safe|effective|good|bad|quickly|fast|exactly|best))?)\b"
)
_AUX = (
    r"(?:is|are|was|were|be|been|being|am|do|does|did|can|could|may|might|should|shall|would|will|must|has|have|had|"
    r"isn['’]?t|aren['’]?t|don['’]?t|doesn['’]?t|can['’]?t|shouldn['’]?t|not)\b"
)
_PEOPLE = (
    r"(?:i|you|we|they|he|she|it|one|someone|somebody|anyone|people|persons?|patients?|doctors?|clinicians?|nurses?|"
    r"physicians?|gps?|experts?|guidelines?|my|your|our|his|her|their|its|a|an|the|this|that|these|those|any|some|"
    r"there|me|us|them|all|most|many)\b"
)
_VERBS = (
    r"(?:worry|worried|concerned|careful|see (?:a |the |my )?(?:doctor|gp|nurse|specialist|someone)|leads? to|lead|likely|bring(?:s)? on|go wrong|"
    r"treat(?:ed|ing)?|manag(?:e|ed|ing)|diagnos(?:e|ed|ing)|prevent(?:ed|ing)?|caus(?:e|es|ed|ing)|cur(?:e|ed|ing)|"
    r"get|gets|getting|have|having|take|takes|taking|took|give|given|giving|us(?:e|es|ed|ing)|prescrib(?:e|ed|ing)|"
    r"avoid(?:ed|ing)?|stop(?:ped|ping)?|handl(?:e|ed|ing)|help|helps|know|explain|tell|describe|define|mean|means|"
    r"happen(?:s|ing)?|work(?:s|ing)?|look(?:s|ing)?|like|feel(?:s|ing)?|test(?:ed|ing)? for|screen(?:ed|"
    r"ing)? for|check(?:ed|ing)? for|"
    r"confirm(?:ed|ing)?|detect(?:ed|ing)?|recogni[sz](?:e|ed|ing)|assess(?:ed|ing)?|investigat(?:e|ed|ing)|"
    r"monitor(?:ed|ing)?|"
    r"deal(?:ing)? with|liv(?:e|ing) with|suffer(?:s|ing)? from|experienc(?:e|es|ed|ing)|done|do|need(?:ed|s)?|want|"
    r"recommend(?:ed)?|start(?:ed|ing)?|develop(?:s|ed|ing)?|presents?|presenting|respond|go|be|learn|understand|"
    r"associated|known|available|expect(?:ed)?|affects?|affected|notice[ds]?|spot|tell(?: if| whether)?|occur(?:s|"
    r"ring)?|"
    r"best|first|main|usual|common(?:ly)?|right|appropriate|correct|recommended|maximum|minimum|max|standard|typical|"
    r"safe(?:ly)?|true|possible|important|necessary|good|bad|new|latest|current|different|early|initial|normal|"
    r"about|of|for|from|with|in|on|to|by|at|into|against|between|during|after|before|when|if|whether|as|or|and|than|"
    r"better|worse|safer|keep(?:s)? getting|more|less|very|really|also|ever|still|just|usually|generally|normally|else)\b"
)
# Nouns that name what is asked for; stripped only where something that they belong to follows.
_ASKED_FOR = (
    r"(?:symptoms?|signs?|causes?|reasons?|treatments?|therap(?:y|ies)|management|cures?|medic(?:ines?|ations?)|"
    r"drugs?|"
    r"options?|remed(?:y|ies)|dos(?:es?|age|ing)|side[- ]effects?|adverse effects?|risks?|risk factors?|diagnosis|"
    r"tests?|"
    r"exams?|examinations?|work-?up|investigations?|imaging|prevention|prognosis|outlook|complications?|"
    r"contra-?indications?|interactions?|incidence|prevalence|frequency|research|stud(?:y|ies)|definition|meaning|"
    r"information|overview|summary|stages?|types?|kinds?|role|use|uses|purpose|effects?|benefits?|criteria|"
    r"guidelines?|"
    r"recommendations?|advice|evidence|approach|plan|course(?: of action)?|long[- ]term|life expectancy|"
    r"warning signs?|"
    r"people|persons?|patients?|adults?|someone|women|men|child(?:ren)?|difference|features?|presentation|way|ways)\b"
)
_BELONGS = (
    r"(?:of|for|in|to|with|against|on|about|from|being|is|are|do|does|can|should|having|experiencing|"
    r"who (?:has|have|is|are))\b"
)
_LEFT = re.compile(
    rf"\s*(?:{_ASKING}|{_WH}|{_AUX}|{_PEOPLE}|{_VERBS}|(?:{_ASKED_FOR}\s*(?:(?:and|or|,)\s*)?)+(?={_BELONGS})|"
    rf"\(are\)|[,;:–—-])\s*",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    rf"[\s,;:.!?–—-]*\b(?:(?:should|can|could|may|must|do|does|did|will|would)\s+(?:i|we|you|they|he|she|one|people|patients?)\s+"
    r"(?:take|use|give|have|do|get|try|need|start|stop|expect|see|be given|be used)|"
    rf"{_AUX}|(?:treated|managed|diagnosed|prevented|caused|causes?|cured|confirmed|detected|"
    rf"tested|"
    r"recogni[sz]ed|assessed|investigated|avoided|monitored|called|defined|work|works|occurs?|happens?|develops?|"
    r"spread|"
    r"presents?|mean|means|look|feel|like|do|done|go away|get better|last|safe|common|serious|dangerous|curable|"
    r"fatal|"
    r"contagious|hereditary|inherited|symptoms?|signs|treatments?|therapy|management|medications?|causes|prognosis|"
    r"outlook|dos(?:es?|age)|side[- ]effects|prevention|diagnosis|work-?up|used|given|taken|stopped|started|help|"
    r"please|though|someone|somebody|anyone|then|now|too|again|instead|exactly|safely|properly|correctly|for|of|with|in|to|by|from|about|and|or|the|a|it|that|this)\b)"
    r"[\s,;:.!?–—-]*$",
    re.IGNORECASE,
)


# "quinine safe in pregnancy": what is judged is the topic, the rest is the question.
_JUDGED = re.compile(
    r"(?P<what>\S.*?)\s+(?:safe|unsafe|effective|harmful|dangerous|useful|helpful|contra-?indicated|allowed|permitted|"
    r"better|worse|worth|ok|okay|fine|(?:any|no|not|a) (?:good|use|option)|painful|contagious|curable|hereditary)\b",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+")
# Where what is told ends and what is asked begins: "I am 70, what dose of baclofen may I take?"
_ASKED_AFTER = re.compile(
    r"[,;]\s+(?=(?:and |so |but )?(?:what|which|how|when|why|where|who|can|could|should)\b)", re.IGNORECASE
)
_ASKS = re.compile(rf"\s*(?:{_ASKING}\s*)*(?:{_WH}|{_AUX})", re.IGNORECASE)


def topic_of(question: str) -> str:
    """Return the words of a question that say what it is about, as the user wrote them; "" if there are none.

    Example:
        >>> topic_of("Can you explain what urinary tract infection in adults is?")
        'urinary tract infection in adults'
        >>> topic_of("What is the maximum dose?")
        ''
    """
    # The last sentence with a question mark asks; the others tell.
    sentences = [part for part in _SENTENCE_ENDS.split(question.strip()) if part.strip(" .!?")] or [question]
    for sentence in sorted(reversed(sentences), key=lambda part: not part.endswith("?")):
        clauses = _ASKED_AFTER.split(sentence)
        # "How is baclofen used, and how is it stopped?" names its topic first, "I am 70, what dose of …?" last.
        for clause in [*clauses, sentence] if _ASKS.match(sentence) else reversed(clauses):
            if topic := _strip(clause):
                return topic
    return ""


def _strip(sentence: str) -> str:
    rest = sentence.strip().rstrip("?!. ")
    while (match := _LEFT.match(rest)) and match.end():
        rest = rest[match.end() :]
    while match := _RIGHT.search(rest):
        # A capitalised word inside a name stays: "What I Need to Know About Living With Cancer".
        rest = rest[: match.start()]
    if judged := _JUDGED.match(rest):
        rest = judged["what"]
    rest = rest.strip(" ,;:–—-\"'“”‘’")
    if re.fullmatch(rf"(?:{_ASKED_FOR}|{_PEOPLE}|{_VERBS}|\W)*", rest, re.IGNORECASE):
        return ""
    return rest
