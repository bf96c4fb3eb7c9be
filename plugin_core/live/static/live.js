"use strict";
// Shows what the server has, a frame at a time, and tells it what is drawn. Both halves of a frame come in one picture.

const canvas = document.getElementById("canvas");
const paper = canvas.getContext("2d");
const radius = document.getElementById("radius");
const line = document.getElementById("wipe");
const message = document.getElementById("message");

const state = { view: "wipe", tool: "box", paused: false, told: null, both: null, way: null, number: -1 };

async function ask(what) {
  try {
    const answer = await fetch("ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(what),
    });
    message.textContent = answer.ok ? "" : await answer.text();
  } catch {
    ended();
  }
}

function ended() {
  document.body.dataset.ended = "";
  message.textContent = "The stream has ended.";
}

function show() {
  const both = state.both;
  if (!both) return;
  const width = both.width, height = both.height / 2;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    fit();
  }
  const half = (plate, left, right) => {
    if (right > left)
      paper.drawImage(both, left, plate ? 0 : height, right - left, height, left, 0, right - left, height);
  };
  if (state.view !== "wipe") half(state.view === "plate", 0, width);
  else {
    const at = Math.round((width * line.value) / 1000);
    half(true, 0, at);
    half(false, at, width);
    paper.fillStyle = "#ffbe3c";
    paper.fillRect(at - 0.5, 0, 1, height);
  }
  drawWay();
}

function fit() {
  const stage = document.getElementById("stage");
  const others = document.body.offsetHeight - stage.offsetHeight;
  const share = Math.min(stage.clientWidth / canvas.width, Math.max(200, innerHeight - others) / canvas.height);
  canvas.style.width = `${Math.floor(canvas.width * share)}px`;
}

addEventListener("resize", fit);

function drawWay() {
  if (!state.way) return;
  const share = canvas.width / state.told.width;
  const way = state.way.map(([x, y]) => [x * share, y * share]);
  const [first, last] = [way[0], way[way.length - 1]];
  paper.strokeStyle = "#ffbe3c";
  if (state.tool === "box") {
    paper.lineWidth = 1.5;
    paper.strokeRect(first[0], first[1], last[0] - first[0], last[1] - first[1]);
    return;
  }
  paper.globalAlpha = 0.5;
  paper.lineWidth = 2 * brush() * share;
  paper.lineCap = paper.lineJoin = "round";
  paper.beginPath();
  paper.moveTo(...first);
  for (const point of way) paper.lineTo(...point);
  paper.stroke();
  paper.globalAlpha = 1;
}

function brush() {
  return (radius.valueAsNumber * state.told.width) / 960;
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) * state.told.width) / box.width,
    ((event.clientY - box.top) * state.told.height) / box.height,
  ];
}

canvas.addEventListener("pointerdown", (event) => {
  if (!state.told || event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  state.resume = !state.paused;
  if (state.resume) ask({ pause: true });
  state.way = [place(event)];
  show();
});

canvas.addEventListener("pointermove", (event) => {
  if (!state.way) return;
  const at = place(event);
  if (state.tool === "box") state.way = [state.way[0], at];
  else if (state.way.length < 4096) state.way.push(at);
  show();
});

canvas.addEventListener("pointerup", async () => {
  if (!state.way) return;
  const points = state.way;
  state.way = null;
  const [first, last] = [points[0], points[points.length - 1]];
  const drawn = state.tool === "brush" || Math.min(Math.abs(first[0] - last[0]), Math.abs(first[1] - last[1])) >= 2;
  if (drawn) await ask({ mark: { kind: state.tool, points, radius: brush() } });
  if (state.resume) await ask({ pause: false });
  show();
});

canvas.addEventListener("pointercancel", () => {
  state.way = null;
  if (state.resume) ask({ pause: false });
});

function choose(group, value) {
  state[group] = value;
  for (const button of document.querySelectorAll(`[data-${group}]`))
    button.setAttribute("aria-pressed", String(button.dataset[group] === value));
  document.getElementById("line").hidden = state.view !== "wipe";
  show();
}

for (const group of ["view", "tool"])
  for (const button of document.querySelectorAll(`[data-${group}]`))
    button.addEventListener("click", () => choose(group, button.dataset[group]));

const actions = {
  undo: () => ask({ undo: true }),
  clear: () => ask({ clear: true }),
  pause: () => ask({ pause: !state.paused }),
};
for (const [name, action] of Object.entries(actions)) document.getElementById(name).addEventListener("click", action);
line.addEventListener("input", show);

const keys = {
  1: () => choose("view", "result"),
  2: () => choose("view", "plate"),
  3: () => choose("view", "wipe"),
  b: () => choose("tool", "box"),
  r: () => choose("tool", "brush"),
  u: actions.undo,
  c: actions.clear,
  " ": actions.pause,
};
document.addEventListener("keydown", (event) => {
  const onControl = event.target.closest("button, input");
  if (event.ctrlKey || event.metaKey || event.altKey || (onControl && event.key === " ")) return;
  const action = keys[event.key.toLowerCase()];
  if (action) {
    event.preventDefault();
    action();
  }
});

function tell(told) {
  state.paused = told.paused;
  const pause = document.getElementById("pause");
  pause.textContent = told.paused ? "Go on" : "Pause";
  pause.setAttribute("aria-pressed", String(told.paused));
  const parts = [`${told.fps.toFixed(1)} fps`, `latency ${told.latency} ms`];
  if (told.dropped) parts.push(`${told.dropped} dropped`);
  if (told.marks) parts.push(`${told.marks} ${told.marks === 1 ? "mark" : "marks"}`);
  if (told.waiting) parts.push(`${told.waiting} waiting for the frame it was drawn on`);
  if (told.lost) parts.push(`${told.lost} lost: draw again`);
  if (told.paused) parts.push("paused");
  document.getElementById("figures").textContent = parts.join(" · ");
  document.body.dataset.marks = told.marks;
  document.body.dataset.paused = told.paused;
}

async function follow() {
  for (;;) {
    const answer = await fetch(`frame?after=${state.number}`);
    const told = JSON.parse(answer.headers.get("X-Live"));
    if (answer.status === 200) {
      const both = await createImageBitmap(await answer.blob());
      state.both?.close();
      state.both = both;
      state.told = told;
      state.number = told.number;
      show();
      document.body.dataset.shown = told.number;
    }
    tell(told);
    if (told.ended) return ended();
  }
}

fit();
choose("view", "wipe");
follow().catch(ended);
