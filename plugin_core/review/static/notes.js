"use strict";
// What the reviewer decides and notes: kept by the browser, downloaded and loaded as JSON.

const STRIPPED = /[^A-Za-z0-9._-]+/g;

class Notes {
  constructor(data, player) {
    this.data = data;
    this.player = player;
    this.place = `cleanplate review ${data.result}`;
    this.state = this.fits(memory.read(this.place)) ?? this.fits(data.decision) ?? this.none();
    $("reviewer").value = this.state.reviewer || memory.read("cleanplate reviewer") || "";
    $("approve").addEventListener("click", () => this.decide("approved"));
    $("reject").addEventListener("click", () => this.decide("rejected"));
    $("write").addEventListener("submit", (event) => { event.preventDefault(); this.add(); });
    $("reviewer").addEventListener("change", () => this.keep());
    $("save").addEventListener("click", () => this.save());
    $("load").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", (event) => this.load(event.target.files[0]));
    this.show();
  }

  none() {
    return { version: 1, shot: this.data.shot, result: this.data.result, decision: "undecided", reviewer: "", date: "", notes: [] };
  }

  // A decision as it may be: what anyone else wrote is read as plain text and numbers, or not at all.
  fits(found) {
    if (!found || found.version !== 1 || !Array.isArray(found.notes)) return null;
    if (!["approved", "rejected", "undecided"].includes(found.decision)) return null;
    const notes = found.notes
      .filter((note) => Number.isInteger(note?.frame) && typeof note?.text === "string")
      .map(({ frame, text }) => ({ frame, text }));
    return { ...this.none(), decision: found.decision, reviewer: String(found.reviewer ?? ""), date: String(found.date ?? ""), notes };
  }

  decide(decision) {
    this.state.decision = this.state.decision === decision ? "undecided" : decision;
    this.keep();
  }

  add() {
    const text = $("text").value.trim();
    if (!text) return;
    this.state.notes.push({ frame: this.player.frame, text });
    this.state.notes.sort((one, other) => one.frame - other.frame);
    $("text").value = "";
    this.keep();
  }

  keep() {
    this.state.reviewer = $("reviewer").value.trim();
    this.state.date = new Date().toISOString().slice(0, 19);
    memory.write("cleanplate reviewer", this.state.reviewer);
    memory.write(this.place, this.state);
    $("saved").textContent = "Not downloaded yet";
    this.show();
  }

  show() {
    $("approve").setAttribute("aria-pressed", String(this.state.decision === "approved"));
    $("reject").setAttribute("aria-pressed", String(this.state.decision === "rejected"));
    $("noted").replaceChildren(...this.state.notes.map((note) => this.item(note)));
  }

  item(note) {
    const go = element("button", { type: "button", className: "go" }, [
      element("strong", { text: String(note.frame) }), element("span", { text: note.text }),
    ]);
    go.addEventListener("click", () => this.player.goTo(this.player.indexOf(note.frame)));
    const remove = element("button", { type: "button", text: "Remove", "aria-label": `Remove the note on ${note.frame}` });
    remove.addEventListener("click", () => {
      this.state.notes = this.state.notes.filter((one) => one !== note);
      this.keep();
    });
    return element("li", {}, [go, remove]);
  }

  get name() {
    return `${this.data.shot.replace(STRIPPED, "_").slice(0, 80)}.decision.json`;
  }

  save() {
    const url = URL.createObjectURL(new Blob([`${JSON.stringify(this.state, null, 2)}\n`], { type: "application/json" }));
    const link = element("a", { href: url, download: this.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    $("saved").textContent = `Downloaded as ${this.name}; put it beside this page`;
  }

  async load(file) {
    if (!file) return;
    let found = null;
    try { found = this.fits(JSON.parse(await file.text())); } catch { /* said below */ }
    if (found) {
      this.state = found;
      $("reviewer").value = found.reviewer;
      this.keep();
    }
    $("saved").textContent = found ? `Loaded ${file.name}` : `${file.name} holds no decision of this kind`;
    $("file").value = "";
  }
}
