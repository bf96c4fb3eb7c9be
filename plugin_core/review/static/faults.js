"use strict";
// What was found, as sentences, the worst first; marks of flagged frames on the time line.

const WORDS = { FAULT: "Fault", look: "Look at" };

class Faults {
  constructor(data, player) {
    this.data = data;
    this.player = player;
    this.flagged = [...new Set(data.faults.flatMap((fault) => fault.frames))].sort((a, b) => a - b);
    const items = data.faults.map((fault, rank) => this.item(fault, rank));
    if (!items.length) items.push(element("li", { className: "none", text: "No faults." }));
    $("faults").replaceChildren(...items);
    this.canvas = $("marks");
    new ResizeObserver(() => this.mark()).observe(this.canvas);
  }

  item(fault, rank) {
    const go = element("button", { type: "button", className: "go" }, [
      element("strong", { text: `${WORDS[fault.verdict]}: ${fault.name}` }),
      element("span", { text: fault.sentence }),
    ]);
    go.addEventListener("click", () => {
      if (fault.frames.length) this.player.goTo(this.player.indexOf(fault.frames[0]));
    });
    const again = element("button", { type: "button", text: "Loop", title: "Loop over the frames around it" });
    again.hidden = !fault.loop.length;
    again.addEventListener("click", () => this.loop(rank));
    return element("li", { className: fault.verdict === "FAULT" ? "fault" : "look" }, [go, again]);
  }

  loop(rank) {
    const range = this.data.faults[rank]?.loop ?? [];
    if (!range.length) return;
    this.player.setLoop(range.map((frame) => this.player.indexOf(frame)));
    if (!this.player.playing) this.player.start();
  }

  // The worst fault's range, or none again.
  toggleLoop() {
    if (this.player.loop) this.player.setLoop(null);
    else if (this.data.faults.length) this.loop(this.data.faults.findIndex((fault) => fault.loop.length));
    else this.player.setLoop([0, this.data.frames.length - 1]);
  }

  next(by) {
    const { frame } = this.player;
    const after = by > 0 ? this.flagged.find((one) => one > frame) : this.flagged.findLast((one) => one < frame);
    const wanted = after ?? this.flagged.at(by > 0 ? 0 : -1);
    if (wanted !== undefined) {
      this.player.stop();
      this.player.goTo(this.player.indexOf(wanted));
    }
  }

  mark() {
    const { canvas, data } = this;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
    const pen = canvas.getContext("2d");
    const wide = canvas.width / data.frames.length;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    data.pictures.forEach((one, at) => {
      pen.fillStyle = "matte" in one ? "#6a6a6a" : "#3a3a3a";
      pen.fillRect(at * wide, canvas.height * 0.66, Math.ceil(wide), canvas.height * 0.34);
    });
    for (const fault of data.faults.toReversed()) {
      pen.fillStyle = fault.verdict === "FAULT" ? "#e8775f" : "#d8a13c";
      for (const frame of fault.frames) {
        const at = this.player.indexOf(frame) * wide;
        pen.fillRect(at, 0, Math.max(2, Math.ceil(wide)), canvas.height * 0.6);
      }
    }
  }
}
