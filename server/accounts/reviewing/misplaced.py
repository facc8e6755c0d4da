"""Parts of an address that stand in the wrong column, as detectors find them on the map: see `detectors.py`."""

# "9490 Vaduz" in one column: the first word, or the first two, are a postcode of the map or look like one.
HEADED = r"""
    select s.id, w.head, w.rest, w.words from looked_at s
    cross join lateral (
        select upper(regexp_replace(m[1], '^[A-Za-z]{{1,2}}-', '')) as head, m[2] as rest, words
        from (select 1 as words, regexp_match({column}, '^(\S+)\s+(\D.*)$') as m
              union all select 2, regexp_match({column}, '^(\S+\s\S+)\s+(\D.*)$')) parts
        where m is not null
    ) w
    where {column} ~ '[0-9]' and (w.head ~ '[0-9]' and replace(w.head, ' ', '') in (select code from codes)
        or w.words = 1 and w.head ~ '^[0-9]{{4,6}}$' and w.rest !~ '^[A-Z]{{2}}( |$)')
"""

WRONG_COLUMNS = rf"""
    with codes as materialized (
        select distinct upper(replace(replace(p, ' ', ''), '-', '')) as code
        from geocoding_street st, unnest(st.postcodes) p where st.source_id = any(:sources)
    ),
    cities as materialized ({HEADED.format(column="s.city")}),
    postcodes as materialized ({HEADED.format(column="s.postcode")})
    select s.id as site_id, jsonb_build_object('postcode', s.city, 'city', s.postcode) as after,
           jsonb_build_object(
               'text', '“{{postcode}}” is in the column of the postcode, “{{city}}” in that of the city',
               'postcode', s.postcode, 'city', s.city) as why
    from looked_at s
    where s.postcode !~ '[0-9]' and (
        s.city ~ '^([A-Za-z]{{1,3}}[- ])?[0-9][0-9A-Za-z -]{{2,9}}$'
        or upper(replace(s.city, ' ', '')) in (select code from codes)
           and upper(replace(s.postcode, ' ', '')) not in (select code from codes))
    union all
    (select distinct on (s.id) s.id, jsonb_build_object('postcode', c.head, 'city', c.rest),
            jsonb_build_object('text', 'postcode and city stand together in the column of the city: “{{city}}”',
                               'city', s.city)
     from looked_at s join cities c on c.id = s.id where s.postcode is null order by s.id, c.words desc)
    union all
    (select distinct on (s.id) s.id, jsonb_build_object('postcode', c.head, 'city', c.rest),
            jsonb_build_object('text', 'postcode and city stand together in the column of the postcode: “{{postcode}}”',
                               'postcode', s.postcode)
     from looked_at s join postcodes c on c.id = s.id
     where s.city is null or search_text(s.city) = search_text(c.rest) order by s.id, c.words desc)
"""  # noqa: S608

KNOWN_STREETS = """
    cities as materialized (
        select distinct search_text(city) as city from geocoding_street where source_id = any(:sources) and city <> ''
    ),
    streets as materialized (
        select distinct search_text(name) as name, search_text(city) as city
        from geocoding_street where source_id = any(:sources) and not is_place
    )
"""
HOUSE = r"[0-9]{1,4} ?[A-Za-z]?(?: ?[-/–] ?[0-9]{1,4} ?[A-Za-z]?)?"
"""`12`, `12a`, `14-20`."""

# What is compared is reduced to words once for each site, not once for each site and street. A house number that had
# a column of its own stands behind the town: the import joins it to what it was told to be the street.
STREET_AND_CITY = rf"""
    with {KNOWN_STREETS},
    read as (
        select s.id, s.street, s.city, s.city as road, s.street as town, coalesce(
                   regexp_match(s.city, '^(.*[^0-9,\s]),?\s+{HOUSE}$'),
                   regexp_match(s.city, '^{HOUSE},?\s+(\D.*)$'), array[s.city]) as named
        from looked_at s where s.street is not null and s.city is not null and s.street !~ '[0-9]'
        union all
        select s.id, s.street, s.city, s.city || ' ' || m[2], m[1], array[s.city]
        from looked_at s cross join lateral regexp_match(s.street, '^(.*[^0-9,\s]),?\s+({HOUSE})$') m
        where s.city !~ '[0-9]'
    ),
    parts as materialized (
        select read.*, search_text(named[1]) as name, search_text(town) as place, search_text(city) as whole from read
    )
    select p.id as site_id, jsonb_build_object('street', p.road, 'city', p.town) as after,
           jsonb_build_object('text', '“{{street}}” is in the column of the street, “{{city}}” in that of the city',
                              'street', p.street, 'city', p.city) as why
    from parts p
    where (p.name, p.place) in (select name, city from streets) and p.whole not in (select city from cities)
"""  # noqa: S608

NUMBER_ELSEWHERE = rf"""
    with {KNOWN_STREETS},
    codes as materialized (
        select distinct upper(p) as code from geocoding_street st, unnest(st.postcodes) p
        where st.source_id = any(:sources)
    ),
    read as (
        select s.id, s.street, s.postcode, s.city, m[2] as number, m[1] as town, null::text as code
        from looked_at s cross join lateral regexp_match(s.city, '^(.*[^0-9,\s]),?\s+({HOUSE})$') m
        union all
        select s.id, s.street, s.postcode, s.city, m[1], m[2], null
        from looked_at s cross join lateral regexp_match(s.city, '^({HOUSE}),?\s+(\D.*)$') m
        where m[1] not in (select code from codes)
        union all
        select s.id, s.street, s.postcode, s.city, s.postcode, m[2], m[1]
        from looked_at s cross join lateral regexp_match(s.city, '^(\S*[0-9]\S*)\s+(\D.*)$') m
        where s.postcode ~ '^{HOUSE}$' and upper(s.postcode) not in (select code from codes)
          and upper(m[1]) in (select code from codes)
    ),
    parts as materialized (
        select r.*, search_text(street) as name, search_text(town) as place, search_text(city) as whole
        from read r where street !~ '[0-9]'
    )
    select distinct on (p.id) p.id as site_id, jsonb_strip_nulls(jsonb_build_object(
               'street', p.street || ' ' || p.number, 'postcode', p.code, 'city', p.town)) as after,
           case when p.code is null
                then jsonb_build_object('text', 'a house number stands beside the city: “{{city}}”', 'city', p.city)
                else jsonb_build_object('text', '“{{postcode}}” in the column of the postcode is a house number',
                                        'postcode', p.postcode)
           end as why
    from parts p
    where (p.name, p.place) in (select name, city from streets) and p.whole not in (select city from cities)
    order by p.id, p.code
"""  # noqa: S608
