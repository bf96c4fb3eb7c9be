"use strict";
// Draws a frame: what is shown, wipe, zoom, outline. Coordinates are plate pixels unless told otherwise.

const MODES = [
  ["result", "Result", "The result (1)"],
  ["plate", "Plate", "The plate (2)"],
  ["wipe", "Wipe", "Plate left of a line, result right of it (3 or W)"],
  ["side", "Side by side", "Plate and result beside each other (4 or S)"],
  ["difference", "Difference \u00d78", "What was changed, eight times as strong (5 or D)"],
  ["sources", "Sources", "Where the pixels come from (6)"],
  ["matte", "Matte", "The matte as it was used (7)"],
];
const ZOOMS = [["fit", "Fit", "All of the picture (Z)"], [1, "100 %", "At the hole (Z)"], [4, "400 %", "At the hole (Z)"]];
const LAYERS = {
  result: ["plate", "detail", "whole", "result"],
  plate: ["plate", "detail"],
  wipe: ["plate", "detail", "whole", "result"],
  side: ["plate", "detail", "whole", "result"],
  difference: ["difference"],
  sources: ["plate", "sources"],
  matte: ["matte"],
};
const GRIP = 28;

class Stage {
  constructor(canvas, data, pictures, changed) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.data = data;
    this.pictures = pictures;
    this.changed = changed; // told when the user changed what is shown
    this.index = 0;
    this.mode = "result";
    this.flipped = false;
    this.zoom = "fit";
    this.center = [data.size[0] / 2, data.size[1] / 2];
    this.wipe = 0.5;
    this.outline = false;
    this.modes = MODES.filter(([mode]) => mode !== "sources" || data.pictures.some((one) => "sources" in one));
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.listen();
    this.resize();
  }

  get shown() {
    if (!this.flipped) return this.mode;
    return this.mode === "plate" ? "result" : "plate";
  }

  get layers() {
    return this.flipped ? LAYERS.result : LAYERS[this.mode];
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas.parentElement;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    this.draw();
  }

  show(index) {
    this.index = index;
    if (this.zoom !== "fit") this.keepHoleInSight();
    this.draw();
    document.body.dataset.shown = String(this.data.frames[index]);
  }

  setMode(mode) {
    this.mode = mode;
    this.flipped = false;
    this.changed();
  }

  flip() {
    this.flipped = !this.flipped;
    this.changed();
  }

  setZoom(zoom) {
    this.zoom = zoom;
    if (zoom === "fit") this.center = [this.data.size[0] / 2, this.data.size[1] / 2];
    else this.center = this.holeCenter();
    this.changed();
  }

  nextZoom() {
    const order = ["fit", 1, 4];
    this.setZoom(order[(order.indexOf(this.zoom) + 1) % order.length]);
  }

  setWipe(part) {
    this.wipe = clamp(part, 0, 1);
    this.draw();
  }

  // The box of what was changed on this frame, else on the nearest that has one.
  hole() {
    const pictures = this.data.pictures;
    for (let away = 0; away < pictures.length; away += 1) {
      for (const at of [this.index - away, this.index + away]) {
        const box = pictures[at]?.matte ?? pictures[at]?.result;
        if (box) return box;
      }
    }
    return [0, 0, ...this.data.size];
  }

  holeCenter() {
    const [x0, y0, x1, y1] = this.hole();
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }

  keepHoleInSight() {
    const { scale, across } = this.scales(this.canvas.width);
    const [x, y] = this.holeCenter();
    const half = [this.canvas.width / 2 / across, this.canvas.height / 2 / scale];
    if (Math.abs(x - this.center[0]) > half[0] * 0.8 || Math.abs(y - this.center[1]) > half[1] * 0.8) {
      this.center = [x, y];
    }
  }

  // Screen pixels a plate pixel: down, and across where plate pixels are not square.
  scales(width) {
    const { size, aspect } = this.data;
    const fit = Math.min(width / (size[0] * aspect), this.canvas.height / size[1]);
    const scale = this.zoom === "fit" ? fit : this.zoom;
    return { scale, across: scale * aspect };
  }

  draw() {
    const { pen, canvas } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = "#1c1c1c";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const all = [0, canvas.width];
    const middle = Math.round(canvas.width / 2);
    if (this.shown === "side") {
      this.picture("plate", [0, middle - 1], [0, middle - 1]);
      this.picture("result", [middle + 1, canvas.width], [middle + 1, canvas.width]);
    } else if (this.shown === "wipe") {
      const line = Math.round(this.wipe * canvas.width);
      this.picture("plate", all, [0, line]);
      this.picture("result", all, [line, canvas.width]);
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.fillStyle = "#f2f2f2";
      pen.fillRect(line - 1, 0, 2, canvas.height);
      pen.fillRect(line - 4, canvas.height / 2 - 18, 8, 36);
    } else {
      this.picture(this.shown, all, all);
    }
  }

  // Draws one kind of picture as it lies in the columns `frame`, cut to the columns `cut`.
  picture(kind, frame, cut) {
    const { pen, canvas, index } = this;
    const { scale, across } = this.scales(frame[1] - frame[0]);
    const left = (frame[0] + frame[1]) / 2 - this.center[0] * across;
    const top = canvas.height / 2 - this.center[1] * scale;
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.beginPath();
    pen.rect(cut[0], 0, cut[1] - cut[0], canvas.height);
    pen.clip();
    pen.setTransform(across, 0, 0, scale, left, top);
    pen.imageSmoothingEnabled = scale < 2;
    pen.imageSmoothingQuality = "high";
    if (kind === "difference" || kind === "matte") {
      pen.fillStyle = "#000";
      pen.fillRect(0, 0, ...this.data.size);
      this.layer(index, kind);
    } else {
      this.layer(index, "plate");
      if (kind === "sources") {
        pen.fillStyle = "rgba(0, 0, 0, 0.55)";
        pen.fillRect(0, 0, ...this.data.size);
        this.layer(index, "sources");
      } else {
        this.layer(index, "detail");
        if (kind === "result") {
          this.layer(index, "whole");
          this.layer(index, "result");
        }
      }
    }
    if (this.outline) this.line(index, scale);
    pen.restore();
  }

  layer(index, name) {
    if (!this.pictures.has(index, name)) return;
    const bitmap = this.pictures.get(index, name);
    if (!bitmap) return;
    const [x0, y0, x1, y1] = this.pictures.box(index, name);
    this.pen.drawImage(bitmap, x0, y0, x1 - x0, y1 - y0);
  }

  line(index, scale) {
    const { pen } = this;
    pen.beginPath();
    for (const points of this.data.outlines[index]) {
      for (let at = 0; at < points.length; at += 2) pen.lineTo(points[at] / 4, points[at + 1] / 4);
      pen.closePath();
      pen.moveTo(points[0] / 4, points[1] / 4);
    }
    const ratio = window.devicePixelRatio || 1;
    for (const [color, width] of [["rgba(0, 0, 0, 0.7)", 3], ["#ffcf5c", 1.25]]) {
      pen.strokeStyle = color;
      pen.lineWidth = (width * ratio) / scale;
      pen.stroke();
    }
  }

  // The mouse moves the wipe by being there, a finger by being drawn; a drag moves an enlarged picture.
  listen() {
    const { canvas, pointers } = this;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      const [x] = place(event);
      const onLine = Math.abs(x - this.wipe) * canvas.clientWidth < GRIP;
      const wipes = this.shown === "wipe" && (this.zoom === "fit" || onLine);
      pointers.set(event.pointerId, { at: place(event), wipes });
      if (wipes) this.setWipe(x);
    });
    canvas.addEventListener("pointermove", (event) => {
      const held = pointers.get(event.pointerId);
      const [x, y] = place(event);
      if (!held) {
        if (this.shown === "wipe" && event.pointerType === "mouse") this.setWipe(x);
        return;
      }
      if (held.wipes && pointers.size === 1) {
        this.setWipe(x);
      } else if (pointers.size === 2) {
        this.pinch(event.pointerId, [x, y]);
      } else if (this.zoom !== "fit") {
        this.pan(x - held.at[0], y - held.at[1]);
      }
      held.at = [x, y];
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.enlarge(Math.exp(-event.deltaY / 400), place(event));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.nextZoom());
  }

  pan(x, y) {
    const { scale, across } = this.scales(this.canvas.width);
    this.center = [
      this.center[0] - (x * this.canvas.width) / across,
      this.center[1] - (y * this.canvas.height) / scale,
    ];
    this.draw();
  }

  pinch(id, now) {
    const [other] = [...this.pointers].filter(([one]) => one !== id).map(([, held]) => held.at);
    const before = this.pointers.get(id).at;
    const apart = (one) => Math.hypot(
      (one[0] - other[0]) * this.canvas.width, (one[1] - other[1]) * this.canvas.height);
    if (apart(before) > 8) this.enlarge(apart(now) / apart(before), other);
  }

  enlarge(times, [x, y]) {
    const before = this.scales(this.canvas.width);
    const fit = (() => { const kept = this.zoom; this.zoom = "fit"; const one = this.scales(this.canvas.width).scale; this.zoom = kept; return one; })();
    const wanted = clamp(before.scale * times, fit, 16);
    const off = [(x - 0.5) * this.canvas.width, (y - 0.5) * this.canvas.height];
    const aspect = this.data.aspect;
    this.center = [
      this.center[0] + off[0] / before.across - off[0] / (wanted * aspect),
      this.center[1] + off[1] / before.scale - off[1] / wanted,
    ];
    this.zoom = wanted;
    if (wanted === fit) this.setZoom("fit");
    else this.changed();
  }
}
