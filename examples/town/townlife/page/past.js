/* The history as states that can be looked up: who was where, with how much gold, in what mood. */

function unfold(history) {
  const where = {}, gold = {}, mood = {}, votes = {};
  return history.frames.map(frame => {
    merge(where, frame.where), merge(gold, frame.gold), merge(mood, frame.mood), merge(votes, frame.votes);
    const living = Object.keys(where);
    return {...frame, where: {...where}, gold: {...gold}, mood: {...mood}, votes: {...votes}, living, slots: {}};
  });
}

/** Take over what changed; null says that it is gone. */
function merge(state, changes) {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete state[key]; else state[key] = value;
  }
}

/** Give everybody a spot of their own at their place, and let them keep it while they stay. */
function seat(states) {
  let before = {where: {}, slots: {}};
  for (const state of states) {
    const taken = {}, standing = [];
    for (const who of state.living) {
      const place = state.where[who];
      taken[place] ??= new Set();
      if (before.where[who] === place) {
        taken[place].add(state.slots[who] = before.slots[who]);
      } else standing.push(who);
    }
    for (const who of standing) {
      const used = taken[state.where[who]];
      let slot = 0;
      while (used.has(slot)) slot++;
      used.add(state.slots[who] = slot);
    }
    before = state;
  }
}

/** The shortest way by road between every two places. */
function findWays(history) {
  const next = {}, ways = {};
  for (const [a, b] of history.roads) (next[a] ??= []).push(b), (next[b] ??= []).push(a);
  for (const start of Object.keys(history.places)) {
    ways[start] = {[start]: [start]};
    const queue = [start];
    for (const here of queue) for (const there of next[here] ?? []) {
      if (ways[start][there]) continue;
      ways[start][there] = [...ways[start][here], there];
      queue.push(there);
    }
  }
  return ways;
}

const share = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
const sum = numbers => numbers.reduce((a, b) => a + b, 0);
const ascending = numbers => [...numbers].sort((a, b) => a - b);
