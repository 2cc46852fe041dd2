"use strict";

/* The town, drawn once. Places and roads come from the history, the rest is scenery. */

const SVG = "http://www.w3.org/2000/svg";

function draw(parent, name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

/** A small generator of numbers 0..1, so that trees stand where they stood. */
function dice(seed) {
  return () => ((seed = (seed * 16807) % 2147483647) - 1) / 2147483646;
}

const COAST = "M1000,205 C950,215 948,262 935,285 C925,345 875,372 842,385 C800,400 812,440 776,462 " +
  "C735,488 726,520 712,560 C702,590 690,612 688,640";
const RIVER = "M42,-10 C70,90 30,150 62,225 S10,360 70,430 S210,560 262,650";
const LANDS = `${COAST} L-10,650 L-10,-10 L1010,-10 L1010,205 Z`;

function drawMap(svg, history) {
  draw(svg, "rect", {width: 1000, height: 640, fill: "var(--sea)"});
  const waves = draw(svg, "g", {stroke: "var(--foam)", "stroke-width": 1.6, fill: "none", opacity: .75, "stroke-linecap": "round"});
  const roll = dice(77);
  for (let i = 0; i < 26; i++) {
    const [x, y] = [700 + roll() * 290, 290 + roll() * 340];
    draw(waves, "path", {d: `M${x},${y} q7,-6 14,0 t14,0`});
  }
  draw(svg, "path", {d: LANDS, fill: "var(--land)", stroke: "var(--foam)", "stroke-width": 9, "paint-order": "stroke"});
  drawMeadows(svg);
  draw(svg, "path", {d: RIVER, fill: "none", stroke: "var(--sea-deep)", "stroke-width": 17, "stroke-linecap": "round"});
  draw(svg, "path", {d: RIVER, fill: "none", stroke: "var(--sea)", "stroke-width": 12, "stroke-linecap": "round"});
  drawHill(svg, history.places.hill);
  drawRoads(svg, history);
  drawTrees(svg, history);
  for (const place of Object.values(history.places)) {
    const group = draw(svg, "g", {transform: `translate(${place.x},${place.y})`});
    (SCENERY[place.kind] ?? (() => {}))(group);
  }
}

function drawLabels(svg, history) {
  const labels = draw(svg, "g", {"pointer-events": "none"});
  for (const place of Object.values(history.places)) {
    draw(labels, "text", {x: place.x, y: place.y - (LABELS[place.kind] ?? 40), class: "label"}, place.title);
  }
}

const LABELS = {homes: 48, lighthouse: 62, mill: 52, hill: 44, gardens: 32, market: 30, square: 28, harbour: 34, bandstand: 38};

function drawMeadows(svg) {
  const roll = dice(5);
  for (let i = 0; i < 17; i++) {
    draw(svg, "ellipse", {cx: roll() * 680, cy: roll() * 640, rx: 40 + roll() * 75, ry: 18 + roll() * 30, fill: "var(--land-deep)", opacity: .55});
  }
}

function drawRoads(svg, history) {
  for (const [width, colour] of [[11, "var(--road-edge)"], [8, "var(--road)"]]) {
    for (const [from, to] of history.roads) {
      draw(svg, "path", {d: roadPath(history.places[from], history.places[to]), fill: "none", stroke: colour, "stroke-width": width, "stroke-linecap": "round"});
    }
  }
}

function roadBend(a, b) {
  const side = ((a.x * 7 + b.y * 3) % 2 ? 1 : -1) * .1;
  return {x: (a.x + b.x) / 2 + (b.y - a.y) * side, y: (a.y + b.y) / 2 - (b.x - a.x) * side};
}

function roadPath(a, b) {
  const bend = roadBend(a, b);
  return `M${a.x},${a.y + 14} Q${bend.x},${bend.y + 14} ${b.x},${b.y + 14}`;
}

function drawTrees(svg, history) {
  const roll = dice(1234), spots = Object.values(history.places);
  const clear = (x, y) => spots.every(p => Math.hypot(p.x - x, p.y + 12 - y) > 74) && x > 92;
  const inland = (x, y) => x < 660 - Math.max(0, y - 380) * .3 || (y < 230 && x < 960);
  for (let i = 0; i < 150; i++) {
    const [x, y, size] = [roll() * 990, 16 + roll() * 612, 5 + roll() * 5];
    if (!clear(x, y) || !inland(x, y)) continue;
    draw(svg, "ellipse", {cx: x + 2, cy: y + size, rx: size, ry: size * .4, fill: "var(--shade)"});
    draw(svg, "path", {d: `M${x - size},${y + size} L${x},${y - size * 1.7} L${x + size},${y + size} Z`, fill: i % 3 ? "var(--leaf)" : "var(--leaf-deep)"});
  }
}

function drawHill(svg, at) {
  for (const [size, alpha] of [[105, .5], [78, .55], [50, .6], [26, .7]]) {
    draw(svg, "ellipse", {cx: at.x, cy: at.y + 30 - (105 - size) * .32, rx: size * 1.25, ry: size * .62, fill: "var(--land-deep)", opacity: alpha});
  }
}

function house(g, x, y, size = 1, roof = "var(--roof)") {
  const w = 15 * size, h = 11 * size;
  draw(g, "ellipse", {cx: x + 2, cy: y + 1, rx: w * .75, ry: 3, fill: "var(--shade)"});
  draw(g, "rect", {x: x - w / 2, y: y - h, width: w, height: h, fill: "var(--wall)"});
  draw(g, "path", {d: `M${x - w * .64},${y - h} L${x},${y - h - 9 * size} L${x + w * .64},${y - h} Z`, fill: roof});
  draw(g, "rect", {x: x - 2 * size, y: y - 7 * size, width: 4 * size, height: 4 * size, class: "window", fill: "#8fa3ad"});
}

const SCENERY = {
  homes(g) {
    const spots = [[-46, -12], [-24, -20], [0, -24], [24, -19], [47, -10], [-34, 2], [35, 3]];
    spots.forEach(([x, y], i) => house(g, x, y, 1, i % 3 === 1 ? "var(--roof-two)" : "var(--roof)"));
  },
  shop(g) { house(g, 0, -4, 1.9); draw(g, "rect", {x: 6, y: -42, width: 5, height: 12, fill: "var(--stone)"}); },
  inn(g) {
    house(g, -12, -2, 1.7, "var(--roof-two)"); house(g, 13, 0, 1.5);
    draw(g, "circle", {cx: 0, cy: -24, r: 4.5, fill: "#ffd36b", class: "lamp"});
  },
  school(g) {
    house(g, 0, -2, 2.1, "var(--roof-two)");
    draw(g, "path", {d: "M0,-44 V-60 L13,-55 L0,-50", fill: "var(--accent)", stroke: "var(--wood)", "stroke-width": 1.5});
  },
  library(g) {
    draw(g, "rect", {x: -25, y: -24, width: 50, height: 24, fill: "var(--wall)"});
    for (let x = -22; x <= 18; x += 10) draw(g, "rect", {x, y: -23, width: 4, height: 22, fill: "var(--stone)"});
    draw(g, "path", {d: "M-30,-24 L0,-40 L30,-24 Z", fill: "var(--roof)"});
    draw(g, "rect", {x: -29, y: -2, width: 58, height: 4, fill: "var(--stone)"});
  },
  workshop(g) {
    house(g, -14, -2, 1.6); house(g, 14, 1, 1.4, "var(--wood)");
    draw(g, "path", {d: "M-20,-34 q-6,-9 0,-15 q7,-6 2,-14", stroke: "var(--stone)", fill: "none", "stroke-width": 3, opacity: .6, "stroke-linecap": "round"});
  },
  square(g) {
    draw(g, "ellipse", {cx: 0, cy: 10, rx: 52, ry: 29, fill: "var(--road)", stroke: "var(--road-edge)"});
    draw(g, "ellipse", {cx: 0, cy: -2, rx: 15, ry: 7, fill: "var(--stone)"});
    draw(g, "ellipse", {cx: 0, cy: -3, rx: 11, ry: 4.6, fill: "var(--sea)"});
    draw(g, "path", {d: "M0,-4 V-14 M0,-14 q-7,-4 -8,7 M0,-14 q7,-4 8,7", stroke: "var(--foam)", fill: "none", "stroke-width": 1.7});
  },
  market(g) {
    draw(g, "ellipse", {cx: 0, cy: 10, rx: 56, ry: 28, fill: "var(--road)", stroke: "var(--road-edge)"});
    [[-34, "var(--accent)"], [0, "var(--second)"], [34, "var(--third)"]].forEach(([x, colour]) => {
      draw(g, "rect", {x: x - 12, y: -10, width: 24, height: 9, fill: "var(--wood)"});
      draw(g, "path", {d: `M${x - 15},-12 L${x - 10},-23 H${x + 10} L${x + 15},-12 Z`, fill: colour});
      draw(g, "path", {d: `M${x - 5},-12 L${x - 3},-23 H${x + 3} L${x + 5},-12 Z`, fill: "#fff8"});
    });
  },
  bandstand(g) {
    draw(g, "ellipse", {cx: 0, cy: 4, rx: 30, ry: 11, fill: "var(--stone)"});
    for (const x of [-20, -7, 7, 20]) draw(g, "rect", {x: x - 1.5, y: -18, width: 3, height: 20, fill: "var(--wall)"});
    draw(g, "path", {d: "M-28,-17 Q0,-44 28,-17 Z", fill: "var(--roof-two)"});
  },
  gardens(g) {
    for (const y of [-14, -3, 8]) for (let x = -40; x <= 40; x += 16) {
      draw(g, "circle", {cx: x, cy: y, r: 6, fill: "var(--leaf)"});
      draw(g, "circle", {cx: x + 2, cy: y - 2, r: 1.6, fill: (x + y) % 3 ? "var(--accent)" : "#ffd36b"});
    }
  },
  mill(g) {
    draw(g, "path", {d: "M-12,4 L-8,-30 H8 L12,4 Z", fill: "var(--wall)"});
    draw(g, "path", {d: "M-10,-29 Q0,-44 10,-29 Z", fill: "var(--roof)"});
    const sails = draw(draw(g, "g", {transform: "translate(0,-29)"}), "g", {class: "sails", style: "transform-origin: 0 0"});
    for (let i = 0; i < 4; i++) draw(sails, "path", {d: "M0,0 L-3,-29 L6,-29 Z", fill: "var(--card)", stroke: "var(--wood)", transform: `rotate(${i * 90})`});
  },
  lighthouse(g) {
    draw(g, "ellipse", {cx: 0, cy: 5, rx: 27, ry: 9, fill: "var(--stone)"});
    draw(g, "path", {d: "M-9,4 L-6,-42 H6 L9,4 Z", fill: "var(--wall)"});
    for (const y of [-32, -16, 0]) draw(g, "rect", {x: -8, y, width: 16, height: 6, fill: "var(--accent)"});
    draw(g, "rect", {x: -7, y: -51, width: 14, height: 9, fill: "#ffd36b", class: "lamp"});
    draw(g, "path", {d: "M-9,-51 L0,-59 L9,-51 Z", fill: "var(--roof)"});
  },
  hill(g) {
    const kite = draw(g, "g", {class: "kite"});
    draw(kite, "path", {d: "M4,6 Q30,-10 34,-48", stroke: "var(--soft)", fill: "none"});
    draw(kite, "path", {d: "M34,-70 L44,-58 L34,-44 L24,-58 Z", fill: "var(--accent)"});
    draw(kite, "path", {d: "M34,-44 q6,6 0,12 q-6,6 0,12", stroke: "var(--third)", fill: "none", "stroke-width": 2});
    house(g, -26, 2, 1.3, "var(--wood)");
  },
  harbour(g) {
    draw(g, "path", {d: "M10,4 L84,44 M22,10 V22 M46,23 V36 M70,36 V50", stroke: "var(--wood)", "stroke-width": 7, "stroke-linecap": "round"});
    house(g, -26, -6, 1.4, "var(--roof-two)");
    [[86, 8, "var(--accent)"], [40, 72, "var(--second)"], [122, 62, "var(--third)"]].forEach(([x, y, colour], i) => {
      const boat = draw(g, "g", {class: "boat", style: `animation-delay: -${i * 1.1}s`});
      draw(boat, "path", {d: `M${x - 16},${y} h32 l-6,9 h-20 Z`, fill: "var(--wood)"});
      draw(boat, "path", {d: `M${x},${y - 3} v-27 l15,23 Z`, fill: colour});
      draw(boat, "path", {d: `M${x - 2},${y - 3} v-20 l-10,17 Z`, fill: "var(--card)"});
    });
  },
};
