"use strict";
// Puts the page together.

(() => {
  const pictures = new Pictures(DATA, 256 * 1024 * 1024);
  let player = null;
  const stage = new Stage($("canvas"), DATA, pictures, () => changed());
  const setMode = choice($("modes"), stage.modes, (mode) => stage.setMode(mode));
  const setZoom = choice($("zooms"), ZOOMS, (zoom) => stage.setZoom(zoom));
  player = new Player(DATA, pictures, stage, () => moved());
  const faults = new Faults(DATA, player);
  const notes = new Notes(DATA, player);
  let plots = null;

  $("shot").textContent = DATA.shot;
  $("result").textContent = DATA.result;
  $("headline").textContent = DATA.headline;
  $("headline").className = DATA.faults.some((fault) => fault.verdict === "FAULT") ? "fault" : DATA.faults.length ? "look" : "";
  const { frames } = DATA;
  Object.assign($("slider"), { min: frames[0], max: frames.at(-1), value: frames[0] });
  Object.assign($("number"), { min: frames[0], max: frames.at(-1), value: frames[0] });

  function changed() {
    setMode(stage.flipped ? stage.shown : stage.mode);
    setZoom(stage.zoom);
    stage.draw();
    moved();
    player.refresh();
  }

  function moved() {
    const { frame, index } = player;
    const names = { wipe: [DATA.before, "result"], side: [DATA.before, "result"], plate: [DATA.before, ""] }[stage.shown] ?? [titleOf(stage.shown), ""];
    $("left-name").textContent = names[0];
    $("right-name").textContent = names[1];
    $("slider").value = frame;
    if (document.activeElement !== $("number")) $("number").value = frame;
    $("at").textContent = frame;
    const state = DATA.states[index];
    $("stage-note").textContent = state === "ok" ? "" : `The result of frame ${frame} is ${state}.`;
    $("play").textContent = player.playing ? "Stop" : "Play";
    $("rate").textContent = player.playing && player.real
      ? `${player.real.toFixed(1)} of ${rounded(DATA.rate)} a second` : `${rounded(DATA.rate)} frames a second`;
    $("loop").setAttribute("aria-pressed", String(Boolean(player.loop)));
    $("loop-range").textContent = player.loop ? player.loop.map((at) => frames[at]).join("\u2013") : "";
    $("legend").hidden = stage.shown !== "sources";
    $("canvas").setAttribute("aria-label", `Frame ${frame}: ${names.filter(Boolean).join(" and ")}`);
    plots?.at(index);
    remember();
  }

  const rounded = (value) => String(Number(value.toFixed(3)));
  const titleOf = (mode) => MODES.find(([one]) => one === mode)[1].toLowerCase();

  let remembering = 0;
  function remember() {
    clearTimeout(remembering);
    remembering = setTimeout(() => {
      const zoom = ["fit", 1, 4].includes(stage.zoom) ? stage.zoom : "fit";
      history.replaceState(null, "", `#${player.frame}/${stage.mode}/${zoom}`);
    }, 300);
  }

  // Where the page was left, by its address.
  function recall() {
    const [frame, mode, zoom] = location.hash.slice(1).split("/");
    if (stage.modes.some(([one]) => one === mode)) stage.mode = mode;
    const index = /^-?[0-9]+$/.test(frame) ? player.indexOf(Number(frame)) : 0;
    player.index = stage.index = index;
    if (["1", "4"].includes(zoom)) stage.setZoom(Number(zoom));
    return index;
  }

  $("play").addEventListener("click", () => player.toggle());
  $("back").addEventListener("click", () => player.step(-1));
  $("forth").addEventListener("click", () => player.step(1));
  $("loop").addEventListener("click", () => faults.toggleLoop());
  $("worse").addEventListener("click", () => faults.next(1));
  $("worse").disabled = !faults.flagged.length;
  $("slider").addEventListener("input", (event) => player.goTo(player.indexOf(Number(event.target.value))));
  $("number").addEventListener("change", (event) => player.goTo(player.indexOf(Number(event.target.value))));
  $("outline").addEventListener("click", () => {
    stage.outline = !stage.outline;
    $("outline").setAttribute("aria-pressed", String(stage.outline));
    stage.draw();
  });
  $("legend").replaceChildren(...DATA.origins.map(({ color, title }) => {
    const mark = element("i");
    mark.style.background = color;
    return element("li", {}, [mark, title]);
  }));
  listenToKeys({ stage, player, faults, notes });
  showAbout(DATA);
  if (DATA.live) {
    $("live").hidden = false;
    const far = `${DATA.live.done} of ${DATA.live.total} frames`;
    $("live").textContent = DATA.live.every ? `Rendering: ${far}` : `Only ${far} are there`;
    if (DATA.live.every) setTimeout(() => {
      const busy = () => player.playing || document.activeElement === $("text") || $("text").value;
      const again = () => (busy() ? setTimeout(again, 1000) : location.reload());
      again();
    }, DATA.live.every * 1000);
  }
  const first = recall();
  setMode(stage.mode);
  setZoom(stage.zoom);
  player.goTo(first);
  // Plots come after the picture.
  requestAnimationFrame(() => setTimeout(() => {
    plots = new Plots($("plots"), DATA, (index) => { player.stop(); player.goTo(index); });
    plots.at(player.index);
    document.body.dataset.ready = "yes";
  }));
})();
