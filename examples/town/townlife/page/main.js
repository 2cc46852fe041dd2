/* Puts the page together: one time, a number of frames, drives everything. */

const history_ = JSON.parse(document.getElementById("history").textContent);
const states = unfold(history_);
seat(states);
const $ = id => document.getElementById(id);
const map = $("map"), last = states.length - 1;
const view = {time: 0, playing: false, speed: 1, shown: -1};

const LIGHT = {
  dawn: ["#ff9e6d", .2, .8], morning: ["#ffffff", 0, 0], noon: ["#ffffff", 0, 0],
  afternoon: ["#ffb347", .1, 0], evening: ["#6b3d86", .34, 1], night: ["#0d1640", .56, 1],
};

drawMap(map, history_);
const dusk = draw(map, "rect", {width: 1000, height: 640, "pointer-events": "none", style: "mix-blend-mode: multiply"});
const glow = drawGlow();
drawLabels(map, history_);
const crowd = new Crowd(map, history_, states);
const panels = new Panels($("panel"), history_, states);
const charts = makeCharts($("charts"), history_, states, jump);

function drawGlow() {
  const group = draw(map, "g", {"pointer-events": "none"}), lit = draw(map, "defs");
  const gradient = draw(lit, "radialGradient", {id: "lit"});
  draw(gradient, "stop", {offset: 0, "stop-color": "#ffd98a", "stop-opacity": .85});
  draw(gradient, "stop", {offset: 1, "stop-color": "#ffd98a", "stop-opacity": 0});
  for (const window of map.querySelectorAll(".window, .lamp")) {
    const box = window.getBBox(), at = window.getCTM(), root = map.getCTM();
    const x = box.x + box.width / 2 + (at.e - root.e) / root.a, y = box.y + box.height / 2 + (at.f - root.f) / root.d;
    const lamp = window.classList.contains("lamp");
    draw(group, "circle", {cx: x, cy: y, r: lamp ? 26 : 10, fill: "url(#lit)"});
    draw(group, "circle", {cx: x, cy: y, r: lamp ? 3.5 : 1.9, fill: "#fff2c4"});
  }
  const at = history_.places.lighthouse;
  const beam = draw(group, "path", {d: "M0,0 L-330,-44 L-330,44 Z", fill: "url(#lit)", opacity: .55, transform: `translate(${at.x},${at.y - 46})`});
  return {group, beam, at};
}

function light(time) {
  const at = Math.floor(time), part = smooth(time - at);
  const hour = i => LIGHT[history_.hours[states[Math.min(i, last)].n % history_.hours.length]];
  const [now, then] = [hour(at), hour(at + 1)];
  dusk.setAttribute("fill", part < .5 ? now[0] : then[0]);
  dusk.setAttribute("opacity", now[1] + (then[1] - now[1]) * part);
  glow.group.setAttribute("opacity", now[2] + (then[2] - now[2]) * part);
  glow.beam.setAttribute("transform", `translate(${glow.at.x},${glow.at.y - 46}) rotate(${time * 150 % 360})`);
}

function render() {
  const at = Math.min(Math.floor(view.time), last);
  light(view.time);
  crowd.show(view.time);
  if (at === view.shown) return;
  view.shown = at;
  const state = states[at], hours = history_.hours;
  $("clock").firstElementChild.textContent = `Day ${Math.floor(state.n / hours.length) + 1}`;
  $("clock").lastElementChild.textContent = hours[state.n % hours.length];
  $("news").textContent = state.news ?? "";
  $("banner").textContent = state.banner;
  $("slider").value = at;
  $("frame").textContent = `frame ${state.n} of ${states[last].n}`;
  crowd.trace(at);
  panels.show(at);
  for (const chart of charts) chart.show(at);
}

function jump(at) {
  view.time = Math.max(0, Math.min(last, at));
  render();
}

function play(on) {
  if (on && view.time >= last) view.time = 0;
  view.playing = on;
  $("play").textContent = on ? "❚❚" : "▶";
  if (on) requestAnimationFrame(tick);
}

let before = 0;
function tick(moment) {
  const passed = before ? Math.min(100, moment - before) : 0;
  before = view.playing ? moment : 0;
  if (!view.playing) return;
  view.time = Math.min(last, view.time + passed / 1600 * view.speed);
  render();
  if (view.time >= last) return play(false), before = 0;
  requestAnimationFrame(tick);
}

/** Make the buttons in ``id`` a choice of one. */
function choice(id, chosen, act) {
  const choose = value => {
    for (const button of $(id).children) button.setAttribute("aria-pressed", button.dataset.value === value);
    act(value);
  };
  $(id).addEventListener("click", event => { if (event.target.dataset.value) choose(event.target.dataset.value); });
  choose(chosen);
  return choose;
}

function legend(by) {
  $("legend").replaceChildren(...LEGENDS[by].map(([colour, words]) =>
    element("span", {}, element("i", {style: `background: ${colour}`}), words)));
}

function meet(who) {
  if (!history_.people[who]) return;
  panels.chosen = who;
  crowd.choose(who, view.shown);
  chooseTab("resident");
}

const chooseTab = choice("tabs", "forum", tab => { panels.tab = tab; if (view.shown >= 0) panels.show(view.shown); });
choice("speed", "1", value => { view.speed = Number(value); });
choice("colour", "trade", by => { crowd.by = by; legend(by); render(); });
$("play").addEventListener("click", () => play(!view.playing));
$("slider").max = last;
$("slider").addEventListener("input", event => { play(false); jump(Number(event.target.value)); });
$("panel").addEventListener("click", event => { if (event.target.dataset.who) meet(event.target.dataset.who); });
map.addEventListener("click", event => { const dot = event.target.closest(".person"); if (dot) meet(dot.dataset.who); });
map.addEventListener("pointermove", event => {
  const dot = event.target.closest?.(".person"), tip = $("tip");
  tip.hidden = !dot;
  if (!dot) return;
  const box = $("stage").getBoundingClientRect(), at = dot.getBoundingClientRect(), person = history_.people[dot.dataset.who];
  tip.textContent = `${person.name}, ${person.trade}`;
  tip.style.left = `${at.left + at.width / 2 - box.left}px`;
  tip.style.top = `${at.top - box.top}px`;
});
document.addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT" && event.key.startsWith("Arrow")) return;
  if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play(!view.playing); }
  if (event.key === "ArrowRight") { play(false); jump(Math.floor(view.time) + 1); }
  if (event.key === "ArrowLeft") { play(false); jump(Math.ceil(view.time) - 1); }
});

function paint(theme) { document.documentElement.dataset.theme = theme; }
const wanted = matchMedia("(prefers-color-scheme: dark)");
paint(wanted.matches ? "dark" : "light");
wanted.addEventListener("change", () => paint(wanted.matches ? "dark" : "light"));
$("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));

$("subtitle").textContent = `${Object.keys(history_.people).length} residents, ${states.length} frames. ` +
  "Every move, vote and coin is read from git.";
$("footer").textContent = `Branch ${history_.branch}, frames ${states[0].n} to ${states[last].n}, the last at ${history_.commit.slice(0, 10)}. ` +
  "Space plays, the arrow keys step; choose a resident to follow.";
const fragment = Number(location.hash.slice(1));
jump(fragment >= states[0].n ? fragment - states[0].n : 0);
play(!fragment && !matchMedia("(prefers-reduced-motion: reduce)").matches);
