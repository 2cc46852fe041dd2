/* What stands beside the map: the forum, the conflicts of a frame, one resident. */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

class Panels {
  constructor(panel, history, states) {
    Object.assign(this, {panel, history, states, tab: "forum", chosen: null});
    this.name = who => history.people[who]?.name ?? who;
  }

  show(at) {
    const state = this.states[at];
    const cards = {forum: () => this.forum(state), conflicts: () => this.conflicts(state), resident: () => this.resident(state, at)};
    this.panel.replaceChildren(...cards[this.tab]());
  }

  who(id) {
    return element("b", {class: "who", "data-who": id}, this.name(id));
  }

  when(frame) {
    return `day ${Math.floor(frame / this.history.hours.length) + 1}, ${this.history.hours[frame % this.history.hours.length]}`;
  }

  forum(state) {
    const threads = this.history.threads.filter(thread => thread.frame < state.n);
    if (!threads.length) return [element("p", {class: "empty"}, "Nobody has said anything yet.")];
    const heat = thread => (state.votes[thread.id] ?? 0) + 2 * thread.replies.filter(r => r.frame < state.n && r.frame >= state.n - 6).length
      - (state.n - thread.frame) * .8;
    return threads.sort((a, b) => heat(b) - heat(a)).slice(0, 30).map(thread => this.thread(thread, state));
  }

  thread(thread, state) {
    const replies = thread.replies.filter(reply => reply.frame < state.n);
    const votes = state.votes[thread.id] ?? 0;
    const shown = replies.slice(-3).map(reply => element("div", {class: "reply"}, this.who(reply.by), " ", reply.text));
    const more = replies.length - shown.length;
    return element("article", {class: "card thread" + (thread.frame === state.n - 1 ? " new" : "")},
      element("div", {class: "votes"}, String(votes), element("small", {}, votes === 1 ? "vote" : "votes")),
      element("div", {},
        element("h2", {}, thread.title),
        element("div", {class: "by"}, this.who(thread.by), ` · ${this.when(thread.frame)}`),
        element("div", {class: "text"}, thread.text),
        more > 0 ? element("div", {class: "by"}, `${more} earlier ${more === 1 ? "reply" : "replies"}`) : null,
        ...shown));
  }

  conflicts(state) {
    if (!state.conflicts.length) {
      return [element("p", {class: "empty"}, "Nobody got in anybody's way in this frame.")];
    }
    const intro = element("p", {class: "by", style: "margin: 0 .2rem .6rem"},
      `${state.conflicts.length} in frame ${state.n}. Each is in the frame's record, with all who took part; the rule of the path decided.`);
    return [intro, ...state.conflicts.map(conflict => this.conflict(conflict))];
  }

  conflict(conflict) {
    const sides = conflict.sides.map(side => element("div", {class: "side" + (side.won ? " won" : "")},
      element("span", {class: "mark"}, side.won ? "✓" : "–"),
      element("span", {class: "value"}, side.value),
      element("span", {class: "by"}, side.by ? this.who(side.by) : side.from)));
    return element("article", {class: "card"},
      element("div", {}, element("span", {class: "path"}, conflict.where), " ", element("span", {class: "tag"}, conflict.rule)),
      conflict.note ? element("div", {class: "by"}, conflict.note) : null, ...sides);
  }

  resident(state, at) {
    const id = this.chosen, person = this.history.people[id];
    if (!person) return [element("p", {class: "empty"}, "Choose somebody on the map, or a name in the forum.")];
    const place = this.history.places[state.where[id]];
    const facts = state.where[id]
      ? `${place ? "At: " + place.title : "Away"} · ${state.gold[id] ?? 0} gold · mood ${state.mood[id] ?? "?"}`
      : "Not in town";
    const said = [
      ...this.history.threads.filter(t => t.by === id).map(t => ({frame: t.frame, title: t.title, text: t.text})),
      ...this.history.threads.flatMap(t => t.replies.filter(r => r.by === id).map(r => ({frame: r.frame, title: `to “${t.title}”`, text: r.text}))),
    ].filter(s => s.frame < state.n).sort((a, b) => b.frame - a.frame);
    const purse = this.states.map(s => s.gold[id] ?? null);
    const card = element("article", {class: "card"},
      element("h2", {}, person.name),
      element("div", {class: "by"}, `${person.trade}, lives in ${this.history.places[person.home]?.title ?? person.home}`),
      element("div", {class: "text"}, facts), sparkline(purse, at),
      element("div", {class: "by"}, "gold, over all frames"));
    return [card, ...said.slice(0, 25).map(s => element("article", {class: "card"},
      element("h2", {}, s.title), element("div", {class: "by"}, this.when(s.frame)), element("div", {class: "text"}, s.text)))];
  }
}

function sparkline(values, at) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 300 46");
  svg.setAttribute("style", "width: 100%; height: 46px; display: block");
  const top = Math.max(1, ...values.map(v => v ?? 0)), x = i => 4 + i / Math.max(1, values.length - 1) * 292;
  const points = values.map((v, i) => v === null ? null : `${x(i).toFixed(1)},${(42 - v / top * 38).toFixed(1)}`).filter(Boolean);
  draw(svg, "polyline", {points: points.join(" "), fill: "none", stroke: "var(--third)", "stroke-width": 1.8});
  draw(svg, "line", {x1: x(at), x2: x(at), y1: 0, y2: 46, stroke: "var(--accent)"});
  return svg;
}
