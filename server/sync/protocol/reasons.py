"""Why an op or a file was refused, as codes with values, so that a phone says it in its own language.

Rules word their refusals in English where they stand. Here each of these sentences that can reach a phone has a code
that never changes; its values are read back out of the sentence. What has no code is told in English alone. A test
finds sentences without one; the phone's words stand in `mobile/reasons`.
"""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import ValidationError

from server.kit.phrases import Pattern, patterns
from server.sync.protocol.messages import Reason

REASONS: Mapping[str, str] = {
    # what is not there (any more)
    "no_account": "There is no such account.",
    "no_site": "There is no such site.",
    "no_activity": "There is no such activity.",
    "no_person": "There is no such person.",
    "no_people": "Some of these people do not exist.",
    "no_companions": "Some of the people who come along do not exist.",
    "no_form": "There is no such form of this visit type.",
    "no_visit_type": "There is no such visit type.",
    "no_file": "There is no such file of yours.",
    "no_file_here": "There is no such file.",
    "no_owner": "Owner: there is no such person.",
    "no_preferred_rep": "Preferred rep: there is no such person.",
    "no_territory": "Territory: there is no such territory.",
    "no_parent": "Parent: there is no such account.",
    "no_deal": "Deal: there is no such deal of this account.",
    "no_seller": "Whose sale: there is no such person.",
    "no_product": "There is no such product.",
    "no_other": "There is no such {what}.",
    "site_deleted": "The site was deleted.",
    "file_gone": "Somebody has removed it for good.",
    "nobody_looks": "Nobody has to find it any more.",
    # rights
    "role_may_not": "Your role ({role}) may not do this.",
    "role_may_not_change": "Your role ({role}) may not change {fields}.",
    "role_may_not_see": "Your role ({role}) may not see {fields}.",
    "ask_for_right": "Ask an admin for the right.",
    "ask_admin": "Ask an admin.",
    "ask_admin_to_move": "Ask an admin to move it.",
    "ask_manager": "Ask your manager.",
    "outside_area": "The new account would lie outside your area.",
    "leave_owner": "Leave the owner to yourself, or ask your manager.",
    "leaves_area": "The account would leave your area with its pin.",
    "managers_hand_over": "Only managers hand accounts over.",
    "managers_assign": "Only managers assign accounts.",
    "phone_cannot_delete": "A phone cannot delete a {what}.",
    "phone_cannot_change": "A phone cannot change a {what}.",
    "phone_cannot_change_field": "A phone cannot change {field} of a {what}.",
    "no_set": "{field} of {what} is no set that a phone changes.",
    "on_web": "Do it on the web pages.",
    # what belongs elsewhere
    "site_elsewhere": "The site belongs to another account.",
    "site_not_of_account": "The site does not belong to the account.",
    "delivered_elsewhere": "Delivered to: the site does not belong to the account.",
    "visit_elsewhere": "The visit belongs to another account.",
    "report_there": "Report it there.",
    "site_needs_account": "A site belongs to an account.",
    "name_account": "Name the account too.",
    # what is there already, or changed meanwhile
    "taken_meanwhile": "The office has had this entry taken meanwhile.",
    "change_where_it_stands": "Change it where it stands.",
    "id_taken": "There is another entry with this id.",
    "enter_again": "Enter it once more.",
    "proposal_id_taken": "Another proposal has this id.",
    "document_id_taken": "This id belongs to another document.",
    "file_id_taken": "Another file has this id.",
    "make_id": "Make a new id.",
    "give_id": "Give it a new one.",
    # people
    "no_contact_name": "The contact has no name.",
    "give_contact_name": "Give a first or a last name.",
    "contact_there": "The contact is at this account already.",
    "change_roles": "Change the roles there.",
    "days_swapped": "The last day lies before the first.",
    "swap_days": "Swap the two days.",
    "no_phone_number": "{field}: “{value}” is not a phone number.",
    "write_phone": "Write it like +423 237 12 12.",
    "no_birthday": "{field}: {value} cannot be a birthday.",
    "leave_empty": "Leave it empty when it is not known.",
    "at_most": "At most {most}.",
    "needs_languages": "{field}: needs a list of languages.",
    "needs_roles": "{field}: needs a list of roles.",
    # numbers of accounts and leads
    "number_taken": "“{name}” has the number {number} already.",
    "lead_number_taken": "Another lead has the number {number}.",
    "other_number": "Choose another number.",
    "event_differs": "This event was recorded before with another content.",
    "changed_meanwhile": "{field} is “{value}” meanwhile.",
    "look_again": "Look at it again.",
    "merged_since": "The account was merged into “{name}” since.",
    "delete_survivor": "Keep it here; if that is to go, delete it itself.",
    "decided_before": "{who} decided before you: {field} is “{value}”.",
    "change_field": "Change the field itself if that is wrong.",
    "no_conflict": "There is no such conflict.",
    "deletion_or_not": "A deletion is taken or not.",
    "choose_either": "Choose keep_server or take_mine.",
    "changed_between": "Somebody else changed {fields} of “{name}” in between.",
    "compare": "Compare both values, then change it again.",
    "changed_after": "“{name}” was changed after you read it.",
    "no_revision": "There is no revision {revision} yet.",
    "repeat": "Look at it again, then repeat it.",
    "op_id_reuse": "This op was sent before with another content.",
    "prospect_is_lead_of": "“{name}” is a lead of {who} already.",
    "prospect_is_lead": "“{name}” is a lead already.",
    "prospect_is_account": "“{name}” is an account already.",
    "search_it": "Look for it in the search.",
    "dependency": "The op that this one builds on was refused.",
    "looks_like": "“{name}” looks like {others}.",
    "open_or_force": "Open that account, or send force=true to create another one.",
    # places
    "no_place_or_address": "The account has neither a place nor an address.",
    "write_place": "Write its street or its town.",
    "half_place": "Longitude and latitude belong together.",
    "give_both": "Give both, or an address alone.",
    "not_on_earth": "The point is no place on Earth: {problem}.",
    "give_degrees": "Give lon and lat in degrees.",
    "no_place_for_pin": "The point is no place for a pin: {problem}.",
    "set_on_map": "Set it on the map, or give an address.",
    # days and times
    "odd_year": "A visit cannot be in the year {year}.",
    "check_clock": "Years go from {first} to {last}; check the clock of the phone.",
    "years": "Years go from {first} to {last}.",
    "way_without_fixes": "A way has fixes, a pause and its end have none.",
    "send_recorded": "Send what was recorded.",
    "no_kind_of_firm": "“{written}” is no kind of firm that is known",
    "write_kind": "Write a word such as Bakery, or a tag of OpenStreetMap such as shop=bakery.",
    "no_zone": "There is no time zone “{zone}”.",
    "zone_example": "Use a name such as Europe/Zurich.",
    "needs_time": "A meeting needs its time.",
    "no_start": "It has no start.",
    "say_start": "Say when it begins.",
    "ends_early": "It ends before it starts.",
    "swap_times": "Swap the two times.",
    "lasts_long": "It lasts longer than {days} days.",
    "make_several": "Make several of it.",
    "mail_repeats": "A mail does not repeat.",
    "repeats": "It repeats.",
    "repeat_on_web": "Change one of its repeats on the web pages.",
    "no_moment": "“{value}” is not a moment.",
    "moment_example": "Write it like 2026-11-26T10:40:00Z.",
    "moment_without_zone": "{field} has no time zone.",
    "no_day": "“{value}” is not a day.",
    "day_example": "Write it like 2026-11-26.",
    # activities
    "needs_owner": "Somebody must own it.",
    "subject_empty": "The subject is empty.",
    "say_subject": "Say in a few words what it is about.",
    "longer": "{field} is longer than {most} characters.",
    "write_less": "Write less.",
    "no_choice": "“{value}” is no {field}.",
    "no_whole_number": "“{value}” is not a whole number.",
    "out_of_range": "{field} lies between {least} and {most}.",
    "no_id": "“{value}” is not an id.",
    "activity_field": "An activity has no field “{field}” that can be written.",
    # orders
    "text_missing": "Text: is missing.",
    "name_product": "Name a product, or say in words what is sold.",
    "product_gone": "“{name}” ({number}) is sold no more.",
    "take_successor": "Take “{name}” ({number}).",
    "take_other": "Take another product.",
    "search_product": "Search the catalogue for it.",
    "quantity": "“{name}”: {quantity} {unit} cannot be ordered.",
    "quantity_steps": "At least {least}, in steps of {step}.",
    "no_return": "“{name}”: {quantity} {unit} cannot be sold.",
    "return_by_credit": "To take something back, open the order it was sold with and make a credit note.",
    "credit_from_order": "A credit note is made from its order.",
    "open_order": "Open the order and credit its lines.",
    "credit_sign": "A credit note takes back: its quantities are negative.",
    "credit_too_much": "“{name}”: {quantity} {unit} cannot be taken back, {left} are left.",
    "credit_at_most": "Credit at most what was ordered and not credited yet.",
    "no_price": "“{name}” has no price in {currency} on {day} for this customer.",
    "set_price": "Set the price by hand, or put the product into a price list.",
    "ends_before_day": "The quote would end on {until}, before its day {day}.",
    "later_day": "Choose a later day.",
    "take_line_away": "Take the line away instead of ordering nothing.",
    # files
    "files_full": "There is room for {most} files; {there} are here already.",
    "delete_one": "Delete one first.",
    "not_a_picture": "“{name}” is called a picture, but is {kind}.",
    "send_picture": "Send the picture itself, or call the file what it is.",
    "too_many_pixels": "“{name}” has more than {millions} million pixels.",
    "make_smaller": "Make it smaller.",
    "picture_damaged": "“{name}” is damaged: what a camera wrote into it, such as the place, cannot be removed.",
    "save_again": "Open it in a picture program and save it again.",
    "file_too_large": "“{name}” has {size} MB and is larger than {most} MB.",
    "file_larger": "“{name}” is larger than {most} MB.",
    "send_smaller": "Send a smaller one, or a link to it; an admin may raise WAYMARK_MAX_FILE_MB.",
    "retake": "Take it again, or delete it.",
    # forms
    "nothing_asked": "Nothing is asked at visits of the type {name}.",
    "not_asked": "The form does not ask “{field}”.",
    "reload_form": "Reload the form.",
    "not_answered": "{field}: is not answered.",
    "must_answer": "The visit cannot be done without.",
    # values of fields
    "name_missing": "Name: is missing.",
    "needs_name": "Every account needs a name.",
    "status_missing": "Status: is missing.",
    "company_missing": "Company: is missing.",
    "name_company": "Name the company or the person.",
    "single_value": "{field} takes a single value.",
    "no_field": "There is no field “{field}”.",
    "field_gone": "The field “{field}” is not there any more.",
    "no_field_to_edit": "There is no field “{field}” to edit.",
    "missing": "{field}: is missing.",
    "required": "This field is required.",
    "too_long": "{field}: {length} characters are too many.",
    "at_most_fit": "At most {most} fit.",
    "too_many_tags": "{field}: {count} tags are too many.",
    "too_many": "{field}: {count} are too many.",
    "not_an_email": "{field}: “{value}” is not an e-mail address.",
    "email_example": "Write it like name@example.com.",
    "not_an_address": "{field}: “{value}” is not a web address.",
    "address_example": "Write it like https://example.com.",
    "not_an_amount": "{field}: “{value}” is not an amount.",
    "amount_example": "Write it like 12500.00.",
    "amounts_between": "Amounts lie between 0 and 999,999,999,999.99.",
    "cannot_be": "{field}: {value} cannot be.",
    "whole_between": "A whole number from {least} to {most}.",
    "not_a_number": "{field}: “{value}” is not a number.",
    "not_a_currency": "{field}: “{value}” is not a currency.",
    "currency_example": "Three letters such as EUR or CHF.",
    "not_a_language": "{field}: “{value}” is not a language.",
    "not_an_id": "{field}: “{value}” is not an id.",
    "not_a_date": "{field}: “{value}” is not a date.",
    "not_known": "{field}: “{value}” is not known.",
    "needs_text": "{field}: needs a text.",
    "country_not_known": "Country: “{value}” is not known.",
    "country_example": "Write its name or its two letters, such as Liechtenstein or LI.",
    "visit_takes": "{field}: a visit takes 1 to 1,440 minutes.",
    "write_stay": "Write how long a visit usually takes.",
    "no_address_left": "The site would have no address.",
    "write_address": "Write its street or its town, so that it can be found on the map.",
    "needs_words": "{field}: needs a list of words.",
    "needs_list": "{field}: needs a list.",
    "needs_days": "{field}: needs a list of days.",
    "not_a_weekday": "{field}: “{value}” is no day.",
    "true_or_false": "{field}: must be true or false.",
    "hours": "{field}: the opening hours “{value}” are not understood.",
    "hours_example": "Write them like “Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00”, or “24/7”.",
    "too_exact": "{field}: {value} has too many digits after the point.",
    "number_between": "A number from {least} to {most}.",
    "number_example": "Write it like 12.5.",
    "date_example": "Write it like 2026-03-31.",
    "language_example": "Two letters such as de, fr or en.",
    "no_document_language": "{field}: “{value}” is no language of documents.",
    "needs_pairs": "{field}: needs names and values.",
    "pairs_example": "For example utm_source and utm_campaign.",
    "rare_enough": "It repeats daily, weekly, monthly or yearly, not more often.",
    "one_of": "One of: {choices}.",
    # the company's own fields
    "not_as_expected": "{field}: “{value}” does not have the expected form.",
    "must_match": "It must match {pattern}.",
    "is_no_number": "{field}: is not a number.",
    "written_like": "Write it like {example}.",
    "numbers_to": "Numbers go to {most}.",
    "too_little": "{field}: {value} is too little.",
    "at_least": "At least {least}.",
    "too_much": "{field}: {value} is too much.",
    "yes_nor_no": "{field}: “{value}” is neither yes nor no.",
    "write_yes_or_no": "Write yes or no.",
    "not_to_choose": "{field}: “{value}” cannot be chosen.",
    "needs_choices": "{field}: needs a list of choices.",
    "known": "Known: {choices}.",
    # shapes
    "op_too_large": "The op is larger than {most} bytes.",
    "shorten_note": "Shorten the note.",
    "database_refuses": "The database does not accept a value of this op.",
    "shape_too_long": "{field} is longer than {most} characters or entries.",
    "shape_too_short": "{field} is empty, or has too few entries.",
    "shape_missing": "{field} is missing in what the phone sent.",
    "shape_range": "{field} lies outside what is allowed.",
    "shape": "{field} has not the shape that the server expects.",
}
"""By code, the sentence as rules word it. A code stays; its sentence may be worded anew."""

SHAPES = {
    "string_too_long": "shape_too_long", "too_long": "shape_too_long", "string_too_short": "shape_too_short",
    "too_short": "shape_too_short", "missing": "shape_missing", "greater_than_equal": "shape_range",
    "less_than_equal": "shape_range",
}  # fmt: skip
"""What pydantic calls what we call so."""


@lru_cache(maxsize=1)
def known() -> tuple[Mapping[str, str], list[Pattern]]:
    """The codes by their sentences, and the sentences with gaps."""
    return {sentence: code for code, sentence in REASONS.items()}, patterns(REASONS.values())


def read(sentences: str) -> Reason | None:
    """A message or a help as a code with its values; None when it has no code, or when nobody can tell where one value
    ends and the next begins."""
    codes, with_gaps = known()
    if sentences in codes:
        return Reason(code=codes[sentences], values={})
    for pattern in with_gaps:
        if (values := pattern.read(sentences)) is not None and pattern.is_clear(sentences):
            return Reason(code=codes[pattern.text], values=values)
    return None


def told(*sentences: str) -> list[Reason] | None:
    """A message and its help as codes; None unless all of it has codes, for half a reason misleads."""
    found = [read(one) for one in sentences if one]
    whole = [one for one in found if one is not None]
    return whole if whole and len(whole) == len(found) else None


def of_shape(error: ValidationError) -> list[Reason]:
    """What is wrong with the shape of an op."""
    first = error.errors(include_input=False, include_url=False)[0]
    code = SHAPES.get(first["type"], "shape")
    values = {"field": ".".join(str(part) for part in first["loc"])}
    if code == "shape_too_long":
        values["most"] = str(first.get("ctx", {}).get("max_length", ""))
    return [Reason(code=code, values=values)]
