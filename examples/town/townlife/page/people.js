/* The residents on the map: one dot each, which walks along the roads from frame to frame. */

const TRADES = {
  fisher: "#3d7ea6", keeper: "#3d7ea6", baker: "#d98e2b", miller: "#d98e2b", innkeeper: "#d98e2b",
  merchant: "#b5482f", smith: "#7a6a5c", carpenter: "#7a6a5c", "kite maker": "#7a6a5c",
  teacher: "#6a5aa8", librarian: "#6a5aa8", pupil: "#b58ad6", gardener: "#5c9447", musician: "#cf5a8a",
};
const LEGENDS = {
  trade: [["#3d7ea6", "by the sea"], ["#d98e2b", "bread and board"], ["#b5482f", "merchants"], ["#7a6a5c", "makers"],
          ["#6a5aa8", "books"], ["#b58ad6", "pupils"], ["#5c9447", "gardeners"], ["#cf5a8a", "musicians"]],
  mood: [["#4a6fa5", "gloomy"], ["#8b93a5", "so-so"], ["#e0a52e", "cheerful"], ["#e8663c", "delighted"]],
  gold: [["#9a948a", "poor"], ["#c9a64b", "gets by"], ["#e0b416", "well off"], ["#ff8f1f", "rich"]],
};

function colourOf(by, trade, mood, gold) {
  if (by === "mood") return LEGENDS.mood[mood < 44 ? 0 : mood < 54 ? 1 : mood < 64 ? 2 : 3][0];
  if (by === "gold") return LEGENDS.gold[gold < 12 ? 0 : gold < 30 ? 1 : gold < 60 ? 2 : 3][0];
  return TRADES[trade] ?? "#888";
}

class Crowd {
  constructor(svg, history, states) {
    Object.assign(this, {history, states, ways: findWays(history), dots: {}, by: "trade", chosen: null});
    this.trail = draw(svg, "polyline", {fill: "none", stroke: "var(--accent)", "stroke-width": 2.5, "stroke-dasharray": "2 6", "stroke-linecap": "round"});
    this.layer = draw(svg, "g");
    this.bubbles = draw(svg, "g");
    for (const who of Object.keys(history.people)) {
      const dot = draw(this.layer, "g", {class: "person", "data-who": who});
      draw(dot, "circle", {r: 6.2});
      this.dots[who] = dot;
    }
  }

  spot(state, who) {
    const place = this.history.places[state.where[who]] ?? this.history.places.harbour;
    const slot = state.slots[who], radius = 8.6 * Math.sqrt(slot + .4), angle = slot * 2.39996;
    return {x: place.x + radius * Math.cos(angle) * 1.18, y: place.y + 19 + radius * Math.sin(angle) * .8};
  }

  /** The corners of the way from one frame to the next. */
  way(now, then, who) {
    const from = this.spot(now, who), to = this.spot(then, who);
    const through = (this.ways[now.where[who]]?.[then.where[who]] ?? []);
    const corners = [from];
    for (let i = 0; i + 1 < through.length; i++) {
      const a = this.history.places[through[i]], b = this.history.places[through[i + 1]];
      const forth = this.history.roads.some(([x, y]) => x === through[i] && y === through[i + 1]);
      const bend = forth ? roadBend(a, b) : roadBend(b, a);
      corners.push({x: (a.x + bend.x * 2 + b.x) / 4, y: (a.y + bend.y * 2 + b.y) / 4 + 14});
      if (i + 2 < through.length) corners.push({x: b.x, y: b.y + 14});
    }
    return [...corners, to];
  }

  show(time) {
    const at = Math.min(Math.floor(time), this.states.length - 1);
    const now = this.states[at], then = this.states[at + 1] ?? now, part = time - at;
    for (const [who, dot] of Object.entries(this.dots)) {
      const here = now.where[who], there = then.where[who];
      dot.style.display = here ? "" : "none";
      if (!here) continue;
      let spot = this.spot(now, who), alpha = 1;
      if (there && part > 0) {
        const late = (parseInt(who.slice(1)) % 10) / 40;
        spot = along(this.way(now, then, who), smooth(clamp((part - late) / .72)));
      } else if (!there) alpha = 1 - part;
      dot.setAttribute("transform", `translate(${spot.x.toFixed(1)},${spot.y.toFixed(1)})`);
      dot.style.opacity = alpha;
      const colour = colourOf(this.by, this.history.people[who].trade, now.mood[who] ?? 50, now.gold[who] ?? 0);
      if (dot.colour !== colour) dot.firstChild.setAttribute("fill", dot.colour = colour);
    }
    if (at !== this.spoken) this.speak(this.spoken = at);
    for (const bubble of this.bubbles.children) {
      const spot = this.dots[bubble.dataset.who].getAttribute("transform");
      bubble.setAttribute("transform", spot);
    }
  }

  /** Up to three of those who begin a thread in this frame say so. */
  speak(at) {
    this.bubbles.replaceChildren();
    const number = this.states[at].n, said = this.history.threads.filter(t => t.frame === number);
    for (const thread of said.slice(0, 3)) {
      if (!this.dots[thread.by] || !this.states[at].where[thread.by]) continue;
      const words = thread.title.length > 30 ? thread.title.slice(0, 29) + "…" : thread.title;
      const bubble = draw(this.bubbles, "g", {class: "bubble", "data-who": thread.by});
      const width = words.length * 6.6 + 20;
      draw(bubble, "rect", {x: -width / 2, y: -37, width, height: 23, rx: 9});
      draw(bubble, "path", {d: "M-5,-15 L0,-8 L6,-15 Z"});
      draw(bubble, "text", {y: -21, "text-anchor": "middle"}, words);
    }
  }

  choose(who, at) {
    if (this.chosen) this.dots[this.chosen].classList.remove("chosen");
    this.chosen = who;
    if (who) {
      this.dots[who].classList.add("chosen");
      this.layer.append(this.dots[who]);
    }
    this.trace(at);
  }

  /** Draw where the chosen one has been in the last day. */
  trace(at) {
    const points = [];
    for (let i = Math.max(0, at - this.history.hours.length); this.chosen && i < at; i++) {
      const [now, then] = [this.states[i], this.states[i + 1]];
      if (now?.where[this.chosen] && then?.where[this.chosen]) points.push(...this.way(now, then, this.chosen));
    }
    this.trail.setAttribute("points", points.map(p => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(" "));
  }
}

const clamp = x => Math.max(0, Math.min(1, x));
const smooth = x => x * x * (3 - 2 * x);

function along(corners, part) {
  const lengths = corners.slice(1).map((c, i) => Math.hypot(c.x - corners[i].x, c.y - corners[i].y));
  let left = part * sum(lengths);
  for (let i = 0; i < lengths.length; i++) {
    if (left <= lengths[i]) {
      const t = lengths[i] ? left / lengths[i] : 0;
      return {x: corners[i].x + (corners[i + 1].x - corners[i].x) * t, y: corners[i].y + (corners[i + 1].y - corners[i].y) * t};
    }
    left -= lengths[i];
  }
  return corners[corners.length - 1];
}
