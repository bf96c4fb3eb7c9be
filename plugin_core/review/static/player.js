"use strict";
// Which frame is shown, and playing: at the shot's rate, waiting for pictures that are not there yet.

const AHEAD = 16;

class Player {
  constructor(data, pictures, stage, shown) {
    this.data = data;
    this.pictures = pictures;
    this.stage = stage;
    this.shown = shown; // told of every frame that is gone to
    this.index = 0;
    this.playing = false;
    this.loop = null; // first and last index
    this.real = 0;
  }

  get frame() {
    return this.data.frames[this.index];
  }

  indexOf(frame) {
    const { frames } = this.data;
    return clamp(Math.round(frame) - frames[0], 0, frames.length - 1);
  }

  goTo(index) {
    this.index = clamp(index, 0, this.data.frames.length - 1);
    this.shown();
    return this.refresh();
  }

  step(by) {
    this.stop();
    return this.goTo(this.index + by);
  }

  // Shows the frame once its pictures are here. Frames that were passed meanwhile are not loaded any more.
  async refresh() {
    this.stale = true;
    if (this.loading) return;
    this.loading = true;
    while (this.stale) {
      this.stale = false;
      const { index } = this;
      const { layers } = this.stage;
      if (!this.pictures.ready(index, layers)) await this.pictures.load(index, layers);
      this.stage.show(index);
    }
    this.loading = false;
    for (const near of [this.index + 1, this.index - 1, this.index + 2]) {
      this.pictures.load(near, this.stage.layers);
    }
  }

  setLoop(range) {
    this.loop = range;
    if (range && (this.index < range[0] || this.index > range[1])) this.goTo(range[0]);
    this.shown();
  }

  toggle() {
    if (this.playing) this.stop();
    else this.start();
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.shown();
  }

  start() {
    this.playing = true;
    this.due = performance.now();
    this.counted = { since: this.due, frames: 0 };
    this.shown();
    requestAnimationFrame((now) => this.tick(now));
  }

  next() {
    const [first, last] = this.loop ?? [0, this.data.frames.length - 1];
    return this.index >= last || this.index < first ? first : this.index + 1;
  }

  tick(now) {
    if (!this.playing) return;
    const { layers } = this.stage;
    if (now >= this.due) {
      const next = this.next();
      if (this.pictures.ready(next, layers)) {
        this.index = next;
        this.stage.show(next);
        this.count(now);
        this.shown();
        const apart = 1000 / this.data.rate;
        this.due = Math.max(this.due + apart, now - apart);
      }
    }
    this.prefetch(layers);
    requestAnimationFrame((later) => this.tick(later));
  }

  prefetch(layers) {
    const [first, last] = this.loop ?? [0, this.data.frames.length - 1];
    const long = last - first + 1;
    for (let away = 1; away <= Math.min(AHEAD, long - 1); away += 1) {
      const at = first + ((this.index - first + away) % long + long) % long;
      if (this.pictures.coming.size > AHEAD) return;
      this.pictures.load(at, layers);
    }
  }

  count(now) {
    this.counted.frames += 1;
    const took = now - this.counted.since;
    if (took < 500) return;
    this.real = (1000 * this.counted.frames) / took;
    this.counted = { since: now, frames: 0 };
  }
}
