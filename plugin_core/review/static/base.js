"use strict";
// What every other part of the page uses: its data, small helpers, and who is told of what.

const DATA = JSON.parse(document.getElementById("data").textContent);

const $ = (id) => document.getElementById(id);

// Makes an element; text is put in as text, whatever it holds.
function element(tag, fields = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) {
    if (name === "text") made.textContent = value;
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

// Keeps small things between visits; a browser may refuse that for files.
const memory = {
  read(name) {
    try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
  },
  write(name, value) {
    try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* not kept, then */ }
  },
};

// A row of buttons of which one is chosen; arrow keys move within it.
function choice(holder, options, choose) {
  const buttons = options.map(([value, label, title]) =>
    element("button", { type: "button", role: "radio", text: label, title, value: String(value) }));
  const set = (value) => buttons.forEach((button) => {
    const chosen = button.value === String(value);
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  });
  buttons.forEach((button, at) => {
    button.addEventListener("click", () => choose(options[at][0]));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const next = (at + step + buttons.length) % buttons.length;
      choose(options[next][0]);
      buttons[next].focus();
    });
  });
  holder.replaceChildren(...buttons);
  return set;
}
