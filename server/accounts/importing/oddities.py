"""What is odd about rows that are taken all the same: in itself, beside the other rows of the file, and on the map.

Nothing is mended here: what a rule cannot be sure of is told as a warning, and the review desk repairs it on the map.
"""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from geo.geocode.vocabulary import fold, words
from server.accounts import values
from server.accounts.importing import cells
from server.accounts.importing.advice import is_city_and_street, is_street_and_name, names_street

type Oddity = tuple[str, str, str]
"""Field, code, message."""

NAMES_COUNTRY = re.compile(r"([A-Z]{1,3})-\d")
LONG_NUMBER = re.compile(r"\d{4}")
PLACE_BEHIND = re.compile(r"\S[\s,]+(?:[A-Z]{1,3}-)?\d{4,5}\s+[^\W\d_]{2}")
PLACE = ("postcode", "city")
HOUSE = "[0-9]{1,4} ?[A-Za-z]?(?: ?[-/–] ?[0-9]{1,4} ?[A-Za-z]?)?"
"""A house number behind a street, as the database reads it."""


def of_address(
    row: Mapping[str, Any], asked: Set[str], home: str | None, towns: Set[str] = frozenset()
) -> Iterator[Oddity]:
    """What is odd about the address of one row.

    Parameters
    ----------
    row : Mapping
        The row's values: name, street, postcode, city, country, lon.
    asked : Set
        Fields that some column of the file brings; what no row can have is not missed.
    home : str or None
        The only country of the map.
    towns : Set
        The towns of the map, in plain words: `Schaan 12` is one with a district or a number, no street.
    """
    street, postcode, city = (str(row.get(name) or "") for name in ("street", *PLACE))
    is_town = " ".join(word for word in words(fold(city)) if not word.isdigit()) in towns
    if street and city and not is_town and reads_as_city_and_street(street, city, postcode):
        yield "street", "street_and_city", f"Street and city look exchanged: “{street[:60]}”, “{city[:60]}”; kept."
    name = str(row.get("name") or "")
    if name and street and is_street_and_name(name, street):
        yield "name", "name_and_street", f"Name and street look exchanged: “{name[:60]}”, “{street[:60]}”; kept."
    if postcode:
        yield from of_postcode(postcode, row.get("country"), home)
    if "lon" in row or not (street or postcode or city):
        return
    if not street and "street" in asked and "address" not in asked:
        yield "street", "no_street", "Street: it is missing; the pin can only show the place."
    if not (postcode or city or names_place(street, towns)) and any(name in asked for name in PLACE):
        yield "city", "no_place", "City: it is missing, and so is the postcode; the street may lie elsewhere too."


def names_place(street: str, towns: Set[str]) -> bool:
    """Whether a street is a whole address: a postcode and a word follow, or a town of the map behind a comma."""
    parts = (" ".join(words(fold(part))) for part in street.split(",")[1:])
    return PLACE_BEHIND.search(street) is not None or any(part in towns for part in parts if part)


def of_postcode(postcode: str, country: str | None, home: str | None) -> Iterator[Oddity]:
    """What is odd about a postcode: another country's prefix, or digits that cannot be one of the country."""
    prefix = NAMES_COUNTRY.match(postcode)
    named = values.country_code(prefix[1]) if prefix else None
    if named and country and named != country:
        yield "postcode", "other_prefix", f"Postcode: “{postcode}” names {named}, the country is {country}; kept."
        return
    digits = sum(sign.isdigit() for sign in postcode)
    usual = cells.POSTCODE_SIGNS.get(str(country or named or home))
    if not usual or digits in usual:
        return
    if country or named:
        message = f"Postcode: “{postcode}” is none of {country or named}; is the country right?"
        yield "postcode", "other_country", message
    else:
        message = f"Postcode: “{postcode}” is none of {home}, and the row names no country; kept."
        yield "postcode", "country_not_named", message


def reads_as_city_and_street(street: str, city: str, postcode: str) -> bool:
    """Whether the city reads like a street with its house and the street like none.

    `Paris 12` beside `Rue Monge` is a district, and `9490 Vaduz` a city with its postcode.
    """
    if not is_city_and_street(street, city) or (postcode and postcode in city) or names_street(street):
        return False
    return LONG_NUMBER.search(city) is None or names_street(city)


# A second row with the same name and address, or with the same name, place and phone, under another number.
DOUBLES = """
    select row_no, 'name' as field, 'likely_double' as code, case when by_address < row_no
           then format('Row %s of the file has the same name and address; is it the same account?', by_address)
           else format('Row %s of the file has the same name, place and phone; is it the same account?', by_phone)
           end as message
    from (
        select n.row_no,
               min(row_no) over (partition by name, place, street) as by_address,
               case when phone is not null then min(row_no) over (partition by name, place, phone) end as by_phone
        from (
            select o.row_no, search_words(o.values ->> 'name', null, null, null) as name,
                   search_words(coalesce(o.values ->> 'postcode', o.values ->> 'city'), null, null, null) as place,
                   search_words(o.values ->> 'street', null, null, null) as street, o.values ->> 'phone_e164' as phone
            from import_outcome o
            where o.run_id = :run and o.action <> 'error' and o.key like 'number:%'
              and o.values ?| array['street', 'postcode', 'city']
        ) n
    ) d where by_address < row_no or by_phone < row_no
"""

# So few of another country among so many of one are more often slips than customers abroad; where there is no map of
# it, that is said already.
RARE_COUNTRY = """
    select o.row_no, 'country', 'rare_country', format(
        'Country: the row says %s, %s of %s rows say %s; kept.',
        o.values ->> 'country', m.rows, m.everything, m.country)
    from (
        select values ->> 'country' as country, count(*) as rows, sum(count(*)) over () as everything
        from import_outcome where run_id = :run and action <> 'error' and values ? 'country' group by 1
    ) m
    join import_outcome o on o.run_id = :run and o.action <> 'error'
         and length(o.values ->> 'country') = 2 and o.values ->> 'country' <> m.country
         and not o.problems @> '[{"code": "no_map"}]'
    where m.rows >= 0.95 * m.everything and m.everything >= 20
"""

# Coordinates that lie in another country of the map than the row says, or outside its own; 500 m are left to borders.
ELSEWHERE = """
    select p.row_no, 'country', 'pin_elsewhere', case when other.country is null
           then format('Country: the row says %s, its coordinates lie outside it; kept.', p.country)
           else format('Country: the row says %s, its coordinates lie in %s; kept.', p.country, other.country) end
    from (
        select o.row_no, o.values ->> 'country' as country,
               st_setsrid(st_makepoint((o.values ->> 'lon')::float, (o.values ->> 'lat')::float), 4326) as pin
        from import_outcome o
        where o.run_id = :run and o.action <> 'error' and o.values ? 'lon' and length(o.values ->> 'country') = 2
    ) p
    left join lateral (
        select c.country from region_place c join region r on r.id = c.region_id and r.state = 'ready'
        where c.kind = 'country' and c.country <> p.country and st_covers(c.area, p.pin) limit 1
    ) other on true
    where (other.country is not null or exists (
              select 1 from region_place c join region r on r.id = c.region_id and r.state = 'ready'
              where c.kind = 'country' and c.country = p.country and c.area is not null))
      and not exists (
              select 1 from region_place c join region r on r.id = c.region_id and r.state = 'ready'
              where c.kind = 'country' and c.country = p.country and st_dwithin(c.area, p.pin, 0.005))
"""

# What the words alone do not tell: the city is a street of the map, and the street is its town, with or without the
# house number that had a column of its own. Only streets of towns that stand in the file are reduced to words.
EXCHANGED = rf"""
    (with parts as materialized (
        select o.row_no, o.values ->> 'street' as street, o.values ->> 'city' as city,
               search_text(o.values ->> 'city') as name,
               search_text(regexp_replace(o.values ->> 'street', ',?\s+{HOUSE}$', '')) as town
        from import_outcome o
        where o.run_id = :run and o.action <> 'error' and o.values ? 'street' and o.values ->> 'city' !~ '[0-9]'
          and not o.problems @> '[{{"code": "street_and_city"}}]'
    ),
    known as materialized (
        select st.name, st.city, st.is_place from geocoding_street st
        join geocoding_source g on g.id = st.source_id and g.removed_at is null
        left join region r on r.id = g.region_id
        where st.city <> '' and (g.region_id is null or r.state = 'ready')
    ),
    towns as materialized (select city, search_text(city) as words from (select distinct city from known) c),
    roads as materialized (
        select distinct search_text(k.name) as name, t.words as town from known k join towns t on t.city = k.city
        where not k.is_place and t.words in (select town from parts)
    )
    select p.row_no, 'street', 'street_and_city',
           format('Street and city look exchanged: “%s”, “%s”; kept.', left(p.street, 60), left(p.city, 60))
    from parts p where (p.name, p.town) in (select name, town from roads) and p.name not in (select words from towns))
"""  # noqa: S608

ODD = f"{DOUBLES} union all {RARE_COUNTRY} union all {ELSEWHERE} union all {EXCHANGED}"
