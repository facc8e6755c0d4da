// Routes as the server sends them (drawn.py), made into features.

/** Decode a polyline of six decimals into [lon, lat] pairs. */
export function decode(text) {
  const points = [];
  let at = 0, lat = 0, lon = 0;
  const next = () => {
    let value = 0, shift = 0, part;
    do { part = text.charCodeAt(at++) - 63; value |= (part & 31) << shift; shift += 5; } while (part >= 32);
    return value & 1 ? ~(value >> 1) : value >> 1;
  };
  while (at < text.length) { lat += next(); lon += next(); points.push([lon / 1e6, lat / 1e6]); }
  return points;
}

/** A way over the antimeridian goes on past 180 degrees instead of back around the world. */
export function unrolled(points) {
  let turn = 0;
  return points.map(([lon, lat], at) => {
    const step = at ? lon - points[at - 1][0] : 0;
    if (Math.abs(step) > 180) turn -= 360 * Math.sign(step);
    return [lon + turn, lat];
  });
}

const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });
const point = (at) => ({ type: "Point", coordinates: [at.lon, at.lat] });

/** Legs and stops of some routes as two feature collections. */
export function features(drawn) {
  const legs = [], stops = [];
  drawn.forEach((route) => {
    route.legs.forEach((leg, index) => legs.push(feature({ type: "LineString", coordinates: unrolled(decode(leg.polyline)) }, { colour: route.colour, estimated: leg.estimated, index })));
    route.homes.forEach((home) => stops.push(feature(point(home), { label: "", look: "home", colour: route.colour, name: home.name, order: 0 })));
    route.stops.forEach((stop, index) => stops.push(feature(point(stop), { label: stop.label, look: stop.state === "done" ? "done" : "open", colour: route.colour, id: stop.id, name: stop.name, at: stop.at, rep: route.name, order: 100 - index })));
  });
  return { legs: { type: "FeatureCollection", features: legs }, stops: { type: "FeatureCollection", features: stops } };
}

export const reports = (drawn) => ({ type: "FeatureCollection", features: drawn.map((one) => feature(point(one), one)) });
