"""Notices questions that rest on a claim, so that their reply shows what speaks to the claim, and no bare yes.

Is: the English constructions that presuppose something (Levinson 1983, Pragmatics, chapter 4): tags, negative polar
questions, reports of a belief, factive verbs, reasons given before the question, "why" and "how long until" asked of an
outright cure or harm, comparisons taken for granted, and a plain claim before the question. Is not: a judgement whether
the claim holds. What people tell of themselves ("since my operation", "I know I have gout") is no claim about medicine.
"""

from __future__ import annotations

import re

# Longer texts are pasted pages; the premise of a question stands in its first lines.
_LIMIT_CHARS = 2_000

_WH = r"(?:what|which|who|whom|whose|how|why|when|where)"
_BE = r"(?:is|are|was|were)"
_AUX = rf"(?:{_BE}|do|does|did|can|could|should|would|will|must|may|might|has|have|had|shall)"
_PRONOUN = r"(?:it|he|she|they|you|we|i|that|this|there|one|those|these)"
# What a person tells of the case at hand: no general claim. "I should stop statins" is one, about what to do.
_OWN_CASE = (
    r"(?:(?:i|we|he|she)(?!\s+(?:should|must|can|could|need|ought|have to|was told)\b)|i'm|i've|i'd|we've|he's|she's|my|our|his|her|"
    r"(?:a|an|the|this|that)\s+(?:\S+\s+)?(?:patient|man|woman|boy|girl|child|lady|gentleman|pain|lump|rash))\b"
)
# Adverbs that hold a claim down to what a source would say.
_HEDGE = r"\b(?:sometimes|often|may|might|can|could|usually|occasionally|rarely|not|no longer|never|less)\b"

# Verbs of an outright cure or an outright harm.
_CURE = (
    r"(?:(?:cur|heal|dissolv|revers|elimin|eradicat|eliminat|strengthen|boost|melt|cleans|detoxif|outperform|beat|fix|prevent|stop)"
    r"(?:e?s|e)?|clears?(?:\s+up)?|(?:draw|flush|sweat|suck)s?\s+out|gets?\s+rid\s+of|fights?(?:\s+off)?|soothes?|kills?|works?\s+(?:for|on|against))"
)
_HARM = (
    r"(?:(?:caus|trigger|damag|destroy|ruin|weaken|poison|worsen|thin|provok|induc|harm|rot|aggravat)(?:e?s|e)?|"
    r"feeds?|kills?|leads?\s+to|brings?\s+on|gives?\s+you|raises?|dehydrates?)"
)
_MAKES = (
    r"makes?\s+(?:\S+\s+){1,5}?(?:go\s+away|disappear|vanish|normal|worse|better|fat|ill|sick|sterile|hyperactive|"
    r"addicted|grow|shrink)"
)
_GRADED = (
    r"(?:best|better|worse|worst|safer?|safest|harmless|harmful|dangerous|addictive|useless|pointless|poisonous|toxic|effective|"
    r"ineffective|banned|illegal|mandatory|compulsory|natural|gentler|stronger|healthier|contagious|recommended|preferred|"
    r"unnecessary|outdated|first[\s-](?:choice|line)|standard|only|approved|cause|reason|cure)"
)
_EFFECT = rf"(?:{_CURE}|{_HARM}|{_MAKES})"
# That a disease does harm is its definition, and no claim about a treatment.
_DISEASE = (
    r"(?:[\w-]*(?:itis|osis|a?emia|oma|(?:neuro|nephro|retino|myo|encephalo|arthro)pathy|algia|sepsis|diabetes)|gout|asthma|stroke|shock|cancer|tumou?rs?|fever|bleeding|pregnancy|"
    r"clots?|dvt|copd|hypertension|arsenic|lead|(?:[\w-]+ ){1,3}?(?:disease|syndrome|disorder|failure|attack|stroke|infection|deficiency|cell|"
    r"injury|cancer|thrombosis|pressure|poisoning|battery))\b"
)

# Asks for a verdict on a claim.
_VERDICT = (
    rf"\b{_BE} (?:it|this|that) (?:really |actually |still |indeed |just )?"
    r"(?:true|correct|right|so|a fact|a myth|the case|possible that|proven|known)\b"
    r"|\b(?:am i right|i am right|i'm right|am i wrong|is that so|is this so|correct me if|would you say|prove me wrong)\b"
    r"|\b(?:any|some|much|a grain of) truth (?:in|to|behind)\b|\b(?:has|have|had) (?:it|this|that) (?:ever )?been (?:proven|proved|shown)\b"
    r"|\bdo you (?:agree|think|believe)\b|\b(?:does|do|did|has|have) (?:s?he|they|it) (?:\w+ )?(?:have )?a point\b"
    r"|^(?:please |just |can you |could you |so )*confirm\b|\byes or no\b|\btrue or false\b|\b(?:fact or (?:fiction|myth)|myth or fact)\b"
    r"|\b(?:right|correct|wrong|mistaken) (?:in|to) (?:think|say|believ|assum|suppos)\w*"
    r"|[.!?,:] *(?:true|correct|right|agreed|yes|yeah|really)\s*\?+\s*$|\btrue\s*\?\s*$|\bit'?s true\b"
)
# "…, don't they?", "…, right?", "… or not?": a claim with a question at its end.
_TAG = (
    r", ?(?:right|correct|true|yes|yeah|yep|no|ok|okay|or not|innit|huh|eh|isn'?t that so)\s*\?*\s*$"
    rf"|, ?(?:{_AUX}|ca|wo|need)(?:n'?t)? {_PRONOUN}(?: not)?\s*\?*\s*$|\b{_AUX}n'?t (?:it|they|he|she)\s*\?*\s*$"
)
# A question that begins with "isn't" or "is … not" has its answer in mind; "Can't sleep, what helps?" begins with no question.
_NEGATIVE_POLAR = (
    rf"^(?:so |but |and )?(?:{_AUX}|ca|wo)n'?t\b(?!.*[,.] ?(?:{_WH}|{_AUX}) )"
    rf"|^(?:so |but |and )?{_AUX} (?!i\b|we\b)(?:(?!(?:that|which|who|to|if|and|or|when|not)\b)[\w'-]+ ){{1,3}}not\b"
)
# Whose claim it is. A guideline that is merely asked about is no hearsay, nor is a question word a person.
_SPEAKER = (
    r"(?!(?:guidelines?|nice|who|sources?|articles?|evidence|passages?|quotes?|trials?|protocol|lab|watch|smartwatch|monitor|scan|"
    r"what|which|that|this|it|you|patient)\b)[\w'.-]+"
)
_SAID = (
    r"(?:says|said|claim(?:s|ed)|insist(?:s|ed)|swears|swore|reckon(?:s|ed)|maintain(?:s|ed)|wrote|writes|believe[sd]|thinks|"
    r"argue[sd]|stated|warn(?:s|ed)|promise[sd]|posted|assure[sd] (?:me|us)|(?:told|tells|taught) (?:me|us|him|her|them))"
)
# "How would I know that it is a clot?"
_NOT_ASKED = r"(?<!\bdo )(?<!\bcan )(?<!\bwould )(?<!\bcould )(?<!\bshould )(?<!\bdid )(?<!\bwhen )"
_REPORT = (
    rf"{_NOT_ASKED}\bi (?:have |had )?(?:always |once |also |just )?(?:heard|read|learned|learnt|thought|understood|assumed|believed|figured)\b(?: that)? "
    rf"(?!{_OWN_CASE}|(?:an?|about|it|this|the (?:results?|labels?|leaflet|article|page|guideline)) )"
    rf"|\bi (?:think|believe|guess|bet|suspect)(?: that)? (?!{_OWN_CASE}|it\b|this\b|there\b)\S"
    rf"|\b(?:i|we) (?:was|were|have been|'?ve been|had been) (?:told|taught|led to believe|under the impression)\b(?: that)? (?!to\b|{_OWN_CASE})"
    rf"|\bi'?ve (?:heard|read|been told|seen)\b(?: that)? (?!to\b|{_OWN_CASE})|\bi saw (?:that|on|in|online|somewhere)\b"
    r"|\b(?:everyone|everybody|people|they|some|many|most people|all|others|folks?|doctors|experts|scientists) (?:always |all |often )?"
    r"(?:say|claim|think|believe|know|swear|insist|reckon|agree)s?\b"
    rf"|\b{_SPEAKER} (?:always |once |has |just |also )?{_SAID}\b(?: that)? (?!{_OWN_CASE}|(?:to|about|call|see|go|no|ok|yes|something)\b)(?:\S+ ){{2}}\S"
    r"|\b(?:were|was|are|is|been|keeps?) (?:saying|claiming|telling (?:me|us|people))\b"
    r"|\baccording to (?!(?:the )?(?:\w+ )?(?:guidelines?|nice|who|evidence|trials?|stud\w+|recommend\w*|bnf|label)\b|my (?:last|latest|own|recent|scan|blood|results?|chart|notes)\b)"
    r"|\b(?:internet|google|chatgpt|wikipedia|facebook|tiktok|youtube|instagram|reddit|news|leaflet|label|advert) (?:says|told|claims|states)\b"
    r"|\bit(?:'s| is| was|'s been| has been) (?:often |widely )?(?:said|suggested|claimed|rumou?red|put to me|reported|believed|thought|a myth|"
    r"(?:well |widely |generally |commonly )?known|(?:common|general) knowledge|obvious|clear|a fact)\b(?: to me)?(?: that)?(?! (?:if|whether|how|what|why))"
    r"|\bas (?:we|you|everyone|everybody|is) (?:all )?(?:well )?knows?n?\b"
    r"|\b(?:theory|idea|view|opinion|claim|story|rumou?r|belief|notion|advice|word|fact|talk|saying)s? "
    r"(?:(?:is|was|goes|has it|going (?:a)?round|about|out there) )?(?:that\b|you\b)"
    r"|\b(?:(?<!in )apparently|supposedly|allegedly|surely|obviously|of course|studies show|research shows|rumou?r(?: has it)?)\b"
)
# Verbs and nouns whose complement is taken for true.
_FACTIVE = (
    rf"{_NOT_ASKED}\b(?:i|we) (?:already |do |fully |now )?(?:know|reali[sz]e|accept|appreciate|gather|take it that|assume|suppose|hear|understand|am aware)"
    rf"(?: that)? (?!{_OWN_CASE}|(?:if|whether|about|the|nothing|little|of|as|it|this|{_WH})\b)[a-z]"
    rf"|\b(?:is|was|am|are|'m|'s) (?:convinced|certain|adamant|positive|persuaded) (?:that|it)\b"
    r"|\b(?:they|doctors|scientists|researchers|we|people|experts|it)(?: been)? (?:first |finally )?(?:discover|find out|found out|prove|learn|reali[sz]e|notice|"
    r"work out|discovered|proved|shown|realised|realized) that\b|\bwho (?:discovered|proved|found out|decided) that\b"
    r"|\bgiven the fact\b|\bwhat explains (?:the (?:way|fact)|why|that)\b|\bdespite the fact that (?!i\b|my\b)"
)
# Something is given as a reason before the question is put, or after it.
_REASON = (
    r"^(?:so |but |and |well,? )?(?:since(?! (?:last|yesterday|then|when|\d|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|this|childhood|birth|about|a\b|an\b|the (?:operation|accident|fall|birth|surgery)|starting|taking|having|stopping))|"
    r"given(?: that)?|because(?! of)|seeing(?: that| as)?|as(?! (?:an?|the|part|well|soon|long|far|for)\b)|now that|considering(?: that)?) "
    rf"(?!{_OWN_CASE}|\w+ing\b).{{3,200}}?(?:,| -) ?(?:then )?(?:{_WH}|{_AUX})\b"
    rf"|^{_AUX} .{{5,120}}?\b(?:because|given that|seeing (?:that|as)|considering(?: that)?|since|as) (?!of\b|{_OWN_CASE})"
    rf"(?:[\w'-]+ ){{1,4}}?(?:{_BE} (?:\w+ )?{_GRADED}|{_EFFECT})\b"
    r"|^if .{3,200}?, ?(?:why|how come)\b|\bhow come\b|\bsince when\b"
)
# Asked why, how or by what, a cure or a harm is taken for granted; hedged, it is what any source would say.
_TAKEN_FOR_GRANTED = (
    rf"\bwhy {_BE} (?!{_OWN_CASE}|(?:an? )?{_DISEASE})(?!.{{0,60}}{_HEDGE}).{{2,80}}\b(?:{_GRADED}|more \w+ than|\w+er than)\b"
    r"|\bwhy (?:do|does|did|can|should|must|would) .{0,60}\b(?:all|always|never|every|everyone|nobody|only)\b"
    rf"|\bwhy (?:do|does|did|must|would) (?!{_OWN_CASE}|(?:an? )?{_DISEASE})(?!.{{0,40}}{_HEDGE}).{{2,60}}?\b{_EFFECT}\b"
    r"|\bwhy would (?:any|some|every|you|one|a|they|people)"
    r"|\bhow (?:do|does|did) (?!i\b|you\b|we\b).{2,60}?\b(?:cure|heal|dissolve|melt|draw out|flush out|cleanse|detox\w*|eliminate|eradicate)\b"
    r"|\bwhat makes .{2,60} (?:the|so|such)\b|\bwhat makes .{2,60} (?:better|worse|safer) than\b"
    r"|\bwhat is it (?:in|about|with) .{2,60} (?:that|which)\b"
    r"|\bhow long (?:has|have) .{2,60}\bbeen (?:the|a|an|considered|known|recommended|used as)\b"
)
# "How long until vinegar dissolves the stones?"
_UNTIL = (
    r"\bhow (?:long|soon|quickly|fast|much longer|often|much|many \w+)\b.{0,80}?\b(?:"
    rf"{_MAKES}|(?:until|before) (?!(?:the|my|a|an|this)\b)[\w'-]+(?: [\w'-]+){{0,4}}? {_CURE} (?!up\b|on\b)\w"
    r"|(?:to|will|would) (?:cure|heal|clear|dissolve|reverse|melt|flush out|eliminate|get rid of) (?:(?!up\b|on\b|in\b|from\b)\w)"
    r"|after (?:starting|taking|using|eating|drinking) .{2,50} (?:cured|gone|go away|healed|disappear|normal))\b"
)
# "How much better than insulin is cinnamon?"
_COMPARED = (
    r"\b(?:how much|how many times|by how much|how far)(?: is| are)?.{0,50}?\b(?:better|safer|stronger|faster|gentler|healthier|cheaper|(?:more|less) (?:\w+ly )?(?:effective|"
    r"harmful|dangerous|toxic|addictive|natural))\b.{0,40}\b(?:than|is|are)\b"
    r"|\bby how much (?:do|does|did) .{2,60}\b(?:beat|outperform|outdo|exceed|surpass)\b"
)
_PATTERN = re.compile(
    "|".join((_VERDICT, _TAG, _NEGATIVE_POLAR, _REPORT, _FACTIVE, _REASON, _TAKEN_FOR_GRANTED, _UNTIL, _COMPARED)),
    re.IGNORECASE,
)

# Where one sentence, or a claim before ", so …", ends.
_SEGMENT = re.compile(
    rf"[.!?;\n]+\s*|\s-+\s|,?\s*\bso,?\s+(?={_WH}\b|{_AUX}\b)|, (?={_WH} |{_AUX} (?:i|it|you|we|one)\b)"
)
# A sentence that begins so tells no general claim: a question, a condition, a command, or a case.
_NO_CLAIM_START = re.compile(
    rf"(?:(?:and|but|then|well|ok|also|hi|hello|please)[ ,]+)*(?:{_WH}|{_AUX}|{_OWN_CASE}|if|when|while|after|before|for|in|with|to|"
    r"about|tell|give|show|explain|list|describe|name|compare|i\b|i'\w+|we\b|he\b|she\b|\d+|any|same|take|go|avoid|use)\b",
    re.IGNORECASE,
)
# A subject of one to seven words, and what is claimed of it.
_CLAIM = re.compile(
    r"(?:so,? )?(?:according to )?(?:the who |(?:(?!(?:that|which|who|what|how|to|if|whether|when|for|or|where|does|do|is|are|can)\b)"
    rf"[\w'%-]+ ){{1,7}}?)(?:(?:always |only |never )?{_EFFECT} (?!(?:me|my|when|if|how|and|or|what)\b|\w+ing\b)\w|"
    rf"(?:is|are|was|were)(?: \w+){{0,2}}? (?:the )?{_GRADED}\b|(?:recommend|require|forbid|advise|prescribe|prefer)s?\b|lists\b)",
    re.IGNORECASE,
)
_RISING_SO = re.compile(rf"so,? (?!{_WH}\b|{_AUX}\b|if\b|when\b|far\b)[\w' -]{{2,80}}?\b(?:{_AUX}|'s)\b", re.IGNORECASE)
_IT_IS_FINE = re.compile(
    r"so,? (?:it|that|this)(?:'s| is) (?:fine|ok|okay|safe|true|right|possible|enough|best)\b", re.IGNORECASE
)


def is_premise_question(question: str) -> bool:
    """Say whether a question rests on a claim of its own ("Is it true that …", "I heard …", "…, right?").

    Such a question is answered with the passages that speak to the claim, never with a bare yes or no.

    Example:
        >>> is_premise_question("Why does honey cure hay fever?"), is_premise_question("Does honey help hay fever?")
        (True, False)
    """
    text = re.sub(r"\s+", " ", question.strip().replace("’", "'")[:_LIMIT_CHARS])
    if _PATTERN.search(text):
        return True
    return any(_claims(segment) for segment in _SEGMENT.split(text))


def _claims(segment: str) -> bool:
    """Say whether one sentence is a claim in declarative order, whatever mark ends it."""
    if _NO_CLAIM_START.match(segment):
        return False
    return bool(_CLAIM.match(segment) or _IT_IS_FINE.match(segment) or _RISING_SO.match(segment))
