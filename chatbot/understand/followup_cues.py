"""The words by which a follow-up leans on what was said before: pronouns, fragments, corrections, doubts.

Is: patterns of English, the same for every subject. Is not: the rules that use them (see `followup.py`).
"""

from __future__ import annotations

import re
from functools import cache

from index.lexical import content_terms

THINGS = (
    r"condition|disease|disorder|illness|problem|infection|syndrome|drug|medicine|medication|treatment|therapy|"
    r"tablets?|"
    r"pills?|procedure|operation|test|symptom|pain|injury|one|thing"
)
# Pronouns that point at the topic; "it is safe to …" and "drugs that cause …" point at nothing.
EMPTY_IT = re.compile(
    r"\b(?:is|was|would|can|could|will|might|may|should)\s+it\s+(?:\w+\s+){0,2}?(?:be\s+)?(?:\w+\s+)?"
    r"(?:safe|ok|okay|fine|true|possible|necessary|important|better|best|good|bad|dangerous|normal|common|rare|"
    r"advisable|"
    r"recommended|useful|worth|wise|sensible|reasonable|likely)\s+(?:for\s+(?:\w+\s+){1,4})?(?:to|that|if|when)\b",
    re.IGNORECASE,
)
DETERMINED = re.compile(rf"\b(?:this|that|these|those|the (?:same|said))\s+(?:{THINGS})s?\b", re.IGNORECASE)
POINTING = re.compile(
    r"\b(?:its|it|they|them|their|theirs)\b"
    r"|\b(?:this|these|those)\b(?!\s+(?:week|month|year|morning|evening|time|day|night)s?\b)(?=\s*(?:[?.!,;]|$)|"
    r"\s+(?:is|are|was|"
    r"were|be|do|does|did|can|could|may|might|should|will|would|has|have|happen|mean|help|work|cause|go|come|get|"
    r"and|or|in|for|with)\b)"
    r"|(?:(?<=about )|(?<=of )|(?<=for )|(?<=with )|(?<=like )|(?<=is )|(?<=was )|(?<=does )|(?<=do )|(?<=did )|"
    r"(?<=can )|"
    r"(?<=could )|(?<=would )|(?<=should )|(?<=to )|(?<=after )|(?<=before )|(?<=by )|(?<=on )|(?<=prevent )|"
    r"(?<=treat )|"
    r"(?<=cause )|(?<=take )|(?<=use )|(?<=avoid )|(?<=stop )|(?<=why ))that\b(?!\s+(?:a|an|the|i|you|we|he|she|"
    r"people|patients)\b)",
    re.IGNORECASE,
)
ASIDE = re.compile(
    r"^\s*(?:(?:and|but|so|or|ok(?:ay)?|well|then|also|now|hmm+|ah|oh|right|thanks?|thank you|please|sorry|great|"
    r"good)\b[\s,.!]*)+",
    re.IGNORECASE,
)
MODIFIER = re.compile(
    r"(?:what about|how about|what(?= if\b)|and|only|just|even|(?:and )?(?:the )?same(?: question| thing| one)?)?\s*"
    r"(?P<rest>(?:in|during|for|with|after|before|at|if|without|under|over|on|among|"
    r"(?:when|while|as)(?!\s+(?:is|are|do|does|did|can|could|should|shall|would|will|may|might|must|has|have|was|"
    r"were|to|not)\b))\b.+)",
    re.IGNORECASE,
)
# "and if that fails?", "what if walking doesn't help?"
FAILS = re.compile(
    r"(?:and |but |so )?(?:what )?(?:if|when) (?:(?:it|that|this|they|these|those|none of (?:it|that|them|these))|"
    r"(?P<what>[\w-]+(?: [\w-]+){0,3}?)) "
    r"(?P<fails>fails?|failed|(?:(?:do|does|did|is|are)(?: not|n['’]t)|stops?|stopped) (?:work(?:ing)?|help(?:ing)?|enough)"
    r"(?: enough| any ?more)?)\W*",
    re.IGNORECASE,
)
WHEN_TRUE = re.compile(r"(?:if|when|while)\b", re.IGNORECASE)
WHY_OR_WHICH = re.compile(r"\W*(?:why|which)\b", re.IGNORECASE)
# Words of one's own story, which is no name for a topic: "statin gives me muscle pain".
OWN_STORY = re.compile(r"\b(?:i|me|my|we|our|us|mine|i['’](?:m|ve|d))\b", re.IGNORECASE)
INSTEAD = re.compile(r"(?:(?:and\s+)?(?:what|how) about|why not|and|or|not|what of)\s+(?P<rest>.+)", re.IGNORECASE)
CORRECTION = re.compile(
    r"(?:no[,.]?\s+)?(?:(?:sorry[,.]?\s+)?i (?:meant|mean)|i was asking about|i am asking about|rather|"
    r"make that)\s+(?P<rest>.+)",
    re.IGNORECASE,
)
OTHER = re.compile(rf"\bthe other(?: (?:{THINGS}|two))?\b", re.IGNORECASE)
ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "last": -1}
ORDINAL = re.compile(
    rf"\b(?:the )?(?P<which>{'|'.join(ORDINALS)})(?: (?:{THINGS}|option|choice|item|point|topic|question))\b"
    rf"|\bthe (?P<bare>{'|'.join(ORDINALS)})(?=\s*(?:[?.!]|$))",
    re.IGNORECASE,
)
BACK = re.compile(
    r"\b(?:go(?:ing)? back|back) to (?:the |my )?(?:first|original|previous|earlier|last)(?: (?:topic|question|"
    r"one|condition|subject))?",
    re.IGNORECASE,
)
SMALL_TALK = re.compile(
    r"(?:\W*(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|thanks?(?: you)?(?: (?:so|very) much| a lot)?|cheers|"
    r"ok(?:ay)?|great|good|perfect|got it|i see|bye|goodbye|see you|nice|cool|never ?mind|understood|yes|no|sure|"
    r"how are you|who are you|what are you|are you (?:a |an )?(?:human|robot|bot|doctor|ai|real|person|"
    r"machine)(?: person)?|"
    r"what can you do|help|(?:(?:that|this) (?:is|was) )?(?:very )?(?:helpful|useful)|(?:that|this) (?:is|was) (?:very )?(?:great|good)|that(?:['’]s| is) all)"
    r"(?:[\s,.!?]+(?:there|then|again|everyone|doctor|for (?:that|this|your help|the help)))*\b)+\W*",
    re.IGNORECASE,
)
WHY = re.compile(r"\W*(?:and |but )?(?:why(?: not| is that| so)?|how come|what for|how so)\W*", re.IGNORECASE)
DOUBT = re.compile(
    r"\W*(?:are you (?:really )?(?:sure|certain)|really|is (?:that|this) (?:true|right|correct)|says who|"
    r"can you (?:explain|"
    r"elaborate)(?: (?:that|more|further))?|tell me more|more (?:details?|information)|go on|what else|"
    r"anything else|and\?|"
    r"what do you mean|(?:please )?(?:explain|elaborate)(?: (?:more|further))?)\b",
    re.IGNORECASE,
)
# Verbs that need to be told what for: "does magnesium help?" leans on the topic, "how is gout treated?" does not.
NEEDS_OBJECT = re.compile(
    r"\b(?:helps?|works?|effective|safe(?:ly)?|good|ok(?:ay)?|allowed|useful|recommended|better|best|enough|"
    r"necessary|"
    r"needed|suitable|indicated|contra-?indicated|risky|dangerous|advisable|an option|first[- ]line)\W*$"
    r"|^\W*(?:(?:and|but|so)\s+)?(?:can|could|should|may|must|shall|do|does|would|will)\s+(?:i|you|we|he|she|they|"
    r"one|patients?|people|"
    r"my \w+|the patient)\s+(?:\w+\s+)?(?:take|try|use|give|stop|start|have|add|combine|continue|eat|drink|do|"
    r"switch|prescribe|"
    r"offer|check|measure|increase|reduce|need|get|go|keep|avoid|stretch|exercise|walk|wear)\b",
    re.IGNORECASE,
)
# "which blood test?", "how often should imaging be repeated?": asks for a detail of what is being talked about.
DETAIL = re.compile(
    r"^\W*(?:which|what|what kind of|what type of)\s+(?:[\w-]+\s+){0,2}[\w-]+(?:\s+(?:is|are|should be|would be|"
    r"to)\s+"
    r"(?:best|used|needed|recommended|required|given|done|use|give|take|try|preferred|first))?\W*$"
    r"|^\W*how (?:often|long|soon|much|many|fast|early|high|low|far)\b(?:.*\bshould\b|(?:\s+to)?(?:\s+[\w-]+){1,4}\W*$)"
    r"|^\W*how (?:do|can|should|would) (?:i|you|we|one)\s+(?:[\w-]+\s*){1,3}\W*$"
    r"|^\W*what(?:['’]?s| is| are) the (?:maximum|minimum|right|best|usual|target|normal)(?:\s+[\w-]+){1,2}\W*$",
    re.IGNORECASE,
)
ASKS_WHAT_IS = re.compile(r"\W*(?:what|which)(?:['’]s| is| are)\b", re.IGNORECASE)
WHICH_OF = re.compile(
    r"^\W*which (?:one |of (?:them|these|those|the two|both) |drug |medicine |treatment |option |"
    r"condition )?(?:is|are|works?|has|should)\b",
    re.IGNORECASE,
)
PURPOSE = re.compile(r"\b(?:for|in|with|against|during|from|of|on|after)\s+\w", re.IGNORECASE)
COMPLETE = re.compile(
    r"\b(?:what|which|who|when|where|why|how|is|are|was|were|do|does|did|can|could|may|might|should|shall|would|"
    r"will|must|"
    r"has|have|tell|explain|describe|list|give|show|define|compare)\b",
    re.IGNORECASE,
)
SIDE_BY_SIDE = re.compile(r"\s+(?:or|versus|vs\.?|compared (?:with|to)|and|rather than)\s+", re.IGNORECASE)
PEOPLE_WORDS = frozenset(
    "people person patients patient women woman men man adults adult age aged old older young mothers mother disease "
    "failure impairment problems function chronic severe mild users with on in and the a taking".split()
)
# Where the second of two names ends: "quinine or quinidine | better for cramps".
NAME_ENDS = re.compile(
    r"\s+(?:better|worse|safer|stronger|more|less|best|first|for|in|with|to|as|the|when|if|during|of|be|is|are|used|"
    r"given|work|help)\b",
    re.IGNORECASE,
)
COMPARES = re.compile(r"\b(?:differen\w+|compar\w+|better|between|both|versus|vs|prefer\w*|or)\b", re.IGNORECASE)
# Words that ask but name no topic by themselves, though they are nouns.
_GENERIC_WORDS = """
dose dosage maximum side effects alternatives options evidence research duration long time work adult
treatment cause symptom test diagnosis prevention prognosis outlook complication risk drug medicine tablet
generic doctor hospital emergency reference source guideline question same similar example detail difference
cost price monitoring follow-up start stop interaction contraindication warning mechanism result next step
first line second people person patient long-term severe mild recurrent worse better happen bad serious common
rare likely sure said per day daily week month year hour
"""


@cache
def generic_terms() -> frozenset[str]:
    """Return the stems of words that name no topic by themselves."""
    return frozenset(content_terms(_GENERIC_WORDS))
