/* The town over time: four small charts that share one time line. */

const WIDTH = 320, HEIGHT = 120, LEFT = 30, BOTTOM = 14;

class Chart {
  constructor(parent, title, states, jump) {
    this.states = states;
    this.figure = element("figure");
    this.note = element("span");
    this.keys = element("div", {class: "keys"});
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.figure.append(element("figcaption", {}, element("h2", {}, title), this.note), this.svg, this.keys);
    parent.append(this.figure);
    const seek = event => {
      const box = this.svg.getBoundingClientRect();
      const part = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT);
      jump(Math.round(clamp(part) * (states.length - 1)));
    };
    this.svg.addEventListener("pointerdown", event => { this.svg.setPointerCapture(event.pointerId); seek(event); });
    this.svg.addEventListener("pointermove", event => { if (event.buttons) seek(event); });
  }

  scale(low, high) {
    this.low = low;
    this.high = high > low ? high : low + 1;
    for (const value of [this.low, (this.low + this.high) / 2, this.high]) {
      draw(this.svg, "line", {x1: LEFT, x2: WIDTH, y1: this.y(value), y2: this.y(value), stroke: "var(--line)", "vector-effect": "non-scaling-stroke"});
      draw(this.svg, "text", {x: LEFT - 5, y: this.y(value) + 3.5, "text-anchor": "end", class: "axis"}, Math.round(value));
    }
    const last = this.states.length - 1;
    draw(this.svg, "text", {x: LEFT, y: HEIGHT, class: "axis"}, `frame ${this.states[0].n}`);
    draw(this.svg, "text", {x: WIDTH, y: HEIGHT, class: "axis", "text-anchor": "end"}, `${this.states[last].n}`);
  }

  /** The middle of a frame: of its column, or of its point on a line. */
  x(i) {
    const part = this.columns ? (i + .5) / this.states.length : i / Math.max(1, this.states.length - 1);
    return LEFT + part * (WIDTH - LEFT);
  }

  y(value) { return 6 + (1 - (value - this.low) / (this.high - this.low)) * (HEIGHT - BOTTOM - 10); }

  line(values, colour) {
    const points = values.map((value, i) => `${this.x(i).toFixed(1)},${this.y(value).toFixed(1)}`).join(" ");
    draw(this.svg, "polyline", {points, fill: "none", stroke: colour, "stroke-width": 2, "stroke-linejoin": "round", "vector-effect": "non-scaling-stroke"});
  }

  band(lows, highs, colour, opacity = .25) {
    const there = highs.map((v, i) => `${this.x(i).toFixed(1)},${this.y(v).toFixed(1)}`);
    const back = lows.map((v, i) => `${this.x(i).toFixed(1)},${this.y(v).toFixed(1)}`).reverse();
    draw(this.svg, "polygon", {points: [...there, ...back].join(" "), fill: colour, opacity});
  }

  /** Columns in layers; ``tops`` are the upper ends, the lowest layer first. */
  stack(tops, colours) {
    const width = (WIDTH - LEFT) / this.states.length;
    tops.forEach((values, layer) => values.forEach((value, i) => {
      const low = layer ? tops[layer - 1][i] : 0;
      if (value <= low) return;
      draw(this.svg, "rect", {x: this.x(i) - width / 2, y: this.y(value), width: Math.max(.6, width - .6), height: this.y(low) - this.y(value), fill: colours[layer], opacity: .85});
    }));
  }

  bars(values, colour) {
    const width = Math.max(1, (WIDTH - LEFT) / values.length - 1.2);
    values.forEach((value, i) => {
      if (!value) return;
      draw(this.svg, "rect", {x: this.x(i) - width / 2, y: this.y(value), width, height: this.y(0) - this.y(value), rx: Math.min(2, width / 2), fill: colour});
    });
  }

  /** ``legend(state, i)`` gives [colour, words] pairs for the frame that is shown. */
  finish(legend) {
    this.cursor = draw(this.svg, "line", {y1: 2, y2: HEIGHT - BOTTOM, stroke: "var(--ink)", opacity: .6, "vector-effect": "non-scaling-stroke"});
    this.legend = legend;
  }

  show(at) {
    this.cursor.setAttribute("x1", this.x(at));
    this.cursor.setAttribute("x2", this.x(at));
    this.keys.replaceChildren(...this.legend(this.states[at], at).map(([colour, words]) =>
      element("span", {}, element("i", {class: "dot", style: `background: ${colour}`}), words)));
  }
}

function makeCharts(parent, history, states, jump) {
  return [whereabouts, purses, moods, meddling].map(make => make(parent, history, states, jump));
}

function whereabouts(parent, history, states, jump) {
  const chart = new Chart(parent, "People", states, jump);
  chart.columns = true;
  const doing = states.map(state => {
    const counts = {home: 0, work: 0, out: 0};
    for (const who of state.living) {
      const {home, work} = history.people[who], place = state.where[who];
      counts[place === home ? "home" : place === work ? "work" : "out"]++;
    }
    return counts;
  });
  const all = states.map(state => state.living.length);
  chart.scale(0, Math.ceil(Math.max(...all) / 20) * 20);
  const home = doing.map(d => d.home), work = doing.map((d, i) => home[i] + d.work);
  chart.stack([home, work, all], ["var(--fourth)", "var(--second)", "var(--third)"]);
  chart.note.textContent = `${all[0]} at first, ${all[all.length - 1]} now`;
  chart.finish((_, i) => [["var(--fourth)", `at home ${doing[i].home}`], ["var(--second)", `at work ${doing[i].work}`],
    ["var(--third)", `out and about ${doing[i].out}`]]);
  return chart;
}

function purses(parent, history, states, jump) {
  const chart = new Chart(parent, "Gold", states, jump);
  const sorted = states.map(state => ascending(state.living.map(who => state.gold[who] ?? 0)));
  const lines = [[.98, "var(--third)", "richest"], [.5, "var(--second)", "in the middle"], [.05, "var(--fourth)", "poorest"]];
  const values = lines.map(([part]) => sorted.map(s => share(s, part)));
  chart.scale(0, Math.max(10, Math.ceil(Math.max(...values.flat()) / 10) * 10));
  values.forEach((line, i) => chart.line(line, lines[i][1]));
  const totals = states.map(state => sum(Object.values(state.gold)));
  const constant = totals.every(total => total === totals[0]);
  chart.note.textContent = constant ? `${totals[0]} in all, in every frame` : `in all from ${Math.min(...totals)} to ${Math.max(...totals)}`;
  chart.finish((_, i) => lines.map(([, colour, words], k) => [colour, `${words} ${values[k][i]}`]));
  return chart;
}

function moods(parent, history, states, jump) {
  const chart = new Chart(parent, "Mood", states, jump);
  const sorted = states.map(state => ascending(state.living.map(who => state.mood[who] ?? 50)));
  const low = sorted.map(s => share(s, .1)), high = sorted.map(s => share(s, .9));
  const middle = sorted.map(s => share(s, .5));
  chart.scale(Math.floor(Math.min(...low, 45) / 5) * 5, Math.ceil(Math.max(...high, 60) / 5) * 5);
  chart.band(low, high, "var(--fourth)", .25);
  chart.line(middle, "var(--fourth)");
  chart.note.textContent = "the middle, and eight of ten";
  chart.finish((_, i) => [["var(--fourth)", `in the middle ${middle[i]}`], ["var(--line)", `from ${low[i]} to ${high[i]}`]]);
  return chart;
}

function meddling(parent, history, states, jump) {
  const chart = new Chart(parent, "Conflicts", states, jump);
  chart.columns = true;
  const counts = states.map(state => state.conflicts.length);
  chart.scale(0, Math.max(4, ...counts));
  chart.bars(counts, "var(--accent)");
  chart.note.textContent = `${sum(counts)} among ${sum(states.map(s => s.ops)).toLocaleString("en")} ops`;
  chart.finish((state, i) => [["var(--accent)", `${counts[i]} in this frame`], ["var(--line)", `${state.ops} ops from ${state.workers} workers`]]);
  return chart;
}
