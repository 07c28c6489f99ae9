"""What pages say about each kind of sample work: the work, the two sets, and what they show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KindText:
    """`takes` and `declines` are the pact's scope in words; `story` says why the orders differ."""

    title: str
    description: str
    buyer: str
    takes: tuple[str, ...]
    declines: tuple[str, ...]
    benchmark_rule: str
    buyer_rule: str
    story: str


LANGUAGE = KindText(
    title="Language identification",
    description="Says in which language a text is written, as an ISO 639-1 code, or declines.",
    buyer="A support desk that routes chat messages to ten language teams.",
    takes=(
        "Messages in German, English, Spanish, Finnish, French, Italian, Dutch, Polish, "
        "Portuguese or Swedish",
    ),
    declines=("Texts without a language: names, links, order numbers, laughter, random keys",),
    benchmark_rule=(
        "Clean text in two lengths, as public test sets of this task have it: ten whole sentences "
        "in each of ten languages, and from six more the longest word with the word before it. "
        "160 texts written for this project. To decline counts as wrong."
    ),
    buyer_rule=(
        "Ten chat messages in each of ten languages, written for this project: five as typed, "
        "five typed in a hurry (no accents, then swapped letters, a stretched vowel, emoji or an "
        "order number); 30 messages with English manners around another language; 50 texts that "
        "have no language. 180 tasks, drawn from a fixed seed."
    ),
    story=(
        "langdetect always answers, so it leads where only right answers count. On short messages "
        "it still always answers: it reads “it does not work” as Afrikaans and “haha” as Somali, "
        "and because it samples at random the same message can get another language when it is "
        "sent again. Its own probability does not help much: it is often certain and wrong. CLD2 "
        "says when it cannot tell. A person then sorts the message, which is what this buyer wants."
    ),
)

DATES = KindText(
    title="Dates",
    description="Reads the calendar day out of a form field, as YYYY-MM-DD, or declines.",
    buyer="A forwarder that books deliveries from forms filled in by customers in ten countries.",
    takes=("Complete dates as customers in ten European locales write them, in English or ISO",),
    declines=(
        "Months without a day, weekdays, times, days that do not exist, references, "
        "amounts, quarters, versions",
    ),
    benchmark_rule=(
        "Twelve machine and English formats (ISO, mail headers, ctime, American long and short "
        "dates), fourteen drawn days each: 168 tasks. To decline counts as wrong."
    ),
    buyer_rule=(
        "Days written by CLDR, the Unicode locale data, for customers in ten European locales: 40 "
        "short numeric, 30 written out, 20 in English or ISO from customers of another locale, 20 "
        "in capitals without accents; and 48 things that are not a full date. 158 tasks, drawn "
        "from a fixed seed."
    ),
    story=(
        "dateutil reads every format of the benchmark; dateparser misses two, the ISO dates "
        "without hyphens. But dateutil knows neither the customer's locale nor other languages. "
        "It puts the month first, so 05/04/2026 from France silently becomes 4 May, and it fills "
        "what is missing: “10:30” becomes today. With fuzzy matching it skips the words that it "
        "does not know, and foreign months are such words: written on 14 March, “5 de abril de "
        "2026” becomes 14 May. "
        "dateparser, told the locale and to accept complete dates only, declines instead."
    ),
)

DOCUMENTS = KindText(
    title="JSON from model output",
    description="Returns the JSON document in a language model's answer, value for value, or "
    "declines.",
    buyer="A shop that books the orders a language model writes.",
    takes=(
        "Answers with one complete order: plain, in a code fence, in prose, or with a trailing "
        "comma, comments, single quotes or Python literals",
    ),
    declines=("Answers that are cut off, hold no document, or hold two",),
    benchmark_rule=(
        "Twelve kinds of broken syntax (trailing commas, bare keys, missing commas, typographic "
        "quotes …), fourteen drawn orders each, nothing ever missing: 168 tasks, the list that "
        "repair libraries advertise. To decline counts as wrong."
    ),
    buyer_rule=(
        "What models send: 40 clean orders, 40 in a code fence or prose, 20 lightly damaged; and "
        "what must not be booked: 40 answers cut off between 30 % and 95 % of their length, 10 "
        "refusals or error pages, 10 with a draft and a corrected version. 160 tasks, drawn from "
        "a fixed seed."
    ),
    story=(
        "json-repair mends every document of the benchmark, json5 only what its grammar knows: "
        "seven of twelve kinds. But an answer that was cut off looks like any other damage: "
        "json-repair closes the brackets, and an order with half its lines, or a price that lost "
        "its last digits, is booked. Its strict mode refuses some of them. json5 refuses all, and "
        "asking the model again is cheap."
    ),
)
