"use strict";
// Everything by keyboard. Keys count where nobody types.

const KEYS = [
  ["\u2190 \u2192", "one frame back or on; with Shift ten"],
  ["Home End", "first and last frame"],
  ["Space", "play or stop"],
  ["1 \u2026 7", "result, plate, wipe, side by side, difference, sources, matte"],
  ["F", "flip between plate and result"],
  ["W S D", "wipe, side by side, difference"],
  ["[ ]", "move the wipe's line"],
  ["Z", "fit, 100 %, 400 % at the hole"],
  ["O", "outline of the hole"],
  ["L", "loop over the flagged range, or all again"],
  ["N P", "next and previous flagged frame"],
  ["A R", "approve, reject"],
  ["C", "write a note"],
  ["?", "these keys"],
];

function listenToKeys({ stage, player, faults, notes }) {
  const last = () => player.data.frames.length - 1;
  const acts = {
    ArrowLeft: (event) => player.step(event.shiftKey ? -10 : -1),
    ArrowRight: (event) => player.step(event.shiftKey ? 10 : 1),
    Home: () => player.step(-last()),
    End: () => player.step(last()),
    " ": () => player.toggle(),
    f: () => stage.flip(),
    w: () => stage.setMode("wipe"),
    s: () => stage.setMode("side"),
    d: () => stage.setMode("difference"),
    "[": () => stage.setWipe(stage.wipe - 0.02),
    "]": () => stage.setWipe(stage.wipe + 0.02),
    z: () => stage.nextZoom(),
    o: () => $("outline").click(),
    l: () => faults.toggleLoop(),
    n: () => faults.next(1),
    p: () => faults.next(-1),
    a: () => notes.decide("approved"),
    r: () => notes.decide("rejected"),
    c: () => $("text").focus(),
    "?": () => $("help").click(),
  };
  MODES.forEach(([mode], at) => {
    acts[String(at + 1)] = () => {
      if (stage.modes.some(([one]) => one === mode)) stage.setMode(mode);
    };
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const typed = target.matches("input, textarea") && target.type !== "range" && target.type !== "file";
    if (event.key === "Escape") {
      if (typed) target.blur();
      $("keys").hidden = true;
      $("help").setAttribute("aria-expanded", "false");
      return;
    }
    // A button that has the focus is pressed by space, as everywhere.
    if (typed || (event.key === " " && target.matches("button, summary"))) return;
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
  const rows = KEYS.map(([key, told]) => element("tr", {}, [element("th", { scope: "row", text: key }), element("td", { text: told })]));
  $("keys").replaceChildren(element("table", {}, rows));
  $("help").addEventListener("click", () => {
    $("keys").hidden = !$("keys").hidden;
    $("help").setAttribute("aria-expanded", String(!$("keys").hidden));
  });
}
