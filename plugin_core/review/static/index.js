"use strict";
// One row a shot: sorted by a press on a head, filtered by words and states.

(() => {
  const RANK = { failed: 0, stopped: 1, rendering: 2, waiting: 3, done: 4 };
  const BAD = { FAULT: 0, look: 1, ok: 2 };
  const bad = (shot) => (shot.state === "failed" ? -1 : BAD[shot.verdict] ?? 3);
  const COLUMNS = [
    ["", null],
    ["Shot", (shot) => shot.name],
    ["State", (shot) => RANK[shot.state] ?? 9],
    ["Found", bad],
    ["Decision", (shot) => shot.decision],
    ["Frames", (shot) => shot.total || shot.done],
    ["Time", (shot) => -shot.seconds],
  ];
  const WORDS = { FAULT: "Fault", look: "Look at", ok: "No faults" };
  const left = memory.read(`cleanplate index ${DATA.title}`) ?? {};
  let sorted = left.sorted ?? 3;
  let down = left.down ?? false;
  const hidden = new Set(left.hidden ?? []);
  $("find").value = left.find ?? "";

  function time(seconds) {
    if (!seconds) return "";
    if (seconds < 90) return `${Math.round(seconds)} s`;
    return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
  }

  const thumbs = new Map();
  function thumb(shot) {
    if (!shot.moving) return "";
    if (!thumbs.has(shot.moving)) {
      thumbs.set(shot.moving, element("img", { src: shot.moving, alt: "", width: 144, loading: "lazy" }));
    }
    return thumbs.get(shot.moving);
  }

  function row(shot) {
    const name = shot.page ? element("a", { href: shot.page, text: shot.name }) : element("span", { text: shot.name });
    const found = [];
    if (shot.message) found.push(element("p", { className: shot.state === "failed" ? "fault" : "look", text: shot.message }));
    if (shot.verdict) {
      const told = shot.sentences.length ? `${WORDS[shot.verdict]}: ${shot.sentences[0]}` : WORDS[shot.verdict];
      found.push(element("p", { className: { FAULT: "fault", look: "look", ok: "" }[shot.verdict], text: told }));
      if (shot.sentences.length > 1) {
        found.push(element("details", {}, [
          element("summary", { text: `${shot.sentences.length - 1} more` }),
          ...shot.sentences.slice(1).map((text) => element("p", { text })),
        ]));
      }
    }
    const frames = shot.total && shot.done !== shot.total ? `${shot.done} of ${shot.total}` : String(shot.total || shot.done || "");
    return element("tr", {}, [
      element("td", {}, [thumb(shot)]),
      element("th", { scope: "row" }, [name]),
      element("td", { className: shot.state, text: shot.state }),
      element("td", { className: "found" }, found),
      element("td", { text: shot.decision }),
      element("td", { text: frames }),
      element("td", { text: time(shot.seconds) }),
    ]);
  }

  function wanted(shot) {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = [shot.name, shot.message, shot.state, shot.decision, ...shot.sentences].join(" ").toLowerCase();
    return !hidden.has(shot.state) && words.every((word) => text.includes(word));
  }

  function show() {
    const key = COLUMNS[sorted][1];
    const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
    const shots = DATA.shots.filter(wanted).sort((one, other) =>
      (down ? -1 : 1) * order(key(one), key(other)) || order(one.name, other.name));
    $("rows").replaceChildren(...shots.map(row));
    $("none").hidden = shots.length > 0;
    [...$("heads").children].forEach((head, at) => {
      if (at === sorted) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    memory.write(`cleanplate index ${DATA.title}`, { sorted, down, hidden: [...hidden], find: $("find").value });
  }

  $("title").textContent = DATA.title;
  $("heads").replaceChildren(...COLUMNS.map(([title, key], at) => {
    if (!key) return element("td");
    const button = element("button", { type: "button", text: title });
    button.addEventListener("click", () => {
      down = sorted === at ? !down : false;
      sorted = at;
      show();
    });
    return element("th", { scope: "col" }, [button]);
  }));
  const states = [...new Set(DATA.shots.map((shot) => shot.state))].sort((one, other) => RANK[one] - RANK[other]);
  const count = (state) => DATA.shots.filter((shot) => shot.state === state).length;
  $("counts").textContent = `${DATA.shots.length} shots, ${time(DATA.shots.reduce((sum, shot) => sum + shot.seconds, 0)) || "0 s"}`;
  $("states").replaceChildren(...states.map((state) => {
    const button = element("button", { type: "button", text: `${count(state)} ${state}`, "aria-pressed": String(!hidden.has(state)) });
    button.addEventListener("click", () => {
      if (!hidden.delete(state)) hidden.add(state);
      button.setAttribute("aria-pressed", String(!hidden.has(state)));
      show();
    });
    return button;
  }));
  $("find").addEventListener("input", show);
  show();
  document.body.dataset.ready = document.body.dataset.shown = "yes";
  if (DATA.live) {
    const again = () => (document.activeElement === $("find") ? setTimeout(again, 2000) : location.reload());
    setTimeout(again, 10000);
  }
})();
