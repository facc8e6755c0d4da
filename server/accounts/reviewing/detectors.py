"""What can be wrong with many places at once. One entry in `DETECTORS` adds a detector, its page and its API."""

from dataclasses import dataclass
from enum import StrEnum

from server.accounts.reviewing.misplaced import NUMBER_ELSEWHERE, STREET_AND_CITY, WRONG_COLUMNS


class Cure(StrEnum):
    """What a detector proposes for the sites it finds."""

    ADDRESS = "address"
    """Write fields of the address, and locate by them; only where that is no worse than before."""
    MOVE = "move"
    """Move the pin to a point."""
    LOCATE = "locate"
    """Locate again from the address; where that gives nothing sure, hand the site to the review desk."""
    SURE = "sure"
    """Locate again from the address; where that gives nothing sure, leave the site alone."""


@dataclass(frozen=True)
class Detector:
    """One kind of mistake."""

    name: str
    """In addresses of pages and API; also the reason of sites that go to the desk."""
    title: str
    finds: str
    """How it recognises the mistake."""
    mends: str
    """What it proposes."""
    icon: str
    cure: Cure
    sql: str
    """Rows of site_id, after (the fields that change) and why: `text` with gaps, and what stands in them. It reads
    `looked_at`, the sites in reach, and is given `:regions` and `:sources` in service, `:home`, the only country of the
    map, and `:houses_deg`."""
    pile: int = 1
    """So many sites of one point must gain by it, or the point is right for all of them."""
    gain_m: float = 25.0
    """A pin that would move less than this stays."""


LOST_ZERO = """
    with codes as (
        select distinct upper(coalesce(nullif(st.country, ''), :home)) as country, p as code
        from geocoding_street st, unnest(st.postcodes) p
        where st.source_id = any(:sources) and p ~ '^[0-9]+$'
    ),
    lengths as (
        select country, length(code) as digits, count(*) as share,
               sum(count(*)) over (partition by country) as everything
        from codes group by country, length(code)
    ),
    rule as (select country, digits from lengths where share >= 0.95 * everything)
    select s.id as site_id, jsonb_build_object('postcode', c.code) as after,
           jsonb_build_object(
               'text', '{written} has {digits} digits; postcodes of {country} have {right}, and {code} is one',
               'written', s.postcode, 'digits', length(s.postcode), 'country', r.country, 'right', r.digits,
               'code', c.code
           ) as why
    from looked_at s
    join rule r on r.country = coalesce(nullif(s.country, ''), :home) and s.postcode ~ '^[1-9][0-9]*$'
                and length(s.postcode) < r.digits
    join codes c on c.country = r.country and c.code = lpad(s.postcode, r.digits::int, '0')
"""

SWAPPED_POINT = """
    select s.id as site_id,
           jsonb_build_object('pin', st_setsrid(st_makepoint(st_y(s.pin), st_x(s.pin)), 4326)::text) as after,
           jsonb_build_object(
               'text', 'at latitude {lat}, longitude {lon}; the other way round it lies in {region}',
               'lat', round(st_y(s.pin)::numeric, 4), 'lon', round(st_x(s.pin)::numeric, 4), 'region', r.name
           ) as why
    from looked_at s
    join region r on r.id = any(:regions)
         and st_y(s.pin) between r.bbox[1] and r.bbox[3] and st_x(s.pin) between r.bbox[2] and r.bbox[4]
    where s.is_free and not exists (
        select 1 from region o where o.id = any(:regions)
        and st_x(s.pin) between o.bbox[1] and o.bbox[3] and st_y(s.pin) between o.bbox[2] and o.bbox[4]
    )
"""

STACKED = """
    with standing as (
        select s.*, st_astext(s.pin, 5) as spot, search_text(concat_ws(' ', s.street, s.postcode, s.city)) as written
        from looked_at s where s.is_free and s.pin is not null and (s.street is not null or s.city is not null)
    ),
    piles as (
        select spot, count(*) as sites, count(distinct written) as addresses from standing
        group by spot having count(*) >= 5 and count(distinct written) >= 3
    )
    select s.id as site_id, '{}'::jsonb as after,
           jsonb_build_object('text', '{sites} sites with {addresses} different addresses stand on this point',
                              'sites', p.sites, 'addresses', p.addresses) as why
    from standing s join piles p using (spot)
"""

IN_WATER = """
    select distinct on (s.id) s.id as site_id, '{}'::jsonb as after,
           case when w.id is null
                then jsonb_build_object('text', 'in the sea: inside the country, outside every municipality')
                else jsonb_build_object('text', 'in the water: {name}', 'name', coalesce(nullif(w.name, ''), w.kind))
           end as why
    from looked_at s
    left join lateral (
        select f.id, f.name, f.kind from basemap_feature f
        where f.region_id = any(:regions) and f.layer = 'water' and f.geom && st_transform(s.pin, 3857)
          and st_dimension(f.geom) = 2 and st_covers(f.geom, st_transform(s.pin, 3857)) limit 1
    ) w on true
    where s.is_free and s.pin is not null and (w.id is not null or exists (
        select 1 from region_place c
        where c.region_id = any(:regions) and c.kind = 'country' and st_covers(c.area, s.pin)
          and exists (select 1 from region_place m where m.region_id = c.region_id and m.kind = 'municipality'
                      and m.area is not null)
          and not exists (select 1 from region_place m where m.region_id = c.region_id and m.kind = 'municipality'
                          and st_covers(m.area, s.pin))
          and not exists (select 1 from geocoding_address a where a.source_id = any(:sources)
                          and a.point && st_expand(s.pin, :houses_deg))))
"""

IN_ITS_COUNTRY = """exists (
    select 1 from region_place c where c.region_id = any(:regions) and c.kind = 'country' and c.area is not null
    and c.country = {country} and st_dwithin(c.area, s.pin, :houses_deg)
)"""

OUTSIDE_COUNTRY = f"""
    select s.id as site_id, '{{}}'::jsonb as after,
           coalesce((
               select jsonb_build_object('text', 'the address says {{country}}, the pin stands in {{other}}',
                                         'country', s.country, 'other', c.country)
               from region_place c
               where c.region_id = any(:regions) and c.kind = 'country' and c.country <> s.country
                 and st_covers(c.area, s.pin) limit 1
           ), jsonb_build_object('text', 'the address says {{country}}, the pin stands outside it',
                                 'country', s.country)) as why
    from looked_at s
    where s.is_free and s.pin is not null and s.country ~ '^[A-Z]{{2}}$' and (
        exists (select 1 from region_place c where c.region_id = any(:regions) and c.kind = 'country'
                and c.area is not null and c.country = s.country)
        or exists (select 1 from region_place c where c.region_id = any(:regions) and c.kind = 'country'
                   and st_covers(c.area, s.pin)))
      and not {IN_ITS_COUNTRY.format(country="s.country")}
"""  # noqa: S608

OUTSIDE_LAND = """
    select s.id as site_id, '{}'::jsonb as after,
           jsonb_build_object('text', 'no boundary of the map covers the pin, and no house is near it') as why
    from looked_at s
    where exists (select 1 from geocoding_street st where st.source_id = any(:sources)
                  and (s.postcode = any(st.postcodes) or search_text(st.city) = search_text(s.city)))
      and s.is_free and s.pin is not null
      and (s.country is null or s.country = :home)
      and not exists (select 1 from region_place c where c.region_id = any(:regions) and c.kind = 'country'
                      and c.area is not null and c.country = s.country)
      and exists (select 1 from region_place p where p.region_id = any(:regions) and p.area is not null)
      and not exists (select 1 from region_place p where p.region_id = any(:regions) and st_covers(p.area, s.pin))
      and not exists (select 1 from geocoding_address a where a.source_id = any(:sources)
                      and a.point && st_expand(s.pin, :houses_deg))
"""

ON_THE_MAP = """exists (
    select 1 from region r where r.id = any(:regions)
    and st_x(s.pin) between r.bbox[1] - :houses_deg and r.bbox[3] + :houses_deg
    and st_y(s.pin) between r.bbox[2] - :houses_deg and r.bbox[4] + :houses_deg
)"""

OUTSIDE_MAP = f"""
    with known as (
        select array_agg(distinct upper(p)) as codes from geocoding_street st, unnest(st.postcodes) p
        where st.source_id = any(:sources)
    ),
    cities as (select distinct search_text(city) as city from geocoding_street where source_id = any(:sources))
    select s.id as site_id, '{{}}'::jsonb as after,
           jsonb_build_object('text', 'the map knows the address, the pin lies outside the map') as why
    from looked_at s cross join known k
    where s.is_free and s.pin is not null and (s.country is null or s.country = :home)
      and (upper(s.postcode) = any(k.codes) or search_text(s.city) in (select city from cities))
      and not {ON_THE_MAP}
"""  # noqa: S608

COUNTRY_MISSING = f"""
    with named as (
        select s.country, count(*) as sites, sum(count(*)) over () as everything
        from looked_at s where s.country ~ '^[A-Z]{{2}}$' group by s.country
    ),
    most as (
        select n.*, exists (
            select 1 from region_place c where c.region_id = any(:regions) and c.kind = 'country'
            and c.area is not null and c.country = n.country) as has_border
        from named n where sites >= 0.95 * everything and everything >= 20
    )
    select s.id as site_id, jsonb_build_object('country', m.country) as after,
           jsonb_build_object('text', '{{sites}} of {{everything}} sites that name a country are in {{country}}',
                              'sites', m.sites, 'everything', m.everything, 'country', m.country) as why
    from looked_at s cross join most m
    where s.country is null and s.pin_state = 'placed' and case when m.has_border
        then {IN_ITS_COUNTRY.format(country="m.country")} else {ON_THE_MAP} end
"""  # noqa: S608

DETECTORS = {
    detector.name: detector
    for detector in (
        Detector(
            "lost_zero",
            "Postcode lost its leading zeros",
            "The postcode is too short for its country, and with zeros in front it is one of the map.",
            "Writes the zeros and locates the address again.",
            "hash",
            Cure.ADDRESS,
            LOST_ZERO,
        ),
        Detector(
            "wrong_columns",
            "City and postcode in the wrong columns",
            "The city is nothing but a postcode and the postcode none, or both stand together in one column.",
            "Puts each into its own column and locates the address again.",
            "columns-2",
            Cure.ADDRESS,
            WRONG_COLUMNS,
        ),
        Detector(
            "street_and_city",
            "Street and city exchanged",
            "The city is a street of the map, with or without a house number, and the street is its city.",
            "Exchanges the two and locates the address again.",
            "arrow-left-right",
            Cure.ADDRESS,
            STREET_AND_CITY,
        ),
        Detector(
            "number_elsewhere",
            "House number in the wrong column",
            "The street has no number, and a house number stands beside the city or in place of the postcode.",
            "Puts it behind the street and locates the address again.",
            "columns-2",
            Cure.ADDRESS,
            NUMBER_ELSEWHERE,
        ),
        Detector(
            "country_missing",
            "Country missing",
            "The address names no country, and at least 95 % of those that name one name the same.",
            "Writes that country.",
            "flag",
            Cure.ADDRESS,
            COUNTRY_MISSING,
        ),
        Detector(
            "swapped_point",
            "Latitude and longitude swapped",
            "The pin lies outside every region; with its two figures exchanged it lies inside one.",
            "Exchanges them.",
            "arrow-left-right",
            Cure.MOVE,
            SWAPPED_POINT,
        ),
        Detector(
            "stacked",
            "Many accounts on one point",
            "Five sites or more stand on the same point, and at least three of them belong elsewhere by their address.",
            "Locates each from its address.",
            "layers",
            Cure.LOCATE,
            STACKED,
            pile=3,
            gain_m=100.0,
        ),
        Detector(
            "in_water",
            "In the water or the sea",
            "A lake, a river's area or the sea covers the pin.",
            "Locates each from its address.",
            "waves",
            Cure.LOCATE,
            IN_WATER,
        ),
        Detector(
            "outside_country",
            "Outside its country",
            "The pin stands in another country than the one that the address names.",
            "Locates each from its address.",
            "map-pin-off",
            Cure.LOCATE,
            OUTSIDE_COUNTRY,
        ),
        Detector(
            "outside_map",
            "Outside the map, its address inside",
            "The pin lies outside every region, though the map knows the postcode or the city of the address.",
            "Moves it to its address where that is sure.",
            "map-pin-off",
            Cure.SURE,
            OUTSIDE_MAP,
        ),
        Detector(
            "outside_land",
            "Outside the map's land",
            "No boundary of the map covers the pin and no house is within 500 m; the address is one of the map.",
            "Locates each from its address.",
            "land-plot",
            Cure.LOCATE,
            OUTSIDE_LAND,
        ),
    )
}
"""Every detector by its name."""
